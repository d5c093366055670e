//! An account as a Mermaid graph.

use std::collections::{BTreeMap, BTreeSet};

use crate::account::Account;
use crate::account::handles::Group;
use crate::grant::Scope;
use crate::id::{GroupId, StoreId};
use crate::questions::matrix::{MatrixMembers, MatrixStatus};
use crate::render::escape::mermaid;

impl Account {
    /// Returns the account as a [Mermaid](https://mermaid.js.org) graph, for documentation: members, their groups, the
    /// groups' roles, and the stores where those hold.
    ///
    /// Equals are one node: members with the same status and the same groups, and stores where the same groups grant the
    /// same roles. A node of more than `named` members or stores says how many they are instead. So does a group whose
    /// members are more than `named` such nodes, and a grant whose stores are. Where there would still be more than eight
    /// times as many lines to stores, no store is a node: each grant says itself where it holds. Of a closed account, a
    /// node of its own says so.
    #[must_use]
    pub fn to_mermaid(&self, named: usize) -> String {
        let matrix = self.matrix();
        let parts = matrix.rows.iter().flat_map(|row| {
            let parts = row.members.iter();
            parts.map(|part| (row.status, part))
        });
        let mut parts: Vec<Equals<'_>> = parts.collect();
        parts.sort_unstable_by_key(|(_, part)| part.members.first());
        let mut graph = Graph {
            text: GRAPH.to_owned(),
            named,
            groups: self.groups().collect(),
            crowded: BTreeSet::new(),
            has_stores_in_grants: false,
        };
        if self.is_closed() {
            graph.line("closed[\"closed: nobody may do anything\"]:::inactive");
        }
        graph.find_crowded(&parts);
        for (number, (status, part)) in parts.iter().enumerate() {
            graph.members(number, *status, part);
        }
        graph.stores(self);
        for number in 0..graph.groups.len() {
            graph.group(number, self, &parts);
        }
        graph.text
    }
}

const GRAPH: &str = "\
flowchart LR
  classDef owner stroke-width:3px
  classDef inactive stroke-dasharray:4 3
";

/// Members with the same status and the same groups.
type Equals<'a> = (MatrixStatus, &'a MatrixMembers);

/// A grant: the number of its group, and its own in that group.
type GrantNumber = (usize, usize);

struct Graph<'a> {
    text: String,
    named: usize,
    groups: Vec<Group<'a>>,
    /// The groups whose members are too many nodes.
    crowded: BTreeSet<GroupId>,
    /// Whether there would be too many lines to stores.
    has_stores_in_grants: bool,
}

