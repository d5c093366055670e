//! A member's status in the account.

use std::array;

use serde::{Deserialize, Serialize};

use crate::account::index::{Granting, GroupSet, Slot};
use crate::account::layer::{Layered, copied};
use crate::account::number::Number;
use crate::permission::Permission;
use crate::time::Timestamp;

/// How a member stands in the account.
///
/// Exhaustive on purpose: a host that matches on it must handle both.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum MemberStatus {
    /// Holds what its groups grant, and everything if it is an Account Owner.
    Active {
        /// Whether it is an Account Owner.
        owner: bool,
    },
    /// Holds nothing until it accepts (M1).
    Invited {
        /// Whether it becomes an Account Owner by accepting.
        as_owner: bool,
        /// From this moment on the invitation can no longer be accepted; never, if there is none (M3).
        #[serde(deserialize_with = "Option::deserialize")] // which must not be left out
        expires: Option<Timestamp>,
    },
}

impl MemberStatus {
    /// Whether the member is active.
    #[must_use]
    pub fn is_active(self) -> bool {
        matches!(self, MemberStatus::Active { .. })
    }

    /// Whether the member is an Account Owner, which only an active one can be.
    #[must_use]
    pub fn is_owner(self) -> bool {
        self == MemberStatus::Active { owner: true }
    }

    /// When this is an invitation that comes to an end by itself: when it does.
    #[must_use]
    pub fn expiry(self) -> Option<Timestamp> {
        match self {
            MemberStatus::Active { .. } => None,
            MemberStatus::Invited { expires, .. } => expires,
        }
    }

    /// Whether this is an invitation that has come to its end by then (M3).
    #[must_use]
    pub fn has_expired(self, now: Timestamp) -> bool {
        self.expiry().is_some_and(|expiry| expiry <= now)
    }
}

/// What the account holds of a member, in 16 bytes wherever that can be: a check reads one of these, from memory that
/// is far away when there are many.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct MemberEntry(Form);

copied!(MemberEntry);

/// INVARIANT: the first that can hold it, so that equal entries are equal.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Form {
    /// In any of the groups in the lowest 64 slots.
    Word {
        status: Endless,
        number: Number,
        groups: u64,
    },
    /// In few groups, of many.
    Few {
        status: Endless,
        /// In their order, and the last one as often as there is room, so that a check need not ask how many there are.
        slots: [Slot; 5],
        number: Number,
    },
    Large(Box<Parts>),
}

/// A status that does not end by itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Endless {
    Active,
    Owner,
    Invited,
    InvitedAsOwner,
}

#[derive(Clone, Debug, Eq, PartialEq)]
struct Parts {
    status: MemberStatus,
    groups: GroupSet,
    number: Number,
}

impl From<Endless> for MemberStatus {
    fn from(status: Endless) -> Self {
        let expires = None;
        match status {
            Endless::Active => MemberStatus::Active { owner: false },
            Endless::Owner => MemberStatus::Active { owner: true },
            Endless::Invited => MemberStatus::Invited {
                as_owner: false,
                expires,
            },
            Endless::InvitedAsOwner => MemberStatus::Invited {
                as_owner: true,
                expires,
            },
        }
    }
}

impl From<Parts> for Form {
    fn from(parts: Parts) -> Self {
        let status = match parts.status {
            MemberStatus::Active { owner: false } => Endless::Active,
            MemberStatus::Active { owner: true } => Endless::Owner,
            MemberStatus::Invited {
                as_owner: false,
                expires: None,
            } => Endless::Invited,
            MemberStatus::Invited {
                as_owner: true,
                expires: None,
            } => Endless::InvitedAsOwner,
            MemberStatus::Invited {
                expires: Some(_), ..
            } => return Form::Large(Box::new(parts)),
        };
        let number = parts.number;
        if let Some(groups) = parts.groups.word() {
            return Form::Word {
                status,
                number,
                groups,
            };
        }
        let mut all = parts.groups.iter();
        let mut last = Slot::default();
        let slots = array::from_fn(|_| {
            last = all.next().unwrap_or(last);
            last
        });
        let is_more = all.next().is_some();
        drop(all);
        if is_more {
            return Form::Large(Box::new(parts));
        }
        Form::Few {
            status,
            slots,
            number,
        }
    }
}

