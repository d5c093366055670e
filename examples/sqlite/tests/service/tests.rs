//! The service, end to end, as its requests come in.

use std::sync::Mutex;

use grantbook::{Digest, Precondition, Timestamp};
use tempfile::TempDir;

use super::{Call, Permission, Problem, Tenants, execute, open, refresh, require, start};

/// A file, and the service over it, after `olga` has opened account `acme`.
fn service() -> (TempDir, String, Tenants) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("access.db").to_str().unwrap().to_owned();
    let tenants = start(&file, |_| ()).unwrap();
    open(&tenants, call("olga", "open")).unwrap();
    (folder, file, tenants)
}

fn call(user: &str, key: &str) -> Call {
    Call {
        tenant: "acme".parse().unwrap(),
        user: user.parse().unwrap(),
        key: key.parse().unwrap(),
        if_match: None,
        now: Timestamp::from_millis(1_700_000_000_000),
    }
}

/// A call that shall find the account as it was then.
fn call_if(digest: Digest, user: &str, key: &str) -> Call {
    let if_match = Some(Precondition::Account { digest });
    Call {
        if_match,
        ..call(user, key)
    }
}

fn can_write(tenants: &Tenants, user: &str) -> Result<(), Problem> {
    let may = Permission::STORE_WRITE;
    require(tenants, &call(user, "unused"), &may, "staging")
}

#[track_caller]
fn assert_problem<T: std::fmt::Debug>(answer: Result<T, Problem>, status: u16, code: &str) {
    let (found_status, found_code, message) = answer.unwrap_err();
    assert_eq!((found_status, found_code), (status, code), "{message}");
    assert!(!message.is_empty());
}

const STAGING: &str = r#"{"command":"create-store","store":"staging"}"#;
const DANA: &str = r#"{"command":"invite-member","member":"dana"}"#;
const ACCEPT: &str = r#"{"command":"accept-invitation"}"#;
const DEVS: &str = r#"{"command":"create-group","group":"devs","name":"Developers",
    "grants":[{"role":"store-editor","scope":{"stores":["staging"]}}]}"#;
const ADD_DANA: &str = r#"{"command":"add-to-group","group":"devs","members":["dana"]}"#;

/// Dana is invited, accepts, and is put in a group.
fn with_dana(tenants: &Tenants) {
    for (user, key, json) in [
        ("olga", "1", STAGING),
        ("olga", "2", DEVS),
        ("olga", "3", DANA),
        ("dana", "4", ACCEPT),
        ("olga", "5", ADD_DANA),
    ] {
        execute(tenants, call(user, key), json).unwrap();
    }
}

#[test]
fn a_request_is_checked_and_a_denial_has_a_status() {
    let (_folder, _, tenants) = service();
    assert_problem(can_write(&tenants, "dana"), 403, "unknown-member");
    with_dana(&tenants);
    can_write(&tenants, "dana").unwrap();
    let remove = r#"{"command":"remove-from-group","group":"devs","members":["dana"]}"#;
    execute(&tenants, call("olga", "6"), remove).unwrap();
    assert_problem(can_write(&tenants, "dana"), 403, "missing-permission");
    let elsewhere = Call {
        tenant: "globex".parse().unwrap(),
        ..call("dana", "unused")
    };
    let answer = require(&tenants, &elsewhere, &Permission::STORE_READ, "staging");
    assert_problem(answer, 404, "unknown-account");
}

#[test]
fn a_tenant_is_opened_once() {
    let (_folder, _, tenants) = service();
    assert_eq!(open(&tenants, call("olga", "open")), Ok(1));
    let again = open(&tenants, call("olga", "another key"));
    assert_problem(again, 409, "account-exists");
    let other = open(&tenants, call("otto", "open"));
    assert_problem(other, 409, "account-exists");
}

#[test]
fn a_command_is_done_once_for_each_key() {
    let (_folder, _, tenants) = service();
    let first = execute(&tenants, call("olga", "1"), STAGING);
    assert_eq!(first, Ok(2));
    execute(&tenants, call("olga", "2"), DEVS).unwrap();
    let again = execute(&tenants, call("olga", "1"), STAGING);
    assert_eq!(again, first, "answered as it was");
    let other = execute(&tenants, call("olga", "1"), DANA);
    assert_problem(other, 422, "idempotency-key-reused");
    let stranger = execute(&tenants, call("eve", "1"), STAGING);
    assert_problem(stranger, 403, "not-authorized");
}

#[test]
fn a_form_is_not_saved_over_a_change_of_somebody_else() {
    let (_folder, _, tenants) = service();
    let version = execute(&tenants, call("olga", "1"), STAGING).unwrap();
    let shown = tenants.loaded("acme").unwrap().head().digest;
    let saved = execute(&tenants, call_if(shown, "olga", "2"), DEVS);
    assert_eq!(saved, Ok(version + 1));
    let late = execute(&tenants, call_if(shown, "olga", "3"), DANA);
    assert_problem(late, 412, "precondition-failed");
    let again = execute(&tenants, call_if(shown, "olga", "2"), DEVS);
    assert_eq!(again, saved, "a retry is no change of somebody else");
}

