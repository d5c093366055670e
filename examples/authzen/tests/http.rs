//! What the standard asks of a decision point, over HTTP, in our own words; and what somebody might try.

mod support;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use grantbook_authzen::{MAX_BODY, MAX_EVALUATIONS, MAX_PAGE, PublicUrl};
use support::{Answer, App, KEY, records};

fn question(who: &str, what: &str, record: &str) -> Value {
    json!({
        "subject": { "type": "user", "id": who },
        "action": { "name": what },
        "resource": { "type": "record", "id": record },
    })
}

/// The question, with this in the place of one member, and without it if it is nothing.
fn with(name: &str, value: Option<Value>) -> Value {
    let mut question = question("alice", "read", "record-1");
    let members = question.as_object_mut().unwrap();
    match value {
        Some(value) => members.insert(name.to_owned(), value),
        None => members.remove(name),
    };
    question
}

#[tokio::test]
async fn one_question() {
    let app = records();
    for (who, what, record, expected, code) in [
        ("alice", "read", "record-1", true, None),
        ("alice", "write", "record-1", true, None),
        (
            "alice",
            "write",
            "record-2",
            false,
            Some("missing-permission"),
        ),
        (
            "bob",
            "write",
            "record-1",
            false,
            Some("missing-permission"),
        ),
        ("nobody", "read", "record-1", false, Some("unknown-member")),
        ("alice", "fly", "record-1", false, Some("unknown-action")),
        ("alice", "read", "record-9", false, Some("unknown-store")),
        ("alice", "read", "acme", false, Some("unknown-store")),
    ] {
        let answer = app
            .ask("evaluation", question(who, what, record).to_string())
            .await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers["content-type"], "application/json");
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_eq!(answer.json["decision"], expected, "{who} {what} {record}");
        assert_eq!(answer.json["context"]["reason"]["code"].as_str(), code);
        assert!(answer.json["context"]["version"].as_u64() > Some(1));
        assert!(answer.json["context"].get("explanation").is_none());
    }
    // The properties of an action can make it another; those of subjects and resources decide nothing.
    for (soft, expected) in [(true, true), (false, false)] {
        let body = with(
            "action",
            Some(json!({ "name": "delete", "properties": { "soft": soft } })),
        );
        let answer = app.ask("evaluation", body.to_string()).await;
        assert_eq!(answer.json["decision"], expected);
    }
    let spaceship = with(
        "subject",
        Some(json!({ "type": "spaceship", "id": "alice" })),
    );
    let answer = app.ask("evaluation", spaceship.to_string()).await;
    assert_eq!(answer.json["decision"], false);

    let why = with(
        "context",
        Some(json!({ "explain": true, "ip": "192.0.2.1" })),
    );
    let answer = app.ask("evaluation", why.to_string()).await;
    assert_eq!(
        answer.json["context"]["explanation"]["member"], "alice",
        "{answer:?}"
    );
}

