//! The rows of a matrix on the page: one line each, which unfolds to all there is to say.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fmt::Write;

use crate::access::{AccessLevel, Permissions};
use crate::id::{GroupId, StoreId};
use crate::questions::matrix::{MatrixCell, MatrixMembers, MatrixRow, MatrixStatus};
use crate::render::escape::html;
use crate::render::page_parts::{
    Page, badge, cell_in_words, class_of, counted, first_few, permissions, thousands,
};

/// From so many on, equals are many.
const MANY: usize = 10;
/// Of more than twice as many rows in a section, so many are shown before the others are unfolded.
const SHOWN: usize = 25;
/// Up to so many stores are drawn as a strip.
const STRIP: usize = 400;

/// The sections of rows, in the order of the page. Rows are in this order too.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Section {
    Owners,
    AccountPower,
    FewEquals,
    ManyEquals,
    NoAccess,
}

impl Section {
    pub(super) const ALL: [Self; 5] = [
        Self::Owners,
        Self::AccountPower,
        Self::FewEquals,
        Self::ManyEquals,
        Self::NoAccess,
    ];

    pub(super) fn of(row: &MatrixRow) -> Self {
        match row.status {
            MatrixStatus::Owner | MatrixStatus::SuspendedOwner | MatrixStatus::InvitedAsOwner => {
                Self::Owners
            }
            MatrixStatus::Suspended | MatrixStatus::Invited => Self::NoAccess,
            MatrixStatus::Active if row.has_account_access() => Self::AccountPower,
            MatrixStatus::Active if !row.has_access() => Self::NoAccess,
            MatrixStatus::Active if row.count < MANY => Self::FewEquals,
            MatrixStatus::Active => Self::ManyEquals,
        }
    }

    pub(super) fn anchor(self) -> &'static str {
        match self {
            Self::Owners => "owners",
            Self::AccountPower => "account-power",
            Self::FewEquals => "few",
            Self::ManyEquals => "many",
            Self::NoAccess => "no-access",
        }
    }

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Owners => "Account owners, present and to come",
            Self::AccountPower => "Power at the account",
            Self::FewEquals => "Few have the same access",
            Self::ManyEquals => "Many have the same access",
            Self::NoAccess => "No access now",
        }
    }

    fn note(self) -> &'static str {
        match self {
            Self::Owners => {
                "An account owner may do everything, in every store. One who is suspended or invited may do nothing yet."
            }
            Self::AccountPower => {
                "These members hold permissions at the account itself, besides what they may do in stores."
            }
            Self::FewEquals => {
                "The rarest come first, and of these the ones that reach most stores. Someone whose access nobody else has may hold \
                 on to an earlier job."
            }
            Self::ManyEquals => {
                "Check what the members of each row have in common, then who is in it."
            }
            Self::NoAccess => {
                "Active members whom no group gives anything, and members who are suspended or invited: their groups \
                 give them access when they are reinstated, or accept in time."
            }
        }
    }
}

/// In how many stores there is any access.
fn reach(row: &MatrixRow) -> usize {
    let cells = row.cells.iter();
    cells
        .filter(|cell| cell.level() != AccessLevel::None)
        .count()
}

