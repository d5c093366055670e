//! The pages and the words: links lead somewhere, and what has a better word is called by it.

use std::collections::BTreeSet;
use std::fs;

use crate::project::{files, root};

/// Words that have a better one, as they stand in sources, pages and messages.
const REPLACED: [(&str, &str); 26] = [
    ("accomplice", "second member"),
    ("anew", "again"),
    ("at-once", "sync"),
    ("BlockOn", "Runtime"),
    ("by which door", "in whichever way"),
    ("by_inclusion", "via_included_role"),
    ("came to be", "was created"),
    ("came_about", "is_lost"),
    ("CommitId", "IdempotencyKey"),
    ("EnrolMembers", "AddMembers"),
    ("for ever", "forever"),
    ("InvalidCommit", "CommitError"),
    ("InvalidGroupLimit", "GroupLimitError"),
    ("InvalidText", "ParseError"),
    ("look-up", "lookup"),
    ("look-ups", "lookups"),
    ("MAX_NAMED", "MAX_ITEMS_PER_COMMAND"),
    ("mend", "fix"),
    ("mended", "fixed"),
    ("MembersEnrolled", "MembersAdded"),
    ("outer-space", "surrounding-whitespace"),
    ("Realm", "Accounts"),
    ("Refusal", "CommandError"),
    ("RefusalKind", "ErrorKind"),
    ("Standing", "MemberStatus"),
    ("TextProblem", "ParseErrorKind"),
];

fn is_part_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}

fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(is_part_of_word) && !after.is_some_and(is_part_of_word)
    })
}

#[test]
fn what_has_a_better_word_is_called_by_it() {
    let texts = files("", &[".rs", ".md", ".sql", ".toml", ".sh"]);
    assert!(texts.len() > 200, "{}", texts.len());
    let mut found = Vec::new();
    for (path, text) in &texts {
        // The table above, and what says that a name has changed.
        if path.ends_with("documents.rs") || path.ends_with("CHANGELOG.md") {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            for (word, better) in REPLACED {
                if has_word(line, word) {
                    found.push(format!(
                        "{}:{}: {word}: say {better}",
                        path.display(),
                        number + 1
                    ));
                }
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The lines that are no code.
fn prose(text: &str) -> String {
    let mut is_code = false;
    let lines = text.lines().filter(|line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// What a page's links lead to.
fn targets(page: &str) -> Vec<String> {
    let prose = prose(page);
    let after = prose.split("](").skip(1);
    let inline = after.filter_map(|rest| Some(rest.split_once(')')?.0.replace('\n', "")));
    let defined = prose.lines().filter_map(|line| {
        let (_, target) = line.strip_prefix('[')?.split_once("]: ")?;
        Some(target.to_owned())
    });
    inline.chain(defined).collect()
}

/// The names that a page's headings have in links, as code hosts make them.
fn anchors(page: &str) -> BTreeSet<String> {
    let prose = prose(page);
    let headings = prose.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            let kept = title.chars().filter(|c| is_part_of_word(*c) || *c == ' ');
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

#[test]
fn links_lead_somewhere() {
    let mut checked = 0;
    let mut dead = Vec::new();
    for (path, page) in files("", &[".md"]) {
        for target in targets(&page) {
            // The compiler looks at links to items.
            if target.contains("://") || path.starts_with("src") && !target.contains('.') {
                continue;
            }
            checked += 1;
            let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let led_to = if file.is_empty() {
                root().join(&path)
            } else {
                root().join(&path).parent().unwrap().join(file)
            };
            let leads_there = led_to.exists()
                && (anchor.is_empty()
                    || fs::read_to_string(&led_to)
                        .is_ok_and(|page| anchors(&page).contains(anchor)));
            if !leads_there {
                dead.push(format!("{}: {target}", path.display()));
            }
        }
    }
    assert!(checked > 50, "{checked}");
    assert!(dead.is_empty(), "{}", dead.join("\n"));
}