#[tokio::test]
async fn many_questions() {
    let app = records();
    let alice = json!({ "type": "user", "id": "alice" });
    let record =
        |number: u8| json!({ "resource": { "type": "record", "id": format!("record-{number}") } });
    let asked = |items: Value, semantic: Option<&str>| {
        let options =
            semantic.map(|semantic| json!({ "evaluations_semantic": semantic, "more": 1 }));
        json!({
            "subject": alice, "action": { "name": "write" }, "evaluations": items, "options": options,
        })
        .to_string()
    };
    let items = json!([record(1), record(2), record(1)]);
    for (semantic, expected) in [
        (None, vec![true, false, true]),
        (Some("execute_all"), vec![true, false, true]),
        (Some("deny_on_first_deny"), vec![true, false]),
        (Some("permit_on_first_permit"), vec![true]),
    ] {
        let answer = app.ask("evaluations", asked(items.clone(), semantic)).await;
        assert_eq!(answer.decisions(), expected, "{semantic:?}");
        assert!(answer.json.get("decision").is_none());
    }
    // A whole member stands in for one that is missing, and not a part of it; an item that lacks one is denied.
    let whole = json!({
        "subject": alice, "action": { "name": "read" }, "resource": { "type": "record", "id": "record-1" },
        "evaluations": [{}, { "resource": { "id": "record-1" } }, { "subject": { "type": "user", "id": "bob" } }, 7],
    });
    let answer = app.ask("evaluations", whole.to_string()).await;
    assert_eq!(answer.decisions(), [true, false, true, false]);
    let error = &answer.json["evaluations"][1]["context"]["error"];
    assert_eq!(error["status"], 400);
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("missing field `type`"),
        "{error}"
    );
    let lonely = json!({ "action": { "name": "read" }, "evaluations": [record(1)] });
    let answer = app.ask("evaluations", lonely.to_string()).await;
    assert_eq!(
        (answer.status.as_u16(), answer.decisions()),
        (200, vec![false])
    );
    // Without items it is one question.
    for items in [None, Some(json!([])), Some(json!(null))] {
        let answer = app
            .ask("evaluations", with("evaluations", items).to_string())
            .await;
        assert_eq!(answer.json["decision"], true);
        assert!(answer.json.get("evaluations").is_none());
    }
    let most = asked(json!(vec![json!({}); MAX_EVALUATIONS]), None);
    assert_eq!(
        app.ask("evaluations", most).await.decisions().len(),
        MAX_EVALUATIONS
    );
    let more = asked(json!(vec![json!({}); MAX_EVALUATIONS + 1]), None);
    is_refused(
        &app.ask("evaluations", more).await,
        400,
        "`evaluations` takes at most 1000 items",
    );
    is_refused(
        &app.ask("evaluations", asked(items, Some("bogus"))).await,
        400,
        "unknown variant `bogus`",
    );
    is_refused(
        &app.ask(
            "evaluations",
            with("evaluations", Some(json!({}))).to_string(),
        )
        .await,
        400,
        "`evaluations` takes a list",
    );
}

fn is_refused(answer: &Answer, status: u16, said: &str) {
    assert_eq!(answer.status.as_u16(), status, "{answer:?}");
    assert!(answer.text.contains(said), "{answer:?}");
}

