//! The repository is consistent: layers, lengths, tests named after rules, codes that are documented.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use grantbook::CommandError;

/// A file of `src/` imports only from files above it in this list.
const LAYERS: [&str; 91] = [
    "visible",
    "several",
    "errors",
    "text",
    "distinct",
    "number",
    "time",
    "id",
    "name",
    "note",
    "permission",
    "role",
    "catalog",
    "grant",
    "access",
    "account::limits",
    "account::actor",
    "account::commit_place",
    "account::context",
    "account::digest",
    "account::status",
    "account::precondition",
    "account::data::hash",
    "account::data::slots",
    "account::data::uuid_key",
    "account::data::inline_key",
    "account::data::id_map",
    "account::data::member_slab",
    "account::data::member",
    "account::data::grant_index",
    "account::data",
    "account::command_error",
    "account::check",
    "account::changes",
    "catalog::command",
    "account::authority",
    "account::record",
    "account::event_text",
    "stored",
    "stored::v1",
    "account::replay",
    "account::guardrails",
    "account::decide",
    "account::snapshot",
    "account::handles",
    "account",
    "questions::differences",
    "questions::delta",
    "questions::delta_text",
    "questions::escalation",
    "questions::explanation",
    "questions::warning",
    "questions::remedies",
    "questions::explain",
    "questions::explain_text",
    "questions::effective",
    "questions::many",
    "questions::matrix",
    "questions::pages",
    "questions::reverse",
    "questions::covers",
    "questions::finding",
    "questions::review",
    "questions",
    "render",
    "history",
    "repository::head",
    "repository::request",
    "repository::commit",
    "repository::contract",
    "repository::error",
    "repository::as_of",
    "repository::replica",
    "repository::cell",
    "repository::adapters",
    "repository::memory",
    "repository::turns",
    "repository::storage",
    "repository::protocol",
    "repository::opening",
    "repository::execute",
    "repository::observer",
    "repository::held",
    "repository::holder",
    "repository::shared_account",
    "repository::accounts",
    "repository::builder",
    "repository",
    "repository::conformance",
    "docs",
    "lib",
];

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files of a folder with one of these endings, but for what builds leave behind.
pub(crate) fn files(folder: &str, endings: &[&str]) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() {
                if !name.starts_with('.') && name != "target" {
                    folders.push(path);
                }
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(root()).unwrap().to_owned(), text));
            }
        }
    }
    assert!(!found.is_empty());
    found
}

/// `src/account/record.rs` is `account::record`; a file of a folder that is one layer is the folder.
fn module(path: &Path) -> String {
    let path = path.strip_prefix("src").unwrap().with_extension("");
    let parts: Vec<_> = path
        .components()
        .map(|part| part.as_os_str().to_str().unwrap())
        .collect();
    layer_of(&parts)
}

/// The longest path of modules that is a layer.
fn layer_of(modules: &[&str]) -> String {
    let paths = (1..=modules.len()).rev();
    let mut paths = paths.map(|length| modules[..length].join("::"));
    let found = paths.find(|path| LAYERS.contains(&path.as_str()));
    found.unwrap_or_else(|| panic!("{modules:?} is in no layer"))
}

/// The modules that a source file names by `crate::`. What a macro expands to elsewhere may name what `lib.rs` exports.
fn imports(text: &str) -> BTreeSet<String> {
    let code = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let code = code.collect::<Vec<_>>().join("\n");
    let expanded = ["Catalog", "Permission", "RoleLevel"].map(|name| format!("$crate::{name}"));
    let code = expanded
        .iter()
        .fold(code, |code, path| code.replace(path, ""));
    let paths = code.split("crate::").skip(1).map(|rest| {
        let is_path = |character: char| character.is_alphanumeric() || "_:".contains(character);
        rest.split(|character| !is_path(character))
            .next()
            .unwrap()
            .to_owned()
    });
    paths
        .map(|path| {
            let parts: Vec<_> = path.split("::").collect();
            let modules = parts
                .iter()
                .take_while(|part| part.starts_with(|first: char| first.is_ascii_lowercase()));
            layer_of(&modules.copied().collect::<Vec<_>>())
        })
        .collect()
}

