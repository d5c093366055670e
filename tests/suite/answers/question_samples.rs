//! One of every form of an answer to a question, about ids of one text.

use grantbook::command::*;
use grantbook::repository::Notice;
use grantbook::*;

use super::samples::account_id;
use crate::support::*;

/// One of every finding that an account review can have, in the order of a review; of some also the plural.
pub(crate) fn findings(text: &str) -> Vec<Finding> {
    let (member, group, role) = (member(text), group(text), role(text));
    let groups = vec![group.clone(), crate::support::group("others")];
    let several: Vec<Permission> = permissions(["log.export", "report.exprot"])
        .into_iter()
        .collect();
    vec![
        Finding::SingleOwner {
            member: member.clone(),
        },
        Finding::OwnerInGroups {
            member: member.clone(),
            groups: groups.clone(),
        },
        Finding::EndlessOwnerInvitation {
            member: member.clone(),
        },
        Finding::SecondIdentity {
            member: member.clone(),
        },
        Finding::SecondWay {
            members: vec![member.clone()],
            permissions: vec![Permission::MANAGE_GROUPS],
            more: 0,
            groups: groups.clone(),
        },
        Finding::SecondWay {
            members: vec![member.clone(), crate::support::member("zoe")],
            permissions: several.clone(),
            more: 3,
            groups: groups.clone(),
        },
        Finding::SuspendedInGroups {
            member: member.clone(),
            groups: vec![group.clone()],
        },
        Finding::MemberWithoutGroups {
            member: member.clone(),
        },
        Finding::ExpiredInvitation {
            member,
            expired: at(1_000),
        },
        Finding::EmptyGroup {
            group: group.clone(),
        },
        Finding::EndedInvitationsOnly {
            group: group.clone(),
        },
        Finding::UnusedRole { role: role.clone() },
        Finding::UnusedStore { store: store(text) },
        Finding::EmptyGrant {
            group: group.clone(),
            role: role.clone(),
        },
        Finding::CoveredGrant {
            group,
            role: role.clone(),
            by: role.clone(),
        },
        Finding::EqualGroups { groups },
        Finding::UnknownPermissions {
            role: role.clone(),
            permissions: several,
            more: 2,
        },
        Finding::MisplacedPermissions {
            role,
            permissions: vec![permission("billing.refund")],
            more: 0,
        },
    ]
}

/// Explanations in which every kind of path, of warning, of advice and of remedy stands.
pub(crate) fn explanations(text: &str) -> Vec<Explanation> {
    let of = |asked: Permission, warning, answer| Explanation {
        member: text.to_owned(),
        permission: asked,
        resource: Resource::Store(text.to_owned()),
        version: 7,
        warning,
        answer,
    };
    let denied = |denial, advice| Verdict::Denied { denial, advice };
    let lacks = |permission: &Permission, advice| {
        let permission = permission.clone();
        denied(DenialReason::MissingPermission { permission }, advice)
    };
    let nothing = |permission: &Permission| lacks(permission, Advice::Nothing);
    let typo = permission("report.exprot");
    let models = permission("store.write.models");
    let refund = permission("billing.refund");
    vec![
        of(
            Permission::STORE_READ,
            None,
            Verdict::Allowed {
                paths: paths(text),
                more: 3,
            },
        ),
        of(
            typo.clone(),
            Some(PermissionWarning::Unknown { nearest: None }),
            Verdict::Allowed {
                paths: vec![AccessPath {
                    via: AccessSource::Ownership,
                    is_only_way: true,
                }],
                more: 0,
            },
        ),
        of(
            typo.clone(),
            Some(PermissionWarning::Unknown {
                nearest: Some(permission("report.export")),
            }),
            nothing(&typo),
        ),
        of(
            Permission::CLOSE_ACCOUNT,
            Some(PermissionWarning::WrongLevel {
                level: RoleLevel::Account,
            }),
            nothing(&Permission::CLOSE_ACCOUNT),
        ),
        Explanation {
            resource: Resource::Account,
            ..of(
                models.clone(),
                Some(PermissionWarning::WrongLevel {
                    level: RoleLevel::Store,
                }),
                nothing(&models),
            )
        },
        of(
            refund.clone(),
            Some(PermissionWarning::HeldByNoRole { is_listed: false }),
            lacks(&refund, Advice::SeveralChanges),
        ),
        of(
            refund.clone(),
            Some(PermissionWarning::HeldByNoRole { is_listed: true }),
            lacks(&refund, Advice::SeveralChanges),
        ),
        of(
            refund.clone(),
            Some(PermissionWarning::HeldAtOtherLevel {
                level: RoleLevel::Account,
            }),
            lacks(
                &refund,
                Advice::AnyOf {
                    remedies: remedies(text, &refund),
                    more: 12,
                },
            ),
        ),
        of(
            Permission::STORE_READ,
            None,
            denied(
                DenialReason::Invited,
                Advice::InviteAgain { ended: at(1_000) },
            ),
        ),
        of(
            Permission::STORE_READ,
            None,
            denied(DenialReason::AccountClosed, Advice::Nothing),
        ),
    ]
}

