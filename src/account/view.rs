//! What a host reads of a member and of a group.

use crate::account::group::GroupEntry;
use crate::account::member::{MemberEntry, Standing};
use crate::account::state::State;
use crate::grant::Grant;
use crate::id::{GroupId, MemberId};
use crate::name::{Description, GroupName};

/// A member of an account, as it stands.
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    pub(crate) state: &'a State<'a>,
    pub(crate) id: &'a MemberId,
    pub(crate) entry: &'a MemberEntry,
}

impl<'a> Member<'a> {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &'a MemberId {
        self.id
    }

    /// Whether it is active or invited, and as what.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.entry.standing
    }

    /// The groups that it is in, in the order of their ids. Takes time in proportion to the account's groups.
    pub fn groups(&self) -> impl Iterator<Item = &'a GroupId> + use<'a> {
        let entry = self.entry;
        self.state
            .groups
            .iter()
            .filter(|(_, group)| entry.groups.contains(group.slot))
            .map(|(id, _)| id)
    }

    /// Whether it is in this group.
    #[must_use]
    pub fn is_in(&self, group: &str) -> bool {
        self.state
            .groups
            .get(group)
            .is_some_and(|group| self.entry.groups.contains(group.slot))
    }
}

/// A group of an account, as it stands.
#[derive(Clone, Copy, Debug)]
pub struct Group<'a> {
    pub(crate) id: &'a GroupId,
    pub(crate) entry: &'a GroupEntry<'a>,
}

impl<'a> Group<'a> {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &'a GroupId {
        self.id
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'a GroupName {
        &self.entry.name
    }

    /// What it is for.
    #[must_use]
    pub fn description(&self) -> &'a Description {
        &self.entry.description
    }

    /// Its grants, each role once, in the order of the roles' ids. A grant whose stores are all deleted has an empty
    /// scope and grants nothing (S3).
    #[must_use]
    pub fn grants(&self) -> &'a [Grant] {
        &self.entry.grants
    }

    /// How many members it has, invited ones included.
    #[must_use]
    pub fn member_count(&self) -> usize {
        self.entry.members.len()
    }

    /// Its members, invited ones included, in the order of their ids.
    pub fn members(&self) -> impl Iterator<Item = &'a MemberId> + use<'a> {
        self.entry.members.iter()
    }
}
