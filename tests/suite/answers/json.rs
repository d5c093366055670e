//! The JSON of every answer, pinned by `tests/golden/answers.jsonl`: a line for each, with the name of its type. The page
//! `docs/answers.md` shows one of each type.

use std::collections::{BTreeMap, BTreeSet};

use grantbook::command::CreateStore;
use grantbook::repository::{
    AsOf, CommitOutcome, EraseOutcome, Freshness, Ingested, MemoryRepository, RecordPage, Request,
};
use grantbook::*;
use serde::Serialize;
use serde_json::Value;

use super::{question_samples, samples};
use crate::support::*;

const GOLDEN: &str = include_str!("../../golden/answers.jsonl");
const PAGE: &str = include_str!("../../../docs/answers.md");

/// An answer: its type, and its JSON.
struct Answer(&'static str, String);

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.1).unwrap()
    }
}

#[derive(Default)]
struct Answers(Vec<Answer>);

impl Answers {
    fn add(&mut self, name: &'static str, answer: impl Serialize) {
        let text = serde_json::to_string(&answer).unwrap();
        let packed = rmp_serde::to_vec_named(&answer).unwrap();
        let unpacked: Value = rmp_serde::from_slice(&packed).unwrap();
        let answer = Answer(name, text);
        assert_eq!(unpacked, answer.json(), "{name}: the number of fields");
        self.0.push(answer);
    }

    fn add_all(&mut self, name: &'static str, answers: impl IntoIterator<Item = impl Serialize>) {
        for answer in answers {
            self.add(name, answer);
        }
    }
}

/// One of every answer, or of each of its forms.
fn answers() -> Answers {
    let mut answers = Answers::default();
    checks(&mut answers);
    errors(&mut answers);
    what_an_account_holds(&mut answers);
    repositories(&mut answers);
    questions(&mut answers);
    answers
}

fn checks(answers: &mut Answers) {
    let world = World::staffed();
    let check = |member| {
        let (permission, dev) = (Permission::STORE_WRITE, Resource::Store("dev"));
        world.account.check(member, &permission, dev)
    };
    answers.add_all("Decision", [check("dana"), check("vic")]);
    answers.add_all("DenialReason", samples::denials());
    answers.add_all(
        "Resource",
        [Resource::Account, Resource::Store(store("dev"))],
    );
    answers.add_all(
        "AccessLevel",
        [
            AccessLevel::None,
            AccessLevel::Custom,
            AccessLevel::Viewer,
            AccessLevel::Editor,
            AccessLevel::Owner,
        ],
    );
    let only = Permissions::Only(permissions(["invoice.export", "store.read"]));
    answers.add_all("Permissions", [Permissions::All, only]);
    answers.add(
        "EffectivePermissions",
        world.account.effective_permissions("dana"),
    );
    answers.add("EffectivePermissionsRef", world.account.effective("dana"));
    let dana = world.account.effective("dana");
    answers.add_all("PermissionsRef", dana.stores().map(|(_, there)| there));
    let mut two_managers = World::staffed();
    two_managers.ok(OWNER, add("it", ["vic"]));
    let now = at(two_managers.now);
    let gains = two_managers
        .account
        .escalation(MANAGER, Some("vic"), 2, now);
    answers.add("Escalation", gains.first().unwrap());
    answers.add("Escalation", samples::escalation("dana"));
    let context = at(world.now);
    let create = [create_store("live")];
    let preview = world
        .account
        .preview(&Actor::System, &create, context)
        .unwrap();
    answers.add("PlannedChange", preview.changes.first().unwrap());
    let (permission, dev) = (Permission::STORE_WRITE, Resource::Store("dev"));
    let intervals = history::access(&world.records, None, "dana", &permission, dev).unwrap();
    answers.add_all("Interval", intervals);
}

fn errors(answers: &mut Answers) {
    answers.add_all("CommandError", samples::command_errors("dana"));
    answers.add_all(
        "ErrorKind",
        [
            ErrorKind::Forbidden,
            ErrorKind::NotFound,
            ErrorKind::Conflict,
            ErrorKind::Invalid,
        ],
    );
    answers.add_all("Precondition", samples::preconditions("dana"));
    let parsed = [
        GroupName::parse("IT"),
        GroupName::parse(&"x".repeat(65)),
        GroupName::parse("Caf\u{e9}"),
        GroupName::parse(" Dev"),
    ];
    let parsed = parsed.map(Result::unwrap_err);
    let segment = Permission::parse("store.1st").unwrap_err();
    for error in parsed.iter().chain([&segment]) {
        answers.add("ParseError", error);
        answers.add("ParseErrorKind", error.kind());
    }
    answers.add("GroupLimitError", GroupLimit::new(0).unwrap_err());
    answers.add_all("ReplayError", samples::replay_errors("dana"));
    answers.add_all("SnapshotError", samples::snapshot_errors("dana"));
    answers.add_all("RepositoryError", samples::repository_errors("dana"));
    answers.add_all("CommitError", samples::commit_errors());
    answers.add("StaleError", samples::stale_error("acme"));
}