impl MemberEntry {
    /// In no group.
    pub(crate) fn new(number: Number, status: MemberStatus) -> Self {
        let groups = GroupSet::default();
        Self(Form::from(Parts {
            status,
            groups,
            number,
        }))
    }

    pub(crate) fn number(&self) -> Number {
        match &self.0 {
            Form::Word { number, .. } | Form::Few { number, .. } => *number,
            Form::Large(parts) => parts.number,
        }
    }

    #[inline]
    pub(crate) fn status(&self) -> MemberStatus {
        match &self.0 {
            Form::Word { status, .. } | Form::Few { status, .. } => MemberStatus::from(*status),
            Form::Large(parts) => parts.status,
        }
    }

    /// The slots of its groups.
    pub(crate) fn groups(&self) -> GroupSet {
        match &self.0 {
            Form::Word { groups, .. } => GroupSet::Word(*groups),
            Form::Few { slots, .. } => slots.iter().copied().collect(),
            Form::Large(parts) => parts.groups.clone(),
        }
    }

    pub(crate) fn is_in(&self, slot: Slot) -> bool {
        match &self.0 {
            Form::Word { groups, .. } => GroupSet::Word(*groups).contains(slot),
            Form::Few { slots, .. } => slots.contains(&slot),
            Form::Large(parts) => parts.groups.contains(slot),
        }
    }

    #[inline]
    fn is_in_any(&self, groups: &GroupSet) -> bool {
        match &self.0 {
            Form::Word { groups: own, .. } => groups.intersects_word(*own),
            Form::Few {
                slots: [one, two, three, four, five],
                ..
            } => {
                // Few members are in more than three groups, so this can be predicted.
                groups.has_any(&[*one, *two, *three])
                    | (three != four && groups.has_any(&[*four, *five]))
            }
            Form::Large(parts) => parts.groups.intersects(groups),
        }
    }

    #[inline]
    pub(crate) fn is_active(&self) -> bool {
        match &self.0 {
            Form::Word { status, .. } | Form::Few { status, .. } => {
                matches!(status, Endless::Active | Endless::Owner)
            }
            Form::Large(parts) => parts.status.is_active(),
        }
    }

    #[inline]
    pub(crate) fn is_owner(&self) -> bool {
        match &self.0 {
            Form::Word { status, .. } | Form::Few { status, .. } => *status == Endless::Owner,
            Form::Large(parts) => parts.status.is_owner(),
        }
    }

    /// Whether the member may do this in the place where this is granted. The AND.
    #[inline]
    pub(crate) fn holds(&self, permission: &Permission, granting: &Granting) -> bool {
        let groups = granting.groups(permission);
        let is_granted = groups.is_some_and(|groups| self.is_in_any(groups));
        // Without branches: nobody can predict the answer.
        self.is_active() & (self.is_owner() | is_granted)
    }

    /// The word of its groups, if that is all there is to know: an active member, no owner, with groups in one word.
    pub(crate) fn word(&self) -> Option<u64> {
        match &self.0 {
            Form::Word {
                status: Endless::Active,
                groups,
                ..
            } => Some(*groups),
            Form::Word { .. } | Form::Few { .. } | Form::Large(_) => None,
        }
    }

    pub(crate) fn set_standing(&mut self, status: MemberStatus) {
        self.change(|parts| parts.status = status);
    }

    /// Puts the member in a group; whether it was not there.
    pub(crate) fn join(&mut self, slot: Slot) -> bool {
        let mut is_new = false;
        self.change(|parts| is_new = parts.groups.insert(slot));
        is_new
    }

