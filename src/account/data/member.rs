//! What the account holds of a member.

use std::array;

use crate::account::data::member_slab::MemberIndex;
use crate::account::data::slots::{Slot, SlotSet};
use crate::account::status::MemberStatus;

/// What the account holds of a member, in 16 bytes wherever that can be: a check reads one of these, from memory that
/// is far away when there are many.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct MemberEntry(Repr);

/// INVARIANT: the first that can hold it, so that equal entries are equal.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Repr {
    /// In any of the groups in the lowest 64 slots.
    Word {
        status: PermanentStatus,
        index: MemberIndex,
        groups: u64,
    },
    /// In few groups, of many.
    Few {
        status: PermanentStatus,
        /// In their order, and the last one as often as there is room, so that a check need not ask how many there are.
        slots: [Slot; 5],
        index: MemberIndex,
    },
    Boxed(Box<MemberFields>),
}

/// A status that does not end by itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum PermanentStatus {
    Active,
    Owner,
    Suspended,
    SuspendedOwner,
    Invited,
    InvitedAsOwner,
}

#[derive(Clone, Debug, Eq, PartialEq)]
struct MemberFields {
    status: MemberStatus,
    groups: SlotSet,
    index: MemberIndex,
}

impl From<PermanentStatus> for MemberStatus {
    fn from(status: PermanentStatus) -> Self {
        let expires = None;
        match status {
            PermanentStatus::Active => MemberStatus::Active { owner: false },
            PermanentStatus::Owner => MemberStatus::Active { owner: true },
            PermanentStatus::Suspended => MemberStatus::Suspended { owner: false },
            PermanentStatus::SuspendedOwner => MemberStatus::Suspended { owner: true },
            PermanentStatus::Invited => MemberStatus::Invited {
                as_owner: false,
                expires,
            },
            PermanentStatus::InvitedAsOwner => MemberStatus::Invited {
                as_owner: true,
                expires,
            },
        }
    }
}

impl From<MemberFields> for Repr {
    fn from(fields: MemberFields) -> Self {
        let status = match fields.status {
            MemberStatus::Active { owner: false } => PermanentStatus::Active,
            MemberStatus::Active { owner: true } => PermanentStatus::Owner,
            MemberStatus::Suspended { owner: false } => PermanentStatus::Suspended,
            MemberStatus::Suspended { owner: true } => PermanentStatus::SuspendedOwner,
            MemberStatus::Invited {
                as_owner: false,
                expires: None,
            } => PermanentStatus::Invited,
            MemberStatus::Invited {
                as_owner: true,
                expires: None,
            } => PermanentStatus::InvitedAsOwner,
            MemberStatus::Invited {
                expires: Some(_), ..
            } => return Repr::Boxed(Box::new(fields)),
        };
        let index = fields.index;
        if let Some(groups) = fields.groups.word() {
            return Repr::Word {
                status,
                index,
                groups,
            };
        }
        let mut all = fields.groups.iter();
        let mut last = Slot::default();
        let slots = array::from_fn(|_| {
            last = all.next().unwrap_or(last);
            last
        });
        let is_more = all.next().is_some();
        drop(all);
        if is_more {
            return Repr::Boxed(Box::new(fields));
        }
        Repr::Few {
            status,
            slots,
            index,
        }
    }
}

impl MemberEntry {
    /// In no group.
    pub(crate) fn new(index: MemberIndex, status: MemberStatus) -> Self {
        let groups = SlotSet::default();
        Self(Repr::from(MemberFields {
            status,
            groups,
            index,
        }))
    }

    pub(crate) fn index(&self) -> MemberIndex {
        match &self.0 {
            Repr::Word { index, .. } | Repr::Few { index, .. } => *index,
            Repr::Boxed(fields) => fields.index,
        }
    }

    #[inline]
    pub(crate) fn status(&self) -> MemberStatus {
        match &self.0 {
            Repr::Word { status, .. } | Repr::Few { status, .. } => MemberStatus::from(*status),
            Repr::Boxed(fields) => fields.status,
        }
    }

    /// The slots of its groups.
    pub(crate) fn groups(&self) -> SlotSet {
        match &self.0 {
            Repr::Word { groups, .. } => SlotSet::Word(*groups),
            Repr::Few { slots, .. } => slots.iter().copied().collect(),
            Repr::Boxed(fields) => fields.groups.clone(),
        }
    }

    pub(crate) fn is_in(&self, slot: Slot) -> bool {
        match &self.0 {
            Repr::Word { groups, .. } => SlotSet::Word(*groups).contains(slot),
            Repr::Few { slots, .. } => slots.contains(&slot),
            Repr::Boxed(fields) => fields.groups.contains(slot),
        }
    }

    #[inline]
    pub(crate) fn is_in_any(&self, groups: &SlotSet) -> bool {
        match &self.0 {
            Repr::Word { groups: own, .. } => groups.intersects_word(*own),
            Repr::Few {
                slots: [one, two, three, four, five],
                ..
            } => {
                // Few members are in more than three groups, so this can be predicted.
                groups.has_any(&[*one, *two, *three])
                    | (three != four && groups.has_any(&[*four, *five]))
            }
            Repr::Boxed(fields) => fields.groups.intersects(groups),
        }
    }

