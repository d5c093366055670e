//! What a review finds, as data and in sentences.

use std::fmt;

use serde::Serialize;

use crate::id::{GroupId, MemberId, RoleId, StoreId};
use crate::permission::Permission;
use crate::time::Timestamp;
use crate::visible::Quoted;

/// Something that somebody should look at. `Display` says it in a sentence.
///
/// As JSON it is an object with its [`code`](Finding::code) as `kind`: `{"kind":"single-owner","member":"olga"}`.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Finding {
    /// Only one owner is there: if that person is gone, nobody can manage the account.
    SingleOwner {
        /// The owner.
        member: MemberId,
    },
    /// An owner sits in groups, which give it nothing now, and will give it access once it is no owner any more.
    OwnerInGroups {
        /// The owner.
        member: MemberId,
        /// Its groups.
        groups: Vec<GroupId>,
    },
    /// Somebody is invited as an owner, and the invitation never ends: whoever gets hold of it owns the account.
    EndlessOwnerInvitation {
        /// Who is invited.
        member: MemberId,
    },
    /// A member could, alone, bring in a second identity and give it more than it has itself: it may invite, and put
    /// members into groups. The guardrails bind each member by itself ([E1](crate::docs::rules#E1) to
    /// [E4](crate::docs::rules#E4)), and not two that are one person.
    SecondIdentity {
        /// Who.
        member: MemberId,
    },
    /// Members hold a permission at the account by more than one group, so that they keep it when they are taken out of
    /// one. One finding for all who are in the same groups, as far as those grant anything at the account.
    SecondWay {
        /// Who; no owners. At least one, in the order of ids.
        members: Vec<MemberId>,
        /// What each holds by at least two of the groups: the first ten of them.
        permissions: Vec<Permission>,
        /// How many permissions there are beyond these.
        more: usize,
        /// The groups that give any of them; two or more.
        groups: Vec<GroupId>,
    },
    /// A member is suspended and still in groups, whose access it has again once it is reinstated.
    SuspendedInGroups {
        /// Who.
        member: MemberId,
        /// Its groups.
        groups: Vec<GroupId>,
    },
    /// An active member who is no owner is in no group, and so can do nothing.
    MemberWithoutGroups {
        /// The member.
        member: MemberId,
    },
    /// An invitation is past its expiry, and is still listed.
    ExpiredInvitation {
        /// Who was invited.
        member: MemberId,
        /// When it ended.
        expired: Timestamp,
    },
    /// A group has no members.
    EmptyGroup {
        /// The group.
        group: GroupId,
    },
    /// Everybody in a group is invited, and the invitations have ended.
    EndedInvitationsOnly {
        /// The group.
        group: GroupId,
    },
    /// No group carries this role of the account's own.
    UnusedRole {
        /// The role.
        role: RoleId,
    },
    /// No group grants anything in this store: only owners see it.
    UnusedStore {
        /// The store.
        store: StoreId,
    },
    /// A grant has lost its last store, and grants nothing ([S3](crate::docs::rules#S3)).
    EmptyGrant {
        /// The group.
        group: GroupId,
        /// The role that it carries for nothing.
        role: RoleId,
    },
    /// A grant adds nothing to another grant of the same group.
    CoveredGrant {
        /// The group.
        group: GroupId,
        /// The role that adds nothing.
        role: RoleId,
        /// The role that allows all it allows, wherever it allows it.
        by: RoleId,
    },
    /// Groups carry the same grants.
    EqualGroups {
        /// The groups; two or more.
        groups: Vec<GroupId>,
    },
    /// A role holds permissions that the [`Catalog`](crate::Catalog) does not have, which most likely grant nothing
    /// ([`Account::review_with`](crate::Account::review_with)).
    UnknownPermissions {
        /// The role.
        role: RoleId,
        /// The first ten of them.
        permissions: Vec<Permission>,
        /// How many there are beyond these.
        more: usize,
    },
    /// A role holds permissions that the [`Catalog`](crate::Catalog) has at the other level, which grant nothing here
    /// ([L6](crate::docs::rules#L6); [`Account::review_with`](crate::Account::review_with)).
    MisplacedPermissions {
        /// The role.
        role: RoleId,
        /// The first ten of them.
        permissions: Vec<Permission>,
        /// How many there are beyond these.
        more: usize,
    },
}