/// Files import only from those above them, and replaying never from deciding.
#[test]
fn files_import_from_those_above_them() {
    let sources = files("src", &[".rs"]);
    let mut seen = BTreeSet::new();
    for (path, text) in &sources {
        let name = module(path);
        let layer = |name: &str| LAYERS.iter().position(|layer| *layer == name);
        let own = layer(&name).unwrap_or_else(|| panic!("{} is in no layer", path.display()));
        seen.insert(own);
        for import in imports(text) {
            let other = layer(&import)
                .unwrap_or_else(|| panic!("{name} imports {import}, which is in no layer"));
            assert!(
                other < own || import == name,
                "{name} imports {import}, which is not above it"
            );
        }
    }
    assert_eq!(seen.len(), LAYERS.len(), "a layer has no file");
    let of = |name: &str| {
        imports(
            &sources
                .iter()
                .find(|(path, _)| module(path) == name)
                .unwrap()
                .1,
        )
    };
    assert!(!of("account::replay").contains("account::decide"));
    assert!(
        of("account::decide").contains("account::guardrails"),
        "imports are found"
    );
}

/// No file of `src/` is longer than 500 lines unless its first comment gives a reason.
#[test]
fn source_files_are_short() {
    for (path, text) in files("src", &[".rs"]) {
        let first_comment: String = text
            .lines()
            .take_while(|line| line.starts_with("//!"))
            .collect();
        let lines = text.lines().count();
        assert!(
            lines <= 500 || first_comment.contains("Long because"),
            "{} has {lines} lines",
            path.display()
        );
    }
}

/// No public signature shows the collections inside.
#[test]
fn inner_collections_stay_inside() {
    let inner = [
        "ArcStr",
        "FoldHasher",
        "HashById",
        "IndexMap",
        "Roaring",
        "ShardedLock",
        "Sha256",
        "SmallVec",
        "postcard",
    ];
    for (path, text) in files("src", &[".rs"]) {
        for line in text
            .lines()
            .map(str::trim_start)
            .filter(|line| line.starts_with("pub ") && !line.starts_with("pub struct "))
        {
            let shown = inner.iter().find(|inner| line.contains(**inner));
            assert_eq!(shown, None, "{}: {line}", path.display());
        }
    }
}

fn rules() -> String {
    fs::read_to_string(root().join("docs/rules.md")).unwrap()
}

/// The rule numbers of `docs/rules.md`.
fn rule_numbers() -> BTreeSet<String> {
    let text = rules();
    let first_cells = text.lines().filter_map(|line| {
        let (anchor, number) = line.split(" |").next()?.split_once("\"></a>")?;
        assert_eq!(anchor, format!("| <a id=\"{number}"));
        Some(number.to_owned())
    });
    first_cells.filter(|cell| is_rule_number(cell)).collect()
}

fn is_rule_number(word: &str) -> bool {
    let (letter, number) = word.split_at(word.len().min(1));
    "AMSGLPEU".contains(letter)
        && !letter.is_empty()
        && !number.is_empty()
        && number.bytes().all(|b| b.is_ascii_digit())
}

/// The tests of the suite that are named after a rule: the file, and the rule. `e1_a_manager_cannot_add_itself` is
/// named after E1.
fn tests_named_after_rules() -> Vec<(PathBuf, String)> {
    let mut named = Vec::new();
    for (path, text) in files("tests/suite", &[".rs"]) {
        let mut is_test = false;
        for line in text.lines().map(str::trim) {
            if let Some(name) = line.strip_prefix("fn ").filter(|_| is_test) {
                let rule = name.split('_').next().unwrap_or_default().to_uppercase();
                let in_rules = path.starts_with("tests/suite/rules");
                if in_rules || is_rule_number(&rule) {
                    named.push((path.clone(), rule));
                }
            }
            is_test = line == "#[test]" || (is_test && line.starts_with("#["));
        }
    }
    named
}

/// Every rule has a test that is named after it, and every rule in the name of a test exists.
#[test]
fn every_rule_has_a_test_named_after_it() {
    let rules = rule_numbers();
    assert!(rules.len() >= 48, "{rules:?}");
    let named = tests_named_after_rules().into_iter().map(|(_, rule)| rule);
    assert_eq!(rules, named.collect());
}

