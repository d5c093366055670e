//! Pages while somebody else changes the account all the time.

mod support;

use std::time::Duration;

use support::{Browser, Service};

async fn changes(browser: Browser) {
    for number in 0..300 {
        let store = format!("store-{number}");
        let path = format!("/stores/{store}");
        browser
            .submit("/stores", "/stores", &[("store", &store)])
            .await
            .is(303);
        browser.submit(&path, &path, &[]).await.is(303);
    }
}

/// To look at the account twice at once would wait forever where a change comes in between.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pages_are_made_while_the_account_changes() {
    let service = Service::new().await;
    let olga = service.as_member("olga").await;
    let changing = tokio::spawn(changes(service.as_member("olga").await));
    let reading = async {
        let mut pages = 0;
        while !changing.is_finished() {
            for path in [
                "/groups",
                "/groups/new",
                "/groups/dev-team",
                "/members",
                "/members/ada",
                "/stores",
                "/stores/dev",
                "/roles",
                "/access",
                "/why?member=ada&permission=store.read&store=dev",
                "/settings",
                "/review",
                "/undo/2",
            ] {
                olga.get(path).await.is(200);
                pages += 1;
            }
        }
        pages
    };
    let read = tokio::time::timeout(Duration::from_secs(60), reading).await;
    println!("{} pages", read.expect("a page that never ends"));
    changing.await.unwrap();
}
