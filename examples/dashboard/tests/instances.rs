//! Several instances over one PostgreSQL, which the test starts: each sees what the others have changed.

#[path = "../../postgres/tests/server/mod.rs"]
mod server;
mod support;

use std::time::{Duration, Instant};

use grantbook_dashboard::App;
use server::Server;
use support::Service;

const SECRET: &str = "sixty-four bytes or more, which all instances have, so that cookies hold";

/// Waits until a page of an instance says this.
async fn says(browser: &support::Browser, path: &str, text: &str) -> Duration {
    let began = Instant::now();
    loop {
        let page = browser.get(path).await;
        if page.text.contains(text) {
            return began.elapsed();
        }
        assert!(began.elapsed() < Duration::from_secs(60), "no {text:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn instances_share_one_database() {
    // It waits with its thread.
    let server = tokio::task::spawn_blocking(|| Server::start(false));
    let server = server.await.unwrap();
    server.empty_database("dashboard").await;
    let folder = server.address("dashboard");
    let folder = folder.split(['=', ' ']).nth(1).unwrap();
    let database = format!(
        "postgres://postgres@{}/dashboard",
        folder.replace('/', "%2F")
    );
    // Both at once make the tables, and the account to click through.
    let (one, two) = tokio::join!(App::open(&database, SECRET), App::open(&database, SECRET));
    let (one, two) = (Service::over(one.unwrap()), Service::over(two.unwrap()));
    for service in [&one, &two] {
        let every = Duration::from_millis(100);
        tokio::spawn(service.app.clone().refresh_every(every));
    }

    // One session counts in both.
    let here = one.as_member("olga").await;
    let there = support::Browser {
        router: two.app.clone().router(),
        cookie: here.cookie.clone(),
    };
    let group = [
        ("name", "Night Shift"),
        ("description", ""),
        ("grant", r#"["store-viewer","production"]"#),
    ];
    // One of the two makes the account, and the other may have read it half made.
    says(&there, "/groups", "Read-Only Access").await;
    let old = there.get("/groups/read-only").await;
    old.is(200);
    let done = here.submit("/groups/new", "/groups/new", &group).await;
    done.is(303);
    let after = says(&there, "/groups", "Night Shift").await;
    println!("another instance shows it after {after:?}");
    let add = [("add", "nina")];
    let members = "/groups/night-shift/members";
    there
        .submit_and_confirm("/groups/night-shift", members, &add)
        .await
        .is(303);
    says(&here, "/members/nina", "Night Shift").await;

    // Two people edit one group on two instances: the second is told what the first did.
    let edited = [("name", "Readers"), ("description", ""), group[2]];
    here.submit("/groups/read-only", "/groups/read-only", &edited)
        .await
        .is(303);
    let typed = [("name", "Auditors"), ("description", ""), group[2]];
    let stale = there.submit_from(&old, "/groups/read-only", &typed).await;
    stale.is(422).says("look at it again before you save");
    stale.says("olga gave group `read-only` the name `Readers`");

    // What was done stays when all instances are gone.
    drop((one, two, here, there));
    let again = Service::over(App::open(&database, SECRET).await.unwrap());
    let olga = again.as_member("olga").await;
    olga.get("/groups").await.says("Night Shift");
    let nobody = App::open("postgres://postgres@%2Fnowhere/none", SECRET).await;
    assert!(nobody.is_err());
}
