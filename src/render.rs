//! A matrix as text, Markdown, CSV and HTML; an account as a Mermaid graph. Feature `render`.
//!
//! Ids and names are the host's and may hold anything that can be typed: each form escapes them its own way, and all
//! of them write out characters that cannot be seen or that turn the direction of writing, so that no id looks like
//! another.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::access::{AccessLevel, Permissions};
use crate::account::Account;
use crate::account::handles::Member;
use crate::account::status::MemberStatus;
use crate::grant::Scope;
use crate::id::{MemberId, StoreId};
use crate::permission::Permission;
use crate::questions::matrix::{AccessMatrix, MatrixRow};
use crate::visible::Visible;

/// Forms of a matrix. Where a member has no access the cell says so, or is empty.
impl AccessMatrix {
    /// Columns of plain text, for a terminal.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut cells = vec![self.head("").map(|cell| visible(&cell)).collect::<Vec<_>>()];
        cells.extend(
            self.rows
                .iter()
                .map(|row| row.told(visible(&row.member), "none").collect()),
        );
        let width = |column: usize| {
            let lengths = cells
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count());
            lengths.max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.stores.len() + 3).map(width).collect();
        let lines = cells.iter().map(|row| {
            let padded = row
                .iter()
                .zip(&widths)
                .map(|(cell, width)| format!("{cell:width$}"));
            padded.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
        });
        lines.collect()
    }

    /// A Markdown table.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let mut text = line(self.head("member").map(|cell| markdown(&cell)).collect());
        text += &line(vec!["---".to_owned(); self.stores.len() + 3]);
        for row in &self.rows {
            text += &line(row.told(markdown(&row.member), "").collect());
        }
        text
    }

    /// Comma-separated values with a heading (RFC 4180). A cell that a spreadsheet would take for a formula begins
    /// with an apostrophe instead.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let line = |cells: Vec<String>| cells.join(",") + "\r\n";
        let mut text = line(self.head("member").map(|cell| csv(&cell)).collect());
        for row in &self.rows {
            text += &line(row.told(csv(&row.member), "none").collect());
        }
        text
    }

    /// One HTML page that needs nothing else: no script, no image, no font. It can be read on paper, in the dark and
    /// by a screen reader: levels are words as well as letters and colours, and each cell has its row and column for a
    /// heading.
    #[must_use]
    pub fn to_html(&self, title: &str) -> String {
        let title = html(title);
        let (members, stores) = (self.rows.len(), self.stores.len());
        let mut page = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
             <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n\
             <p>{members} members, {stores} stores. \
             <span class=\"o\">O</span> owner, <span class=\"e\">E</span> editor, \
             <span class=\"v\">V</span> viewer, <span class=\"c\">C</span> custom (something else), \
             + and more than that; an empty cell is no access.</p>\n\
             <div role=\"region\" aria-label=\"Access levels\" tabindex=\"0\">\n<table>\n\
             <caption>Access level of each member in each store</caption>\n\
             <thead><tr><th scope=\"col\">Member</th><th scope=\"col\">Status</th>\
             <th scope=\"col\">Account</th>"
        );
        for store in &self.stores {
            let _ = write!(page, "<th scope=\"col\"><span>{}</span></th>", html(store));
        }
        page += "</tr></thead>\n<tbody>\n";
        for row in &self.rows {
            let status = in_words_of(row.status);
            let _ = write!(
                page,
                "<tr><th scope=\"row\">{}</th><td>{status}</td><td>{}</td>",
                html(&row.member),
                named(&row.account),
            );
            for cell in &row.cells {
                let (class, letter) = match cell.level {
                    AccessLevel::None => {
                        page += "<td></td>";
                        continue;
                    }
                    AccessLevel::Custom => ("c", 'C'),
                    AccessLevel::Viewer => ("v", 'V'),
                    AccessLevel::Editor => ("e", 'E'),
                    AccessLevel::Owner => ("o", 'O'),
                };
                let (plus, more) = if cell.has_more {
                    ("+", " and more")
                } else {
                    ("", "")
                };
                // The letter is for the eye, the word for the ear.
                let _ = write!(
                    page,
                    "<td class=\"{class}\"><b aria-hidden=\"true\">{letter}{plus}</b><i>{}{more}</i></td>",
                    cell.level
                );
            }
            page += "</tr>\n";
        }
        page += "</tbody>\n</table>\n</div>\n</body>\n</html>\n";
        page
    }

    fn head<'a>(&'a self, first: &'a str) -> impl Iterator<Item = String> + 'a {
        [first, "status", "account"]
            .map(str::to_owned)
            .into_iter()
            .chain(self.stores.iter().map(ToString::to_string))
    }
}