    /// Takes the member out of a group; whether it was there.
    pub(crate) fn leave(&mut self, slot: Slot) -> bool {
        let mut was_there = false;
        self.change(|parts| was_there = parts.groups.remove(slot));
        was_there
    }

    fn change(&mut self, change: impl FnOnce(&mut Parts)) {
        let mut parts = Parts {
            status: self.status(),
            groups: self.groups(),
            number: self.number(),
        };
        change(&mut parts);
        self.0 = Form::from(parts);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::account::store::StoreEntry;

    fn standings() -> impl Strategy<Value = MemberStatus> {
        let invited =
            (any::<bool>(), prop::option::of(any::<u8>())).prop_map(|(as_owner, expires)| {
                let expires = expires.map(|millis| Timestamp::from_millis(u64::from(millis)));
                MemberStatus::Invited { as_owner, expires }
            });
        prop_oneof![
            any::<bool>().prop_map(|owner| MemberStatus::Active { owner }),
            invited
        ]
    }

    proptest! {
        /// An entry says what was put in, small or large, and one that says the same is equal (A3).
        #[test]
        fn an_entry_is_its_number_its_standing_and_its_groups(
            number in any::<Number>(),
            mut status in standings(),
            apart in prop_oneof![Just(5), Just(300)], // in one word, in several
            steps in prop::collection::vec((0..12_u16, 0..3_u8, standings()), 0..60),
        ) {
            let (mut entry, mut groups) = (MemberEntry::new(number, status), BTreeSet::new());
            for (slot, step, next) in steps {
                let slot = slot * apart;
                match step {
                    0 => prop_assert_eq!(entry.join(slot), groups.insert(slot)),
                    1 => prop_assert_eq!(entry.leave(slot), groups.remove(&slot)),
                    _ => {
                        status = next;
                        entry.set_standing(status);
                    }
                }
                prop_assert_eq!(entry.number(), number);
                prop_assert_eq!(entry.status(), status);
                let bits: GroupSet = groups.iter().copied().collect();
                let is_word = status == MemberStatus::Active { owner: false } && bits.word().is_some();
                prop_assert_eq!(entry.word(), bits.word().filter(|_| is_word));
                prop_assert_eq!(entry.is_active(), status.is_active());
                prop_assert_eq!(entry.is_owner(), status.is_owner());
                prop_assert_eq!(entry.is_in_any(&bits), !groups.is_empty());
                prop_assert_eq!(entry.groups(), bits);
                for slot in (0..12).map(|slot| slot * apart) {
                    prop_assert_eq!(entry.is_in(slot), groups.contains(&slot));
                    prop_assert_eq!(entry.is_in_any(&[slot].into_iter().collect()), groups.contains(&slot));
                }
                let mut again = MemberEntry::new(number, status);
                for slot in &groups {
                    prop_assert!(again.join(*slot));
                }
                prop_assert_eq!(&again, &entry);
                let is_beyond = groups.last().is_some_and(|slot| *slot >= 64);
                let is_large = is_beyond && groups.len() > 5 || status.expiry().is_some();
                prop_assert_eq!(matches!(entry.0, Form::Large(_)), is_large);
            }
        }
    }

    /// Five groups of many lie in the entry, and six beside it; it says the same of both.
    #[test]
    fn five_groups_of_many_are_few() {
        let mut entry = MemberEntry::new(7, MemberStatus::Active { owner: false });
        let slots: Vec<Slot> = (1..=6).map(|number| number * 100).collect();
        for (count, slot) in (1..).zip(&slots) {
            assert!(entry.join(*slot));
            assert_eq!(matches!(entry.0, Form::Large(_)), count > 5);
            assert!(entry.groups().iter().eq(slots[..count].iter().copied()));
        }
    }

    /// An entry and a short id are 32 bytes of a table, and a store and a short id are 64. More would be more memory,
    /// and slower checks.
    #[test]
    fn an_entry_is_small() {
        assert_eq!(size_of::<MemberEntry>(), 16);
        assert_eq!(size_of::<StoreEntry>(), 48);
    }
}
