//! The service over HTTP, as its callers see it.

use std::error::Error;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use grantbook_service::{App, DemoTokens};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const TOKENS: &str = "olga=1,dana=2,max=3,eve=4";

/// One process of the service, in a runtime of its own.
struct Instance {
    address: SocketAddr,
    _runtime: Runtime,
}

impl Instance {
    fn start(folder: &TempDir) -> Result<Self> {
        let runtime = Runtime::new()?;
        let file = folder.path().join("service.db");
        let app = App::open(file.to_str().ok_or("a path")?, DemoTokens::parse(TOKENS)?)?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        runtime.spawn(app.clone().refresh_every(Duration::from_millis(50)));
        runtime.spawn(async { axum::serve(listener, app.router()).await });
        Ok(Self {
            address,
            _runtime: runtime,
        })
    }

    /// Sends a request with these headers, each a line.
    fn send(&self, request: &str, headers: &[String], body: &str) -> Result<Reply> {
        let mut stream = TcpStream::connect(self.address)?;
        let headers: Vec<&str> = headers
            .iter()
            .flat_map(|line| {
                [
                    line, "
",
                ]
            })
            .collect();
        let headers = headers.concat();
        let length = body.len();
        write!(
            stream,
            "{request} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        )?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        let (head, body) = text.split_once("\r\n\r\n").ok_or("no head")?;
        let status = head.split(' ').nth(1).ok_or("no status")?.parse()?;
        let etag = head
            .lines()
            .find_map(|line| line.strip_prefix("etag: "))
            .map(str::to_owned);
        let body = body.to_owned();
        Ok(Reply { status, etag, body })
    }

    fn get(&self, who: &str, path: &str) -> Result<Reply> {
        self.send(&format!("GET {path}"), &[authorization(who)], "")
    }

    fn post(&self, who: &str, key: &str, path: &str, body: &str) -> Result<Reply> {
        let key = format!("Idempotency-Key: {key}");
        self.send(&format!("POST {path}"), &[authorization(who), key], body)
    }

    /// Sends commands, in lines of JSON, that must be done.
    fn done(&self, who: &str, key: &str, commands: &str) -> Result<Reply> {
        let reply = self.commands(who, key, commands)?;
        assert_eq!(reply.status, 200, "{commands}\n{}", reply.body);
        Ok(reply)
    }

    fn commands(&self, who: &str, key: &str, commands: &str) -> Result<Reply> {
        self.post(who, key, "/accounts/acme/commands", &change(commands))
    }
}

fn change(commands: &str) -> String {
    format!(r#"{{"commands":[{commands}]}}"#)
}

fn authorization(who: &str) -> String {
    let names = ["olga", "dana", "max", "eve"];
    let token = names
        .iter()
        .position(|name| *name == who)
        .map_or(0, |at| at + 1);
    format!("Authorization: Bearer {token}")
}

struct Reply {
    status: u16,
    etag: Option<String>,
    body: String,
}

impl Reply {
    fn json(&self) -> Result<Value> {
        Ok(serde_json::from_str(&self.body)?)
    }

    /// It is refused so, in the one form that every error has.
    #[track_caller]
    fn is(&self, status: u16, code: &str) -> Result<String> {
        let problem = self.json()?;
        assert_eq!(
            (self.status, &problem["code"]),
            (status, &json!(code)),
            "{}",
            self.body
        );
        assert_eq!(problem["status"], status);
        Ok(problem["detail"].as_str().ok_or("no detail")?.to_owned())
    }
}

/// An account in which `dana` edits `dev` and `max` is invited.
fn staffed(folder: &TempDir) -> Result<Instance> {
    let service = Instance::start(folder)?;
    let opened = service.post("olga", "1", "/accounts", r#"{"id":"acme"}"#)?;
    assert_eq!(opened.status, 201, "{}", opened.body);
    service.done(
        "olga",
        "2",
        r#"{"command":"create-store","store":"dev"},{"command":"create-store","store":"prod"},
           {"command":"define-role","role":"auditor","name":"Auditor","level":"store","permissions":["store.read"]},
           {"command":"create-group","group":"devs","name":"Dev Team","grants":[
               {"role":"store-editor","scope":{"stores":["dev"]}},{"role":"auditor","scope":{"stores":["prod"]}}]},
           {"command":"invite-member","member":"dana"},{"command":"invite-member","member":"max"},
           {"command":"add-to-group","group":"devs","members":["dana"]}"#,
    )?;
    service.done("dana", "1", r#"{"command":"accept-invitation"}"#)?;
    Ok(service)
}

#[test]
fn an_account_is_opened_and_asked_about() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let service = staffed(&folder)?;
    let shown = service.get("dana", "/accounts/acme")?.json()?;
    assert_eq!(shown["status"], json!({"active": {"owner": false}}));
    let why = "/accounts/acme/why?permission=store.write&store=dev";
    let mine = service.get("dana", why)?.json()?;
    assert!(
        mine["text"]
            .as_str()
            .ok_or("text")?
            .contains("through group `devs`"),
        "{mine}"
    );
    let of_dana = format!("{why}&member=dana");
    let asked = service.get("olga", &of_dana)?.json()?;
    assert_eq!(asked["explanation"], mine["explanation"]);
    service
        .get("dana", &format!("{why}&member=olga"))?
        .is(403, "missing-permission")?;

    let history = service.get("olga", "/accounts/acme/history")?.json()?;
    let kinds = history["records"].as_array().ok_or("records")?;
    assert_eq!(kinds.len(), 9, "{history}");
    let later = service
        .get("olga", "/accounts/acme/history?after=8")?
        .json()?;
    assert_eq!(later["records"][0], kinds[8]);
    service
        .get("dana", "/accounts/acme/history")?
        .is(403, "missing-permission")?;
    let page = service.get("olga", "/accounts/acme/review")?;
    assert!(
        page.status == 200
            && page.body.starts_with("<!DOCTYPE html>")
            && page.body.contains("Dev Team")
    );
    service
        .get("dana", "/accounts/acme/review")?
        .is(403, "missing-permission")?;
    Ok(())
}

#[test]
fn documents_are_read_and_written_by_those_who_may() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let service = staffed(&folder)?;
    let (dev, prod) = (
        "/accounts/acme/stores/dev/documents",
        "/accounts/acme/stores/prod/documents",
    );
    assert_eq!(service.post("dana", "-", dev, "plan")?.status, 201);
    service
        .post("dana", "-", prod, "plan")?
        .is(403, "missing-permission")?;
    assert_eq!(service.post("olga", "-", prod, "secret")?.status, 201);
    let texts = |who: &str, path: &str| -> Result<Vec<Value>> {
        let listed = service.get(who, path)?.json()?;
        let listed = listed.as_array().ok_or("a list")?.iter();
        Ok(listed.map(|document| document["text"].clone()).collect())
    };
    assert_eq!(
        texts("dana", "/accounts/acme/documents")?,
        ["plan", "secret"]
    );
    assert_eq!(texts("dana", prod)?, ["secret"]);
    service.get("max", prod)?.is(403, "invited")?;
    assert!(texts("max", "/accounts/acme/documents")?.is_empty());
    service
        .get("olga", "/accounts/acme/stores/none/documents")?
        .is(403, "unknown-store")?;

    service.done(
        "olga",
        "3",
        r#"{"command":"suspend-member","member":"dana"}"#,
    )?;
    service.get("dana", dev)?.is(403, "suspended")?;
    service.done(
        "olga",
        "4",
        r#"{"command":"reinstate-member","member":"dana"}"#,
    )?;
    service.done(
        "olga",
        "5",
        r#"{"command":"change-role","role":"auditor","permissions":["log.read"]}"#,
    )?;
    assert_eq!(texts("dana", "/accounts/acme/documents")?, ["plan"]);
    service.done("dana", "2", r#"{"command":"leave-account"}"#)?;
    service.get("dana", dev)?.is(404, "not-found")?;
    Ok(())
}

#[test]
fn a_retry_is_done_once_and_a_stale_change_not_at_all() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let service = staffed(&folder)?;
    let create = r#"{"command":"create-store","store":"new"}"#;
    let first = service.done("olga", "k", create)?.json()?;
    let again = service.done("olga", "k", create)?.json()?;
    assert_eq!(
        (&first["is_repeat"], &again["is_repeat"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(first["records"], again["records"]);
    let other = r#"{"command":"create-store","store":"other"}"#;
    service
        .commands("olga", "k", other)?
        .is(422, "idempotency-key-reused")?;
    service
        .commands("dana", "k", other)?
        .is(403, "not-authorized")?;

    let preview = "/accounts/acme/preview";
    let commands = change(r#"{"command":"add-to-group","group":"devs","members":["max"]}"#);
    let shown = service.post("olga", "-", preview, &commands)?;
    assert_eq!(
        shown.json()?["delta"],
        json!([]),
        "nothing, until max accepts"
    );
    service.done("max", "1", r#"{"command":"accept-invitation"}"#)?;
    let if_match = format!("If-Match: {}", shown.etag.ok_or("an ETag")?);
    let headers = |key: &str, if_match: &str| {
        [
            authorization("olga"),
            format!("Idempotency-Key: {key}"),
            if_match.to_owned(),
        ]
    };
    let path = "POST /accounts/acme/commands";
    service
        .send(path, &headers("s", &if_match), &commands)?
        .is(412, "precondition-failed")?;
    let shown = service.post("olga", "-", preview, &commands)?;
    assert_eq!(shown.json()?["delta"][0]["members"], json!(["max"]));
    let if_match = format!("If-Match: {}", shown.etag.ok_or("an ETag")?);
    assert_eq!(
        service
            .send(path, &headers("t", &if_match), &commands)?
            .status,
        200
    );
    service
        .send(path, &headers("u", "If-Match: \"7\""), &commands)?
        .is(400, "bad-if-match")?;
    Ok(())
}

#[test]
fn nobody_outside_learns_whether_there_is_an_account() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let service = staffed(&folder)?;
    for account in ["acme", "none", "%20", "a%00b", &"x".repeat(200)] {
        for rest in [
            "",
            "/why?permission=store.read",
            "/history",
            "/review",
            "/documents",
            "/stores/dev/documents",
        ] {
            service
                .get("eve", &format!("/accounts/{account}{rest}"))?
                .is(404, "not-found")?;
        }
        for rest in ["/commands", "/preview", "/stores/dev/documents"] {
            let path = format!("/accounts/{account}{rest}");
            service
                .post("eve", "1", &path, &change(""))?
                .is(404, "not-found")?;
        }
    }
    service
        .get("nobody", "/accounts/acme")?
        .is(401, "unauthenticated")?;
    service
        .send("GET /accounts/acme", &[], "")?
        .is(401, "unauthenticated")?;
    service.get("olga", "/elsewhere")?.is(404, "not-found")?;
    service
        .post("eve", "1", "/accounts", r#"{"id":"acme"}"#)?
        .is(409, "account-exists")?;
    Ok(())
}

#[test]
fn a_change_counts_in_the_other_process_soon() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (one, other) = (staffed(&folder)?, Instance::start(&folder)?);
    let dev = "/accounts/acme/stores/dev/documents";
    assert_eq!(other.get("dana", dev)?.status, 200);
    one.done(
        "olga",
        "9",
        r#"{"command":"remove-from-group","group":"devs","members":["dana"]}"#,
    )?;
    let began = Instant::now();
    while other.get("dana", dev)?.status != 403 {
        assert!(
            began.elapsed() < Duration::from_secs(10),
            "the change is not seen"
        );
        thread::sleep(Duration::from_millis(10));
    }
    // Both change it, one after the other: each sees what the other did.
    other.done("olga", "10", r#"{"command":"create-store","store":"b"}"#)?;
    one.commands("olga", "11", r#"{"command":"create-store","store":"b"}"#)?
        .is(409, "store-exists")?;
    let again = one.done("olga", "10", r#"{"command":"create-store","store":"b"}"#)?;
    assert_eq!(again.json()?["is_repeat"], true);
    Ok(())
}

#[test]
fn a_refused_command_is_named_by_its_number() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let service = staffed(&folder)?;
    let both = r#"{"commands":[{"command":"create-store","store":"new"},{"command":"create-store","store":"new"}]}"#;
    let refused = service.post("olga", "b", "/accounts/acme/commands", both)?;
    assert_eq!(refused.json()?["index"], 1);
    let alone = r#"{"commands":[{"command":"create-store","store":"dev"}]}"#;
    let refused = service.post("olga", "a", "/accounts/acme/commands", alone)?;
    assert_eq!((refused.status, refused.json()?.get("index")), (409, None));
    service
        .get("olga", "/accounts/acme/commands")?
        .is(405, "method-not-allowed")?;
    // A key is told as the caller sent it.
    service.done("olga", "k:1", r#"{"command":"create-store","store":"one"}"#)?;
    let told = service
        .commands("olga", "k:1", r#"{"command":"create-store","store":"two"}"#)?
        .is(422, "idempotency-key-reused")?;
    assert!(told.starts_with("idempotency key `k:1` is that"), "{told}");
    Ok(())
}

/// Bodies that are no change, each with a part of what must be said of it.
const WRONG: [(&str, &str); 36] = [
    ("", "line 1 column 0"),
    ("{", "line 1 column 1"),
    ("[]", "expected an object with the field `commands`"),
    ("7", "expected an object with the field `commands`"),
    ("{}", "missing field `commands`"),
    (r#"{"commands":{}}"#, "expected a sequence"),
    (
        r#"{"commands":[7]}"#,
        "expected an object with the field `command`",
    ),
    (r#"{"commands":[{}]}"#, "missing field `command`"),
    (r#"{"commands":[],"why":"x"}"#, "unknown field `why`"),
    (r#"{"commands":[],"note":7}"#, "expected a note (a string)"),
    (
        r#"{"commands":[]} x"#,
        "trailing characters at line 1 column 17",
    ),
    (
        r#"{"commands":[{"command":"create-shop"}]}"#,
        "unknown variant `create-shop`",
    ),
    (
        r#"{"commands":[{"command":"create-store"}]}"#,
        "missing field `store`",
    ),
    (
        r#"{"commands":[{"command":"create-store","store":7}]}"#,
        "expected a store id (a string)",
    ),
    (
        r#"{"commands":[{"command":"create-store","store":""}]}"#,
        "a store id takes 1 to 128 bytes",
    ),
    (
        r#"{"commands":[{"command":"create-store","store":" a"}]}"#,
        "a store id neither begins nor ends",
    ),
    (
        r#"{"commands":[{"command":"create-store","store":"a","x":1}]}"#,
        "unknown field `x`, expected `store`",
    ),
    (
        r#"{"commands":[{"command":"create-store","store":"a","store":"b"}]}"#,
        "duplicate field `store`",
    ),
    (
        r#"{"commands":[{"command":"add-to-group","group":"g"}]}"#,
        "missing field `members`",
    ),
    (
        r#"{"commands":[{"command":"add-to-group","group":[],"members":[]}]}"#,
        "expected a group id",
    ),
    (
        r#"{"commands":[{"command":"add-to-group","group":"g","members":"m"}]}"#,
        "a list, each item a member id",
    ),
    (
        r#"{"commands":[{"command":"add-to-group","group":"g","members":[7]}]}"#,
        "expected a member id",
    ),
    (
        r#"{"commands":[{"command":"add-to-group","group":"g","members":["m","m"]}]}"#,
        "`m` is listed twice",
    ),
    (
        r#"{"commands":[{"command":"create-group","group":"g","name":"IT","grants":[]}]}"#,
        "a group name takes 3 to 64",
    ),
    (
        r#"{"commands":[{"command":"create-group","group":"g","name":"Team"}]}"#,
        "missing field `grants`",
    ),
    (
        r#"{"commands":[{"command":"create-group","group":"g","name":"Team","grants":{}}]}"#,
        "a list of grants",
    ),
    (
        r#"{"commands":[{"command":"grant-role","group":"g","role":"r"}]}"#,
        "missing field `scope`",
    ),
    (
        r#"{"commands":[{"command":"grant-role","group":"g","role":"r","scope":7}]}"#,
        "a scope is `\"account\"` or",
    ),
    (
        r#"{"commands":[{"command":"grant-role","group":"g","role":"r","scope":{"shops":[]}}]}"#,
        "unknown variant `shops`",
    ),
    (
        r#"{"commands":[{"command":"invite-member","member":"m","expires":"soon"}]}"#,
        "milliseconds since the Unix epoch",
    ),
    (
        r#"{"commands":[{"command":"invite-member","member":"m","expires":-1}]}"#,
        "milliseconds since the Unix epoch",
    ),
    (
        r#"{"commands":[{"command":"invite-member","member":"m","as_owner":"no"}]}"#,
        "expected a boolean",
    ),
    (
        r#"{"commands":[{"command":"define-role","role":"r","name":"Role","level":"shop","permissions":[]}]}"#,
        "unknown variant `shop`",
    ),
    (
        r#"{"commands":[{"command":"define-role","role":"r","name":"Role","level":"store","permissions":["x"]}]}"#,
        "a permission takes 3 to 64",
    ),
    (
        r#"{"commands":[{"command":"change-group-limit","limit":0}]}"#,
        "a number of groups from 1 to 4096",
    ),
    (
        r#"{"commands":[{"command":"accept-invitation","member":"m"}]}"#,
        "unknown field `member`",
    ),
];

#[test]
fn a_body_that_is_no_change_is_told_why() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let service = staffed(&folder)?;
    for (body, expected) in WRONG {
        for path in ["/accounts/acme/commands", "/accounts/acme/preview"] {
            let detail = service.post("olga", "w", path, body)?.is(400, "bad-json")?;
            assert!(detail.contains(expected), "{body}\n{detail}");
        }
    }
    let send =
        |headers: &[String]| service.send("POST /accounts/acme/commands", headers, &change(""));
    send(&[authorization("olga")])?.is(400, "no-idempotency-key")?;
    let long = format!("Idempotency-Key: {}", "k".repeat(200));
    send(&[authorization("olga"), long])?.is(422, "too-long")?;
    service
        .post("olga", "w", "/accounts", r#"{"id":""}"#)?
        .is(400, "bad-json")?;
    let large = "x".repeat(200_000);
    service
        .post("dana", "-", "/accounts/acme/stores/dev/documents", &large)?
        .is(422, "document-too-long")?;
    for (query, expected) in [
        ("", "missing field `permission`"),
        ("?permission=storewrite", "permission: a permission takes"),
        ("?permission=store.read&membr=dana", "unknown field `membr`"),
    ] {
        let why = format!("/accounts/acme/why{query}");
        let detail = service.get("olga", &why)?.is(400, "bad-query")?;
        assert!(detail.contains(expected), "{detail}");
    }
    let history = service.get("olga", "/accounts/acme/history")?.json()?;
    assert_eq!(
        history["records"].as_array().map(Vec::len),
        Some(9),
        "nothing has changed"
    );
    Ok(())
}

#[test]
fn a_wrong_setting_is_told() {
    let error = |list| DemoTokens::parse(list).err().unwrap_or_default();
    assert!(error("olga").starts_with("entry 1 has no `=`"));
    assert!(error("olga=a,=b").starts_with("entry 2: a member id takes"));
    assert!(error("olga=a,dana=a").starts_with("entry 2 has no token"));
    assert!(!error("olga=secret,dana").contains("secret"));
}
