//! A request that has a key costs in proportion to its length, and so does its answer.

mod support;

use serde_json::{Map, Value, json};

use grantbook_authzen::{MAX_EVALUATIONS, MAX_EXPLANATIONS};
use support::records;

/// Defaults are read once, and not for each item: with the most items, in a megabyte, it would take a minute.
#[tokio::test]
async fn defaults_are_read_once() {
    let app = records();
    let many: Map<String, Value> = (0..60_000).map(|n| (format!("k{n}"), json!(0))).collect();
    let body = json!({
        "subject": { "type": "user", "id": "alice" },
        "action": { "name": "read" },
        "resource": { "type": "record", "id": "record-1", "properties": many },
        "evaluations": vec![json!({}); MAX_EVALUATIONS],
    });
    let answer = app.ask("evaluations", body.to_string()).await;
    let evaluations = answer.json["evaluations"].as_array().unwrap();
    assert_eq!(evaluations.len(), MAX_EVALUATIONS);
    assert!(evaluations.iter().all(|one| one["decision"] == true));
}

#[tokio::test]
async fn an_answer_is_not_much_longer_than_what_was_asked() {
    let app = records();
    // An id that nobody has is not repeated.
    let body = json!({
        "subject": { "type": "user", "id": "a".repeat(900_000) },
        "action": { "name": "read" },
        "resource": { "type": "record", "id": "record-1" },
        "context": { "explain": true },
        "evaluations": vec![json!({}); MAX_EVALUATIONS],
    });
    let answer = app.ask("evaluations", body.to_string()).await;
    assert_eq!(
        answer.json["evaluations"][0]["context"]["reason"]["code"],
        "unknown-member"
    );
    assert!(answer.text.len() < 300_000, "{}", answer.text.len());

    let body = json!({
        "subject": { "type": "user", "id": "bob" },
        "action": { "name": "write" },
        "resource": { "type": "record", "id": "record-1" },
        "context": { "explain": true },
        "evaluations": vec![json!({}); MAX_EVALUATIONS],
    });
    let answer = app.ask("evaluations", body.to_string()).await;
    let evaluations = answer.json["evaluations"].as_array().unwrap();
    let explained = evaluations
        .iter()
        .map(|one| one["context"].get("explanation").is_some());
    let expected = (0..MAX_EVALUATIONS).map(|index| index < MAX_EXPLANATIONS);
    assert!(explained.eq(expected));
    assert!(evaluations.iter().all(|one| one["decision"] == false));

    let body = json!({
        "evaluations": [{}],
        "options": { "evaluations_semantic": "x".repeat(100_000) },
    });
    let answer = app.ask("evaluations", body.to_string()).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text.len() < 1_000, "{}", answer.text.len());
}
