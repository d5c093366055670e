//! What a change names exists.

use crate::account::command_error::CommandError;
use crate::account::data::StoreEntry;
use crate::account::data::member::MemberEntry;
use crate::account::data::{AccountData, GroupEntry};
use crate::id::{GroupId, MemberId, RoleId, StoreId};
use crate::role::Role;

pub(super) fn member_exists<'a, D: AccountData>(
    data: &'a D,
    member: &MemberId,
) -> Result<&'a MemberEntry, CommandError> {
    let found = data.member(member);
    found.ok_or_else(|| CommandError::UnknownMember {
        member: member.clone(),
    })
}

pub(super) fn store_exists<'a, D: AccountData>(
    data: &'a D,
    store: &StoreId,
) -> Result<&'a StoreEntry, CommandError> {
    let found = data.store(store);
    found.ok_or_else(|| CommandError::UnknownStore {
        store: store.clone(),
    })
}

pub(super) fn group_exists<'a, D: AccountData>(
    data: &'a D,
    group: &GroupId,
) -> Result<&'a GroupEntry, CommandError> {
    let found = data.group(group);
    found.ok_or_else(|| CommandError::UnknownGroup {
        group: group.clone(),
    })
}

pub(super) fn role_exists<'a, D: AccountData>(
    data: &'a D,
    role: &RoleId,
) -> Result<&'a Role, CommandError> {
    let found = data.role(role);
    found.ok_or_else(|| CommandError::UnknownRole { role: role.clone() })
}
