//! Members and resources of two states of an account, put together where they can only be alike.

use std::collections::BTreeSet;
use std::hash::Hash;
use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};
use smallvec::SmallVec;

use crate::account::data::AccountData;
use crate::account::data::affected::Affected;
use crate::account::data::grant_index::GrantIndex;
use crate::account::data::hash::Keyed;
use crate::account::data::member::MemberEntry;
use crate::account::data::slots::SlotSet;
use crate::id::RoleId;
use crate::permission::Permission;

/// Of which of the two states.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum When {
    Before,
    After,
}

/// The number of a class of members or of resources, or of a role.
pub(crate) type Number = u32;

/// Roles, by their numbers in a [`Classes`].
pub(crate) type Roles = SmallVec<[Number; 4]>;

/// What a member of a class holds in a resource of a class.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Held {
    /// The member, or the resource, is not there or not active.
    Nothing,
    Everything,
    /// What these roles allow.
    By(Roles),
}

/// Members by what counts of them: their status and the groups that grant anything in one of the resources. Resources by
/// what counts of them: the roles that are granted there, and by which of the groups that any of the members is in.
///
/// So the table of classes is never larger than members and resources together, and often two lines.
#[derive(Clone, Debug, Default)]
pub(crate) struct Classes {
    members: Vec<Both<Membership>>,
    resources: Vec<Both<Option<Arc<[Granted]>>>>,
    roles: Vec<RoleOf>,
}

/// The permissions of a role before and after, and whether they are others.
#[derive(Clone, Debug)]
struct RoleOf {
    permissions: Both<Option<Arc<BTreeSet<Permission>>>>,
    is_redefined: bool,
}

/// Of either state.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(crate) struct Both<T> {
    pub(crate) before: T,
    pub(crate) after: T,
}

impl<T> Both<T> {
    fn at(&self, when: When) -> &T {
        match when {
            When::Before => &self.before,
            When::After => &self.after,
        }
    }
}

#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
enum Membership {
    #[default]
    Nothing,
    Owner,
    In(SlotSet),
}

/// A role, and the groups that grant it.
type Granted = (Number, SlotSet);

/// Things that are the same kind get the same number.
struct Numbers<T>(IndexSet<T, Keyed>);

impl<T: Eq + Hash> Numbers<T> {
    fn new() -> Self {
        Self(IndexSet::default())
    }

    fn of(&mut self, thing: T) -> Number {
        number(self.0.insert_full(thing).0)
    }
}

/// Members, stores and roles are counted in 32 bits.
fn number(index: usize) -> Number {
    Number::try_from(index).unwrap_or(Number::MAX)
}

