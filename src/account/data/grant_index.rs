//! For one resource, the account or a store: which groups grant which role there.

use smallvec::SmallVec;

use crate::account::data::slots::{Slot, SlotSet};
use crate::id::RoleId;
use crate::permission::Permission;

/// For one resource, the account or a store: which groups grant which role there.
///
/// `store.read` and `store.write`, which are asked for most, have sets of their own: the groups that grant any role
/// there which holds them. So the usual check finds its answer in the resource's own line of memory.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct GrantIndex {
    /// For `store.read` and `store.write`, by [`Permission::store_action`].
    actions: Actions,
    /// The groups that grant a role here which holds anything else.
    others: SlotSet,
    /// INVARIANT: `None` if no role is granted here.
    roles: Option<Box<Roles>>,
}

/// The groups that grant `store.read`, and those that grant `store.write`.
pub(crate) type Actions = [SlotSet; Permission::STORE_ACTIONS.len()];

/// INVARIANT: in the order of the roles' ids, each once, and no set is empty.
type Roles = SmallVec<[(RoleId, SlotSet); 2]>;

impl GrantIndex {
    /// The place of all that is neither `store.read` nor `store.write`, where those have 0 and 1.
    pub(crate) const OTHERS: usize = Permission::STORE_ACTIONS.len();

    fn roles(&self) -> &[(RoleId, SlotSet)] {
        self.roles.as_deref().map_or(&[], SmallVec::as_slice)
    }

    /// Whether no role is granted here.
    pub(crate) fn is_empty(&self) -> bool {
        self.roles.is_none()
    }

    #[inline]
    pub(crate) fn actions(&self) -> &Actions {
        &self.actions
    }

    /// In a store, the groups that grant anything else than the actions.
    #[inline]
    pub(crate) fn others(&self) -> &SlotSet {
        &self.others
    }

    /// The groups that grant `store.read` (0) or `store.write` (1) here.
    #[inline]
    pub(crate) fn action(&self, action: usize) -> Option<&SlotSet> {
        self.actions.get(action)
    }

    /// The groups that grant this role here.
    pub(crate) fn role(&self, role: &RoleId) -> Option<&SlotSet> {
        let roles = self.roles();
        let found = roles.binary_search_by(|(granted, _)| granted.cmp(role));
        roles.get(found.ok()?).map(|(_, groups)| groups)
    }

    /// Every role that is granted here, in the order of ids, with the groups that grant it.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&RoleId, &SlotSet)> + Clone {
        self.roles().iter().map(|(role, groups)| (role, groups))
    }

    /// The roles that these groups grant here, in the order of ids.
    pub(crate) fn granted_by<'a>(
        &'a self,
        groups: &SlotSet,
    ) -> impl Iterator<Item = &'a RoleId> + Clone {
        let granting = self
            .roles()
            .iter()
            .filter(|(_, granting)| granting.intersects(groups));
        granting.map(|(role, _)| role)
    }

    /// The groups that grant a role in one of the two that they do not grant in the other.
    pub(crate) fn differing(&self, other: &Self) -> SlotSet {
        let nothing = SlotSet::default();
        let mut differing = SlotSet::default();
        if self.roles() == other.roles() {
            return differing;
        }
        for (role, _) in self.iter().chain(other.iter()) {
            let one = self.role(role).unwrap_or(&nothing);
            let two = other.role(role).unwrap_or(&nothing);
            for slot in one.differing(two).iter() {
                differing.insert(slot);
            }
        }
        differing
    }

    /// The group in this slot grants the role here from now on, or no more.
    pub(crate) fn set_role(&mut self, role: &RoleId, slot: Slot, is_granted: bool) {
        let found = self
            .roles()
            .binary_search_by(|(granted, _)| granted.cmp(role));
        match (found, is_granted) {
            (Ok(index), true) => {
                let entry = self.roles.as_mut().and_then(|roles| roles.get_mut(index));
                if let Some((_, groups)) = entry {
                    groups.insert(slot);
                }
            }
            (Err(index), true) => {
                let groups = [slot].into_iter().collect();
                let roles = self.roles.get_or_insert_default();
                roles.insert(index, (role.clone(), groups));
            }
            (Ok(index), false) => {
                if let Some(roles) = &mut self.roles {
                    if let Some((_, groups)) = roles.get_mut(index) {
                        groups.remove(slot);
                        if groups.is_empty() {
                            roles.remove(index);
                        }
                    }
                }
                self.roles.take_if(|roles| roles.is_empty());
            }
            (Err(_), false) => {}
        }
    }

    /// The group in this slot grants the action here from now on, or no more; or something else than the actions
    /// ([`OTHERS`](GrantIndex::OTHERS)).
    pub(crate) fn set_action(&mut self, action: usize, slot: Slot, is_granted: bool) {
        let groups = if action == Self::OTHERS {
            Some(&mut self.others)
        } else {
            self.actions.get_mut(action)
        };
        if let Some(groups) = groups {
            if is_granted {
                groups.insert(slot);
            } else {
                groups.remove(slot);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever the order in which roles are granted and revoked, the index says which group grants which role,
        /// and equal grants make equal indexes.
        #[test]
        fn an_index_says_who_grants_what(
            steps in prop::collection::vec((0..5_u8, 0..70_u16, any::<bool>()), 0..60),
        ) {
            let role = |number: u8| RoleId::parse(&format!("role-{number}")).unwrap();
            let mut index = GrantIndex::default();
            let mut plain = BTreeSet::new();
            for (number, slot, is_granted) in steps {
                index.set_role(&role(number), slot, is_granted);
                if is_granted {
                    plain.insert((role(number), slot));
                } else {
                    plain.remove(&(role(number), slot));
                }
            }
            let told: Vec<_> = index
                .iter()
                .flat_map(|(role, groups)| groups.iter().map(|slot| (role.clone(), slot)).collect::<Vec<_>>())
                .collect();
            prop_assert!(told.iter().eq(plain.iter()));
            let mut again = GrantIndex::default();
            for (role, slot) in plain.iter().rev() {
                again.set_role(role, *slot, true);
            }
            prop_assert_eq!(&again, &index);
            let some: SlotSet = [3, 64].into_iter().collect();
            let granted: BTreeSet<_> = plain.iter().filter(|(_, slot)| [3, 64].contains(slot)).map(|(role, _)| role).collect();
            prop_assert!(index.granted_by(&some).eq(granted));
            prop_assert!(index.differing(&again).is_empty());
        }
    }
}