impl Page<'_> {
    /// All rows, in sections.
    pub(super) fn write_rows(&self, page: &mut String) {
        for section in Section::ALL {
            let rows = self.matrix.rows.iter().enumerate();
            let mut rows: Vec<(usize, &MatrixRow)> = rows
                .filter(|(_, row)| Section::of(row) == section)
                .collect();
            if rows.is_empty() {
                continue;
            }
            if section == Section::FewEquals {
                // Of those that are as rare, the one that reaches furthest.
                rows.sort_by_key(|(_, row)| (row.count, Reverse(reach(row))));
            }
            let (anchor, title) = (section.anchor(), section.title());
            let note = if self.account.is_closed() {
                "The account is closed: nobody may do anything."
            } else {
                section.note()
            };
            let _ = write!(
                page,
                "<section class=\"rows\" aria-labelledby=\"{anchor}\">\n<h3 id=\"{anchor}\">{title}</h3>\n<p>{note}</p>\n"
            );
            let shown = if rows.len() > 2 * SHOWN {
                SHOWN
            } else {
                rows.len()
            };
            let (first, more) = rows.split_at(shown);
            for (number, row) in first {
                self.write_row(page, *number, row);
            }
            if !more.is_empty() {
                let members: usize = more.iter().map(|(_, row)| row.count).sum();
                let (rows, members) = (counted(more.len(), "more row"), counted(members, "member"));
                let _ = writeln!(
                    page,
                    "<details class=\"more\"><summary>{rows}, of {members}</summary>"
                );
                for (number, row) in more {
                    self.write_row(page, *number, row);
                }
                *page += "</details>\n";
            }
            *page += "</section>\n";
        }
    }

    fn write_row(&self, page: &mut String, number: usize, row: &MatrixRow) {
        let groups: BTreeSet<&GroupId> = row.members.iter().flat_map(|part| &part.groups).collect();
        let groups = self.numbers(groups.into_iter());
        let _ = write!(page, "<details class=\"kind\" data-g=\"{groups}\"");
        let by_cell = self.by_cell(row);
        for level in ["e", "v", "c"] {
            let of_level = by_cell
                .iter()
                .filter(|(cell, _)| class_of(cell.level()) == level);
            let stores = of_level.flat_map(|(_, stores)| stores.iter());
            let numbers: Vec<String> = stores.map(|(store, _)| store.to_string()).collect();
            if !numbers.is_empty() {
                let _ = write!(page, " data-{level}=\"{}\"", numbers.join(" "));
            }
        }
        if row.account == Permissions::All {
            *page += " data-o=\"*\"";
        }
        *page += "><summary>";
        self.write_summary(page, row, &by_cell);
        let _ = write!(page, "</summary><div id=\"k{number}\" class=\"body\">");
        self.write_access(page, row, &by_cell);
        for part in &row.members {
            self.write_members(page, row, part);
        }
        *page += "</div></details>\n";
    }

    /// The stores where the cell is the same, with their numbers; the most powerful cells first. Not where there is no
    /// access, nor those of an owner, who needs no list.
    fn by_cell<'r>(
        &'r self,
        row: &'r MatrixRow,
    ) -> Vec<(&'r MatrixCell, Vec<(usize, &'r StoreId)>)> {
        let mut by_cell: Vec<(&MatrixCell, Vec<(usize, &StoreId)>)> = Vec::new();
        for (number, (store, cell)) in self.matrix.stores.iter().zip(&row.cells).enumerate() {
            if matches!(cell.level(), AccessLevel::None | AccessLevel::Owner) {
                continue;
            }
            match by_cell.iter_mut().find(|(known, _)| *known == cell) {
                Some((_, stores)) => stores.push((number, store)),
                None => by_cell.push((cell, vec![(number, store)])),
            }
        }
        by_cell.sort_by_key(|(cell, _)| Reverse(cell.level()));
        by_cell
    }

    fn write_summary(
        &self,
        page: &mut String,
        row: &MatrixRow,
        by_cell: &[(&MatrixCell, Vec<(usize, &StoreId)>)],
    ) {
        let members: Vec<_> = row.member_ids().collect();
        let who = first_few(members.into_iter().map(|id| html(id)));
        let noun = if row.count == 1 { "member" } else { "members" };
        let _ = write!(
            page,
            "<span class=\"count\">{}<i> {noun}:</i></span> <span class=\"who\">{who}</span> ",
            thousands(row.count)
        );
        let gives = if row.status == MatrixStatus::Active {
            "by"
        } else {
            "in"
        };
        let by = match row.members.as_slice() {
            [part] if part.groups.is_empty() => "in no group".to_owned(),
            [part] => {
                let names = part.groups.iter().map(|group| self.group_name(group));
                format!(
                    "{gives} {}",
                    first_few(names.collect::<Vec<_>>().into_iter())
                )
            }
            parts => format!("{gives} {} combinations of groups", parts.len()),
        };
        let _ = write!(page, "<span class=\"by\">{by}</span> <span class=\"what\">");
        if row.status != MatrixStatus::Active {
            *page += &badge("status", row.status);
        }
        match &row.account {
            Permissions::All => *page += &badge("o", "Everything, everywhere"),
            Permissions::Only(held) if !held.is_empty() => {
                let held = first_few(held.iter().map(|permission| permission.as_str().to_owned()));
                *page += &badge("a", format!("Account: {held}"));
            }
            Permissions::Only(_) => {}
        }
        for (cell, stores) in by_cell {
            let told = format!(
                "{} in {}",
                cell_in_words(cell, true),
                thousands(stores.len())
            );
            *page += &badge(class_of(cell.level()), told);
        }
        if !row.has_access() && row.status == MatrixStatus::Active {
            *page += &badge("status", "nothing");
        }
        *page += "</span>";
        self.write_strip(page, row);
    }

    /// The stores in their order, colored by level: what differs catches the eye.
    fn write_strip(&self, page: &mut String, row: &MatrixRow) {
        let count = self.matrix.stores.len();
        if !row.has_access() || count == 0 || count > STRIP {
            return;
        }
        let _ = write!(
            page,
            "<svg aria-hidden=\"true\" viewBox=\"0 0 {count} 1\" preserveAspectRatio=\"none\">"
        );
        let mut at = 0;
        for run in row
            .cells
            .chunk_by(|one, other| one.level() == other.level())
        {
            let (level, width) = (run.first().map(MatrixCell::level), run.len());
            if let Some(level) = level.filter(|level| *level != AccessLevel::None) {
                let class = class_of(level);
                let _ = write!(
                    page,
                    "<path class=\"{class}\" d=\"M{at} 0h{width}v1h-{width}z\"/>"
                );
            }
            at += width;
        }
        *page += "</svg>";
    }

    fn write_access(
        &self,
        page: &mut String,
        row: &MatrixRow,
        by_cell: &[(&MatrixCell, Vec<(usize, &StoreId)>)],
    ) {
        *page += "<dl>";
        let _ = write!(page, "<dt>Status</dt><dd>{}</dd>", row.status);
        let account = match &row.account {
            Permissions::All => "everything, as account owners".to_owned(),
            Permissions::Only(held) if held.is_empty() => "nothing".to_owned(),
            Permissions::Only(held) => permissions(held.iter()),
        };
        let _ = write!(page, "<dt>At the account</dt><dd>{account}</dd>");
        for (cell, stores) in by_cell {
            let links = stores.iter().map(|(_, store)| self.store_link(store));
            let _ = write!(
                page,
                "<dt>{} in {}</dt><dd>{}</dd>",
                badge(class_of(cell.level()), cell_in_words(cell, false)),
                counted(stores.len(), "store"),
                links.collect::<Vec<_>>().join(", ")
            );
        }
        let all = self.matrix.stores.len();
        let some: usize = by_cell.iter().map(|(_, stores)| stores.len()).sum();
        if row.account == Permissions::All {
            let _ = write!(page, "<dt>In stores</dt><dd>everything, in all {all}</dd>");
        } else if all > some {
            let none = if some == 0 {
                "all stores"
            } else {
                "the other stores"
            };
            let _ = write!(
                page,
                "<dt>Nothing</dt><dd>in {none} ({})</dd>",
                thousands(all - some)
            );
        }
        *page += "</dl>";
    }

    fn write_members(&self, page: &mut String, row: &MatrixRow, part: &MatrixMembers) {
        let links: Vec<String> = part
            .groups
            .iter()
            .map(|group| self.group_link(group))
            .collect();
        let groups = if links.is_empty() {
            "in no group".to_owned()
        } else {
            format!("in {}", links.join(", "))
        };
        let is_in_force = matches!(row.status, MatrixStatus::Owner | MatrixStatus::Active);
        let later = if is_in_force || links.is_empty() {
            ""
        } else {
            ", which gives nothing now"
        };
        let numbers = self.numbers(part.groups.iter());
        let count = counted(part.members.len(), "member");
        let _ = write!(
            page,
            "<div class=\"part\" data-g=\"{numbers}\"><h4>{count} {groups}{later}</h4><ul class=\"names\">"
        );
        for id in &part.members {
            let number = self.members.get(id).copied().unwrap_or_default();
            let member = self.account.member(id);
            let expiry = member.and_then(|member| member.status().expiry());
            let ends = expiry.map_or_else(String::new, |expiry| {
                let is_over = expiry <= self.now;
                let ends = if is_over { "expired" } else { "until" };
                format!(" ({ends} {})", expiry.day())
            });
            let _ = write!(page, "<li id=\"m{number}\">{}{ends}</li>", html(id));
        }
        *page += "</ul></div>";
    }

    fn numbers<'g>(&self, groups: impl Iterator<Item = &'g GroupId>) -> String {
        let numbers = groups.filter_map(|group| self.groups.get(group));
        let numbers: Vec<String> = numbers.map(ToString::to_string).collect();
        numbers.join(" ")
    }
}
