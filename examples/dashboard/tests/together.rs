//! Several people, at once or one after the other, and what each learns of the others.

mod support;

use axum::body::Body;
use axum::http::Request;
use support::{Service, encoded};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tower::ServiceExt;

/// Two people edit one group: the second sees that it has changed, with what was typed, and may send it again.
#[tokio::test]
async fn a_stale_form_is_not_saved_over_what_others_did() {
    let service = Service::new().await;
    let (olga, gil) = (
        service.as_member("olga").await,
        service.as_member("gil").await,
    );
    let opened = gil.get("/groups/read-only").await;
    let revision = opened.hidden("revision").remove(0);
    let grant = ("grant", r#"["store-viewer","production"]"#);
    let renamed = [("name", "Readers"), ("description", "Of production"), grant];
    olga.submit("/groups/read-only", "/groups/read-only", &renamed)
        .await
        .is(303);
    let typed = [("name", "Auditors"), ("description", ""), grant];
    let stale = gil.submit_from(&opened, "/groups/read-only", &typed).await;
    stale.is(422).says("look at it again before you save");
    stale.says("olga gave group `read-only` the name `Readers`");
    stale.says("olga gave group `read-only` the description `Of production`");
    stale.says(r#"value="Auditors""#);
    assert_ne!(stale.hidden("revision").remove(0), revision);
    gil.submit_from(&stale, "/groups/read-only", &typed)
        .await
        .is(303);
    olga.get("/groups").await.says("Auditors");
}

/// What would allow it is a button; pressed, it is previewed and decided like any other change.
#[tokio::test]
async fn what_would_allow_it_is_a_button() {
    let service = Service::new().await;
    let (olga, gil) = (
        service.as_member("olga").await,
        service.as_member("gil").await,
    );
    let why = "/why?member=nina&permission=store.write&store=dev";
    let page = gil.get(why).await;
    page.is(200).says("add `nina` to group `dev-team`");
    let command = page.hidden("command").remove(0);
    let asked = [
        ("member", "nina"),
        ("permission", "store.write"),
        ("store", "dev"),
    ];
    let mut fields = vec![("command", command.as_str())];
    fields.extend(asked);
    let confirm = gil.submit(why, why, &fields).await;
    confirm.is(200).says("nina</strong> gains");
    let confirmed = confirm.hidden("confirmed").remove(0);
    fields.push(("confirmed", &confirmed));
    let done = gil.submit(why, why, &fields).await;
    assert_eq!(done.is(303).leads_to(), why);
    gil.get(why).await.says("Yes");
    // It is done once, and nothing else than what was offered.
    gil.submit("/groups/new", why, &fields)
        .await
        .is(422)
        .says("would not allow it any more");
    let mut forged = vec![("command", r#"{"command":"grant-ownership","member":"gil"}"#)];
    forged.extend(asked);
    olga.submit("/groups/new", why, &forged).await.is(422);
    // Who may not press it is told why.
    let of_gil = "/why?member=gil&permission=store.write&store=dev";
    let page = gil.get(of_gil).await;
    page.says("aria-disabled=\"true\"");
    page.says("cannot add itself to group");
    assert_eq!(page.hidden("command"), [""; 0]);
    let mut itself = vec![(
        "command",
        r#"{"command":"add-to-group","group":"dev-team","members":["gil"]}"#,
    )];
    itself.extend([
        ("member", "gil"),
        ("permission", "store.write"),
        ("store", "dev"),
    ]);
    gil.submit("/groups/new", of_gil, &itself)
        .await
        .is(422)
        .says("cannot add itself to group");
    let ada = service.as_member("ada").await;
    ada.get(why).await.is(404);
    let token = ada.get("/members/ada").await.hidden("token").remove(0);
    fields.push(("token", &token));
    ada.post(why, &fields).await.is(404);
}

/// Who sends a form, and when, is who and when its end comes: what began in time is too late once it is not.
#[tokio::test]
async fn a_form_counts_when_all_of_it_is_there() {
    let service = Service::new().await;
    let (olga, gil) = (
        service.as_member("olga").await,
        service.as_member("gil").await,
    );
    let page = gil.get("/members").await;
    let form = encoded(&[
        ("token", &page.hidden("token").pop().unwrap()),
        ("key", &page.hidden("key").pop().unwrap()),
        ("member", ""),
    ]);
    let (first, rest) = form.split_at(5);
    let (sender, receiver) = mpsc::channel::<Result<String, std::io::Error>>(2);
    let request = Request::post("/members")
        .header("cookie", &gil.cookie)
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from_stream(ReceiverStream::new(receiver)));
    sender.send(Ok(first.to_owned())).await.unwrap();
    let sent = tokio::spawn(gil.router.clone().oneshot(request.unwrap()));
    tokio::task::yield_now().await;
    olga.submit("/groups/it", "/groups/it/members", &[("remove", "gil")])
        .await
        .is(303);
    sender.send(Ok(rest.to_owned())).await.unwrap();
    drop(sender);
    assert_eq!(sent.await.unwrap().unwrap().status(), 404);
}

/// A plain member learns of itself what it may do, and nothing of groups, stores and people.
#[tokio::test]
async fn plain_members_learn_nothing_of_others() {
    let service = Service::new().await;
    let nina = service.as_member("nina").await;
    let olga = service.as_member("olga").await;
    let add = [("add", "nina")];
    let (group, members) = ("/groups/dev-team", "/groups/dev-team/members");
    olga.submit_and_confirm(group, members, &add).await.is(303);
    olga.submit(group, members, &[("remove", "nina")])
        .await
        .is(303);
    let why = |permission: &str, store: &str| {
        format!("/why?member=nina&permission={permission}&store={store}")
    };
    for (permission, store) in [
        ("store.write", "production"),
        ("store.read", "nowhere"),
        ("account.manage_groups", ""),
    ] {
        let page = nina.get(&why(permission, store)).await;
        page.is(200)
            .says("Nothing that you are in gives this here.");
        for hidden in ["no such store", "to group", "action=\"/why\"", "by "] {
            let content = page.text.split("<h1>").nth(1).unwrap();
            assert!(!content.contains(hidden), "{hidden} {content}");
        }
    }
    let page = nina.get(&why("store.write", "dev")).await;
    page.is(200).says("Since when");
    assert!(!page.text.contains("olga"), "{}", page.text);
    assert!(!page.text.contains("dev-team"), "{}", page.text);
}

/// What is asked about is what people gain, before all that they lose.
#[tokio::test]
async fn gains_come_first() {
    let service = Service::new().await;
    let olga = service.as_member("olga").await;
    let moved = [
        ("name", "Dev Team"),
        ("description", ""),
        ("grant", r#"["store-viewer","production"]"#),
    ];
    let asked = olga
        .submit("/groups/dev-team", "/groups/dev-team", &moved)
        .await;
    asked.is(200).says("This gives people access");
    let (gain, loss) = (
        asked.text.find("class=\"gain\"").unwrap(),
        asked.text.find("class=\"loss\"").unwrap(),
    );
    assert!(gain < loss);
}

/// A group may be called like a page.
#[tokio::test]
async fn a_group_named_new_has_a_page() {
    let service = Service::new().await;
    let olga = service.as_member("olga").await;
    let fields = [
        ("name", "New"),
        ("description", ""),
        ("grant", r#"["store-viewer","dev"]"#),
    ];
    let made = olga.submit("/groups/new", "/groups/new", &fields).await;
    assert_eq!(made.is(303).leads_to(), "/groups/new-2");
    olga.get("/groups/new-2").await.is(200).says("<h1>New</h1>");
}

/// Nobody can do anything in a closed account; its owners still see what there was.
#[tokio::test]
async fn owners_see_a_closed_account() {
    let service = Service::new().await;
    let (olga, gil) = (
        service.as_member("olga").await,
        service.as_member("gil").await,
    );
    let closed = olga
        .submit("/settings", "/settings", &[("close", "acme")])
        .await;
    assert_eq!(closed.is(303).leads_to(), "/settings");
    olga.get("/settings").await.is(200);
    olga.get("/history")
        .await
        .is(200)
        .says("closed the account");
    gil.get("/history").await.is(404);
}