    #[inline]
    pub(crate) fn is_active(&self) -> bool {
        match &self.0 {
            Repr::Word { status, .. } | Repr::Few { status, .. } => {
                matches!(status, PermanentStatus::Active | PermanentStatus::Owner)
            }
            Repr::Boxed(fields) => fields.status.is_active(),
        }
    }

    #[inline]
    pub(crate) fn is_owner(&self) -> bool {
        match &self.0 {
            Repr::Word { status, .. } | Repr::Few { status, .. } => {
                *status == PermanentStatus::Owner
            }
            Repr::Boxed(fields) => fields.status.is_owner(),
        }
    }

    /// The word of its groups, if that is all there is to know: an active member, no owner, with groups in one word.
    pub(crate) fn word(&self) -> Option<u64> {
        match &self.0 {
            Repr::Word {
                status: PermanentStatus::Active,
                groups,
                ..
            } => Some(*groups),
            Repr::Word { .. } | Repr::Few { .. } | Repr::Boxed(_) => None,
        }
    }

    pub(crate) fn set_status(&mut self, status: MemberStatus) {
        self.change(|fields| fields.status = status);
    }

    /// Puts the member in a group; whether it was not there.
    pub(crate) fn join(&mut self, slot: Slot) -> bool {
        let mut is_new = false;
        self.change(|fields| is_new = fields.groups.insert(slot));
        is_new
    }

    /// Takes the member out of a group; whether it was there.
    pub(crate) fn leave(&mut self, slot: Slot) -> bool {
        let mut was_there = false;
        self.change(|fields| was_there = fields.groups.remove(slot));
        was_there
    }

    fn change(&mut self, change: impl FnOnce(&mut MemberFields)) {
        let mut fields = MemberFields {
            status: self.status(),
            groups: self.groups(),
            index: self.index(),
        };
        change(&mut fields);
        self.0 = Repr::from(fields);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::time::Timestamp;

    fn statuses() -> impl Strategy<Value = MemberStatus> {
        let invited =
            (any::<bool>(), prop::option::of(any::<u8>())).prop_map(|(as_owner, expires)| {
                let expires = expires.map(|millis| Timestamp::from_millis(u64::from(millis)));
                MemberStatus::Invited { as_owner, expires }
            });
        prop_oneof![
            any::<bool>().prop_map(|owner| MemberStatus::Active { owner }),
            any::<bool>().prop_map(|owner| MemberStatus::Suspended { owner }),
            invited
        ]
    }

    proptest! {
        /// An entry says what was put in, small or large, and one that says the same is equal (A3).
        #[test]
        fn an_entry_is_its_index_its_status_and_its_groups(
            index in any::<MemberIndex>(),
            mut status in statuses(),
            apart in prop_oneof![Just(5), Just(300)], // in one word, in several
            steps in prop::collection::vec((0..12_u16, 0..3_u8, statuses()), 0..60),
        ) {
            let (mut entry, mut groups) = (MemberEntry::new(index, status), BTreeSet::new());
            for (slot, step, next) in steps {
                let slot = slot * apart;
                match step {
                    0 => prop_assert_eq!(entry.join(slot), groups.insert(slot)),
                    1 => prop_assert_eq!(entry.leave(slot), groups.remove(&slot)),
                    _ => {
                        status = next;
                        entry.set_status(status);
                    }
                }
                prop_assert_eq!(entry.index(), index);
                prop_assert_eq!(entry.status(), status);
                let bits: SlotSet = groups.iter().copied().collect();
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
                let mut again = MemberEntry::new(index, status);
                for slot in &groups {
                    prop_assert!(again.join(*slot));
                }
                prop_assert_eq!(&again, &entry);
                let is_beyond = groups.last().is_some_and(|slot| *slot >= 64);
                let is_large = is_beyond && groups.len() > 5 || status.expiry().is_some();
                prop_assert_eq!(matches!(entry.0, Repr::Boxed(_)), is_large);
            }
        }
    }

    /// Five groups of many lie in the entry, and six beside it; it says the same of both.
    #[test]
    fn five_groups_of_many_are_few() {
        let mut entry = MemberEntry::new(7, MemberStatus::Active { owner: false });
        let slots: Vec<Slot> = (1..=6).map(|index| index * 100).collect();
        for (count, slot) in (1..).zip(&slots) {
            assert!(entry.join(*slot));
            assert_eq!(matches!(entry.0, Repr::Boxed(_)), count > 5);
            assert!(entry.groups().iter().eq(slots[..count].iter().copied()));
        }
    }

    /// An entry and a short id are 32 bytes of a table. More would be more memory, and slower checks.
    #[test]
    fn an_entry_is_small() {
        assert_eq!(size_of::<MemberEntry>(), 16);
    }
}
