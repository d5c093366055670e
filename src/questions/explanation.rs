//! Explanations: why a check says what it says, and what would make it say yes.

use serde::{Serialize, Serializer};

use crate::access::{DenialReason, Resource};
use crate::account::Account;
use crate::account::actor::Actor;
use crate::account::changes::Command;
use crate::account::command_error::CommandError;
use crate::catalog::Catalog;
use crate::id::{GroupId, MemberId, RoleId};
use crate::name::{GroupName, RoleName};
use crate::permission::Permission;
use crate::role::RoleLevel;
use crate::time::Timestamp;

/// A check with its reasons. `Display` says it in sentences; the fields are here to be shown otherwise.
///
/// It is written as one object. Its enums have a tag: `answer` has `verdict`, the others have `kind`.
///
/// ```
/// # use grantbook::*;
/// # let now = Timestamp::from_millis(0);
/// # let (account, _) =
/// #     Account::open(AccountId::parse("acme")?, MemberId::parse("olga")?, GroupLimit::default(), now);
/// let explanation = account.explain("olga", &Permission::MANAGE_STORES, Resource::Account, now);
/// assert_eq!(
///     serde_json::to_string(&explanation)?,
///     concat!(
///         r#"{"member":"olga","permission":"account.manage_stores","resource":"account","version":1,"warning":null,"#,
///         r#""answer":{"verdict":"allowed","paths":[{"via":{"kind":"ownership"},"is_only_way":true}],"more":0}}"#,
///     ),
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Explanation {
    /// The member, as asked.
    pub member: String,
    /// The permission.
    pub permission: Permission,
    /// The resource, as asked.
    pub resource: Resource<String>,
    /// The account's version that this is true of.
    pub version: u64,
    /// What makes it doubtful that this permission was meant, or was meant here.
    pub warning: Option<PermissionWarning>,
    /// The answer.
    pub answer: Verdict,
}

impl Explanation {
    /// How many paths, or remedies, one explanation holds at most. [`ExplainOptions::skipping`] gets the next ones.
    pub const PAGE: usize = 100;
}

/// The answer of an [`Explanation`]: what the check says, and the reasons.
///
/// Exhaustive on purpose: a host that matches on it must handle both.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub enum Verdict {
    /// The member may.
    Allowed {
        /// The paths that lead there: ownership first, then by the ids of groups and roles. At least one, unless more
        /// were skipped than there are; at most [`Explanation::PAGE`].
        paths: Vec<AccessPath>,
        /// How many paths follow.
        more: usize,
    },
    /// The member may not.
    Denied {
        /// The reason ([P4](crate::docs::rules#P4)).
        #[serde(serialize_with = "reason_as_object")]
        denial: DenialReason,
        /// What would help.
        advice: Advice,
    },
}

/// As `DenialReason` is written in every answer: an object with `code`.
fn reason_as_object<S: Serializer>(
    reason: &DenialReason,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Reason<'a> {
        code: &'static str,
        http_status: u16,
        message: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        permission: Option<&'a Permission>,
    }
    let permission = match reason {
        DenialReason::MissingPermission { permission } => Some(permission),
        DenialReason::AccountClosed
        | DenialReason::Diverged
        | DenialReason::UnknownMember
        | DenialReason::Invited
        | DenialReason::Suspended
        | DenialReason::UnknownStore => None,
    };
    Reason {
        code: reason.code(),
        http_status: reason.http_status(),
        message: reason.to_string(),
        permission,
    }
    .serialize(serializer)
}

/// One way by which a member holds a permission.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct AccessPath {
    /// What gives it.
    pub via: AccessSource,
    /// Whether every way leads through this ownership or this group: who gives it up loses the permission.
    pub is_only_way: bool,
}

/// What gives a member a permission.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum AccessSource {
    /// The member is an Account Owner ([P2](crate::docs::rules#P2)).
    Ownership,
    /// A group of the member carries a role that allows it, in a scope that covers the resource.
    Group {
        /// The group.
        group: GroupId,
        /// The group's name.
        group_name: GroupName,
        /// The role.
        role: RoleId,
        /// The role's name.
        role_name: RoleName,
        /// Whether the role is Store Editor and what counts is that it includes Store Viewer
        /// ([L2](crate::docs::rules#L2)).
        via_included_role: bool,
        /// The role's permission that includes what was asked for ([L7](crate::docs::rules#L7)), if the role does not
        /// name that itself.
        included_by: Option<Permission>,
    },
}

/// What makes it doubtful that a permission was meant, or was meant here. An owner holds it all the same
/// ([P2](crate::docs::rules#P2)), so an answer that allows can have a warning as well.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PermissionWarning {
    /// There is no such permission: most likely a typing error. It begins with `account.` and is not one of the library's
    /// own, or your application's [`Catalog`] does not have it.
    Unknown {
        /// A known permission that reads much like it.
        nearest: Option<Permission>,
    },
    /// It belongs to the other level, so no role can give it here ([L5](crate::docs::rules#L5),
    /// [L6](crate::docs::rules#L6)).
    WrongLevel {
        /// The level that it belongs to.
        level: RoleLevel,
    },
    /// No role of the account holds it: nothing that was ever granted or, if it is not listed, perhaps a typing error.
    HeldByNoRole {
        /// Whether your application's [`Catalog`] has it. Without a catalog, nothing is listed.
        is_listed: bool,
    },
    /// Only roles of the other level hold it: they give it to nobody here ([L6](crate::docs::rules#L6)).
    HeldAtOtherLevel {
        /// The level of the roles that hold it.
        level: RoleLevel,
    },
}

