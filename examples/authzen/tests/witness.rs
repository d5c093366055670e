//! Another implementation's types write the requests and read the answers.

mod support;

use authzen_rs::{
    Action, ActionSearchRequest, Decision, EvaluationOptions, EvaluationRequest,
    EvaluationsRequest, EvaluationsResponse, EvaluationsSemantic, PageRequest, PdpMetadata,
    Resource, ResourceSearchRequest, SearchResponse, Subject, SubjectSearchRequest,
};
use axum::body::Body;
use axum::http::Request;
use serde::Serialize;
use serde::de::DeserializeOwned;

use support::{App, records};

async fn ask<T: DeserializeOwned>(app: &App, endpoint: &str, request: &impl Serialize) -> T {
    let answer = app
        .ask(endpoint, serde_json::to_string(request).unwrap())
        .await;
    serde_json::from_value(answer.json.clone())
        .unwrap_or_else(|error| panic!("{error}: {answer:?}"))
}

fn alice() -> Subject {
    Subject::new("user", "alice")
}

fn record(id: &str) -> Resource {
    Resource::new("record", id)
}

#[tokio::test]
async fn another_implementation_is_understood_and_understands() {
    let app = records();
    let question = EvaluationRequest::new(alice(), Action::new("read"), record("record-1"));
    question.validate().unwrap();
    let decision: Decision = ask(&app, "evaluation", &question).await;
    assert!(decision.allowed());
    let denied = EvaluationRequest::new(alice(), Action::new("write"), record("record-2"));
    let decision: Decision = ask(&app, "evaluation", &denied).await;
    assert!(!decision.allowed() && decision.context().is_some());

    let options = EvaluationOptions::new(EvaluationsSemantic::DenyOnFirstDeny);
    let both = vec![question.clone(), denied.clone(), question.clone()];
    let request = EvaluationsRequest::new(both).with_options(options);
    let answer: EvaluationsResponse = ask(&app, "evaluations", &request).await;
    answer.validate(&request).unwrap();
    let decisions: Vec<bool> = answer.evaluations().iter().map(Decision::allowed).collect();
    assert_eq!(decisions, [true, false]);

    let page = PageRequest::new().with_limit(1);
    let subjects = SubjectSearchRequest::new(
        Subject::query("user"),
        Action::new("read"),
        record("record-1"),
    );
    let first = subjects.clone().with_page(page.clone());
    let answer: SearchResponse<Subject> = ask(&app, "search/subject", &first).await;
    answer.validate(&first).unwrap();
    assert_eq!(answer.results(), [alice()]);
    let next = subjects.with_page(page.with_token(answer.next_token().unwrap()));
    let answer: SearchResponse<Subject> = ask(&app, "search/subject", &next).await;
    answer.validate(&next).unwrap();
    assert_eq!(answer.results(), [Subject::new("user", "bob")]);
    assert_eq!(answer.page().unwrap().next_token(), "");

    let resources =
        ResourceSearchRequest::new(alice(), Action::new("read"), Resource::query("record"));
    let answer: SearchResponse<Resource> = ask(&app, "search/resource", &resources).await;
    answer.validate(&resources).unwrap();
    assert_eq!(answer.results(), [record("record-1"), record("record-2")]);
    let actions = ActionSearchRequest::new(alice(), record("record-2"));
    let answer: SearchResponse<Action> = ask(&app, "search/action", &actions).await;
    answer.validate(&actions).unwrap();
    assert_eq!(answer.results(), [Action::new("read")]);

    let asked = Request::get("/.well-known/authzen-configuration/acme").body(Body::empty());
    let answer = app.send(asked.unwrap()).await;
    let metadata: PdpMetadata = serde_json::from_value(answer.json).unwrap();
    metadata.validate().unwrap();
    let point = metadata.access_evaluation_endpoint();
    assert_eq!(point, Some("https://pdp.example/acme/access/v1/evaluation"));
}