impl Finding {
    /// Returns a stable code of what was found.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Finding::SingleOwner { .. } => "single-owner",
            Finding::OwnerInGroups { .. } => "owner-in-groups",
            Finding::EndlessOwnerInvitation { .. } => "endless-owner-invitation",
            Finding::SecondIdentity { .. } => "second-identity",
            Finding::SecondWay { .. } => "second-way",
            Finding::SuspendedInGroups { .. } => "suspended-in-groups",
            Finding::MemberWithoutGroups { .. } => "member-without-groups",
            Finding::ExpiredInvitation { .. } => "expired-invitation",
            Finding::EmptyGroup { .. } => "empty-group",
            Finding::EndedInvitationsOnly { .. } => "ended-invitations-only",
            Finding::UnusedRole { .. } => "unused-role",
            Finding::UnusedStore { .. } => "unused-store",
            Finding::EmptyGrant { .. } => "empty-grant",
            Finding::CoveredGrant { .. } => "covered-grant",
            Finding::EqualGroups { .. } => "equal-groups",
            Finding::UnknownPermissions { .. } => "unknown-permissions",
            Finding::MisplacedPermissions { .. } => "misplaced-permissions",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::SingleOwner { member } => write!(
                f,
                "{} is the only account owner; a second one could help when it cannot",
                Quoted(member)
            ),
            Finding::OwnerInGroups { member, groups } => write!(
                f,
                "account owner {} also sits in {}; that gives nothing now, and stays when ownership ends",
                Quoted(member),
                listed(groups)
            ),
            Finding::EndlessOwnerInvitation { member } => write!(
                f,
                "{} is invited as an account owner, and the invitation never ends",
                Quoted(member)
            ),
            Finding::SecondIdentity { member } => write!(
                f,
                "{} may invite and manage groups, so it could bring in a second identity of its own and give it more \
                 than it has",
                Quoted(member)
            ),
            Finding::SecondWay {
                members,
                permissions,
                more,
                groups,
            } => write!(
                f,
                "{} {} by more than one group, of {}: out of one, it is kept",
                holders(members),
                named(permissions, *more),
                listed(groups)
            ),
            Finding::SuspendedInGroups { member, groups } => write!(
                f,
                "{} is suspended and still in {}; reinstated, it has that access again",
                Quoted(member),
                listed(groups)
            ),
            Finding::MemberWithoutGroups { member } => {
                write!(f, "{} is in no group and can do nothing", Quoted(member))
            }
            Finding::ExpiredInvitation { member, expired } => write!(
                f,
                "the invitation of {} expired on {}; cancel it, or invite again",
                Quoted(member),
                expired.day()
            ),
            Finding::EmptyGroup { group } => write!(f, "group {} has no members", Quoted(group)),
            Finding::EndedInvitationsOnly { group } => write!(
                f,
                "group {} has nobody but invited members whose invitations have ended",
                Quoted(group)
            ),
            Finding::UnusedRole { role } => write!(f, "no group carries role {}", Quoted(role)),
            Finding::UnusedStore { store } => write!(
                f,
                "no group grants anything in store {}; only owners see it",
                Quoted(store)
            ),
            Finding::EmptyGrant { group, role } => write!(
                f,
                "group {} carries {} for no store, which grants nothing",
                Quoted(group),
                Quoted(role)
            ),
            Finding::CoveredGrant { group, role, by } => write!(
                f,
                "in group {}, {} adds nothing to {}",
                Quoted(group),
                Quoted(role),
                Quoted(by)
            ),
            Finding::EqualGroups { groups } => {
                write!(f, "{} carry the same grants", listed(groups))
            }
            Finding::UnknownPermissions {
                role,
                permissions,
                more,
            } => write!(
                f,
                "role {} holds {}, which the catalog of permissions does not have",
                Quoted(role),
                named(permissions, *more)
            ),
            Finding::MisplacedPermissions {
                role,
                permissions,
                more,
            } => write!(
                f,
                "role {} holds {}, which belongs to roles of the other level and grants nothing here",
                Quoted(role),
                named(permissions, *more)
            ),
        }
    }
}

/// "`a` holds", "`a` and 2 more hold".
fn holders(members: &[MemberId]) -> String {
    match members {
        [member] => format!("{} holds", Quoted(member)),
        members => {
            let first = members.first().map_or("", MemberId::as_str);
            let others = members.len().saturating_sub(1);
            format!("{} and {others} more hold", Quoted(first))
        }
    }
}

/// "`a.b`, `c.d` and 3 more permissions".
fn named(permissions: &[Permission], more: usize) -> String {
    let named = permissions
        .iter()
        .map(|permission| format!("`{permission}`"));
    let named = named.collect::<Vec<_>>().join(", ");
    if more > 0 {
        format!("{named} and {more} more permissions")
    } else {
        named
    }
}

/// "group `a`", "groups `a` and `b`", "groups `a`, `b` and `c`".
fn listed(groups: &[GroupId]) -> String {
    let quoted: Vec<String> = groups
        .iter()
        .map(|group| Quoted(group).to_string())
        .collect();
    match quoted.as_slice() {
        [] => "no group".to_owned(),
        [one] => format!("group {one}"),
        [most @ .., last] => format!("groups {} and {last}", most.join(", ")),
    }
}