#[test]
fn what_is_wrong_is_the_callers_part() {
    let (_folder, _, tenants) = service();
    with_dana(&tenants);
    for (user, json, status, code) in [
        ("olga", "{", 400, "not-a-command"),
        (
            "olga",
            r#"{"command":"rule-the-world"}"#,
            400,
            "not-a-command",
        ),
        ("dana", DANA, 403, "not-authorized"),
        ("eve", STAGING, 403, "not-authorized"),
        ("olga", STAGING, 409, "store-exists"),
        (
            "olga",
            r#"{"command":"delete-store","store":"live"}"#,
            404,
            "unknown-store",
        ),
    ] {
        let key = format!("{user} {code}");
        assert_problem(execute(&tenants, call(user, &key), json), status, code);
    }
}

static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());

#[test]
fn changes_and_refused_requests_are_logged() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("access.db");
    let tenants = start(file.to_str().unwrap(), |line| {
        LOG.lock().unwrap().push(line);
    })
    .unwrap();
    open(&tenants, call("olga", "open")).unwrap();
    execute(&tenants, call("olga", "1"), STAGING).unwrap();
    execute(&tenants, call("eve", "2"), STAGING).unwrap_err();
    let log = LOG.lock().unwrap();
    let [opened, created, refused] = log.as_slice() else {
        panic!("{log:?}");
    };
    assert!(opened.contains("AccountOpened"), "{opened}");
    assert!(created.contains("staging"), "{created}");
    assert_eq!(refused, "member eve was refused: not-authorized");
}

/// The service runs in two processes.
#[test]
fn a_change_by_another_process_counts_after_a_notice_or_on_the_timer() {
    let (_folder, file, tenants) = service();
    with_dana(&tenants);
    let elsewhere = start(&file, |_| ()).unwrap();
    can_write(&elsewhere, "dana").unwrap();

    let suspend = r#"{"command":"suspend-member","member":"dana"}"#;
    let version = execute(&tenants, call("olga", "6"), suspend).unwrap();
    can_write(&elsewhere, "dana").expect("it has not heard of it");
    let _ = elsewhere.notify_version("acme", version);
    assert_problem(can_write(&elsewhere, "dana"), 403, "suspended");

    let reinstate = r#"{"command":"reinstate-member","member":"dana"}"#;
    execute(&tenants, call("olga", "7"), reinstate).unwrap();
    assert_problem(can_write(&elsewhere, "dana"), 403, "suspended");
    assert_eq!(refresh(&elsewhere), []);
    can_write(&elsewhere, "dana").unwrap();
}

/// One account that cannot be read does not keep the others from being brought up to date.
#[test]
fn the_timer_goes_on_after_an_account_that_fails() {
    let (_folder, file, tenants) = service();
    let beta = Call {
        tenant: "beta".parse().unwrap(),
        ..call("olga", "open")
    };
    open(&tenants, beta).unwrap();
    let elsewhere = start(&file, |_| ()).unwrap();
    for (tenant, key) in [("acme", "1"), ("beta", "2")] {
        elsewhere.get(&tenant.parse().unwrap()).unwrap();
        let create = Call {
            tenant: tenant.parse().unwrap(),
            ..call("olga", key)
        };
        execute(&tenants, create, STAGING).unwrap();
    }
    tenants.repository().with_connection(|connection| {
        connection
            .execute_batch(
                "PRAGMA ignore_check_constraints = 1; DROP TRIGGER grantbook_records_are_not_updated;
                 UPDATE grantbook_records SET record = '{}' WHERE account = 'acme' AND version = 2",
            )
            .unwrap();
    });
    let problems = refresh(&elsewhere);
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!((problems[0].0, problems[0].1), (503, "repository-failed"));
    let beta = elsewhere.loaded("beta").unwrap();
    assert_eq!(beta.version(), 2);
}

/// What the README shows is what was tested here, and no longer than it says.
#[test]
fn the_readme_shows_this_service() {
    let source = include_str!("main.rs");
    let (_, source) = source.split_once("\n\n").unwrap();
    let (source, _) = source.split_once("\n#[cfg(test)]").unwrap();
    assert!(source.starts_with("use grantbook::"), "{source}");
    assert!(source.lines().count() <= 60, "{}", source.lines().count());
    let readme = include_str!("../../README.md");
    assert!(
        readme.contains("## A service in 60 lines\n"),
        "the section is there"
    );
    assert!(readme.contains(&format!("```rs\n{source}```\n")));
}
