//! What somebody might try: forged, replayed, strange and too large.

mod support;

use std::fmt::Write;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use support::{Browser, Service, encoded};
use tokio_stream::StreamExt;
use tower::ServiceExt;

/// A form that is sent twice does what it does once.
#[tokio::test]
async fn a_replayed_form_does_nothing_again() {
    let service = Service::new().await;
    let olga = service.as_member("olga").await;
    let page = olga.get("/stores").await;
    let form = [
        ("token", page.hidden("token").pop().unwrap()),
        ("key", page.hidden("key").pop().unwrap()),
        ("store", "lab".to_owned()),
    ];
    let form: Vec<(&str, &str)> = form
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    olga.post("/stores", &form).await.is(303);
    olga.submit("/stores/lab", "/stores/lab", &[]).await.is(303);
    olga.post("/stores", &form).await.is(303);
    assert_eq!(olga.get("/stores/lab").await.status, 404, "created again");
    // One that was confirmed, too; and its key is not that of another request.
    let asked = olga
        .submit(
            "/groups/dev-team",
            "/groups/dev-team/members",
            &[("add", "nina")],
        )
        .await;
    let fields =
        ["token", "key", "add", "confirmed"].map(|name| (name, asked.hidden(name).remove(0)));
    let mut form: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    olga.post("/groups/dev-team/members", &form).await.is(303);
    olga.submit(
        "/groups/dev-team",
        "/groups/dev-team/members",
        &[("remove", "nina")],
    )
    .await
    .is(303);
    olga.post("/groups/dev-team/members", &form).await.is(303);
    form[2].1 = "iris";
    olga.post("/groups/dev-team/members", &form)
        .await
        .is(422)
        .says("sent before");
    assert!(!olga.get("/groups/dev-team").await.text.contains(">nina<"));
}

#[tokio::test]
async fn forgeries_are_refused() {
    let service = Service::new().await;
    let olga = service.as_member("olga").await;
    let page = olga.get("/stores").await;
    let token = page.hidden("token").pop().unwrap();
    let body = encoded(&[("token", &token), ("key", "k"), ("store", "forged")]);
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("x-nothing", "at all"),
    ] {
        let request = Request::post("/stores")
            .header("cookie", &olga.cookie)
            .header("host", "dashboard.example")
            .header("content-type", "application/x-www-form-urlencoded")
            .header(name, value);
        let page = olga
            .send(request.body(Body::from(body.clone())).unwrap())
            .await;
        page.is(403).says("not sent by a page");
    }
    for token in ["", "0", &"0".repeat(32)] {
        olga.post(
            "/stores",
            &[("token", token), ("key", "k"), ("store", "forged")],
        )
        .await
        .is(403)
        .says("another session");
    }
    // Somebody else's token does not help, and a cookie that was changed is none.
    let gil = service.as_member("gil").await;
    gil.post(
        "/stores",
        &[("token", &token), ("key", "k"), ("store", "forged")],
    )
    .await
    .is(403);
    let (name, value) = olga.cookie.split_once('=').unwrap();
    for cookie in [
        format!("{name}={}", value.replace("olga", "gil")),
        format!("{name}=x{value}"),
        format!("{name}={}", &value[..value.len() - 2]),
        format!("{name}="),
    ] {
        let forged = Browser {
            router: olga.router.clone(),
            cookie,
        };
        assert_eq!(forged.get("/groups").await.is(303).leads_to(), "/sign-in");
    }
    assert_eq!(olga.get("/stores/forged").await.status, 404);
    // Whoever is removed is out at once.
    let ben = service.as_member("ben").await;
    olga.submit("/members/ben", "/members/ben", &[("action", "3")])
        .await
        .is(303);
    assert_eq!(ben.get("/members/ben").await.is(303).leads_to(), "/sign-in");
}

#[tokio::test]
async fn strange_input_is_refused_and_shown_harmlessly() {
    let service = Service::new().await;
    let olga = service.as_member("olga").await;
    for path in [
        "/groups/none",
        "/members/none",
        "/stores/none",
        "/groups/..%2F..",
        "/assets/..%2Fmain.rs",
        "/assets/none",
        "/nothing",
        "/why?member=a&permission=b",
        "/groups/%00",
        "/%2e%2e/groups",
    ] {
        let status = olga.get(path).await.status;
        assert!(status == 404 || status == 400, "{path}: {status}");
    }
    let html = "<b>&\"'</b>";
    olga.submit("/stores", "/stores", &[("store", html)])
        .await
        .is(303);
    olga.submit("/members", "/members", &[("member", "ev\u{202e}il")])
        .await
        .is(303);
    let invited = olga.get("/members").await;
    invited.is(200).says(r"ev\u{202e}il");
    assert!(
        !invited
            .text
            .replace("value=\"ev\u{202e}il\"", "")
            .contains('\u{202e}')
    );
    for path in ["/stores", "/access", "/history", "/groups/new"] {
        let page = olga.get(path).await;
        assert!(!page.text.contains("<b>"), "{path}");
        page.is(200).says("&lt;b&gt;");
    }
    olga.submit("/stores", "/stores", &[("store", &"x".repeat(200))])
        .await
        .is(422)
        .says("128");
    olga.submit(
        "/groups/new",
        "/groups/new",
        &[("name", html), ("description", html), ("grant", "no json")],
    )
    .await
    .is(422)
    .says("tick roles");
    // A browser would take their pages for others.
    for (path, field) in [
        ("/stores", "store"),
        ("/members", "member"),
        ("/roles", "role"),
    ] {
        let fields = [(field, ".."), ("name", "Dots"), ("permissions", "log.read")];
        olga.submit(path, path, &fields)
            .await
            .is(422)
            .says("take another id");
    }
    let large = "x".repeat(10 << 20);
    assert_eq!(olga.post("/stores", &[("store", &large)]).await.status, 413);
    let request = Request::post("/stores")
        .header("cookie", &olga.cookie)
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/json");
    assert_eq!(
        olga.send(request.body(Body::from("{}")).unwrap())
            .await
            .status,
        415
    );
}

