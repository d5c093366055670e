//! The conformance cases and interoperability files that were published for the standard, where they are: a folder that
//! `GRANTBOOK_AUTHZEN` names. `http.rs` has the same demands in our words, always.

mod support;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::{env, fs};

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use support::{Answer, App, KEY};

fn file(name: &str) -> Option<Value> {
    let folder = PathBuf::from(env::var_os("GRANTBOOK_AUTHZEN")?);
    let text = fs::read_to_string(folder.join(name)).unwrap();
    Some(serde_json::from_str(&text).unwrap())
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().unwrap().iter()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Who may do what where, in a scenario of `fixtures.json`.
fn granted(scenario: &Value) -> Vec<(String, String, String)> {
    let mut granted = Vec::new();
    for grant in list(&scenario["grants"]) {
        let mut may = |action: &str, store: String| {
            granted.push((text(&grant["subject"]).to_owned(), action.to_owned(), store));
        };
        if let Some(allowed) = grant["allowed"].as_array() {
            for allowed in allowed {
                let (method, route) = text(allowed).split_once(' ').unwrap();
                may(method, format!("route:{route}"));
            }
        } else if let Some(actions) = grant["actions"].as_array() {
            let store = format!(
                "{}:{}",
                text(&scenario["resource_type"]),
                text(&grant["resource"])
            );
            for action in actions {
                may(text(action), store.clone());
            }
        } else {
            for (action, resources) in grant["actions"].as_object().unwrap() {
                for resource in list(resources) {
                    let kind = scenario["resource_type"].as_str();
                    may(
                        action,
                        kind.map_or_else(
                            || text(resource).to_owned(),
                            |kind| format!("{kind}:{}", text(resource)),
                        ),
                    );
                }
            }
        }
    }
    granted
}

fn app(scenario: &Value) -> App {
    let granted = granted(scenario);
    let granted = granted.iter();
    App::new(granted.map(|(who, what, store)| (who.as_str(), what.as_str(), store.as_str())))
}

/// Sends what a case asks, with this body.
async fn send(app: &App, asked: &Value, body: String) -> Answer {
    let path = format!("/acme{}", text(&asked["path"]));
    let mut request = Request::builder().method(text(&asked["method"])).uri(path);
    let kind = asked["content_type"].as_str().unwrap_or("application/json");
    request = request.header("content-type", kind);
    match asked["credentials"].as_str() {
        Some("missing") => {}
        Some("wrong") => request = request.header("authorization", "Bearer wrong"),
        _ => request = request.header("authorization", format!("Bearer {KEY}-acme")),
    }
    for (name, value) in asked["headers"].as_object().into_iter().flatten() {
        request = request.header(name, text(value));
    }
    app.send(request.body(Body::from(body)).unwrap()).await
}

#[tokio::test]
async fn conformance() {
    let (Some(cases), Some(fixtures)) = (file("conformance/cases.json"), file("fixtures.json"))
    else {
        println!("skipped: GRANTBOOK_AUTHZEN names no folder");
        return;
    };
    let app = app(&fixtures["conformance"]);
    let mut passed = 0;
    for case in list(&cases["cases"]) {
        let (asked, expected) = (&case["request"], &case["expect"]);
        let body = asked.get("body").map_or_else(
            || asked["raw_body"].as_str().unwrap_or_default().to_owned(),
            Value::to_string,
        );
        let answer = send(&app, asked, body.clone()).await;
        let said = format!("{}: {answer:?}", case["name"]);
        let status = u64::from(answer.status.as_u16());
        assert!(
            list(&expected["status"]).any(|one| one.as_u64() == Some(status)),
            "{said}"
        );
        if let Some(decision) = expected["decision"].as_bool() {
            assert_eq!(answer.json["decision"], decision, "{said}");
        }
        if expected["no_evaluations_key"] == true {
            assert!(answer.json.get("evaluations").is_none(), "{said}");
        }
        if let Some(decisions) = expected["decisions"].as_array() {
            assert_eq!(&json!(answer.decisions()), &json!(decisions), "{said}");
        }
        if let Some(name) = expected["echo"].as_str() {
            assert_eq!(
                answer.headers[name],
                text(&asked["headers"][name]),
                "{said}"
            );
        }
        if let Some(name) = expected["should_have_header"].as_str() {
            assert!(answer.headers.contains_key(name), "{said}");
        }
        for _ in 1..expected["same_answer_times"].as_u64().unwrap_or(1) {
            assert_eq!(
                send(&app, asked, body.clone()).await.json,
                answer.json,
                "{said}"
            );
        }
        if let Some(included) = expected["results_include"].as_array() {
            let mut found = answer.results().to_vec();
            let mut page = answer.json["page"].clone();
            while expected["follow_pages"] == true && page["next_token"] != "" {
                let mut next = asked["body"].clone();
                next["page"] = json!({ "token": page["next_token"] });
                let answer = send(&app, asked, next.to_string()).await;
                found.extend(answer.results().to_vec());
                page = answer.json["page"].clone();
            }
            for one in included {
                assert!(found.contains(one), "{said}");
            }
            assert!(!included.is_empty() || found.is_empty(), "{said}");
        }
        passed += 1;
    }
    println!("conformance: {passed} of {passed} cases");
    assert_eq!(passed, 127);
}

/// The results, in one order.
fn sorted(results: &Value) -> BTreeSet<String> {
    list(results).map(Value::to_string).collect()
}

#[tokio::test]
async fn interoperability() {
    let Some(fixtures) = file("fixtures.json") else {
        println!("skipped: GRANTBOOK_AUTHZEN names no folder");
        return;
    };
    let mut passed = 0;
    for (name, scenario, endpoint) in [
        ("todo-decisions-1_0-02", "todo", "evaluation"),
        ("gateway-decisions", "gateway", "evaluation"),
        ("search-subject", "search_and_idp", "search/subject"),
        ("search-resource", "search_and_idp", "search/resource"),
        ("search-action", "search_and_idp", "search/action"),
        ("idp-resource-search", "search_and_idp", "search/resource"),
    ] {
        let app = app(&fixtures[scenario]);
        let cases = file(&format!("interop/{name}.json")).unwrap();
        for (list_name, cases) in cases.as_object().unwrap() {
            let endpoint = if list_name == "evaluations" {
                "evaluations"
            } else {
                endpoint
            };
            for case in list(cases) {
                let answer = app.ask(endpoint, case["request"].to_string()).await;
                let (said, expected) = (format!("{name} {case} {answer:?}"), &case["expected"]);
                match endpoint {
                    "evaluation" => assert_eq!(&answer.json["decision"], expected, "{said}"),
                    "evaluations" => {
                        let decisions =
                            list(expected).map(|one| one["decision"].as_bool().unwrap());
                        assert_eq!(answer.decisions(), decisions.collect::<Vec<_>>(), "{said}");
                    }
                    _ => assert_eq!(
                        sorted(&answer.json["results"]),
                        sorted(&expected["results"]),
                        "{said}"
                    ),
                }
                passed += 1;
            }
        }
    }
    println!("interoperability: {passed} of {passed} requests");
    assert_eq!(passed, 43 + 25 + 60 + 18 + 120 + 6);
}
