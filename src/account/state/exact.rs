//! Whether the index is what a new one would be. For tests.

use roaring::RoaringBitmap;

use crate::account::group::GroupEntry;
use crate::account::index::{Granting, GroupSet};
use crate::account::member::MemberEntry;
use crate::account::state::State;
use crate::id::MemberId;

impl State<'_> {
    /// Whether everything derived is what a calculation from the plain data gives.
    pub(crate) fn is_exact(&self) -> bool {
        let mut fresh = State {
            account: Granting::default(),
            ..self.clone()
        };
        for (store, _) in self.stores.iter() {
            fresh.insert_store(store.clone());
        }
        for (group, _) in self.groups.iter() {
            fresh.fill_granting(group);
        }
        let slots: GroupSet = self.groups.iter().map(|(_, group)| group.slot).collect();
        let ids = |is_meant: &dyn Fn(&MemberEntry) -> bool| -> Vec<&MemberId> {
            let meant = self.members.iter().filter(|(_, member)| is_meant(member));
            meant.map(|(id, _)| id).collect()
        };
        let is_listed = |group: &GroupEntry<'_>| {
            let members = self.members.iter().map(|(_, member)| member);
            let members = members.filter(|member| member.is_in(group.slot));
            let numbers: RoaringBitmap = members.map(MemberEntry::number).collect();
            numbers == *group.members.numbers()
        };
        fresh.account == self.account
            && fresh.stores.iter().eq(self.stores.iter())
            && slots == self.slots
            && slots.iter().count() == self.groups.len()
            && self.members.iter().all(|(id, member)| {
                member.groups().is_subset(&slots) && self.numbers.id(member.number()) == Some(id)
            })
            && self.groups.iter().all(|(_, group)| is_listed(group))
            && self.group_names.len() == self.groups.len()
            && self
                .groups
                .iter()
                .all(|(id, group)| self.group_named(&group.name) == Some(id))
            && self.role_names.len() == self.roles.len()
            && self
                .roles
                .iter()
                .all(|(id, role)| self.role_named(&role.name) == Some(id))
            && ids(&|member| member.is_owner())
                .into_iter()
                .eq(self.owners.iter())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::account::id_set::IdSet;
    use crate::account::member::MemberStatus;
    use crate::grant::Grant;
    use crate::id::{AccountId, GroupId, RoleId, StoreId};
    use crate::name::{Description, GroupName};
    use crate::permission::Permission;

    /// Whatever is derived and does not agree with the plain data is seen. No command leads there, so that the tests
    /// that ask whether an account is exact could not tell an answer from a constant (G9).
    #[test]
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
            MemberId::parse("olga").unwrap(),
            MemberStatus::Active { owner: true },
        );
        exact.insert_member(gil.clone(), MemberStatus::Active { owner: false });
        exact.insert_store(dev.clone());
        let viewers = [Grant::group_manager(), Grant::store_viewer([dev.clone()])];
        let none = Description::default();
        exact.insert_group(
            &it,
            GroupName::parse("IT Group").unwrap(),
            none.clone(),
            &viewers,
        );
        exact.insert_group(&devs, GroupName::parse("Dev Team").unwrap(), none, &viewers);
        exact.add_to_group(&it, [&gil]);
        assert!(exact.is_exact());

        let is_seen = |what: &str, breaks: &dyn Fn(&mut State<'static>)| {
            let mut broken = exact.clone();
            breaks(&mut broken);
            assert!(!broken.is_exact(), "{what}");
        };
        let (name, editor) = (|text: &str| Arc::from(text), RoleId::store_editor());
        is_seen("the account's bits", &|state| {
            state.account = Granting::default();
        });
        is_seen("a bit of the account's too many", &|state| {
            state.account.add(5, [&Permission::MANAGE_GROUPS]);
        });
        is_seen("a store's bits", &|state| {
            state.insert_store(dev.clone());
        });
        is_seen("a slot too many", &|state| {
            state.slots.insert(7);
        });
        is_seen("a slot too few", &|state| {
            state.slots.remove(0);
        });
        is_seen("two groups in one slot", &|state| {
            state.clear_granting(&devs);
            state.slots.remove(1);
            state.groups.get_mut(&devs).unwrap().slot = 0;
            state.add_to_group(&devs, [&gil]);
        });
        is_seen("a member in the slot of no group", &|state| {
            let member = state.members.get_mut(&gil).unwrap();
            member.join(70);
        });
        is_seen("a group that lists one too few", &|state| {
            let group = state.groups.get_mut(&it).unwrap();
            group.members.remove(1);
        });
        is_seen("a group that lists one too many", &|state| {
            let group = state.groups.get_mut(&devs).unwrap();
            group.members.insert(1);
        });
        is_seen("a member without a number", &|state| {
            state.numbers.take_back(1);
        });
        is_seen("two members with one number", &|state| {
            let entry = MemberEntry::new(0, MemberStatus::Active { owner: false });
            state
                .members
                .insert(MemberId::parse("dana").unwrap(), entry);
        });
        is_seen("a group's name too many", &|state| {
            state.group_names.insert(name("other"), it.clone());
        });
        is_seen("a group under another's name", &|state| {
            state.group_names.insert(name("dev team"), it.clone());
        });
        is_seen("a role's name too many", &|state| {
            state.role_names.insert(name("other"), editor.clone());
        });
        is_seen("a role under another's name", &|state| {
            let viewer = name("store viewer");
            state.role_names.insert(viewer, editor.clone());
        });
        is_seen("an owner too few", &|state| {
            state.owners = IdSet::default();
        });
        is_seen("an owner too many", &|state| {
            state.owners.insert(gil.clone());
        });
    }
}
