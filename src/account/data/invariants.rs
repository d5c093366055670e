//! Whether the index is what a new one would be. For tests.

use std::collections::{BTreeMap, BTreeSet};

use roaring::RoaringBitmap;
use smallvec::SmallVec;

use crate::account::data::AccountData;
use crate::account::data::grant_index::GrantIndex;
use crate::account::data::member::MemberEntry;
use crate::account::data::slots::SlotSet;
use crate::account::data::state::State;
use crate::account::data::writes::actions_in;
use crate::grant::Scope;
use crate::id::{RoleId, StoreId};
use crate::permission::Permission;
use crate::role::Role;

impl State {
    /// Whether everything derived is what a calculation from the plain rows gives.
    pub(crate) fn check_invariants(&self) -> bool {
        self.has_exact_memberships()
            && self.has_exact_grants()
            && self.has_exact_names()
            && self.has_exact_holders()
    }

    fn has_exact_memberships(&self) -> bool {
        let slots: SlotSet = self.groups().map(|(_, group)| group.slot).collect();
        let is_listed = |slot| {
            let members = self.members_after(None).map(|(_, member)| member);
            let members = members.filter(|member| member.is_in(slot));
            let indexes: RoaringBitmap = members.map(MemberEntry::index).collect();
            indexes == *self.bitmap(slot)
        };
        let owners = self
            .members_after(None)
            .filter(|(_, member)| member.is_owner());
        slots == self.slots
            && slots.iter().count() == self.groups.len()
            && (0..).take(self.memberships.len()).all(is_listed)
            && self.members_after(None).all(|(id, member)| {
                member.groups().is_subset(&slots) && self.member_id(member.index()) == Some(id)
            })
            && owners.map(|(id, _)| id).eq(&self.owners)
            && self.groups.keys().is_sorted()
    }

    fn has_exact_grants(&self) -> bool {
        let mut account = GrantIndex::default();
        let mut stores: BTreeMap<&StoreId, GrantIndex> = self
            .stores()
            .map(|(store, _)| (store, GrantIndex::default()))
            .collect();
        for (slot, grants) in (0..).zip(&self.grants) {
            for (role, scope) in grants {
                if !self.slots.contains(slot) || !self.roles.contains_key(role) {
                    return false;
                }
                if *scope == Scope::Account {
                    account.set_role(role, slot, true);
                }
                for store in scope.stores() {
                    let Some(index) = stores.get_mut(store) else {
                        return false;
                    };
                    index.set_role(role, slot, true);
                    let permissions = self.role(role).map(Role::permissions);
                    for action in permissions.into_iter().flat_map(actions_in) {
                        index.set_action(action, slot, true);
                    }
                }
            }
        }
        let own = self.stores().map(|(store, entry)| (store, &entry.index));
        account == self.account_index
            && self.stores.is_exact()
            && own.eq(stores.iter().map(|(store, index)| (*store, index)))
    }

    fn has_exact_names(&self) -> bool {
        let mut groups = self.groups();
        let mut roles = self.roles();
        self.group_names.len() == self.groups.len()
            && groups.all(|(id, group)| self.group_named(&group.name) == Some(id))
            && self.role_names.len() == self.roles.len()
            && roles.all(|(id, role)| self.role_named(&role.name) == Some(id))
    }

