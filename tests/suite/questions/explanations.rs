//! Why a member may do something or not, and what would help.

use grantbook::*;

use crate::support::*;

pub(super) fn explained(
    world: &World,
    member: &str,
    text: &str,
    resource: Resource<&str>,
) -> String {
    world
        .account
        .explain(member, &permission(text), resource, at(world.now))
        .to_string()
}

/// P1, L2, P2: an explanation names every way, says what is included, and which way is the only one.
#[test]
fn p1_an_explanation_names_every_way() {
    let mut world = World::staffed();
    let dev = Resource::Store("dev");
    assert_eq!(
        explained(&world, "dana", "store.read", dev),
        "`dana` may `store.read` in store `dev`:\n\
         - through group `devs` (Dev Team), by its role Store Editor, which includes Store Viewer \
         (the only way: who leaves the group loses it)"
    );
    world.ok(OWNER, regrant("devs", [editor(["dev"]), viewer(["dev"])]));
    assert_eq!(
        explained(&world, "dana", "store.read", dev),
        "`dana` may `store.read` in store `dev`:\n\
         - through group `devs` (Dev Team), by its role Store Editor, which includes Store Viewer \
         (the only way: who leaves the group loses it)\n\
         - through group `devs` (Dev Team), by its role Store Viewer (the only way: who leaves the group loses it)"
    );
    world.ok(OWNER, regrant("viewers", [viewer(["dev", "prod"])]));
    world.ok(OWNER, add("viewers", ["dana"]));
    world.ok(OWNER, grant_ownership("dana"));
    assert_eq!(
        explained(&world, "dana", "store.read", dev),
        "`dana` may `store.read` in store `dev`:\n\
         - as an account owner\n\
         - through group `devs` (Dev Team), by its role Store Editor, which includes Store Viewer\n\
         - through group `devs` (Dev Team), by its role Store Viewer\n\
         - through group `viewers` (Read-Only Access), by its role Store Viewer"
    );
    assert_eq!(
        explained(&world, "dana", "never.defined", Resource::Account),
        "`dana` may `never.defined` at the account:\n\
         - as an account owner (the only way: without ownership it is lost)\n\
         No role in this account holds `never.defined`. Check the spelling."
    );
}

/// P1: an explanation names the grants that count at the resource, and no others of the group.
#[test]
fn p1_an_explanation_names_only_grants_that_count() {
    let mut world = World::staffed();
    world.ok(OWNER, regrant("devs", [editor(["dev"]), viewer(["prod"])]));
    let only = "(the only way: who leaves the group loses it)";
    for (resource, role) in [
        ("dev", "Store Editor, which includes Store Viewer"),
        ("prod", "Store Viewer"),
    ] {
        assert_eq!(
            explained(&world, "dana", "store.read", Resource::Store(resource)),
            format!(
                "`dana` may `store.read` in store `{resource}`:\n- through group `devs` (Dev Team), by its role {role} {only}"
            )
        );
    }
}

/// P4: a denial gives its reason and what would help; nothing smaller would.
#[test]
fn p4_a_denial_says_what_would_help() {
    let mut world = World::staffed();
    let (dev, prod) = (Resource::Store("dev"), Resource::Store("prod"));
    assert_eq!(
        explained(&world, "dana", "store.read", prod),
        "`dana` may not `store.read` in store `prod`: the member lacks `store.read`\n\
         Any one of these would allow it:\n\
         - add `dana` to group `viewers`\n\
         - grant role `store-viewer` to group `devs` in store `prod`, for all its 2 members"
    );
    assert_eq!(
        explained(&world, "vic", "store.read", dev),
        "`vic` may not `store.read` in store `dev`: the member lacks `store.read`\n\
         Any one of these would allow it:\n\
         - grant role `store-viewer` to group `viewers` in store `dev`, for its only member\n\
         - add `vic` to group `devs`"
    );
    assert_eq!(
        explained(&world, "nils", "account.manage_roles", Resource::Account),
        "`nils` may not `account.manage_roles` at the account: the member lacks `account.manage_roles`\n\
         One command would allow it:\n\
         - make `nils` an account owner: only owners hold this"
    );
    assert_eq!(
        explained(&world, "ina", "store.write", dev),
        "`ina` may not `store.write` in store `dev`: the member has not accepted its invitation yet\n\
         One command would allow it:\n\
         - `ina` accepts its invitation"
    );
    assert_eq!(
        explained(&world, "ina", "store.write", prod),
        "`ina` may not `store.write` in store `prod`: the member has not accepted its invitation yet\n\
         Several changes would be needed to allow it."
    );
    assert_eq!(
        explained(&world, "nobody", "store.read", dev),
        "`nobody` may not `store.read` in store `dev`: no such member in this account\n\
         Several changes would be needed to allow it."
    );
    assert_eq!(
        explained(&world, OWNER, "store.read", Resource::Store("new")),
        "`olga` may not `store.read` in store `new`: no such store in this account\n\
         One command would allow it:\n\
         - create the store"
    );
    world.ok(
        OWNER,
        define_role("auditor", "Auditor", RoleLevel::Store, &["log.read"]),
    );
    world.ok(
        OWNER,
        regrant(
            "viewers",
            [Grant::in_stores(role("auditor"), [store("prod")])],
        ),
    );
    assert_eq!(
        explained(&world, "vic", "log.export", prod),
        "`vic` may not `log.export` in store `prod`: the member lacks `log.export`\n\
         No role in this account holds `log.export`. Check the spelling.\n\
         One command would allow it:\n\
         - add `log.export` to role `auditor`, for the only member who holds it"
    );
}

/// An explanation escapes the line breaks and control characters of the ids it was asked about.
#[test]
fn an_explanation_escapes_line_breaks() {
    let world = World::staffed();
    let said = explained(
        &world,
        "x`\n`olga\u{1b}[2J\u{202e}",
        "store.read",
        Resource::Store("a\r\nb"),
    );
    assert!(
        said.starts_with(
            r"`x\u{60}\u{a}\u{60}olga\u{1b}[2J\u{202e}` may not `store.read` in store `a\u{d}\u{a}b`: "
        ),
        "{said}"
    );
    assert_eq!(said.lines().count(), 2);
}

/// Ids that a group manager chose can't end their quotation or turn the line.
#[test]
fn an_explanation_quotes_what_others_chose() {
    let mut world = World::staffed();
    let id = "x\u{202e}` may";
    world.ok(OWNER, create_group(id, "Any  Other", [viewer(["dev"])]));
    let dev = Resource::Store("dev");
    let remedy = explained(&world, "nils", "store.read", dev);
    assert!(
        remedy.contains(r"- add `nils` to group `x\u{202e}\u{60} may`"),
        "{remedy}"
    );
    world.ok(OWNER, add(id, ["nils"]));
    let path = explained(&world, "nils", "store.read", dev);
    assert!(
        path.contains(
            r"through group `x\u{202e}\u{60} may` (Any \u{20}Other), by its role Store Viewer"
        ),
        "{path}"
    );
}
