//! What the page for a review says.

use grantbook::Grant;
use grantbook::command::CloseAccount;

use crate::support::*;

/// A2, A5: of a closed account, in which nobody may do anything, no form says that somebody may.
#[test]
fn a5_a_closed_account_gives_nobody_anything() {
    let mut world = World::staffed();
    world.ok(OWNER, create_store("new"));
    world.ok(
        OWNER,
        create_group("more", "More Managers", [Grant::group_manager()]),
    );
    world.ok(OWNER, add("more", [MANAGER]));
    let findings = world.account.review(at(world.now));
    assert!(
        findings
            .iter()
            .any(|finding| finding.code() == "second-way")
    );
    let page = world.account.to_html("Acme", at(world.now));
    assert!(page.contains("owners only") && page.contains("may do everything"));
    world.system(CloseAccount {}.into());
    assert_eq!(world.account.review(at(world.now)), []);
    let page = world.account.to_html("Acme", at(world.now));
    for claim in [
        "owners only",
        "may do everything",
        "Everything",
        "gives anything",
    ] {
        assert!(!page.contains(claim), "{claim}\n{page}");
    }
    assert!(page.contains("The account is closed: nobody may do anything."));
    assert!(
        world
            .account
            .to_mermaid(10)
            .contains("closed: nobody may do anything")
    );
}

/// M1: the page says when an invitation ends, or that it has ended; and each number links to what it counts.
#[test]
fn m1_the_page_says_when_an_invitation_ends() {
    let day = 86_400_000;
    let mut world = World::new();
    world.ok(OWNER, invite_until("eva", 10 * day));
    world.ok(OWNER, invite_until("max", 20 * day));
    world.ok(OWNER, invite_until("now", 15 * day));
    world.now = 15 * day;
    let page = world.account.to_html("Acme", at(world.now));
    for told in [
        ">eva (expired 1970-01-11)</li>",
        ">max (until 1970-01-21)</li>",
        ">now (expired 1970-01-16)</li>",
        "the invitation of <a href=\"#m0\">`eva`</a> expired on 1970-01-11",
    ] {
        assert!(page.contains(told), "{told}\n{page}");
    }
    let anchors = page.split("href=\"#").skip(1);
    for anchor in anchors.filter_map(|rest| rest.split('"').next()) {
        let target = format!("id=\"{anchor}\"");
        assert!(page.contains(&target), "{anchor}");
    }
}

/// U7: a finding shows letters of every script as the rows show them.
#[test]
fn u7_a_finding_shows_letters_as_rows_do() {
    let mut world = World::new();
    world.system(enrol(["\u{915}\u{947}", "\u{e17}\u{e35}\u{e48}"]));
    let page = world.account.to_html("Acme", at(world.now));
    assert!(
        page.contains("`\u{915}\u{947}`") && page.contains("`\u{e17}\u{e35}\u{e48}`"),
        "{page}"
    );
}
