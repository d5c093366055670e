//! Groups and what they grant ([G1](crate::docs::rules#G1) to [G8](crate::docs::rules#G8)).

use serde::{Deserialize, Serialize};

use crate::account::actor::Actor;
use crate::account::changes::existing::{group_exists, role_exists, store_exists};
use crate::account::changes::{Change, Decide, Outcome, bounded, command_and_event};
use crate::account::command_error::CommandError;
use crate::account::data::AccountData;
use crate::account::data::writes::Writes;
use crate::grant::{self, Grant, Scope, are_merged, merge_grants};
use crate::id::{GroupId, RoleId};
use crate::name::{Description, GroupName};
use crate::time::Timestamp;

/// No other group has this name (G3).
fn ensure_name_free<D: AccountData>(data: &D, name: &GroupName, but_for: &GroupId) -> Outcome {
    match data.group_named(name) {
        Some(group) if group != but_for => Err(CommandError::GroupNameTaken {
            name: name.clone(),
            group: group.clone(),
        }),
        Some(_) | None => Ok(()),
    }
}

/// There is at least one grant (G4), each in at least one store or at the account (G5), and not too many (U7).
fn validate_grants(grants: &[Grant]) -> Outcome {
    if grants.is_empty() {
        return Err(CommandError::NoGrants);
    }
    ensure_grants_bounded(grants)?;
    let mut grants = grants.iter();
    match grants.find(|grant| matches!(&grant.scope, Scope::Stores(stores) if stores.is_empty())) {
        Some(grant) => Err(CommandError::EmptyScope {
            role: grant.role.clone(),
        }),
        None => Ok(()),
    }
}

/// Neither the grants nor the stores over all grants are too many (U7).
fn ensure_grants_bounded(grants: &[Grant]) -> Outcome {
    bounded(grants.len())?;
    let stores = grants.iter().map(|grant| grant.scope.store_set().len());
    bounded(stores.sum())
}

/// The roles and stores of these grants exist, and each scope is of its role's level (G5).
fn grants_exist<D: AccountData>(data: &D, grants: &[Grant]) -> Outcome {
    for grant in grants {
        named_exist(data, &grant.role, &grant.scope)?;
    }
    let mut grants = grants.iter();
    grants.try_for_each(|grant| ensure_fits(data, &grant.role, &grant.scope))
}

pub(super) fn named_exist<D: AccountData>(data: &D, role: &RoleId, scope: &Scope) -> Outcome {
    role_exists(data, role)?;
    let mut stores = scope.stores();
    stores.try_for_each(|store| store_exists(data, store).map(drop))
}

pub(super) fn ensure_fits<D: AccountData>(data: &D, role: &RoleId, scope: &Scope) -> Outcome {
    let level = role_exists(data, role)?.level;
    if scope.fits(level) {
        return Ok(());
    }
    Err(CommandError::ScopeMismatch {
        role: role.clone(),
        level,
    })
}

command_and_event! {
    /// Creates a group without members ([G1](crate::docs::rules#G1), [G7](crate::docs::rules#G7)). Takes
    /// `account.manage_groups`.
    CreateGroup =>

    /// A group was created.
    GroupCreated {
        /// The group's id; must not be in use.
        group: GroupId,
        /// The group's name; must not be in use, in whatever case of letters ([G3](crate::docs::rules#G3)).
        name: GroupName,
        /// What the group is for.
        #[serde(default)]
        description: Description,
        /// At least one grant ([G4](crate::docs::rules#G4)); a role named twice has its stores merged.
        #[serde(deserialize_with = "grant::list")]
        grants: Vec<Grant>,
    }
}

impl Change for GroupCreated {
    fn validate(&self, _: Timestamp) -> Outcome {
        validate_grants(&self.grants)
    }

    fn exists<D: AccountData>(&self, data: &D) -> Outcome {
        grants_exist(data, &self.grants)
    }

    fn conflicts<D: AccountData>(&self, data: &D, _: Timestamp) -> Outcome {
        if data.group(&self.group).is_some() {
            return Err(CommandError::GroupExists {
                group: self.group.clone(),
            });
        }
        ensure_name_free(data, &self.name, &self.group)?;
        let limit = data.header().group_limit.get();
        if data.group_count() >= usize::from(limit) {
            return Err(CommandError::TooManyGroups { limit });
        }
        Ok(())
    }

    fn without_noops<D: AccountData>(mut self, _: &D) -> Option<Self> {
        self.grants = merge_grants(self.grants);
        Some(self)
    }

