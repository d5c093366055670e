//! Changes are taken back by commands, which are shown and decided like any other.

mod support;

use support::{Browser, Page, Service};

/// The versions of the records on the newest page of the history.
async fn versions(browser: &Browser) -> Vec<u64> {
    let page = browser.get("/history").await;
    let found = page.text.split("href=\"/undo/").skip(1);
    found
        .map(|rest| rest.split('"').next().unwrap().parse().unwrap())
        .collect()
}

/// What counts of an account: who may do what, and what groups and roles are.
async fn state(browser: &Browser) -> Vec<String> {
    let mut state = Vec::new();
    for path in ["/access", "/groups", "/roles"] {
        let page = browser.get(path).await;
        let content = page.text.split("<main").nth(1).unwrap().to_owned();
        // Keys and tokens are new on each page.
        let parts = content.split("<input type=\"hidden\"");
        state.push(
            parts
                .map(|part| part.split_once('>').map_or(part, |(_, rest)| rest))
                .collect(),
        );
    }
    state
}

/// The page, where its form goes, and what is typed.
type Change<'c> = (&'c str, &'c str, &'c [(&'c str, &'c str)]);

const READ: (&str, &str) = ("grant", r#"["store-viewer","production"]"#);
const WRITE: (&str, &str) = ("grant", r#"["store-editor","dev"]"#);

/// Sends a form, and confirms what it gives if that is asked.
async fn submit(olga: &Browser, from: &str, to: &str, fields: &[(&str, &str)]) -> Page {
    let done = olga.submit(from, to, fields).await;
    let done = if done.status == 200 {
        olga.submit_and_confirm(from, to, fields).await
    } else {
        done
    };
    done.is(303);
    done
}

#[tokio::test]
async fn changes_can_be_taken_back() {
    let service = Service::new().await;
    let olga = service.as_member("olga").await;
    let analyst = [
        ("role", "analyst"),
        ("name", "Analyst"),
        ("permissions", "report.read"),
    ];
    olga.submit("/roles", "/roles", &analyst).await.is(303);
    let edited = [
        ("name", "Readers"),
        ("description", "All of it"),
        READ,
        WRITE,
    ];
    let created = [("name", "Night Shift"), ("description", ""), READ];
    let group = "/groups/read-only";
    let changes: [Change<'_>; 8] = [
        (group, "/groups/read-only/members", &[("remove", "cleo")]),
        (group, "/groups/read-only/members", &[("add", "nina")]),
        (group, group, &edited),
        ("/groups/new", "/groups/new", &created),
        ("/members/ben", "/members/ben", &[("action", "1")]),
        ("/members/ada", "/members/ada", &[("action", "4")]),
        ("/stores", "/stores", &[("store", "lab")]),
        ("/roles", "/roles/analyst", &[]),
    ];
    for (from, to, fields) in changes {
        let before = state(&olga).await;
        let done = submit(&olga, from, to, fields).await;
        assert_ne!(state(&olga).await, before, "{to}");
        // Beside what was saved is what takes all of it back.
        let saved = olga.get(done.headers["location"].to_str().unwrap()).await;
        saved.is(200).says("Saved. <a href=\"/undo/");
        let undo = saved.text.split("Saved. <a href=\"").nth(1).unwrap();
        let undo = undo.split('"').next().unwrap();
        submit(&olga, undo, undo, &[]).await;
        assert_eq!(state(&olga).await, before, "{to} {fields:?}");
    }
    // From any record of a change, all of it is taken back.
    let before = state(&olga).await;
    submit(&olga, group, group, &edited).await;
    let last = format!("/undo/{}", versions(&olga).await[0]);
    submit(&olga, &last, &last, &[]).await;
    assert_eq!(state(&olga).await, before);
    // What others did to the group since stays.
    let renamed = [("name", "Auditors"), ("description", ""), READ];
    let first = submit(&olga, group, group, &renamed).await;
    let later = [
        ("name", "Auditors"),
        ("description", "Of books"),
        READ,
        WRITE,
    ];
    submit(&olga, group, group, &later).await;
    let saved = olga.get(first.headers["location"].to_str().unwrap()).await;
    let undo = saved.text.split("Saved. <a href=\"").nth(1).unwrap();
    let undo = undo.split('"').next().unwrap().to_owned();
    submit(&olga, &undo, &undo, &[]).await;
    let page = olga.get(group).await;
    page.says("<h1>Read-Only Access</h1>");
    page.says("Of books");
    page.says("Store Editor (includes Store Viewer): 1 of");
    // A group that is gone comes back with all that it granted.
    olga.submit("/groups/new", "/groups/new", &created)
        .await
        .is(303);
    let before = state(&olga).await;
    olga.submit("/groups/night-shift", "/groups/night-shift/delete", &[])
        .await
        .is(303);
    let undo = format!("/undo/{}", versions(&olga).await[0]);
    olga.submit(&undo, &undo, &[]).await.is(303);
    assert_eq!(state(&olga).await, before);
}

#[tokio::test]
async fn what_can_not_be_taken_back_says_so() {
    let service = Service::new().await;
    let olga = service.as_member("olga").await;
    olga.get("/undo/1")
        .await
        .is(200)
        .says("There is no way back from this.");
    olga.get("/undo/999").await.is(404);
    olga.get("/undo/0").await.is(404);
    olga.get("/undo/x").await.is(400);
    // The guardrails count here too: a manager does not come back into a group by itself.
    let gil = service.as_member("gil").await;
    olga.submit("/groups/it", "/groups/it/members", &[("remove", "gil")])
        .await
        .is(303);
    let undo = format!("/undo/{}", versions(&olga).await[0]);
    gil.get(&undo).await.is(404);
    let ada = service.as_member("ada").await;
    ada.get("/undo/2").await.is(404);
}