fn paths(text: &str) -> Vec<AccessPath> {
    let through = |via_included_role, included_by| AccessPath {
        via: AccessSource::Group {
            group: group(text),
            group_name: GroupName::parse("Dev Team").unwrap(),
            role: role(text),
            role_name: RoleName::parse("Auditor").unwrap(),
            via_included_role,
            included_by,
        },
        is_only_way: false,
    };
    vec![
        AccessPath {
            via: AccessSource::Ownership,
            is_only_way: false,
        },
        through(true, None),
        through(false, Some(permission("log.read"))),
    ]
}

/// One of every kind, whether or not they could stand together.
fn remedies(text: &str, asked: &Permission) -> Vec<Remedy> {
    let (member, group, role, store) = (member(text), group(text), role(text), store(text));
    let remedy = |step, people, command: Command| Remedy {
        step,
        people,
        command,
    };
    vec![
        remedy(
            RemedyKind::Accept {
                member: member.clone(),
            },
            1,
            AcceptInvitation {}.into(),
        ),
        remedy(
            RemedyKind::Reinstate,
            1,
            ReinstateMember {
                member: member.clone(),
            }
            .into(),
        ),
        remedy(
            RemedyKind::CreateStore,
            2,
            CreateStore {
                store: store.clone(),
            }
            .into(),
        ),
        remedy(
            RemedyKind::AddToGroup {
                group: group.clone(),
            },
            1,
            AddToGroup {
                group: group.clone(),
                members: [member.clone()].into(),
            }
            .into(),
        ),
        remedy(
            RemedyKind::GrantRole {
                group: group.clone(),
                role: role.clone(),
            },
            4,
            GrantRole {
                group,
                role: role.clone(),
                scope: Scope::Stores([store].into()),
            }
            .into(),
        ),
        remedy(
            RemedyKind::ExtendRole { role: role.clone() },
            9,
            ChangeRole {
                role,
                name: None,
                permissions: Some([asked.clone()].into()),
            }
            .into(),
        ),
        remedy(
            RemedyKind::GrantOwnership,
            1,
            GrantOwnership { member }.into(),
        ),
    ]
}

/// A change that gives and takes, in stores and at the account, of one and of several, some of it and all.
pub(crate) fn preview() -> Preview {
    let world = World::staffed();
    let commands = [
        add("viewers", ["nils", "dana"]),
        regrant("devs", [viewer(["dev", "prod"])]),
        take_out("it", [MANAGER]),
        grant_ownership("vic"),
    ];
    world
        .account
        .preview(&by(OWNER), &commands, at(world.now))
        .unwrap()
}

pub(crate) fn store_filters() -> Vec<StoreFilter> {
    let account = World::staffed().account;
    let of = |member| account.store_filter(member, &Permission::STORE_READ);
    ["dana", OWNER, "nils"].map(of).into()
}

pub(crate) fn notices() -> Vec<Notice> {
    let (account, world) = (account_id("acme"), World::new());
    let committed = |delta| Notice::Committed {
        account: account.clone(),
        records: world.records.clone(),
        delta,
    };
    vec![
        Notice::Began {
            account: account.clone(),
            version: 7,
        },
        committed(None),
        committed(Some(AccessDelta::default())),
        Notice::Refused {
            account: account.clone(),
            actor: by("dana"),
            commands: vec!["delete-store"],
            code: "not-authorized",
        },
    ]
}

pub(crate) fn catalog() -> Catalog {
    Catalog::new([(permission("report.export"), RoleLevel::Store)]).unwrap()
}

pub(crate) fn catalog_errors() -> Vec<CatalogError> {
    vec![
        CatalogError::ReservedPermission {
            permission: permission("account.export"),
        },
        CatalogError::WrongLevel {
            permission: permission("store.export"),
            level: RoleLevel::Account,
        },
        CatalogError::BothLevels {
            permission: permission("report.export"),
        },
    ]
}

pub(crate) fn permission_errors() -> Vec<PermissionError> {
    vec![
        PermissionError::Unknown {
            permission: permission("report.exprot"),
            nearest: Some(permission("report.export")),
            level: Some(RoleLevel::Store),
        },
        PermissionError::Unknown {
            permission: permission("zebra.crossing"),
            nearest: None,
            level: None,
        },
        PermissionError::WrongLevel {
            permission: permission("billing.refund"),
            level: RoleLevel::Account,
        },
    ]
}