    fn has_no_noops<D: AccountData>(&self, _: &D) -> bool {
        are_merged(&self.grants)
    }

    fn apply<D: AccountData + Writes>(&self, data: &mut D) {
        data.insert_group(&self.group, &self.name, &self.description, &self.grants);
    }
}

/// Changes a group's name, description or grants, each alone or together ([G8](crate::docs::rules#G8)). Takes
/// `account.manage_groups`.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EditGroup {
    /// The group.
    pub group: GroupId,
    /// The new name, if it is to change.
    #[serde(default)]
    pub name: Option<GroupName>,
    /// The new description, if it is to change.
    #[serde(default)]
    pub description: Option<Description>,
    /// All grants that the group is to have, if they are to change.
    #[serde(default, deserialize_with = "grant::optional_list")]
    pub grants: Option<Vec<Grant>>,
}

/// A group's name, description or grants changed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GroupEdited {
    /// The group.
    pub group: GroupId,
    /// Its new name, if that changed.
    pub name: Option<GroupName>,
    /// Its new description, if that changed.
    pub description: Option<Description>,
    /// All its grants from now on, if they changed: each role once, in the order of the roles' ids.
    pub grants: Option<Vec<Grant>>,
}

impl Decide for EditGroup {
    type Event = GroupEdited;

    /// Grants as they are stay as they are, even those that could not be assigned (S3, U1); but no command names too
    /// many (U7).
    fn to_event<D: AccountData>(&self, data: &D, _: &Actor) -> Result<GroupEdited, CommandError> {
        let mut grants = self.grants.clone();
        if let Some(named) = &grants {
            ensure_grants_bounded(named)?;
        }
        if let Some(group) = data.group(&self.group) {
            grants = grants.filter(|named| !data.has_grants(group, &merge_grants(named.clone())));
        }
        Ok(GroupEdited {
            group: self.group.clone(),
            name: self.name.clone(),
            description: self.description.clone(),
            grants,
        })
    }
}

impl Change for GroupEdited {
    fn validate(&self, _: Timestamp) -> Outcome {
        self.grants.as_deref().map_or(Ok(()), validate_grants)
    }

    fn exists<D: AccountData>(&self, data: &D) -> Outcome {
        group_exists(data, &self.group)?;
        let grants = self.grants.as_deref();
        grants.map_or(Ok(()), |grants| grants_exist(data, grants))
    }

    fn conflicts<D: AccountData>(&self, data: &D, _: Timestamp) -> Outcome {
        let name = self.name.as_ref();
        name.map_or(Ok(()), |name| ensure_name_free(data, name, &self.group))
    }

    fn without_noops<D: AccountData>(self, data: &D) -> Option<Self> {
        let current = data.group(&self.group)?;
        let name = self.name.filter(|name| *name != current.name);
        let description = self
            .description
            .filter(|description| *description != current.description);
        let grants = self.grants.map(merge_grants);
        let grants = grants.filter(|grants| !data.has_grants(current, grants));
        let is_change = name.is_some() || description.is_some() || grants.is_some();
        is_change.then_some(Self {
            group: self.group,
            name,
            description,
            grants,
        })
    }

    fn has_no_noops<D: AccountData>(&self, data: &D) -> bool {
        self.clone().without_noops(data).as_ref() == Some(self)
    }

    fn apply<D: AccountData + Writes>(&self, data: &mut D) {
        if let Some(name) = &self.name {
            data.rename_group(&self.group, name);
        }
        if let Some(description) = &self.description {
            data.describe_group(&self.group, description);
        }
        if let Some(grants) = &self.grants {
            data.set_grants(&self.group, grants);
        }
    }
}

command_and_event! {
    /// Deletes a group that has no members ([G7](crate::docs::rules#G7)). Takes `account.manage_groups`.
    DeleteGroup =>

    /// A group was deleted.
    GroupDeleted {
        /// The group.
        group: GroupId,
    }
}

impl Change for GroupDeleted {
    fn exists<D: AccountData>(&self, data: &D) -> Outcome {
        group_exists(data, &self.group).map(drop)
    }

    fn conflicts<D: AccountData>(&self, data: &D, _: Timestamp) -> Outcome {
        match data.member_count_of(group_exists(data, &self.group)?) {
            0 => Ok(()),
            members => Err(CommandError::GroupHasMembers {
                group: self.group.clone(),
                members,
            }),
        }
    }

    fn apply<D: AccountData + Writes>(&self, data: &mut D) {
        data.remove_group(&self.group);
    }
}
