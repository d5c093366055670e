//! Invitations: given, accepted, cancelled.

use grantbook::Command;
use grantbook::command::{AcceptInvitation, CancelInvitation, InviteMember};
use proptest::prelude::*;

use super::{Kind, Line, Number, Random, Tried, moved, weighted};
use crate::small_world::World;
use crate::strategies::who;
use crate::support::{at, member};

pub(super) const KINDS: &[Kind] = &[
    Kind::of::<InviteMember>(),
    Kind::of::<AcceptInvitation>(),
    Kind::of::<CancelInvitation>(),
];

pub(crate) fn invite(id: &str) -> Command {
    Command::InviteMember(InviteMember {
        member: member(id),
        as_owner: false,
        expires: None,
    })
}

pub(crate) fn invite_owner(id: &str) -> Command {
    Command::InviteMember(InviteMember {
        member: member(id),
        as_owner: true,
        expires: None,
    })
}

pub(crate) fn invite_until(id: &str, expires: u64) -> Command {
    Command::InviteMember(InviteMember {
        member: member(id),
        as_owner: false,
        expires: Some(at(expires)),
    })
}

impl Tried for InviteMember {
    fn random() -> Random<Self> {
        let expires = prop::option::of((1_000..1_100_u64).prop_map(at));
        let fields = (who(), any::<bool>(), expires);
        weighted(
            4,
            fields.prop_map(|(member, as_owner, expires)| Self {
                member,
                as_owner,
                expires,
            }),
        )
    }

    fn in_small_world(world: &World) -> Vec<Self> {
        let mut invitations = Vec::new();
        for member in world.members() {
            for as_owner in world.invites_as_owner() {
                invitations.extend(world.expiries().iter().map(|expires| Self {
                    member: member.clone(),
                    as_owner: *as_owner,
                    expires: *expires,
                }));
            }
        }
        invitations
    }

    fn read(number: Number, line: &Line) -> Option<Self> {
        (number == Number::First(4)).then(|| Self {
            member: line.member(),
            as_owner: line.bits & 1 == 1,
            expires: (line.first > 0).then(|| moved(line.now, line.first)),
        })
    }
}

pub(crate) fn accept() -> Command {
    Command::AcceptInvitation(AcceptInvitation {})
}

impl Tried for AcceptInvitation {
    fn random() -> Random<Self> {
        weighted(3, Just(Self {}))
    }

    fn in_small_world(_: &World) -> Vec<Self> {
        vec![Self {}]
    }

    fn read(number: Number, _: &Line) -> Option<Self> {
        (number == Number::First(5)).then_some(Self {})
    }
}

pub(crate) fn cancel(id: &str) -> Command {
    Command::CancelInvitation(CancelInvitation { member: member(id) })
}

impl Tried for CancelInvitation {
    fn random() -> Random<Self> {
        weighted(1, who().prop_map(|member| Self { member }))
    }

    fn in_small_world(world: &World) -> Vec<Self> {
        let members = world.members().into_iter();
        members.map(|member| Self { member }).collect()
    }

    fn read(number: Number, line: &Line) -> Option<Self> {
        let member = line.member();
        (number == Number::First(6)).then_some(Self { member })
    }
}