impl Classes {
    /// The classes, and for each member and resource the number of its class.
    pub(crate) fn of(
        before: &impl AccountData,
        after: &impl AccountData,
        Affected { members, resources }: &Affected<'_>,
    ) -> (Self, Vec<Number>, Vec<Number>) {
        // The groups that any of the members is in.
        let entries = members.iter().map(|(_, entries)| Both {
            before: active(before, entries.before),
            after: active(after, entries.after),
        });
        let entries: Vec<_> = entries.collect();
        let mut member_of = Both::<SlotSet>::default();
        for entry in &entries {
            for (slots, entry) in [
                (&mut member_of.before, entry.before),
                (&mut member_of.after, entry.after),
            ] {
                if let Some(entry) = entry.filter(|entry| !entry.is_owner()) {
                    slots.insert_all(&entry.groups());
                }
            }
        }

        // The groups that grant anything in any of the resources.
        let mut granting = Both::<SlotSet>::default();
        let mut roles: IndexMap<RoleId, RoleOf, Keyed> = IndexMap::default();
        let mut resource_classes: Numbers<Both<Option<Arc<[Granted]>>>> = Numbers::new();
        let mut last: Option<(&Both<Option<&GrantIndex>>, Number)> = None;
        let mut resource_numbers = Vec::with_capacity(resources.len());
        for (_, indexes) in resources {
            // Neighbours are often alike.
            if let Some((_, number)) = last.filter(|(last, _)| *last == indexes) {
                resource_numbers.push(number);
                continue;
            }
            let mut number_of = |role: &RoleId| {
                if let Some(known) = roles.get_index_of(role) {
                    return number(known);
                }
                let (was, is) = (before.role(role), after.role(role));
                let permissions = Both {
                    before: was.map(|role| Arc::clone(&role.permissions)),
                    after: is.map(|role| Arc::clone(&role.permissions)),
                };
                let is_redefined = permissions.before != permissions.after;
                let role_of = RoleOf {
                    permissions,
                    is_redefined,
                };
                number(roles.insert_full(role.clone(), role_of).0)
            };
            let mut granted = |when: When| {
                let index = indexes.at(when).as_ref()?;
                let relevant = index.iter().filter_map(|(role, groups)| {
                    let groups = groups.intersection(member_of.at(when));
                    (!groups.is_empty()).then(|| (number_of(role), groups))
                });
                Some(relevant.collect::<Arc<[Granted]>>())
            };
            let mut class = Both {
                before: granted(When::Before),
                after: granted(When::After),
            };
            if class.before == class.after {
                class.after.clone_from(&class.before);
            }
            for (slots, granted) in [
                (&mut granting.before, &class.before),
                (&mut granting.after, &class.after),
            ] {
                for (_, groups) in granted.iter().flat_map(|granted| granted.iter()) {
                    slots.insert_all(groups);
                }
            }
            let number = resource_classes.of(class);
            resource_numbers.push(number);
            last = Some((indexes, number));
        }

        let mut member_classes: Numbers<Both<Membership>> = Numbers::new();
        let member_numbers = entries.iter().map(|entry| {
            member_classes.of(Both {
                before: membership(entry.before, &granting.before),
                after: membership(entry.after, &granting.after),
            })
        });
        let member_numbers = member_numbers.collect();
        let classes = Self {
            members: member_classes.0.into_iter().collect(),
            resources: resource_classes.0.into_iter().collect(),
            roles: roles.into_values().collect(),
        };
        (classes, member_numbers, resource_numbers)
    }

    pub(crate) fn member_classes(&self) -> usize {
        self.members.len()
    }

    /// The classes of resources where a class of members may hold something else than before, and what it held and holds.
    pub(crate) fn differing(&self, members: Number) -> impl Iterator<Item = (Number, Held, Held)> {
        let membership = self.members.get(members as usize);
        let resources = membership.into_iter().flat_map(|membership| {
            let each = self.resources.iter().zip(0..);
            each.map(move |(resource, number)| (membership, resource, number))
        });
        resources.filter_map(|(membership, resource, number)| {
            let [was, is] = [When::Before, When::After]
                .map(|when| held(membership.at(when), resource.at(when).as_deref()));
            let may_differ = was != is || self.any_redefined(&is);
            may_differ.then_some((number, was, is))
        })
    }

    fn any_redefined(&self, held: &Held) -> bool {
        match held {
            Held::Nothing | Held::Everything => false,
            Held::By(roles) => roles.iter().any(|role| {
                let role = self.roles.get(*role as usize);
                role.is_some_and(|role| role.is_redefined)
            }),
        }
    }

    /// What these roles allow together.
    pub(crate) fn united(&self, roles: &Roles, when: When) -> BTreeSet<Permission> {
        let roles = roles
            .iter()
            .filter_map(|role| self.roles.get(*role as usize));
        let permissions = roles.filter_map(|role| role.permissions.at(when).as_deref());
        permissions.flatten().cloned().collect()
    }
}

fn held(membership: &Membership, granted: Option<&[Granted]>) -> Held {
    match (membership, granted) {
        (Membership::Nothing, _) | (_, None) => Held::Nothing,
        (Membership::Owner, Some(_)) => Held::Everything,
        (Membership::In(slots), Some(granted)) => {
            let by = granted
                .iter()
                .filter(|(_, groups)| groups.intersects(slots));
            let roles: Roles = by.map(|(role, _)| *role).collect();
            if roles.is_empty() {
                Held::Nothing
            } else {
                Held::By(roles)
            }
        }
    }
}

/// A member who holds anything.
fn active<'d>(data: &impl AccountData, entry: Option<&'d MemberEntry>) -> Option<&'d MemberEntry> {
    entry.filter(|entry| entry.is_active() && data.header().is_open())
}

fn membership(entry: Option<&MemberEntry>, relevant: &SlotSet) -> Membership {
    match entry {
        None => Membership::Nothing,
        Some(entry) if entry.is_owner() => Membership::Owner,
        Some(entry) => Membership::In(entry.groups().intersection(relevant)),
    }
}
