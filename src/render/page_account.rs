//! Findings, groups, stores and the list of members on the page, with links to the rows that they are about.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::mem::discriminant;

use crate::access::AccessLevel;
use crate::grant::{GrantRef, Scope};
use crate::id::{GroupId, MemberId, RoleId, StoreId};
use crate::questions::finding::Finding;
use crate::questions::matrix::{MatrixCell, MatrixRow};
use crate::render::escape::{html, html_sentence};
use crate::render::page_parts::{
    Page, badge, class_of, counted, first_few, permissions, row_links, thousands,
};
use crate::visible::Quoted;

/// Of more findings of a kind, the first stands for all until they are unfolded.
const ALIKE: usize = 3;
/// Members in one fold of the list.
const CHUNK: usize = 100;

impl Page<'_> {
    pub(super) fn write_findings(&self, page: &mut String, findings: &[Finding]) {
        if findings.is_empty() {
            *page += "<p>Nothing to look at.</p>\n";
            return;
        }
        let sentences = |findings: &[Finding]| {
            let each = findings.iter().map(|finding| self.sentence(finding));
            let items = each.map(|sentence| format!("<li>{sentence}</li>"));
            items.collect::<Vec<_>>().concat()
        };
        *page += "<ul class=\"findings\">\n";
        for alike in findings.chunk_by(|one, other| discriminant(one) == discriminant(other)) {
            if alike.len() <= ALIKE {
                let _ = writeln!(page, "{}", sentences(alike));
                continue;
            }
            let first = alike.first().map(ToString::to_string).unwrap_or_default();
            let _ = writeln!(
                page,
                "<li><details><summary>{} <i>({} more like this)</i></summary><ul>{}</ul></details></li>",
                html_sentence(&first),
                thousands(alike.len() - 1),
                sentences(alike)
            );
        }
        *page += "</ul>\n";
    }

    /// The finding in words, in which whom and what it is about are links; of a role, the groups that carry it follow.
    fn sentence(&self, finding: &Finding) -> String {
        let mut rest = html_sentence(&finding.to_string());
        let (mut told, mut apart) = (String::new(), Vec::new());
        for (id, link) in self.subjects(finding) {
            let id = html_sentence(&Quoted(&id).to_string());
            let link = format!("<a href=\"#{link}\">{id}</a>");
            match rest.split_once(&id) {
                Some((before, after)) => {
                    told += before;
                    told += &link;
                    rest = after.to_owned();
                }
                None => apart.push(link),
            }
        }
        told += &rest;
        if !apart.is_empty() {
            let _ = write!(told, " ({})", apart.join(", "));
        }
        if let Finding::UnknownPermissions { role, .. }
        | Finding::MisplacedPermissions { role, .. } = finding
        {
            told += &self.carried_by(role);
        }
        told
    }

    fn carried_by(&self, role: &RoleId) -> String {
        let groups = self.account.groups();
        let groups = groups.filter(|group| group.grants().any(|grant| grant.role == role));
        let links: Vec<String> = groups.map(|group| self.group_link(group.id())).collect();
        if links.is_empty() {
            " (no group carries it)".to_owned()
        } else {
            format!(" (carried by {})", first_few(links.into_iter()))
        }
    }

    /// Whom and what a finding is about, in the order of its sentence, with their anchors.
    fn subjects(&self, finding: &Finding) -> Vec<(String, String)> {
        let member = |id: &MemberId| {
            let number = self.members.get(id);
            number.map(|number| (id.as_str().to_owned(), format!("m{number}")))
        };
        let group = |id: &GroupId| {
            let number = self.groups.get(id);
            number.map(|number| (id.as_str().to_owned(), format!("g{number}")))
        };
        let subjects: Vec<_> = match finding {
            Finding::SingleOwner { member: id }
            | Finding::EndlessOwnerInvitation { member: id }
            | Finding::SecondIdentity { member: id }
            | Finding::MemberWithoutGroups { member: id }
            | Finding::ExpiredInvitation { member: id, .. } => vec![member(id)],
            Finding::OwnerInGroups { member: id, groups }
            | Finding::SuspendedInGroups { member: id, groups } => {
                let groups = groups.iter().map(group);
                [member(id)].into_iter().chain(groups).collect()
            }
            Finding::SecondWay {
                members, groups, ..
            } => {
                let first = members.iter().take(1).map(member);
                first.chain(groups.iter().map(group)).collect()
            }
            Finding::EmptyGroup { group: id }
            | Finding::EndedInvitationsOnly { group: id }
            | Finding::EmptyGrant { group: id, .. }
            | Finding::CoveredGrant { group: id, .. } => vec![group(id)],
            Finding::EqualGroups { groups } => groups.iter().map(group).collect(),
            Finding::UnusedRole { .. }
            | Finding::UnusedStore { .. }
            | Finding::UnknownPermissions { .. }
            | Finding::MisplacedPermissions { .. } => Vec::new(),
        };
        subjects.into_iter().flatten().collect()
    }

    pub(super) fn write_groups(&self, page: &mut String) {
        let mut rows_of: BTreeMap<&GroupId, Vec<(usize, &MatrixRow, usize)>> = BTreeMap::new();
        for (number, row) in self.matrix.rows.iter().enumerate() {
            let mut counts: BTreeMap<&GroupId, usize> = BTreeMap::new();
            for part in &row.members {
                for group in &part.groups {
                    *counts.entry(group).or_default() += part.members.len();
                }
            }
            for (group, count) in counts {
                rows_of.entry(group).or_default().push((number, row, count));
            }
        }
        for (id, number) in &self.groups {
            let Some(group) = self.account.group(id) else {
                continue;
            };
            let grants: Vec<GrantRef<'_>> = group.grants().collect();
            let told = grants.iter().map(|grant| match grant.scope {
                Scope::Account => format!("{} at the account", self.role_name(grant)),
                Scope::Stores(stores) => {
                    format!("{} in {}", self.role_name(grant), thousands(stores.len()))
                }
            });
            let _ = write!(
                page,
                "<details><summary><span class=\"count\">{}<i> members:</i></span> <span class=\"who\">{}</span> \
                 <span class=\"by\">{}</span></summary><div id=\"g{number}\" class=\"body\">",
                thousands(group.member_count()),
                html(group.name()),
                first_few(told)
            );
            let _ = write!(page, "<dl><dt>Id</dt><dd>{}</dd>", html(id));
            if !group.description().is_empty() {
                let _ = write!(
                    page,
                    "<dt>Description</dt><dd>{}</dd>",
                    html(group.description())
                );
            }
            for grant in &grants {
                let place = match grant.scope {
                    Scope::Account => "at the account".to_owned(),
                    Scope::Stores(stores) if stores.is_empty() => "in no store".to_owned(),
                    Scope::Stores(stores) => {
                        let links = stores.iter().map(|store| self.store_link(store));
                        format!("in {}", links.collect::<Vec<_>>().join(", "))
                    }
                };
                let _ = write!(page, "<dt>{}</dt><dd>{place}", self.role_name(grant));
                let role = self.account.role(grant.role);
                if let Some(role) = role.filter(|role| !role.is_built_in()) {
                    let _ = write!(page, " ({})", permissions(role.permissions().iter()));
                }
                *page += "</dd>";
            }
            *page += "<dt>Members</dt><dd>";
            match rows_of.get(*id) {
                Some(rows) => *page += &row_links(rows.iter().copied()),
                None => *page += "none",
            }
            *page += "</dd></dl></div></details>\n";
        }
    }

    fn role_name(&self, grant: &GrantRef<'_>) -> String {
        let role = self.account.role(grant.role);
        html(role.map_or(grant.role.as_str(), |role| role.name()))
    }

    pub(super) fn write_stores(&self, page: &mut String) {
        let mut grants_of: BTreeMap<&StoreId, Vec<String>> = BTreeMap::new();
        for group in self.account.groups() {
            for grant in group.grants() {
                let count = counted(group.member_count(), "member");
                let told = format!(
                    "<li>{} by {} ({count})</li>",
                    self.role_name(&grant),
                    self.group_link(group.id())
                );
                for store in grant.scope.stores() {
                    grants_of.entry(store).or_default().push(told.clone());
                }
            }
        }
        let owners = counted(self.account.owners().count(), "account owner");
        for (number, store) in self.matrix.stores.iter().enumerate() {
            let cells = || {
                let rows = self.matrix.rows.iter().enumerate();
                rows.filter_map(|(row_number, row)| Some((row_number, row, row.cells.get(number)?)))
            };
            let levels = [
                AccessLevel::Editor,
                AccessLevel::Viewer,
                AccessLevel::Custom,
            ];
            let of_level = |level| {
                let rows = cells().filter(move |(_, _, cell)| MatrixCell::level(cell) == level);
                rows.map(|(row_number, row, _)| (row_number, row, row.count))
            };
            let counts = levels.map(|level| {
                let count: usize = of_level(level).map(|(_, _, count)| count).sum();
                (level, count)
            });
            let counts = counts.into_iter().filter(|(_, count)| *count > 0);
            let badges = counts.clone().map(|(level, count)| {
                badge(class_of(level), format!("{} {level}", thousands(count)))
            });
            let badges: String = badges.collect();
            let _ = write!(
                page,
                "<details><summary><span class=\"who\">{}</span> <span class=\"what\">{}</span></summary>\
                 <div id=\"s{number}\" class=\"body\"><dl>",
                html(store),
                if self.account.is_closed() {
                    "nobody".to_owned()
                } else if badges.is_empty() {
                    "owners only".to_owned()
                } else {
                    badges
                }
            );
            if let Some(grants) = grants_of.get(store) {
                let _ = write!(
                    page,
                    "<dt>Granted</dt><dd><ul>{}</ul></dd>",
                    grants.concat()
                );
            }
            for (level, count) in counts {
                let told = badge(class_of(level), format!("{} {level}", thousands(count)));
                let rows = row_links(of_level(level));
                let _ = write!(page, "<dt>{told}</dt><dd>{rows}</dd>");
            }
            if !self.account.is_closed() {
                let _ = write!(
                    page,
                    "<dt>Everything</dt><dd><a href=\"#owners\">{owners}</a></dd>"
                );
            }
            *page += "</dl></div></details>\n";
        }
    }

    /// All members, so that each is found without a script.
    pub(super) fn write_members_list(&self, page: &mut String) {
        let mut members: Vec<(&MemberId, usize)> = self
            .members
            .iter()
            .map(|(id, number)| (*id, *number))
            .collect();
        members.sort_unstable();
        for chunk in members.chunks(CHUNK) {
            let (Some((first, _)), Some((last, _))) = (chunk.first(), chunk.last()) else {
                continue;
            };
            let _ = write!(
                page,
                "<details><summary>{} to {} ({})</summary><ul class=\"links\">",
                html(first),
                html(last),
                chunk.len()
            );
            for (id, number) in chunk {
                let _ = write!(page, "<li><a href=\"#m{number}\">{}</a></li>", html(id));
            }
            *page += "</ul></details>\n";
        }
    }
}