#[tokio::test]
async fn searches() {
    let app = records();
    let found = async |endpoint: &str, body: &Value| -> Vec<String> {
        let answer = app.ask(endpoint, body.to_string()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let ids = answer.results().iter().map(|one| {
            one.get("id")
                .unwrap_or(&one["name"])
                .as_str()
                .unwrap()
                .to_owned()
        });
        ids.collect()
    };
    let user = |id: Option<&str>| json!({ "type": "user", "id": id });
    let who = with("subject", Some(user(None)));
    assert_eq!(found("search/subject", &who).await, ["alice", "bob"]);
    assert_eq!(
        found("search/subject", &with("subject", Some(user(Some("zoe"))))).await,
        ["alice", "bob"]
    );
    assert!(
        found(
            "search/subject",
            &with("subject", Some(json!({ "type": "spaceship" })))
        )
        .await
        .is_empty()
    );
    let what = |kind: &str| with("resource", Some(json!({ "type": kind })));
    assert_eq!(
        found("search/resource", &what("record")).await,
        ["record-1", "record-2"]
    );
    assert!(found("search/resource", &what("planet")).await.is_empty());
    let actions = with("action", None);
    assert_eq!(
        found("search/action", &actions).await,
        ["delete", "read", "write"]
    );
    assert_eq!(
        found("search/action", &question("bob", "ignored", "record-1")).await,
        ["read"]
    );
    assert!(
        found("search/action", &question("nobody", "ignored", "record-1"))
            .await
            .is_empty()
    );
    is_refused(
        &app.ask("search/subject", what("record").to_string()).await,
        400,
        "`resource.id` is missing",
    );
    is_refused(
        &app.ask("search/resource", who.to_string()).await,
        400,
        "`subject.id` is missing",
    );
}

#[tokio::test]
async fn pages() {
    let app = records();
    let asked = |page: Value| {
        let mut body = with("subject", Some(json!({ "type": "user" })));
        body["page"] = page;
        body
    };
    let first = app
        .ask(
            "search/subject",
            asked(json!({ "limit": 1, "custom": 1 })).to_string(),
        )
        .await;
    assert!(first.text.starts_with(r#"{"page":"#), "{first:?}");
    assert_eq!(first.json["page"]["count"], 1);
    let token = first.json["page"]["next_token"].clone();
    for page in [
        json!({ "token": token }),
        json!({ "token": token, "limit": 1 }),
    ] {
        let second = app.ask("search/subject", asked(page).to_string()).await;
        assert_eq!(second.results()[0]["id"], "bob");
        assert_eq!(second.json["page"]["next_token"], "");
        assert_eq!(
            second.json["context"]["version"],
            second.json["context"]["first_version"]
        );
    }
    let none = app
        .ask("search/subject", asked(json!({ "limit": 0 })).to_string())
        .await;
    assert!(none.results().is_empty());
    let token_of_none = &none.json["page"]["next_token"];
    let again = app
        .ask(
            "search/subject",
            asked(json!({ "token": token_of_none })).to_string(),
        )
        .await;
    assert_eq!(again.json["page"]["next_token"], *token_of_none);
    let many = app
        .ask(
            "search/subject",
            asked(json!({ "limit": MAX_PAGE + 1 })).to_string(),
        )
        .await;
    assert_eq!(many.results().len(), 2);

    for (page, said) in [
        (
            json!({ "limit": -1 }),
            "`page`: invalid value: integer `-1`",
        ),
        (
            json!({ "limit": 1.5 }),
            "`page`: invalid type: floating point `1.5`",
        ),
        (
            json!({ "token": "" }),
            "`page.token` is none of this service",
        ),
        (
            json!({ "token": "AAAA" }),
            "`page.token` is none of this service",
        ),
        (
            json!({ "token": token, "limit": 2 }),
            "`page.token` is of pages of another length",
        ),
        (json!([]), "`page` takes a JSON object"),
    ] {
        is_refused(
            &app.ask("search/subject", asked(page).to_string()).await,
            400,
            said,
        );
    }
    let mut other = asked(json!({ "token": token }));
    other["action"]["name"] = "write".into();
    is_refused(
        &app.ask("search/subject", other.to_string()).await,
        400,
        "is of another search",
    );
    let globex = Request::post("/globex/access/v1/search/subject")
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {KEY}-globex"))
        .body(Body::from(asked(json!({ "token": token })).to_string()));
    is_refused(
        &app.send(globex.unwrap()).await,
        400,
        "is of another search",
    );
}

#[tokio::test]
async fn bad_requests_say_what_is_wrong() {
    let app = records();
    let deep = format!("{}1{}", "{\"a\":".repeat(500), "}".repeat(500));
    for (body, said) in [
        (String::new(), "EOF"),
        ("{".to_owned(), "EOF"),
        ("[]".to_owned(), "the body takes a JSON object"),
        ("\"alice\"".to_owned(), "a JSON object"),
        ("{} x".to_owned(), "trailing characters"),
        ("\u{feff}{}".to_owned(), "expected value"),
        (r#"{"subject":{},"subject":{}}"#.to_owned(), "duplicate field `subject`"),
        (format!(r#"{{"subject":{{"type":"user","id":"a","properties":{deep}}}}}"#), "recursion limit"),
        (with("subject", None).to_string(), "`subject` is missing"),
        (with("subject", Some(json!(null))).to_string(), "`subject` is missing"),
        (with("action", None).to_string(), "`action` is missing"),
        (with("resource", None).to_string(), "`resource` is missing"),
        (with("subject", Some(json!("alice"))).to_string(), "`subject` takes a JSON object"),
        (with("subject", Some(json!(["user", "alice"]))).to_string(), "`subject` takes a JSON object"),
        (with("subject", Some(json!({ "id": "alice" }))).to_string(), "`subject`: missing field `type`"),
        (with("subject", Some(json!({ "type": "user" }))).to_string(), "`subject.id` is missing"),
        (with("action", Some(json!({}))).to_string(), "`action`: missing field `name`"),
        (with("action", Some(json!({ "name": 123 }))).to_string(), "`action`: invalid type: integer `123`"),
        (with("resource", Some(json!({ "type": "record" }))).to_string(), "`resource.id` is missing"),
        (with("context", Some(json!(7))).to_string(), "`context` takes a JSON object"),
        (
            r#"{"subject":{"type":"user","id":"bob","id":"alice"},"action":{"name":"read"},"resource":{"type":"record","id":"record-1"}}"#.to_owned(),
            "`subject`: duplicate field `id`",
        ),
        (
            r#"{"subject":{"type":"user","id":"\ud800"},"action":{"name":"read"},"resource":{"type":"record","id":"record-1"}}"#.to_owned(),
            "unexpected end of hex escape",
        ),
    ] {
        is_refused(&app.ask("evaluation", body).await, 400, said);
    }
    let large = format!("{{\"more\":\"{}\"}}", "x".repeat(10 * MAX_BODY));
    is_refused(
        &app.ask("evaluation", large).await,
        413,
        "length limit exceeded",
    );
}

#[tokio::test]
async fn transport() {
    let app = records();
    let body = || Body::from(question("alice", "read", "record-1").to_string());
    let path = "/acme/access/v1/evaluation";
    let key = format!("Bearer {KEY}-acme");
    let post = || Request::post(path).header("x-request-id", "any value");
    for (kind, status) in [
        ("application/json; charset=utf-8", 200),
        ("text/plain", 400),
        ("", 400),
    ] {
        let request = post()
            .header("content-type", kind)
            .header("authorization", &key);
        let answer = app.send(request.body(body()).unwrap()).await;
        assert_eq!(answer.status.as_u16(), status, "{kind}");
        assert_eq!(answer.headers["x-request-id"], "any value");
    }
    let keys = [
        String::new(),
        KEY.to_owned(),
        "Bearer ".to_owned(),
        format!("Bearer {KEY}-globex"),
        format!("Basic {KEY}-acme"),
        format!("Bearer  {KEY}-acme"),
    ];
    for key in keys {
        let request = post()
            .header("content-type", "application/json")
            .header("authorization", &key);
        let answer = app.send(request.body(body()).unwrap()).await;
        is_refused(&answer, 401, "send `Authorization: Bearer`");
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
        assert_eq!(answer.headers["x-request-id"], "any value");
    }
    // An account that is not there is as one whose key is another.
    let request = Request::post("/nowhere/access/v1/evaluation").header("authorization", &key);
    is_refused(
        &app.send(request.body(body()).unwrap()).await,
        401,
        "send `Authorization: Bearer`",
    );
    for (method, path, status) in [
        ("GET", path, 405),
        ("PUT", path, 405),
        ("DELETE", "/acme/access/v1/search/action", 405),
        ("POST", "/acme/access/v1/nothing", 404),
        ("POST", "/acme/../globex/access/v1/evaluation", 404),
        ("POST", "/acme%2Faccess/v1/evaluation", 404),
    ] {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", &key);
        assert_eq!(
            app.send(request.body(body()).unwrap())
                .await
                .status
                .as_u16(),
            status,
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn metadata() {
    let app: App = records();
    let asked = Request::get("/.well-known/authzen-configuration/acme%20%C3%A4");
    let answer = app.send(asked.body(Body::empty()).unwrap()).await;
    let point = "https://pdp.example/acme%20%C3%A4";
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json["policy_decision_point"], point);
    assert_eq!(
        answer.json["search_subject_endpoint"],
        format!("{point}/access/v1/search/subject")
    );
    assert_eq!(answer.json.as_object().unwrap().len(), 6);
    for wrong in [
        "http://pdp.example",
        "https://",
        "https://pdp.example/",
        "https://a?b",
        "https://a#b",
        "https://a b",
    ] {
        assert!(PublicUrl::parse(wrong).is_err(), "{wrong}");
    }
}
