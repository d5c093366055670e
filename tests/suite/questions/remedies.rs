//! What would help a member who is denied, and who may do it.

use grantbook::*;

use super::explanations::explained;
use crate::support::*;

/// E1, E2: the decision itself says who may issue a remedy.
#[test]
fn e1_a_remedy_says_who_may_issue_it() {
    let mut world = World::staffed();
    world.ok(
        OWNER,
        regrant("it", [Grant::group_manager(), viewer(["prod"])]),
    );
    let explanation =
        world
            .account
            .explain(MANAGER, &Permission::STORE_WRITE, Resource::Store("dev"));
    let Verdict::Denied { remedies, .. } = explanation.answer else {
        panic!("{explanation}")
    };
    let code = |remedy: &Remedy, actor: &str| {
        let outcome = remedy.may_be_issued_by(&world.account, &by(actor), at(world.now));
        outcome.map_err(|refusal| refusal.code())
    };
    let steps: Vec<_> = remedies.iter().map(|remedy| &remedy.step).collect();
    assert_eq!(
        steps,
        [
            &RemedyKind::AddToGroup {
                group: group("devs")
            },
            &RemedyKind::AddGrant {
                group: group("it"),
                role: role("store-editor"),
                drops: vec![]
            },
        ]
    );
    assert_eq!(
        [code(&remedies[0], MANAGER), code(&remedies[1], MANAGER)],
        [Err("self-addition"), Err("self-escalation")]
    );
    assert_eq!(
        [code(&remedies[0], OWNER), code(&remedies[1], OWNER)],
        [Ok(()), Ok(())]
    );
    assert_eq!(
        [code(&remedies[0], "dana"), code(&remedies[1], "nobody")],
        [Err("not-authorized"); 2]
    );
}

/// M3: an invitation can be accepted by its member only, whoever else is invited.
#[test]
fn m3_accepting_is_a_remedy_for_the_invited_member_only() {
    let mut world = World::staffed();
    world.ok(OWNER, invite("eva"));
    let explanation = world
        .account
        .explain("ina", &Permission::STORE_READ, Resource::Store("dev"));
    let Verdict::Denied { remedies, .. } = explanation.answer else {
        panic!("{explanation}")
    };
    let may = |actor: Actor| {
        remedies[0]
            .may_be_issued_by(&world.account, &actor, at(world.now))
            .map_err(|no| no.code())
    };
    assert_eq!(
        [
            may(by("ina")),
            may(by("eva")),
            may(by(OWNER)),
            may(Actor::System)
        ],
        [
            Ok(()),
            Err("no-invitation"),
            Err("no-invitation"),
            Err("no-invitation")
        ]
    );
}

/// S3: a remedy says which grant without stores it drops.
#[test]
fn s3_a_remedy_says_what_it_drops() {
    let mut world = World::staffed();
    world.ok(OWNER, create_store("old"));
    world.ok(
        OWNER,
        regrant("viewers", [viewer(["prod"]), editor(["old"])]),
    );
    world.ok(OWNER, delete_store("old"));
    assert_eq!(
        explained(&world, "vic", "store.read", Resource::Store("dev")),
        "`vic` may not `store.read` in store `dev`: the member lacks `store.read`\n\
         Any one of these would allow it:\n\
         - add `vic` to group `devs`\n\
         - add the store to role `store-viewer` of group `viewers`, for all its members, \
         and drop its role `store-editor`, which is left with no store"
    );
}
