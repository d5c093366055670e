//! What the mirror costs a commit.

use std::time::{Duration, Instant};

use grantbook::command::AddMembers;
use grantbook::{Command, MemberId};
use serde_json::json;

use crate::server::accounts::{Copy, opened, request};
use crate::server::{client, repository};
use crate::{SERVER, mirrored};

const COMMITS: usize = 300;
const MANY: usize = 10_000;

fn added(members: &[String]) -> Command {
    let members = members.iter();
    let members = members.map(|member| MemberId::parse(member).expect("an id"));
    Command::AddMembers(AddMembers {
        members: members.collect(),
    })
}

fn put(members: &[String]) -> Command {
    let put = json!({ "command": "add-to-group", "group": "devs", "members": members });
    serde_json::from_value(put).expect("a command")
}

async fn timed(copy: &Copy, key: &str, commands: Vec<Command>) -> Duration {
    let request = request(key, commands);
    let began = Instant::now();
    copy.execute(&request).await.expect("it is done");
    began.elapsed()
}

/// A commit that adds a member and puts it in a group, and one that does so with 10,000.
async fn commits(address: &str) -> (Duration, Duration) {
    let copy = opened(&repository(address), "acme").await;
    let group = json!([{ "command": "create-store", "store": "dev" },
        { "command": "create-group", "group": "devs", "name": "Devs",
            "grants": [{ "role": "store-editor", "scope": { "stores": ["dev"] } }] }]);
    let group = serde_json::from_value(group).expect("commands");
    timed(&copy, "group", group).await;
    let mut small = Duration::ZERO;
    for number in 0..COMMITS {
        let member = [format!("member {number}")];
        small += timed(&copy, &member[0], vec![added(&member), put(&member)]).await;
    }
    let many: Vec<String> = (0..MANY).map(|number| format!("m{number}")).collect();
    let large = timed(&copy, "many", vec![added(&many), put(&many)]).await;
    (small / COMMITS.try_into().expect("some hundreds"), large)
}

/// With the mirror and without. Filled again, of an account with 10,300 members, it is what it was.
pub(crate) async fn of_commits() {
    let plain = commits(&SERVER.database("plain").await).await;
    let address = mirrored("with_mirror").await;
    let mirrored = commits(&address).await;
    println!(
        "mirror: a commit takes {:.1?} without and {:.1?} with it; of {MANY} members {:.0?} and {:.0?}",
        plain.0, mirrored.0, plain.1, mirrored.1
    );
    let sql = client(&address).await;
    let began = Instant::now();
    let fill = "SELECT grantbook.fill_mirror('acme')";
    sql.batch_execute(fill).await.expect("it is filled");
    let filled = began.elapsed();
    let members = "SELECT count(*) FROM grantbook.member_groups";
    let members = sql.query_one(members, &[]).await.expect("they are read");
    assert_eq!(
        usize::try_from(members.get::<_, i64>(0)).ok(),
        Some(COMMITS + MANY)
    );
    println!("mirror: filled from 605 records in {filled:.0?}");
}