#[tokio::test]
async fn every_answer_is_guarded() {
    let service = Service::new().await;
    let olga = service.as_member("olga").await;
    for path in ["/groups", "/sign-in", "/nothing", "/assets/style.css"] {
        let page = olga.get(path).await;
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.starts_with("default-src 'none'") && !policy.contains("unsafe"),
            "{policy}"
        );
        assert_eq!(page.headers["x-content-type-options"], "nosniff");
        assert!(page.headers.contains_key("x-request-id"));
        let is_asset = path.starts_with("/assets");
        assert_eq!(page.headers["cache-control"] == "no-store", !is_asset);
    }
    // The scripts are those that were published: htmx 4.0.1.
    for (file, digest) in [
        (
            "htmx.min.js",
            "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130",
        ),
        (
            "hx-sse.min.js",
            "18ef2761356ec1fe0bb6d92612315b37517a7c1e9856b661c5ae81fef239d103",
        ),
    ] {
        let script = olga.get(&format!("/assets/{file}")).await;
        let found = <sha2::Sha256 as sha2::Digest>::digest(script.text.as_bytes());
        let mut hex = String::new();
        found
            .iter()
            .for_each(|byte| write!(hex, "{byte:02x}").unwrap());
        assert_eq!(hex, digest, "{file}");
    }
}

/// Everybody's page is told that something has changed, and not by whom or what.
#[tokio::test]
async fn live_updates_tell_nothing() {
    let service = Service::new().await;
    let (ada, olga) = (
        service.as_member("ada").await,
        service.as_member("olga").await,
    );
    let request = Request::get("/live").header("cookie", &ada.cookie);
    let response = ada
        .router
        .clone()
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    olga.submit("/stores", "/stores", &[("store", "secret")])
        .await
        .is(303);
    service.app.end_live_updates();
    let told = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let told = String::from_utf8(told.to_vec()).unwrap();
    assert!(told.contains("event: changed"), "{told:?}");
    assert!(
        !told.contains("olga") && !told.contains("secret"),
        "{told:?}"
    );
}

/// Whoever may not see others is told nothing by what a form is refused with.
#[tokio::test]
async fn refused_forms_show_nothing() {
    let service = Service::new().await;
    let ada = service.as_member("ada").await;
    let own = ada.get("/members/ada").await;
    let token = own.hidden("token").remove(0);
    for path in [
        "/groups/new",
        "/groups/integrations",
        "/groups/integrations/members",
        "/groups/integrations/delete",
        "/members",
        "/members/ben",
        "/stores",
        "/stores/dev",
        "/roles",
        "/roles/store-editor",
        "/settings",
        "/undo/2",
    ] {
        let typed = [
            ("token", token.as_str()),
            ("key", "k"),
            ("name", "x"),
            ("add", "?"),
            ("action", "1"),
            ("revision", "1"),
        ];
        for step in [("step", "preview"), ("step", "save")] {
            let page = ada.post(path, &[&typed[..], &[step]].concat()).await;
            let shown = ["iris", "olga", "ben"]
                .into_iter()
                .find(|name| page.text.contains(name));
            assert_eq!(
                (page.status.as_u16(), shown),
                (404, None),
                "{path}: {}",
                page.text
            );
        }
    }
}

/// A body that does not end is given up, and what was sent of it does nothing.
#[tokio::test]
async fn a_body_that_never_ends_is_given_up() {
    let service = Service::new().await;
    let olga = service.as_member("olga").await;
    let begun = tokio_stream::once(Ok::<_, std::io::Error>("token=x&store=lab"));
    let body = Body::from_stream(begun.chain(tokio_stream::pending()));
    let request = Request::post("/stores")
        .header("cookie", &olga.cookie)
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/x-www-form-urlencoded");
    tokio::time::pause(); // the next that is waited for comes at once
    let answer = olga.send(request.body(body).unwrap()).await;
    answer.is(408).says("took too long");
    tokio::time::resume();
    assert_eq!(olga.get("/stores/lab").await.status, 404);
}