/// Every test below `rules/` is named after a rule, and its file or folder is that of the rule's letter.
#[test]
fn tests_by_rule_are_where_their_letter_says() {
    for (path, rule) in tests_named_after_rules() {
        if let Ok(file) = path.strip_prefix("tests/suite/rules") {
            let found = file.to_string_lossy().chars().next();
            let letter = rule
                .chars()
                .next()
                .map(|letter| letter.to_ascii_lowercase());
            assert_eq!(found, letter, "{} has a test of {rule}", path.display());
        }
    }
}

/// The codes in a source file: `"such-as-this"`, after an arrow, or where an error is declared.
fn codes(file: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(root().join(file)).unwrap();
    let code = |line: &str| {
        let declared = line.split_once("#[error(");
        let (_, answer) = declared.or_else(|| line.split_once("=> "))?;
        let code = answer.split('"').nth(1)?;
        let is_code = code.contains(|c: char| c.is_ascii_lowercase())
            && code.chars().all(|c| c.is_ascii_lowercase() || c == '-');
        let is_kind = ["forbidden", "not-found", "conflict", "invalid"].contains(&code);
        (is_code && !is_kind).then(|| code.to_owned())
    };
    text.lines().filter_map(code).collect()
}

/// Every code is in `docs/rules.md`, every refusal's in the table of refusals, and each is asserted by a test.
#[test]
fn every_code_is_documented_and_tested() {
    let text = rules();
    let (_, rest) = text.split_once("## Refusals").unwrap();
    let (table, _) = rest.split_once("## ").unwrap();
    let refusals: BTreeSet<String> = CommandError::CODES
        .iter()
        .map(|(code, _, _)| (*code).to_owned())
        .collect();
    let listed: BTreeSet<_> = table
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect();
    assert_eq!(refusals, listed);
    for (code, kind, guarded) in CommandError::CODES {
        let row = table
            .lines()
            .find(|line| line.contains(&format!("`{code}`")))
            .unwrap();
        assert!(
            row.starts_with(&format!("| {kind} ")),
            "{code} is {kind}: {row}"
        );
        for rule in *guarded {
            let row = text
                .lines()
                .find(|line| line.contains(&format!("</a>{rule} |")))
                .unwrap_or_else(|| panic!("{rule} is no rule"));
            assert!(
                row.contains(&format!("`{code}`")),
                "{code} guards {rule}: {row}"
            );
        }
    }
    let suite: String = files("tests/suite", &[".rs"])
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    let mut count = 0;
    for code in &refusals {
        assert!(
            suite.contains(&format!("\"{code}\"")),
            "{code} is not tested"
        );
        count += 1;
    }
    for file in [
        "src/account/replay.rs",
        "src/account/snapshot.rs",
        "src/access.rs",
        "src/text.rs",
        "src/catalog.rs",
        "src/catalog/command.rs",
        "src/repository/error.rs",
    ] {
        for code in codes(file) {
            assert!(
                text.contains(&format!("`{code}`")) || file == "src/access.rs",
                "{code} is not documented"
            );
            assert!(
                suite.contains(&format!("\"{code}\"")),
                "{code} is not tested"
            );
            count += 1;
        }
    }
    assert!(count > 50, "{count}");
}

/// Accounts, and all that is asked of them, go between threads.
#[test]
fn accounts_go_between_threads() {
    use grantbook::repository::{MemoryRepository, SyncStorage};
    fn goes<T: Send + Sync + 'static>() {}
    goes::<grantbook::Account>();
    goes::<grantbook::repository::Replica>();
    goes::<grantbook::repository::SharedAccount<SyncStorage<MemoryRepository>>>();
    goes::<grantbook::repository::Accounts<SyncStorage<MemoryRepository>>>();
    goes::<MemoryRepository>();
    goes::<grantbook::Record>();
    goes::<grantbook::CommandError>();
    goes::<grantbook::EffectivePermissions>();
    goes::<grantbook::EffectivePermissionsRef<'static>>();
}