fn what_an_account_holds(answers: &mut Answers) {
    let mut world = World::staffed();
    world.ok(
        OWNER,
        define_role("auditor", "Auditor", RoleLevel::Store, &["log.read"]),
    );
    for id in ["dana", "ina"] {
        answers.add("Member", world.account.member(id).unwrap());
    }
    answers.add("Group", world.account.group("devs").unwrap());
    answers.add("Store", world.account.store("dev").unwrap());
    for role in ["store-editor", "auditor"] {
        answers.add("Role", world.account.role(role).unwrap());
    }
    for group in ["it", "devs"] {
        answers.add_all("GrantRef", world.account.group(group).unwrap().grants());
    }
    answers.add_all(
        "MemberStatus",
        [
            MemberStatus::Active { owner: true },
            MemberStatus::Suspended { owner: false },
            MemberStatus::Invited {
                as_owner: false,
                expires: Some(at(2_000)),
            },
            MemberStatus::Invited {
                as_owner: true,
                expires: None,
            },
        ],
    );
}

fn repositories(answers: &mut Answers) {
    let kept = MemoryRepository::new();
    let (id, owner, now) = (samples::account_id("acme"), member(OWNER), at(1_000));
    let open = |key| {
        let limit = GroupLimit::default();
        repository::open(&kept, commit_id(key), id.clone(), owner.clone(), limit, now)
    };
    let mut account = open("2f9a").unwrap();
    let create = |store_id| {
        Request::by(by(OWNER), commit_id(store_id), at(2_000)).command(CreateStore {
            store: store(store_id),
        })
    };
    for request in [create("dev"), create("dev")] {
        let executed = repository::execute(&kept, &mut account, &request).unwrap();
        answers.add("Executed", executed);
    }
    answers.add(
        "RecordPage",
        RecordPage::Records {
            records: Vec::new(),
            head: None,
        },
    );
    let page = repository::Repository::records_after(&kept, &id, 1).unwrap();
    answers.add_all("RecordPage", [page, RecordPage::Compacted]);
    let outcomes = [
        CommitOutcome::Appended,
        CommitOutcome::Duplicate,
        CommitOutcome::Conflict,
    ];
    answers.add_all("CommitOutcome", outcomes);
    answers.add_all(
        "EraseOutcome",
        [
            EraseOutcome::Erased,
            EraseOutcome::NotClosed,
            EraseOutcome::Unknown,
            EraseOutcome::Unsupported,
        ],
    );
    answers.add_all(
        "Ingested",
        [
            Ingested::Applied,
            Ingested::Duplicate,
            Ingested::Incomplete { missing: 2 },
            Ingested::Gap { behind: 3 },
        ],
    );
    answers.add_all(
        "Freshness",
        [Freshness::UpToDate, Freshness::CatchUp { behind: 3 }],
    );
    let as_of: AsOf = account.as_of();
    answers.add("AsOf", as_of);
}

fn questions(answers: &mut Answers) {
    answers.add_all("Explanation", question_samples::explanations("dana"));
    answers.add_all("Finding", question_samples::findings("dana"));
    let preview = question_samples::preview();
    answers.add("AccessChange", preview.delta.iter().next().unwrap());
    answers.add_all("AccessBlock", preview.delta.blocks());
    answers.add_all("AccessDelta", [&preview.delta, &AccessDelta::default()]);
    answers.add("Preview", preview);
    let small = [create_store("live")];
    let world = World::staffed();
    let preview = world.account.preview(&by(OWNER), &small, at(world.now));
    answers.add("Preview", preview.unwrap());
    answers.add_all("StoreFilter", question_samples::store_filters());
    let mut small = World::new();
    small.ok(OWNER, create_store("dev"));
    for world in [small, World::staffed()] {
        answers.add("AccessMatrix", world.account.matrix());
    }
    answers.add_all("Notice", question_samples::notices());
    answers.add("Catalog", question_samples::catalog());
    answers.add_all("CatalogError", question_samples::catalog_errors());
    answers.add_all("PermissionError", question_samples::permission_errors());
}

