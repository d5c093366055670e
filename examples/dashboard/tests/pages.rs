//! The pages over HTTP, as a browser without scripts sees them.

mod support;

use axum::body::Body;
use axum::http::Request;
use grantbook_dashboard::PublicUrl;
use support::{Browser, Service};

const IT: (&str, &str) = ("grant", r#"["group-manager",null]"#);

#[tokio::test]
async fn the_first_page_is_for_who_looks() {
    let service = Service::new().await;
    let nobody = Browser {
        router: service.app.clone().router(),
        cookie: String::new(),
    };
    for path in [
        "/",
        "/groups",
        "/members",
        "/history",
        "/why?member=ada&permission=store.read&store=dev",
        "/live",
        "/review",
    ] {
        assert_eq!(
            nobody.get(path).await.is(303).leads_to(),
            "/sign-in",
            "{path}"
        );
    }
    nobody
        .get("/sign-in")
        .await
        .is(200)
        .says("there is no password");
    assert_eq!(
        nobody
            .post("/sign-in", &[("member", "nobody")])
            .await
            .status,
        403
    );
    for (who, first) in [
        ("olga", "/groups"),
        ("gil", "/groups"),
        ("ada", "/members/ada"),
        ("nina", "/members/nina"),
    ] {
        let browser = service.as_member(who).await;
        assert_eq!(browser.get("/").await.leads_to(), first);
    }
    let nina = service.as_member("nina").await;
    nina.get("/members/nina")
        .await
        .is(200)
        .says("You are in no group yet");
    // Others, groups and history are for owners and group managers.
    let ada = service.as_member("ada").await;
    for path in [
        "/groups",
        "/groups/it",
        "/groups/new",
        "/members",
        "/members/ben",
        "/stores",
        "/stores/dev",
        "/roles",
        "/access",
        "/history",
        "/settings",
        "/review",
        "/why?member=ben&permission=store.read&store=dev",
    ] {
        assert_eq!(ada.get(path).await.status, 404, "{path}");
    }
    ada.get("/members/ada").await.is(200).says("editor");
    ada.get("/why?member=ada&permission=store.write&store=dev")
        .await
        .is(200)
        .says("the only way");
}

/// Sentence by sentence, what a description of such a dashboard promises.
#[tokio::test]
async fn groups_are_managed_as_described() {
    let service = Service::new().await;
    let olga = service.as_member("olga").await;
    olga.get("/groups").await.is(200).says("Integrations Team");
    // A group needs a role, and its name is its own.
    let refused = olga
        .submit(
            "/groups/new",
            "/groups/new",
            &[("name", "Ops"), ("description", "")],
        )
        .await;
    refused.is(422).says("This can");
    refused.says(r#"value="Ops""#);
    olga.submit(
        "/groups/new",
        "/groups/new",
        &[("name", "dev  TEAM"), ("description", ""), IT],
    )
    .await
    .is(422)
    .says(r#"id="name-wrong""#);
    olga.submit(
        "/groups/new",
        "/groups/new",
        &[("name", "IT"), ("description", ""), IT],
    )
    .await
    .is(422)
    .says("3 to 64");
    olga.submit(
        "/groups/new",
        "/groups/new",
        &[("name", "Caf\u{e9}"), ("description", "a,b"), IT],
    )
    .await
    .is(422)
    .says("name-wrong");
    // Groups without members can be made before there is anybody.
    let made = olga
        .submit(
            "/groups/new",
            "/groups/new",
            &[
                ("name", "Night Shift"),
                ("description", "Later"),
                ("grant", r#"["store-editor","dev"]"#),
            ],
        )
        .await;
    assert_eq!(made.is(303).leads_to(), "/groups/night-shift");
    olga.get("/groups/night-shift")
        .await
        .is(200)
        .says("No members yet");
    // Whoever is added holds the roles at once; it is asked about, since it gives access.
    let added = olga
        .submit_and_confirm(
            "/groups/night-shift",
            "/groups/night-shift/members",
            &[("add", "nina")],
        )
        .await;
    assert_eq!(added.is(303).leads_to(), "/groups/night-shift");
    let nina = service.as_member("nina").await;
    nina.get("/members/nina").await.says("editor");
    // A note is kept, or refused with what was typed.
    let long = "x".repeat(300);
    let noted = [
        ("name", "Night Shift"),
        ("description", ""),
        ("grant", r#"["store-editor","dev"]"#),
        ("note", long.as_str()),
    ];
    olga.submit("/groups/night-shift", "/groups/night-shift", &noted)
        .await
        .is(422)
        .says(&long);
    let noted = [&noted[..3], &[("note", "ticket 17")]].concat();
    olga.submit("/groups/night-shift", "/groups/night-shift", &noted)
        .await
        .is(303);
    olga.get("/history").await.says("ticket 17");
    // Members must have been invited first.
    olga.submit(
        "/groups/night-shift",
        "/groups/night-shift/members",
        &[("add", "zoe")],
    )
    .await
    .is(422)
    .says("zoe");
}

#[tokio::test]
async fn groups_go_when_nobody_is_in_them() {
    let service = Service::new().await;
    let olga = service.as_member("olga").await;
    // A group with members can't be deleted.
    let page = olga.get("/groups/read-only").await;
    page.says("aria-disabled");
    olga.submit("/groups/read-only", "/groups/read-only/delete", &[])
        .await
        .is(422)
        .says("member");
    // Taking access away is done at once.
    let left = olga
        .submit(
            "/groups/read-only",
            "/groups/read-only/members",
            &[("remove", "cleo")],
        )
        .await;
    left.is(303);
    let cleo = service.as_member("cleo").await;
    cleo.get("/members/cleo")
        .await
        .says("You are in no group yet");
    assert_eq!(
        olga.submit("/groups/read-only", "/groups/read-only/delete", &[])
            .await
            .is(303)
            .leads_to(),
        "/groups"
    );
    assert_eq!(olga.get("/groups/read-only").await.status, 404);
    // At most twenty.
    for number in 0..17 {
        let name = format!("Group {number}");
        olga.submit(
            "/groups/new",
            "/groups/new",
            &[("name", &name), ("description", ""), IT],
        )
        .await
        .is(303);
    }
    olga.submit(
        "/groups/new",
        "/groups/new",
        &[("name", "The 21st"), ("description", ""), IT],
    )
    .await
    .is(422)
    .says("20 groups");
}

#[tokio::test]
async fn a_manager_can_not_raise_itself() {
    let service = Service::new().await;
    let gil = service.as_member("gil").await;
    // It manages groups, without access to stores.
    gil.get("/members/gil").await.says("No store.");
    let refused = gil
        .submit(
            "/groups/dev-team",
            "/groups/dev-team/members",
            &[("add", "gil")],
        )
        .await;
    refused.is(422).says("add itself");
    gil.submit_and_confirm(
        "/groups/dev-team",
        "/groups/dev-team/members",
        &[("add", "nina")],
    )
    .await
    .is(303);
    // What it may not do is shown with the reason, and refused again.
    let page = gil.get("/members/ada").await;
    page.says("aria-disabled");
    let owner = gil
        .submit("/members/ada", "/members/ada", &[("action", "4")])
        .await;
    owner.is(422).says("owner");
    let stores = gil.submit("/stores", "/stores", &[("store", "mine")]).await;
    stores.is(422).says("account.manage_stores");
}

#[tokio::test]
async fn people_come_and_go() {
    let service = Service::new().await;
    let olga = service.as_member("olga").await;
    olga.submit(
        "/members",
        "/members",
        &[("member", "zoe"), ("until", "2031-12-31")],
    )
    .await
    .is(303);
    olga.get("/members/zoe").await.says("invited");
    olga.get("/members/zoe").await.says("2032-01-01");
    olga.submit("/members", "/members", &[("member", "zoe"), ("until", "")])
        .await
        .is(422)
        .says("zoe");
    olga.submit(
        "/members",
        "/members",
        &[("member", "yan"), ("until", "soon")],
    )
    .await
    .is(422)
    .says("give a day");
    olga.submit(
        "/members",
        "/members",
        &[("member", "yan"), ("until", "2031-02-31")],
    )
    .await
    .is(422)
    .says("give a day");
    let zoe = service.as_member("zoe").await;
    zoe.submit("/members/zoe", "/members/zoe", &[("action", "0")])
        .await
        .is(303);
    zoe.get("/members/zoe").await.says("active");
    // The last owner stays.
    olga.submit("/members/olga", "/members/olga", &[("action", "1")])
        .await
        .is(422)
        .says("owner");
    // Ownership gives everything, so it is asked about.
    olga.submit_and_confirm("/members/zoe", "/members/zoe", &[("action", "4")])
        .await
        .is(303);
    zoe.get("/members/zoe")
        .await
        .says("Everything, as an account owner");
    zoe.submit("/members/olga", "/members/olga", &[("action", "5")])
        .await
        .is(303);
    // Suspended, nobody may do anything; removed, nobody is there.
    zoe.submit("/members/ben", "/members/ben", &[("action", "1")])
        .await
        .is(303);
    zoe.get("/members/ben").await.says("suspended");
    zoe.submit("/members/ben", "/members/ben", &[("action", "3")])
        .await
        .is(303);
    assert_eq!(zoe.get("/members/ben").await.status, 404);
    zoe.get("/history")
        .await
        .is(200)
        .says("removed `ben` from the account");
}

#[tokio::test]
async fn stores_roles_and_settings() {
    let service = Service::new().await;
    let olga = service.as_member("olga").await;
    olga.submit("/stores", "/stores", &[("store", "lab")])
        .await
        .is(303);
    // A new store is in no group.
    let page = olga.get("/stores/lab").await;
    page.says("olga");
    assert!(!page.text.contains(">ada<"));
    olga.submit(
        "/roles",
        "/roles",
        &[
            ("role", "analyst"),
            ("name", "Analyst"),
            ("permissions", "report.read report.export"),
        ],
    )
    .await
    .is(303);
    olga.submit(
        "/roles",
        "/roles",
        &[("role", "x"), ("name", "Xx x"), ("permissions", "report")],
    )
    .await
    .is(422)
    .says("report: ");
    let granted = [
        ("name", "Readers"),
        ("description", ""),
        ("grant", r#"["analyst","lab"]"#),
    ];
    olga.submit("/groups/new", "/groups/new", &granted)
        .await
        .is(303);
    olga.submit("/roles", "/roles/analyst", &[])
        .await
        .is(422)
        .says("analyst");
    olga.get("/access").await.is(200).says("level-editor");
    olga.get("/review").await.is(200).says("Who has access");
    let denied = olga
        .get("/why?member=cleo&permission=store.write&store=production")
        .await;
    denied.is(200).says("would allow it");
    olga.submit("/settings", "/settings", &[("close", "other")])
        .await
        .is(422)
        .says("type the account");
    olga.submit("/settings", "/settings", &[("close", "acme")])
        .await
        .is(303);
    let gil = service.as_member("gil").await;
    assert_eq!(gil.get("/groups").await.status, 404);
}

/// What a form would do is shown while it is edited, and nothing is done.
#[tokio::test]
async fn a_preview_changes_nothing() {
    let service = Service::new().await;
    let olga = service.as_member("olga").await;
    let edited = [
        ("name", "Read-Only Access"),
        ("description", ""),
        ("grant", r#"["store-editor","production"]"#),
        ("step", "preview"),
    ];
    let preview = olga
        .submit("/groups/read-only", "/groups/read-only", &edited)
        .await;
    preview
        .is(200)
        .says("+ cleo</strong> gains store.write in production");
    assert!(!preview.text.contains("<html"));
    olga.get("/members/cleo").await.says("viewer");
    let wrong = [("name", "x"), ("description", ""), ("step", "preview")];
    olga.submit("/groups/read-only", "/groups/read-only", &wrong)
        .await
        .is(200)
        .says("3 to 64");
}

/// What people change on a page counts for programs at once; a key is for programs, and a session for people.
#[tokio::test]
async fn programs_ask_about_the_same_account() {
    let service = Service::new().await;
    let url = PublicUrl::parse("https://dashboard.example").unwrap();
    let router = service.app.clone().policy_router("0b5d9b3f", url);
    let body = r#"{"subject":{"type":"user","id":"cleo"},"action":{"name":"store.read"},"resource":{"type":"store","id":"production"}}"#;
    let olga = service.as_member("olga").await;
    let program = Browser {
        router,
        cookie: olga.cookie.clone(),
    };
    let ask = async |key: &str| {
        let request = Request::post("/acme/access/v1/evaluation")
            .header("content-type", "application/json")
            .header("cookie", &program.cookie)
            .header("authorization", format!("Bearer {key}"));
        program.send(request.body(Body::from(body)).unwrap()).await
    };
    ask("0b5d9b3f").await.is(200).says(r#""decision":true"#);
    ask("").await.is(401);
    let group = "/groups/read-only";
    let left = olga
        .submit(group, "/groups/read-only/members", &[("remove", "cleo")])
        .await;
    left.is(303);
    ask("0b5d9b3f").await.is(200).says("missing-permission");
}
