//! A matrix as text, Markdown and CSV.

use unicode_width::UnicodeWidthStr;

use crate::access::Permissions;
use crate::permission::Permission;
use crate::questions::matrix::{AccessMatrix, MatrixRow};
use crate::render::escape::{csv, listed, markdown, visible};

/// Forms of a matrix. Where a member has no access the cell says so, or is empty; where there is more than a level says,
/// it names that too.
impl AccessMatrix {
    /// Writes columns of plain text, for a terminal: a line for each row, with how many members it has and, at its end,
    /// who they are. Columns stay aligned where ids hold combining marks or wide characters.
    #[must_use]
    pub fn to_text(&self) -> String {
        let head = self.head(["count", "status", "account"], visible);
        let mut lines = vec![[head, vec!["members".to_owned()]].concat()];
        for row in &self.rows {
            let mut line = vec![row.count.to_string()];
            line.extend(row.cells_in_words("none"));
            line.push(listed(row.member_ids()));
            lines.push(line);
        }
        let mut widths = vec![0; self.stores.len() + 4];
        for line in &lines {
            for (width, cell) in widths.iter_mut().zip(line) {
                *width = cell.width().max(*width);
            }
        }
        let mut text = String::new();
        for line in &lines {
            let mut padded = String::new();
            for (cell, width) in line.iter().zip(&widths) {
                padded += cell;
                padded += &" ".repeat(width + 2 - cell.width());
            }
            text += padded.trim_end();
            text += "\n";
        }
        text
    }

    /// Writes a Markdown table, with a line for each row: how many members it has, and who they are.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let mut head = self.head(["count", "status", "account"], |id| markdown(&visible(id)));
        head.push("members".to_owned());
        let mut text = line(head);
        text += &line(vec!["---".to_owned(); self.stores.len() + 4]);
        for row in &self.rows {
            let mut cells = vec![row.count.to_string()];
            cells.extend(row.cells_in_words(""));
            cells.push(markdown(&listed(row.member_ids())));
            text += &line(cells);
        }
        text
    }

    /// Writes comma-separated values with a heading (RFC 4180), with a line for each *member*, in the order of ids, so
    /// that a spreadsheet can sort, filter and look up people. A cell that a spreadsheet would take for a formula begins
    /// with an apostrophe instead.
    ///
    /// It takes time and memory in proportion to members times stores.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let line = |cells: &[String]| cells.join(",") + "\r\n";
        let rows = self.rows.iter().map(|row| {
            let cells: Vec<String> = row.cells_in_words("none").collect();
            (row, line(&cells))
        });
        let rows: Vec<_> = rows.collect();
        let members = rows.iter().flat_map(|(row, cells)| {
            let members = row.members.iter().flat_map(|part| &part.members);
            members.map(move |member| (member, cells))
        });
        let mut members: Vec<_> = members.collect();
        members.sort_unstable_by_key(|(member, _)| *member);
        let mut text = line(&self.head(["member", "status", "account"], csv));
        for (member, cells) in members {
            text += &csv(member);
            text += ",";
            text += cells;
        }
        text
    }

    fn head(&self, first: [&str; 3], write: impl Fn(&str) -> String) -> Vec<String> {
        let stores = self.stores.iter().map(|store| write(store));
        first.map(str::to_owned).into_iter().chain(stores).collect()
    }
}

impl MatrixRow {
    /// The status, what is held at the account, and the cells; in words, and as this says where there is no access.
    /// Permissions mean nothing to any form, and need no escaping (L4).
    fn cells_in_words(&self, none: &str) -> impl Iterator<Item = String> {
        let account = in_words(&self.account, " ");
        let cells = self.cells.iter().map(ToString::to_string);
        let held = [account].into_iter().chain(cells);
        let held = held.map(move |held| {
            if held.is_empty() || held == "none" {
                none.to_owned()
            } else {
                held
            }
        });
        [self.status.to_string()].into_iter().chain(held)
    }
}

/// What is held at the account; empty where that is nothing.
pub(super) fn in_words(permissions: &Permissions, separator: &str) -> String {
    match permissions {
        Permissions::All => "everything".to_owned(),
        Permissions::Only(permissions) => {
            let permissions: Vec<&str> = permissions.iter().map(Permission::as_str).collect();
            permissions.join(separator)
        }
    }
}