impl PermissionWarning {
    /// Whether the question is the mistake, so that no change of access is the answer.
    pub(crate) fn is_certain(&self) -> bool {
        match self {
            PermissionWarning::Unknown { .. } | PermissionWarning::WrongLevel { .. } => true,
            PermissionWarning::HeldByNoRole { .. } | PermissionWarning::HeldAtOtherLevel { .. } => {
                false
            }
        }
    }
}

/// What would allow what was denied.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Advice {
    /// Any one of these commands would.
    AnyOf {
        /// The remedies, least first: those that reach the fewest people, then those that give the least beside what was
        /// asked for, then by kind, group and role. At most [`Explanation::PAGE`].
        remedies: Vec<Remedy>,
        /// How many remedies follow.
        more: usize,
    },
    /// The invitation has ended. A new one is the first of several changes: it starts from nothing, without the groups
    /// and the ownership that this one promised ([M3](crate::docs::rules#M3)).
    InviteAgain {
        /// Since when it can no longer be accepted.
        ended: Timestamp,
    },
    /// No single command of those that are advised would: several changes would be needed. Ownership, which allows
    /// everything, is advised for what only owners hold.
    SeveralChanges,
    /// Nothing would, or nothing should: the account is closed, this copy is not the account, no such member or store can
    /// exist, or [`Explanation::warning`] says that the question is the mistake.
    Nothing,
}

/// A single command that would allow what was denied.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Remedy {
    /// What it does, in terms of what was asked.
    pub step: RemedyKind,
    /// How many people it gives something to: those in the group, or who hold the role, whatever their status.
    pub people: usize,
    /// The command. That of [`RemedyKind::Accept`] is for the member itself to issue.
    pub command: Command,
}

/// What a [`Remedy`] does.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RemedyKind {
    /// The member accepts its invitation.
    Accept {
        /// The member; nobody else can.
        member: MemberId,
    },
    /// The member's suspension ends.
    Reinstate,
    /// The store is created; the member is an owner.
    CreateStore,
    /// The member is added to this group.
    AddToGroup {
        /// The group.
        group: GroupId,
    },
    /// A group of the member is granted this role here, beside what it carries.
    GrantRole {
        /// The group.
        group: GroupId,
        /// The role.
        role: RoleId,
    },
    /// A role that the member holds here gets the permission, for everybody who holds the role.
    ExtendRole {
        /// The role.
        role: RoleId,
    },
    /// The member becomes an owner: no role can hold the permission ([L5](crate::docs::rules#L5)).
    GrantOwnership,
}

impl Remedy {
    /// Returns whether this actor could issue the command now. It is [`Account::decide`] that answers.
    ///
    /// # Errors
    /// Why it could not.
    pub fn may_be_issued_by(
        &self,
        account: &Account,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<(), CommandError> {
        if let RemedyKind::Accept { member } = &self.step {
            if *actor != Actor::Member(member.clone()) {
                return Err(CommandError::NoInvitation {
                    actor: actor.clone(),
                });
            }
        }
        account.decide(actor, &self.command, now).map(drop)
    }
}

/// When an explanation is asked for, which part of it, and which permissions there are. Where the time is all, pass the
/// [`Timestamp`].
#[derive(Clone, Copy, Debug)]
pub struct ExplainOptions<'a> {
    pub(crate) now: Timestamp,
    pub(crate) skip: usize,
    pub(crate) catalog: Option<&'a Catalog>,
}

impl<'a> ExplainOptions<'a> {
    /// Creates options with this time, by your application's clock: an invitation that has ended by then can't be
    /// accepted.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self {
            now,
            skip: 0,
            catalog: None,
        }
    }

    /// Passes over so many paths or remedies: as many as you have already. The pages are complete as long as
    /// [`Explanation::version`] stays the same.
    #[must_use]
    pub fn skipping(self, skip: usize) -> Self {
        Self { skip, ..self }
    }

    /// Warns of a permission that the catalog does not have, and names the nearest one; or has at the other level.
    ///
    /// ```
    /// use grantbook::{ExplainOptions, Permission, Resource};
    ///
    /// grantbook::permissions! {
    ///     static CATALOG;
    ///     const EXPORT = "report.export" @ Account;
    /// }
    ///
    /// # use grantbook::*;
    /// # let now = Timestamp::from_millis(0);
    /// # let (account, _) =
    /// #     Account::open(AccountId::parse("acme")?, MemberId::parse("olga")?, GroupLimit::default(), now);
    /// let options = ExplainOptions::at(now).with_catalog(&CATALOG);
    /// let typo = Permission::parse("report.exprot")?;
    /// assert_eq!(
    ///     account.explain("dana", &typo, Resource::Account, options).to_string(),
    ///     "`dana` may not `report.exprot` at the account: no such member in this account\n\
    ///      There is no permission `report.exprot`. Did you mean `report.export`?",
    /// );
    /// # Ok::<(), ParseError>(())
    /// ```
    #[must_use]
    pub fn with_catalog(self, catalog: &'a Catalog) -> Self {
        Self {
            catalog: Some(catalog),
            ..self
        }
    }
}

impl From<Timestamp> for ExplainOptions<'_> {
    fn from(now: Timestamp) -> Self {
        Self::at(now)
    }
}