impl Graph<'_> {
    fn line(&mut self, line: &str) {
        self.text += "  ";
        self.text += line;
        self.text += "\n";
    }

    fn find_crowded(&mut self, parts: &[Equals<'_>]) {
        let mut counts: BTreeMap<&GroupId, usize> = BTreeMap::new();
        for (_, part) in parts {
            for group in &part.groups {
                *counts.entry(group).or_default() += 1;
            }
        }
        let crowded = counts.into_iter().filter(|(_, count)| *count > self.named);
        self.crowded = crowded.map(|(group, _)| group.clone()).collect();
    }

    /// Whether these members are a node of their own: not if all their groups only say how many members they have.
    fn is_node(&self, status: MatrixStatus, part: &MatrixMembers) -> bool {
        status == MatrixStatus::Owner
            || part.groups.is_empty()
            || part
                .groups
                .iter()
                .any(|group| !self.crowded.contains(group))
    }

    fn members(&mut self, number: usize, status: MatrixStatus, part: &MatrixMembers) {
        if !self.is_node(status, part) {
            return;
        }
        // The class says what a text could only claim.
        let (told, class) = match status {
            MatrixStatus::Owner => (" (owner)".to_owned(), ":::owner"),
            MatrixStatus::Active => (String::new(), ""),
            MatrixStatus::SuspendedOwner
            | MatrixStatus::InvitedAsOwner
            | MatrixStatus::Suspended
            | MatrixStatus::Invited => (format!(" ({status})"), ":::inactive"),
        };
        let count = part.members.len();
        let label = if count <= self.named {
            let names = part
                .members
                .iter()
                .map(|id| format!("{}{told}", mermaid(id)));
            names.collect::<Vec<_>>().join("\n")
        } else if part.groups.is_empty() && status != MatrixStatus::Owner {
            format!("{count} members in no group{told}")
        } else {
            format!("{count} members{told}")
        };
        self.line(&format!("m{number}([\"{label}\"]){class}"));
    }

    /// The stores, those with the same grants in one node, and the lines that lead to them.
    fn stores(&mut self, account: &Account) {
        let mut grants_of: BTreeMap<&StoreId, Vec<GrantNumber>> = BTreeMap::new();
        for (g, group) in self.groups.iter().enumerate() {
            for (r, grant) in group.grants().enumerate() {
                for store in grant.scope.stores() {
                    grants_of.entry(store).or_default().push((g, r));
                }
            }
        }
        let mut equals: BTreeMap<Vec<GrantNumber>, Vec<&StoreId>> = BTreeMap::new();
        for store in account.stores() {
            let grants = grants_of.remove(store).unwrap_or_default();
            equals.entry(grants).or_default().push(store);
        }
        let mut equals: Vec<_> = equals.into_iter().collect();
        equals.sort_unstable_by_key(|(_, stores)| stores.first().copied());
        let mut reached: BTreeMap<GrantNumber, (usize, usize)> = BTreeMap::new();
        for (grants, stores) in &equals {
            for grant in grants {
                let (nodes, count) = reached.entry(*grant).or_default();
                *nodes += 1;
                *count += stores.len();
            }
        }
        reached.retain(|_, (nodes, _)| *nodes > self.named);
        let drawn = equals.iter().flat_map(|(grants, _)| grants);
        let drawn = drawn.filter(|grant| !reached.contains_key(grant)).count();
        self.has_stores_in_grants = drawn > self.named.saturating_mul(8);
        for (number, (grants, stores)) in equals.iter().enumerate() {
            let mut lines = grants.iter().filter(|grant| !reached.contains_key(grant));
            let lines: Vec<_> = lines.by_ref().collect();
            if !grants.is_empty() && (lines.is_empty() || self.has_stores_in_grants) {
                continue;
            }
            let mut names: Vec<String> = stores.iter().map(|store| mermaid(store)).collect();
            let label = if stores.len() <= self.named {
                if grants.is_empty() {
                    names.push("(in no scope)".to_owned());
                }
                names.join("\n")
            } else if grants.is_empty() {
                format!("{} stores in no scope", stores.len())
            } else {
                format!("{} stores", stores.len())
            };
            // Here, too, the class says what a text could only claim.
            let class = if grants.is_empty() { ":::inactive" } else { "" };
            self.line(&format!("s{number}[(\"{label}\")]{class}"));
            for (g, r) in lines {
                self.line(&format!("r{g}_{r} --> s{number}"));
            }
        }
        for ((g, r), (_, count)) in reached {
            if self.has_stores_in_grants {
                break;
            }
            self.line(&format!("r{g}_{r} --> c{g}_{r}[(\"{count} stores\")]"));
        }
    }

    fn group(&mut self, g: usize, account: &Account, parts: &[Equals<'_>]) {
        let Some(group) = self.groups.get(g).copied() else {
            return;
        };
        self.line(&format!("g{g}[\"{}\"]", mermaid(group.name())));
        for (r, grant) in group.grants().enumerate() {
            let role = account.role(grant.role);
            let name = role.map_or(grant.role.as_str(), |role| role.name());
            let at = match grant.scope {
                Scope::Account => " at the account".to_owned(),
                Scope::Stores(stores) if !self.has_stores_in_grants || stores.is_empty() => {
                    String::new()
                }
                Scope::Stores(stores) if stores.len() <= self.named => {
                    let names = stores.iter().map(|store| mermaid(store));
                    format!(" in\n{}", names.collect::<Vec<_>>().join("\n"))
                }
                Scope::Stores(stores) => format!(" in {} stores", stores.len()),
            };
            self.line(&format!(
                "g{g} --> r{g}_{r}{{{{\"{}{at}\"}}}}",
                mermaid(name)
            ));
        }
        if self.crowded.contains(group.id()) {
            let count = group.member_count();
            self.line(&format!("n{g}([\"{count} members\"]) --> g{g}"));
            return;
        }
        for (number, (status, part)) in parts.iter().enumerate() {
            if part.groups.binary_search(group.id()).is_ok() {
                let arrow = match status {
                    MatrixStatus::Owner | MatrixStatus::Active => "-->",
                    MatrixStatus::SuspendedOwner
                    | MatrixStatus::InvitedAsOwner
                    | MatrixStatus::Suspended
                    | MatrixStatus::Invited => "-.->",
                };
                self.line(&format!("m{number} {arrow} g{g}"));
            }
        }
    }
}
