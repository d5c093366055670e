//! What the README shows at a terminal is what happens there.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

/// The commands of the README with what they print. `cat` says what a file is to hold.
fn session() -> Vec<(String, String)> {
    let readme = include_str!("../../README.md");
    let (_, rest) = readme.split_once("```console\n").unwrap();
    let (session, _) = rest.split_once("```\n").unwrap();
    let steps = session.split("$ ").skip(1);
    steps
        .filter_map(|step| step.split_once('\n'))
        .map(|(command, printed)| (command.to_owned(), printed.to_owned()))
        .collect()
}

/// Without the moments, which are others each time.
fn without_times(text: &str) -> String {
    let is_time = |word: &&str| humantime::parse_rfc3339(word).is_ok();
    let words = text.split(' ');
    words
        .filter(|word| !is_time(word))
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn the_readme_shows_what_happens() {
    let folder = tempfile::tempdir().unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_grantbook-sqlite"));
    let path = format!(
        "{}:{}",
        program.parent().unwrap().display(),
        env::var("PATH").unwrap_or_default()
    );
    let steps = session();
    assert_eq!(steps.len(), 10, "{steps:?}");
    for (command, printed) in steps {
        if command.starts_with("cargo install ") {
            continue;
        }
        if let Some(file) = command.strip_prefix("cat ") {
            fs::write(folder.path().join(file), printed).unwrap();
            continue;
        }
        let output = Command::new("sh")
            .args(["-c", &format!("exec 2>&1; {command}")])
            .env("PATH", &path)
            .current_dir(folder.path())
            .output()
            .unwrap();
        let found = String::from_utf8(output.stdout).unwrap();
        assert_eq!(without_times(&found), without_times(&printed), "{command}");
    }
    let exported = fs::read_to_string(folder.path().join("acme.jsonl")).unwrap();
    assert_eq!(exported.lines().count(), 4);
}