const STYLE: &str = "\
:root { color-scheme: light dark; }
body { font: 14px/1.4 system-ui, sans-serif; margin: 1.5rem; }
h1 { font-size: 1.4rem; margin: 0 0 .5rem; }
div { max-height: 85vh; overflow: auto; }
table { border-collapse: collapse; }
caption { text-align: left; padding-bottom: .5rem; position: sticky; left: 0; }
th, td { border: 1px solid #8886; padding: .1rem .35rem; text-align: center; }
th { font-weight: 600; background: Canvas; }
thead th { position: sticky; top: 0; vertical-align: bottom; z-index: 1; }
thead th span { writing-mode: vertical-rl; transform: rotate(180deg); white-space: nowrap; }
th[scope=row], thead th:first-child { position: sticky; left: 0; text-align: left; white-space: nowrap; }
thead th:first-child { z-index: 2; }
tbody tr:hover > * { box-shadow: inset 0 2px #888, inset 0 -2px #888; }
b { font-weight: 600; }
i { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
td { position: relative; }
.c { background: #a808; } .v { background: #2a78; } .e { background: #37c8; } .o { background: #a3a8; }
p span { padding: .1rem .35rem; font-weight: 600; }
@page { size: landscape; margin: 1cm; }
@media print {
  body { margin: 0; font-size: 8px; }
  div { max-height: none; overflow: visible; }
  th, td { padding: 0 .15rem; }
  thead { display: table-header-group; }
  thead th, th[scope=row] { position: static; }
  tr { break-inside: avoid; }
}
";

fn in_words_of(status: MemberStatus) -> &'static str {
    match status {
        MemberStatus::Active { owner: true } => "owner",
        MemberStatus::Active { owner: false } => "active",
        MemberStatus::Suspended { owner: true } => "suspended owner",
        MemberStatus::Suspended { owner: false } => "suspended",
        MemberStatus::Invited { as_owner: true, .. } => "invited as owner",
        MemberStatus::Invited { .. } => "invited",
    }
}

/// What is held at the account. Permissions mean nothing to any form, and need no escaping (L4).
fn named(permissions: &Permissions) -> String {
    match permissions {
        Permissions::All => "everything".to_owned(),
        Permissions::Only(permissions) => {
            let permissions: Vec<&str> = permissions.iter().map(Permission::as_str).collect();
            permissions.join(" ")
        }
    }
}

impl MatrixRow {
    /// The cells of a row, each in words, and `none` where there is no access.
    fn told(&self, member: String, none: &str) -> impl Iterator<Item = String> {
        let cells = self.cells.iter().map(|cell| match cell.level {
            AccessLevel::None => String::new(),
            AccessLevel::Custom
            | AccessLevel::Viewer
            | AccessLevel::Editor
            | AccessLevel::Owner => cell.to_string(),
        });
        let held = [named(&self.account)].into_iter().chain(cells);
        let held = held.map(|held| {
            if held.is_empty() {
                none.to_owned()
            } else {
                held
            }
        });
        [member, in_words_of(self.status).to_owned()]
            .into_iter()
            .chain(held)
    }
}

/// As [`Visible`].
fn visible(text: &str) -> String {
    Visible(text).to_string()
}

/// Visible, and each character that means something to the form as this says.
fn escaped(text: &str, meaning: impl Fn(char) -> Option<&'static str>) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in visible(text).chars() {
        match meaning(character) {
            Some(instead) => escaped.push_str(instead),
            None => escaped.push(character),
        }
    }
    escaped
}

fn html(text: &str) -> String {
    escaped(text, |character| match character {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '"' => Some("&quot;"),
        '\'' => Some("&#39;"),
        _ => None,
    })
}

fn markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in visible(text).chars() {
        if character.is_ascii_punctuation() {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

fn csv(text: &str) -> String {
    let shown = visible(text);
    let is_formula = shown.starts_with(['=', '+', '-', '@', '\'', '＝', '＋', '－', '＠']);
    let shown = if is_formula {
        format!("'{shown}")
    } else {
        shown
    };
    if is_formula || shown.contains([',', '"', ';']) {
        format!("\"{}\"", shown.replace('"', "\"\""))
    } else {
        shown
    }
}

/// Inside the quotes of a Mermaid label, by whose own escapes every punctuation is written that could mean something.
fn mermaid(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in visible(text).chars() {
        if character.is_ascii_punctuation() && !matches!(character, '-' | '.' | '_' | '@') {
            let _ = write!(escaped, "#{};", u32::from(character));
        } else {
            escaped.push(character);
        }
    }
    escaped
}

impl Account {
    /// The account as a [Mermaid](https://mermaid.js.org) graph, for documentation: members, their groups, the groups'
    /// roles, and the stores where those hold. Owners stand by themselves, since they need no group.
    ///
    /// A group with more members than `named` shows their number instead; so do members in no group.
    #[must_use]
    pub fn to_mermaid(&self, named: usize) -> String {
        let mut graph = Graph {
            text: GRAPH.to_owned(),
        };
        let stores: BTreeMap<&StoreId, usize> = self.stores().zip(0..).collect();
        let is_alone =
            |member: &Member<'_>| !member.status().is_owner() && member.groups().next().is_none();
        let alone: Vec<Member<'_>> = self.members().filter(is_alone).collect();
        let owners = self.owners().filter_map(|id| self.member(id));
        let shown = self.groups().filter(|group| group.member_count() <= named);
        let of_groups = shown
            .flat_map(|group| group.members())
            .filter_map(|id| self.member(id));
        let is_few = alone.len() <= named;
        let by_name = owners
            .chain(of_groups)
            .chain(alone.iter().copied().filter(|_| is_few));
        let by_name: BTreeMap<&MemberId, Member<'_>> =
            by_name.map(|member| (member.id(), member)).collect();
        let number: BTreeMap<&MemberId, usize> = by_name.keys().copied().zip(0..).collect();
        for (member, number) in by_name.values().zip(0..) {
            // The class says what a text could only claim.
            let (status, class) = match member.status() {
                MemberStatus::Active { owner: true } => (" (owner)", ":::owner"),
                MemberStatus::Active { owner: false } => ("", ""),
                MemberStatus::Suspended { .. } => (" (suspended)", ":::invited"),
                MemberStatus::Invited { as_owner: true, .. } => {
                    (" (invited as owner)", ":::invited")
                }
                MemberStatus::Invited { .. } => (" (invited)", ":::invited"),
            };
            graph.line(&format!(
                "m{number}([\"{}{status}\"]){class}",
                mermaid(member.id())
            ));
        }
        if !is_few {
            graph.line(&format!("alone([\"{} members in no group\"])", alone.len()));
        }
        for (store, number) in &stores {
            graph.line(&format!("s{number}[(\"{}\")]", mermaid(store)));
        }
        for (group, g) in self.groups().zip(0..) {
            graph.line(&format!("g{g}[\"{}\"]", mermaid(group.name())));
            for (grant, r) in group.grants().zip(0..) {
                let name = self
                    .role(grant.role)
                    .map_or(grant.role.as_str(), |role| role.name());
                let at = if *grant.scope == Scope::Account {
                    " at the account"
                } else {
                    ""
                };
                graph.line(&format!(
                    "g{g} --> r{g}_{r}{{{{\"{}{at}\"}}}}",
                    mermaid(name)
                ));
                for store in grant.scope.stores().filter_map(|store| stores.get(store)) {
                    graph.line(&format!("r{g}_{r} --> s{store}"));
                }
            }
            if group.member_count() > named {
                graph.line(&format!(
                    "n{g}([\"{} members\"]) --> g{g}",
                    group.member_count()
                ));
                continue;
            }
            for (member, m) in group
                .members()
                .filter_map(|id| self.member(id).zip(number.get(id)))
            {
                let arrow = if member.status().is_active() {
                    "-->"
                } else {
                    "-.->"
                };
                graph.line(&format!("m{m} {arrow} g{g}"));
            }
        }
        graph.text
    }
}

const GRAPH: &str = "\
flowchart LR
  classDef owner stroke-width:3px
  classDef invited stroke-dasharray:4 3
";

struct Graph {
    text: String,
}

impl Graph {
    fn line(&mut self, line: &str) {
        self.text += "  ";
        self.text += line;
        self.text += "\n";
    }
}