#[test]
fn every_answer_keeps_its_json() {
    let answers = answers().0;
    let written = answers
        .iter()
        .map(|Answer(name, json)| format!(r#"{{"answer":"{name}","json":{json}}}"#));
    let written: Vec<String> = written.collect();
    let golden: Vec<&str> = GOLDEN.lines().collect();
    for (written, golden) in written.iter().zip(&golden) {
        assert_eq!(written, golden);
    }
    assert_eq!(written.len(), golden.len(), "{:?}", written.last());
}

/// A program that gets an error finds its code and its message, in whichever type it comes.
#[test]
fn every_error_is_an_object_with_its_code_and_message() {
    let errors: Vec<_> = answers()
        .0
        .into_iter()
        .filter(|Answer(name, _)| name.ends_with("Error") || *name == "DenialReason")
        .collect();
    assert!(errors.len() > 90, "{}", errors.len());
    for error in errors {
        let (name, json) = (error.0, error.json());
        for field in ["code", "message"] {
            assert!(json[field].is_string(), "{name}: {json}");
        }
        let status = json["http_status"].as_u64().unwrap();
        assert!((400..=599).contains(&status), "{name}: {json}");
    }
    let error = CommandError::LastOwner {
        member: member("dana"),
    };
    let refused = repository::RepositoryError::Refused(error.clone());
    assert_eq!(
        serde_json::to_value(refused).unwrap(),
        serde_json::to_value(error).unwrap(),
        "a refusal has one form"
    );
}

/// The page shows an answer of each type, as it is.
#[test]
fn the_page_shows_every_answer() {
    let mut blocks = PAGE.split("```json\n").skip(1);
    let shown: BTreeSet<String> = blocks
        .by_ref()
        .flat_map(|block| {
            let (block, _) = block.split_once("```").unwrap();
            let values = serde_json::Deserializer::from_str(block).into_iter::<Value>();
            values.map(|value| value.unwrap().to_string())
        })
        .collect();
    let mut is_shown: BTreeMap<&str, bool> = BTreeMap::new();
    for answer in answers().0 {
        let name = answer.0;
        *is_shown.entry(name).or_default() |= shown.contains(&answer.json().to_string());
        assert!(PAGE.contains(&format!("`{name}`")), "{name} is not named");
    }
    let missing: Vec<_> = is_shown.iter().filter(|(_, shown)| !**shown).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// The variants of an enum of the crate, as they are written: `OwnerInGroups` is `owner-in-groups`.
fn variants(file: &str, name: &str) -> BTreeSet<String> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let text = std::fs::read_to_string(path).unwrap();
    let (_, rest) = text.split_once(&format!("pub enum {name} ")).unwrap();
    let (body, _) = rest.split_once("\n}\n").unwrap();
    let names = body.lines().filter_map(|line| {
        let line = line.strip_prefix("    ")?;
        let is_variant = line.starts_with(|first: char| first.is_ascii_uppercase());
        is_variant.then(|| line.split(|c: char| !c.is_alphanumeric()).next().unwrap())
    });
    names
        .map(|name| {
            let mut kebab = String::new();
            for letter in name.chars() {
                if letter.is_ascii_uppercase() && !kebab.is_empty() {
                    kebab.push('-');
                }
                kebab.push(letter.to_ascii_lowercase());
            }
            kebab
        })
        .collect()
}

/// What stands under a tag in all objects that a field holds; the answer itself has no name.
fn tags(json: &Value, field: &str, wanted: &str, tag: &str, found: &mut BTreeSet<String>) {
    match json {
        Value::Object(object) => {
            if field == wanted {
                let tag = object.get(tag).and_then(Value::as_str);
                found.extend(tag.map(str::to_owned));
            }
            for (field, value) in object {
                tags(value, field, wanted, tag, found);
            }
        }
        Value::Array(values) => {
            for value in values {
                tags(value, field, wanted, tag, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// These enums may get variants, so no `match` outside of the crate holds them all: a new one without an answer in the
/// golden file fails here.
#[test]
fn every_variant_of_an_answer_has_its_json() {
    let explanation = "src/questions/explanation.rs";
    for (file, name, answer, field, tag) in [
        ("src/questions/finding.rs", "Finding", "Finding", "", "kind"),
        (explanation, "Verdict", "Explanation", "answer", "verdict"),
        (explanation, "AccessSource", "Explanation", "via", "kind"),
        (
            explanation,
            "PermissionWarning",
            "Explanation",
            "warning",
            "kind",
        ),
        (explanation, "Advice", "Explanation", "advice", "kind"),
        (explanation, "RemedyKind", "Explanation", "step", "kind"),
    ] {
        let variants = variants(file, name);
        assert!(variants.len() > 1, "{name}: {variants:?}");
        let mut found = BTreeSet::new();
        for line in GOLDEN.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            if line["answer"] == answer {
                tags(&line["json"], "", field, tag, &mut found);
            }
        }
        assert_eq!(found, variants, "{name}");
    }
}