    fn has_exact_holders(&self) -> bool {
        let roles = self.roles();
        let held: BTreeSet<(&Permission, &RoleId)> = roles
            .flat_map(|(id, role): (_, &Role)| role.permissions.iter().map(move |held| (held, id)))
            .collect();
        let holders = self.holders.iter();
        let told: Vec<(&Permission, &RoleId)> = holders
            .flat_map(|(permission, roles): (_, &SmallVec<_>)| {
                roles.iter().map(move |id| (permission, id))
            })
            .collect();
        let extensions = self.holders.keys().filter(|held| held.is_extension());
        told.len() == held.len()
            && told.iter().all(|holder| held.contains(holder))
            && self.extensions == extensions.count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::data::StoreEntry;
    use crate::account::data::writes::Writes;
    use crate::account::status::MemberStatus;
    use crate::grant::Grant;
    use crate::id::{AccountId, GroupId, MemberId};
    use crate::name::{Description, GroupName};

    /// Whatever is derived and does not agree with the plain data is seen. No command leads there, so that the tests
    /// that ask whether an account is exact could not tell an answer from a constant (G9).
    #[test]
    #[allow(clippy::too_many_lines)] // a table of cases
    fn an_index_that_is_not_exact_is_seen() {
        let (gil, dev) = (
            MemberId::parse("gil").unwrap(),
            StoreId::parse("dev").unwrap(),
        );
        let (it, devs) = (
            GroupId::parse("it").unwrap(),
            GroupId::parse("devs").unwrap(),
        );
        let mut exact = State::unopened(AccountId::parse("acme").unwrap());
        exact.insert_member(
            &MemberId::parse("olga").unwrap(),
            MemberStatus::Active { owner: true },
        );
        exact.insert_member(&gil, MemberStatus::Active { owner: false });
        exact.insert_store(&dev);
        let viewers = [Grant::group_manager(), Grant::store_viewer([dev.clone()])];
        let none = Description::default();
        exact.insert_group(&it, &GroupName::parse("IT Group").unwrap(), &none, &viewers);
        exact.insert_group(
            &devs,
            &GroupName::parse("Dev Team").unwrap(),
            &none,
            &viewers,
        );
        exact.set_in_group(&it, [&gil], true);
        assert!(exact.check_invariants());

        let is_seen = |what: &str, breaks: &dyn Fn(&mut State)| {
            let mut broken = exact.clone();
            breaks(&mut broken);
            assert!(!broken.check_invariants(), "{what}");
        };
        let editor = RoleId::store_editor();
        is_seen("the account's index", &|state| {
            state.account_index = GrantIndex::default();
        });
        is_seen("a role too many at the account", &|state| {
            state.account_index.set_role(&editor, 5, true);
        });
        is_seen("a store's index", &|state| {
            state.set_store(&dev, Some(StoreEntry::new(dev.clone())));
        });
        is_seen("an action too many", &|state| {
            state.change_store(&dev, |store| store.index.set_action(1, 0, true));
        });
        is_seen("an action too few", &|state| {
            state.change_store(&dev, |store| store.index.set_action(0, 0, false));
        });
        is_seen("another permission too many", &|state| {
            let others = GrantIndex::OTHERS;
            state.change_store(&dev, |store| store.index.set_action(others, 0, true));
        });
        is_seen("a store in the scope and not in the index", &|state| {
            let prod = StoreId::parse("prod").unwrap();
            state.insert_store(&prod);
            state.set_in_scope(0, &RoleId::store_viewer(), &prod, true);
        });
        is_seen("a store in the scope that does not exist", &|state| {
            let prod = StoreId::parse("prod").unwrap();
            state.set_in_scope(0, &RoleId::store_viewer(), &prod, true);
        });
        is_seen("a grant of no group", &|state| {
            state.set_grant(9, &editor, Some(Scope::Account));
        });
        is_seen("a slot too many", &|state| {
            state.slots.insert(7);
        });
        is_seen("a slot too few", &|state| {
            state.slots.remove(0);
        });
        is_seen("two groups in one slot", &|state| {
            state.set_grants(&devs, &[]);
            state.slots.remove(1);
            state.groups.get_mut(&devs).unwrap().slot = 0;
        });
        is_seen("a member in the slot of no group", &|state| {
            state.members.get_mut(&gil).unwrap().join(70);
        });
        is_seen("a group that lists one too few", &|state| {
            state.set_membership(0, 1, false);
        });
        is_seen("a group that lists one too many", &|state| {
            state.set_membership(1, 1, true);
        });
        is_seen("a member without an index", &|state| {
            state.free_index(1);
        });
        is_seen("two members with one index", &|state| {
            let entry = MemberEntry::new(0, MemberStatus::Active { owner: false });
            state.set_member(&MemberId::parse("dana").unwrap(), Some(entry));
        });
        is_seen("groups out of order", &|state| {
            state.groups.swap_indices(0, 1);
        });
        is_seen("a group's name too many", &|state| {
            state.set_group_name("other", Some(&it));
        });
        is_seen("a group under another's name", &|state| {
            state.set_group_name("dev team", Some(&it));
        });
        is_seen("a role's name too many", &|state| {
            state.set_role_name("other", Some(&editor));
        });
        is_seen("a role under another's name", &|state| {
            state.set_role_name("store viewer", Some(&editor));
        });
        is_seen("a permission that a role does not hold", &|state| {
            state.set_holder(&Permission::MANAGE_ROLES, &editor, true);
        });
        is_seen("a permission that nobody is known to hold", &|state| {
            state.set_holder(&Permission::STORE_WRITE, &editor, false);
        });
        is_seen("a count of long permissions", &|state| {
            state.extensions += 1;
        });
        is_seen("an owner too few", &|state| {
            state.owners.clear();
        });
        is_seen("an owner too many", &|state| {
            state.set_owner(&gil, true);
        });
    }
}
