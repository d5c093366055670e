//! What a change names exists.

use std::collections::BTreeSet;

use crate::account::changes::Outcome;
use crate::account::command_error::CommandError;
use crate::account::data::StoreEntry;
use crate::account::data::member::MemberEntry;
use crate::account::data::{AccountData, GroupEntry};
use crate::account::status::MemberStatus;
use crate::id::{GroupId, MemberId, RoleId, StoreId};
use crate::role::Role;

/// How many of the members that do not exist an error names (M5).
const MOST_UNKNOWN_NAMED: usize = 10;

pub(super) fn member_exists<'a, D: AccountData>(
    data: &'a D,
    member: &MemberId,
) -> Result<&'a MemberEntry, CommandError> {
    let found = data.member(member);
    found.ok_or_else(|| CommandError::UnknownMember {
        members: vec![member.clone()],
    })
}

pub(super) fn status<D: AccountData>(data: &D, member: &MemberId) -> Option<MemberStatus> {
    data.member(member).map(MemberEntry::status)
}

/// All of these exist; of those that do not, so many are named.
pub(super) fn members_exist<D: AccountData>(data: &D, members: &BTreeSet<MemberId>) -> Outcome {
    let unknown = members
        .iter()
        .filter(|member| data.member(member).is_none());
    let members: Vec<_> = unknown.take(MOST_UNKNOWN_NAMED).cloned().collect();
    if members.is_empty() {
        return Ok(());
    }
    Err(CommandError::UnknownMember { members })
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
