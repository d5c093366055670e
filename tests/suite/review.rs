//! Matrices and their forms, access reviews, history, escalation.

use grantbook::*;
use proptest::prelude::*;

use crate::strategies::{MEMBERS, STORES, account, config, resources};
use crate::support::*;

/// A world whose ids try every form.
fn hostile() -> World {
    let mut world = World::new();
    let ids = [
        "<b>&\"'",
        "=1+2",
        "a|b*c_d`e",
        "x,y;\"z\"",
        "-7",
        "a\u{202e}b\u{200b}",
        "é",
    ];
    world.system(enrol(ids));
    for id in ids {
        world.ok(OWNER, create_store(id));
    }
    world.ok(
        OWNER,
        create_group("g", "Some Group", [Grant::store_viewer(ids.map(store))]),
    );
    world.ok(OWNER, add("g", ids));
    world
}

/// P5: a matrix is every member's level in every store.
#[test]
fn a_matrix_is_every_level() {
    let world = World::staffed();
    let matrix = world.account.matrix();
    assert_eq!(matrix.stores, [store("dev"), store("prod")]);
    let rows: Vec<_> = matrix
        .rows
        .iter()
        .map(|row| (row.member.as_str(), row.levels.as_slice()))
        .collect();
    assert_eq!(
        rows,
        [
            ("dana", &[AccessLevel::Editor, AccessLevel::None][..]),
            ("gil", &[AccessLevel::None; 2]),
            ("ina", &[AccessLevel::None; 2]),
            ("nils", &[AccessLevel::None; 2]),
            ("olga", &[AccessLevel::Owner; 2]),
            ("vic", &[AccessLevel::None, AccessLevel::Viewer]),
        ]
    );
    assert_eq!(
        matrix.to_text(),
        "      status  dev     prod\n\
         dana  active    editor  none\n\
         gil   active    none    none\n\
         ina   invited   none    none\n\
         nils  active    none    none\n\
         olga  owner     owner   owner\n\
         vic   active    none    viewer\n"
    );
    assert_eq!(
        matrix.to_csv().lines().nth(3),
        Some("ina,invited,none,none")
    );
    let table = "| member | status | dev | prod |\n| --- | --- | --- | --- |\n| dana | active | editor |  |\n";
    assert!(matrix.to_markdown().starts_with(table));
    let row = "<tr><th scope=\"row\">ina</th><td>invited</td><td></td><td></td></tr>";
    assert!(matrix.to_html("Acme").contains(row));
}

/// Each form escapes what it would otherwise take for its own, and writes out what cannot be seen.
#[test]
fn each_form_escapes_ids() {
    let world = hostile();
    let matrix = world.account.matrix();
    let html = matrix.to_html("<Acme> & \"co\"");
    assert!(html.contains("<title>&lt;Acme&gt; &amp; &quot;co&quot;</title>"));
    assert!(html.contains("<th scope=\"row\">&lt;b&gt;&amp;&quot;&#39;</th>"));
    assert!(!html.contains("<b>&") && !html.contains("<script"));
    assert!(html.contains("a\\u{202e}b\\u{200b}"));
    let csv = matrix.to_csv();
    for cell in ["\"'=1+2\"", "\"x,y;\"\"z\"\"\"", "\"'-7\"", "\"<b>&\"\"'\""] {
        assert!(csv.contains(cell), "{cell} {csv}");
    }
    assert!(
        csv.split("\r\n")
            .all(|line| !line.starts_with(['=', '-', '+', '@']))
    );
    assert!(matrix.to_markdown().contains("| a\\|b\\*c\\_d\\`e |"));
    let columns = matrix.stores.len() + 2;
    let bars = |line: &str| line.replace("\\|", "").matches('|').count();
    assert!(
        matrix
            .to_markdown()
            .lines()
            .all(|line| bars(line) == columns + 1)
    );
    assert!(matrix.to_text().contains("a\\u{202e}b\\u{200b}"));
    for form in [
        html,
        csv,
        matrix.to_markdown(),
        matrix.to_text(),
        world.account.to_mermaid(10),
    ] {
        assert!(!form.contains(['\u{202e}', '\u{200b}']) && form.contains('é'));
    }
    let graph = world.account.to_mermaid(10);
    assert!(graph.contains("([\"#60;b#62;#38;#34;#39;\"])"), "{graph}");
    assert!(graph.lines().all(|line| line.matches('"').count() % 2 == 0));
    let mut world = World::new();
    world.system(enrol([
        "%%{init: {'theme':'forest'}}%%",
        "$$x^2$$",
        "fa:fa-user",
    ]));
    let labels: String = world
        .account
        .to_mermaid(10)
        .lines()
        .filter(|line| line.contains("(["))
        .collect();
    assert!(
        !labels.contains(['%', '{', '$', '\'']) && labels.contains("fa#58;fa-user"),
        "{labels}"
    );
}

/// Different ids look different, in every form.
#[test]
fn different_ids_look_different() {
    let alike = [
        "b",
        "b\u{3164}",
        "b\u{2800}",
        "b\u{34f}",
        "b\u{fe0f}",
        "b\u{e0100}",
        "a\u{200b}c",
        "a\\u{200b}c",
    ];
    let spaces = ["c d", "c  d", "c\u{a0}d", "c\u{2003}d", "=1", "'=1", "＝1"];
    let mut world = World::new();
    world.system(enrol(alike.into_iter().chain(spaces)));
    let matrix = world.account.matrix();
    let html = matrix.to_html("Acme");
    for form in [
        matrix.to_text(),
        matrix.to_csv(),
        matrix.to_markdown(),
        html,
    ] {
        let lines: std::collections::BTreeSet<String> = form
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        let seen: Vec<_> = lines
            .iter()
            .filter(|line| line.contains("active"))
            .collect();
        assert_eq!(seen.len(), alike.len() + spaces.len(), "{form}");
        assert!(!form.contains(['\u{3164}', '\u{2800}', '\u{34f}', '\u{fe0f}', '\u{a0}']));
    }
    assert!(matrix.to_csv().contains("\"'＝1\""));
}

/// The graph shows members, groups, roles and stores, and how they hang together.
#[test]
fn a_graph_shows_how_it_hangs_together() {
    let graph = World::staffed().account.to_mermaid(10);
    assert_eq!(
        graph,
        "flowchart LR
  classDef owner stroke-width:3px
  classDef invited stroke-dasharray:4 3
  m0([\"dana\"])
  m1([\"gil\"])
  m2([\"ina (invited)\"]):::invited
  m3([\"nils\"])
  m4([\"olga (owner)\"]):::owner
  m5([\"vic\"])
  s0[(\"dev\")]
  s1[(\"prod\")]
  g0[\"Dev Team\"]
  g0 --> r0_0{{\"Store Editor\"}}
  r0_0 --> s0
  m0 --> g0
  m2 -.-> g0
  g1[\"IT Group\"]
  g1 --> r1_0{{\"Group Manager at the account\"}}
  m1 --> g1
  g2[\"Read-Only Access\"]
  g2 --> r2_0{{\"Store Viewer\"}}
  r2_0 --> s1
  m5 --> g2
"
    );
}

/// Where members are many, the graph shows their number.
#[test]
fn a_graph_counts_where_members_are_many() {
    let mut world = World::staffed();
    world.ok(OWNER, add("it", ["nils"]));
    world.system(enrol(["p", "q"]));
    world.ok(OWNER, add("it", [OWNER]));
    let graph = world.account.to_mermaid(1);
    for line in [
        "n1([\"3 members\"]) --> g1",
        "m1 --> g2",
        "m0([\"olga (owner)\"]):::owner",
        "alone([\"2 members in no group\"])",
    ] {
        assert!(
            graph.lines().any(|other| other.trim() == line),
            "{line}\n{graph}"
        );
    }
    assert!(!graph.contains("dana") && !graph.contains("\"q\""));
}

/// A2, L2, M3, S3, G7: a review names what somebody should look at, in sentences, and nothing else.
#[test]
fn a_review_names_what_to_look_at() {
    let mut world = World::staffed();
    let said = |world: &World| -> Vec<String> {
        world
            .account
            .review(at(world.now))
            .iter()
            .map(ToString::to_string)
            .collect()
    };
    assert_eq!(
        said(&world),
        [
            "`olga` is the only account owner; a second one could help when it cannot",
            "`nils` is in no group and can do nothing",
        ]
    );
    world.ok(OWNER, create_store("old"));
    world.ok(
        OWNER,
        create_group("older", "Older Group", [viewer(["old"])]),
    );
    world.ok(
        OWNER,
        create_group(
            "both",
            "Both Roles",
            [editor(["dev", "prod"]), viewer(["dev"])],
        ),
    );
    world.ok(
        OWNER,
        create_group("readers", "Other Readers", [viewer(["prod"])]),
    );
    world.ok(
        OWNER,
        define_role("same", "Same As Viewer", RoleLevel::Store, &["store.read"]),
    );
    let same = [
        viewer(["dev"]),
        Grant::in_stores(role("same"), [store("dev")]),
    ];
    world.ok(OWNER, create_group("twice", "Twice The Same", same));
    // Neither adds nothing: one holds elsewhere, the other holds something else.
    let elsewhere = [editor(["dev"]), viewer(["prod"])];
    world.ok(OWNER, create_group("apart", "Two Places", elsewhere));
    world.ok(
        OWNER,
        define_role("log", "Log Reader", RoleLevel::Store, &["log.read"]),
    );
    let other = [
        viewer(["dev"]),
        Grant::in_stores(role("log"), [store("dev")]),
    ];
    world.ok(OWNER, create_group("other", "Two Things", other));
    world.ok(OWNER, delete_store("old"));
    world.ok(OWNER, grant_ownership("dana"));
    world.ok(OWNER, add("both", ["dana"]));
    world.ok(OWNER, invite_until("eva", 1_001));
    for group in ["readers", "apart", "other"] {
        world.ok(OWNER, add(group, ["eva", "nils"]));
    }
    world.now = 1_001;
    let late = said(&world);
    world.ok(OWNER, create_store("later"));
    world.now = 900;
    assert_eq!(said(&world), late, "time does not run backwards");
    assert_eq!(
        late,
        [
            "account owner `dana` also sits in groups `both` and `devs`; that gives nothing now, and stays when ownership ends",
            "the invitation of `eva` has expired; cancel it, or invite again",
            "group `older` has no members",
            "group `twice` has no members",
            "group `older` carries `store-viewer` for no store; all its stores were deleted",
            "in group `both`, `store-viewer` adds nothing to `store-editor`",
            "in group `twice`, `store-viewer` adds nothing to `same`",
            "groups `readers` and `viewers` carry the same grants",
        ]
    );
}

/// A finding that a host makes itself can name no group, and says so.
#[test]
fn a_finding_about_no_group() {
    let groups = Vec::new();
    let finding = Finding::EqualGroups { groups };
    assert_eq!(finding.to_string(), "no group carry the same grants");
}

/// U2: the account as it was at a version and at a time.
#[test]
fn the_account_as_it_was() {
    let mut world = World::staffed();
    world.now = 2_000;
    world.ok(OWNER, remove_member("vic"));
    world.now = 3_000;
    world.ok(OWNER, remove_member("nils"));
    let records = &world.records;
    let at_time = |millis| history::at_time(records, at(millis));
    assert_eq!(at_time(999).unwrap_err(), ReplayError::NoRecords);
    assert!(at_time(1_999).unwrap().member("vic").is_some());
    assert!(at_time(2_000).unwrap().member("vic").is_none());
    assert_eq!(at_time(u64::MAX).unwrap(), world.account);
    assert_eq!(
        history::at_version(records, 0).unwrap_err(),
        ReplayError::NoRecords
    );
    assert_eq!(
        history::at_version(records, 1).unwrap(),
        World::new().account
    );
    assert_eq!(
        history::at_version(records, u64::MAX).unwrap(),
        world.account
    );
    assert_eq!(
        history::at_version(&records[1..], 9).unwrap_err().code(),
        "gap"
    );
}

/// U2: records may come one by one, as they are read, and are not all held.
#[test]
fn records_may_be_streamed() {
    let world = World::staffed();
    let lines: Vec<String> = world
        .records
        .iter()
        .map(|record| serde_json::to_string(record).unwrap())
        .collect();
    let read = || {
        lines
            .iter()
            .map(|line| serde_json::from_str::<Record>(line).unwrap())
    };
    assert_eq!(
        history::at_version(read(), u64::MAX).unwrap(),
        world.account
    );
    let intervals = history::access(
        read(),
        "dana",
        &Permission::STORE_READ,
        Resource::Store("dev"),
    )
    .unwrap();
    assert_eq!(intervals[0].began, *world.records.last().unwrap());
    assert_eq!(history::changes_touching(read(), "nils").unwrap().len(), 1);
    assert_eq!(history::changes_by(read(), &by(OWNER)).count(), 9);
    assert_eq!(Account::replay(read()).unwrap(), world.account);
}

/// U2, G9: who could do what when, by whose doing it began and ended, and who changed what.
#[test]
fn access_has_a_history() {
    let mut world = World::staffed();
    world.now = 2_000;
    world.ok(MANAGER, take_out("devs", ["dana"]));
    world.now = 3_000;
    world.ok(OWNER, regrant("viewers", [viewer(["dev"])]));
    world.ok(MANAGER, add("viewers", ["dana"]));
    world.now = 4_000;
    world.ok(OWNER, delete_store("dev"));
    let stretches =
        |member: &str, text: &str, resource| -> Vec<(u64, String, Option<(u64, String)>)> {
            let told = |record: &Record| {
                (
                    record.at().as_millis(),
                    format!("{} {}", record.actor(), record.event().kind()),
                )
            };
            let intervals =
                history::access(&world.records, member, &permission(text), resource).unwrap();
            let told = intervals
                .iter()
                .map(|interval| (told(interval.began), interval.ended.map(told)));
            told.map(|((at, began), ended)| (at, began, ended))
                .collect()
        };
    let dev = Resource::Store("dev");
    assert_eq!(
        stretches("dana", "store.read", dev),
        [
            (
                1_000,
                "olga added-to-group".to_owned(),
                Some((2_000, "gil removed-from-group".to_owned()))
            ),
            (
                3_000,
                "gil added-to-group".to_owned(),
                Some((4_000, "olga store-deleted".to_owned()))
            ),
        ]
    );
    assert_eq!(
        stretches("vic", "store.read", dev),
        [(
            3_000,
            "olga group-edited".to_owned(),
            Some((4_000, "olga store-deleted".to_owned()))
        )]
    );
    assert_eq!(
        stretches(OWNER, "never.defined", Resource::Account),
        [(1_000, "system account-opened".to_owned(), None)].map(|(at, by, end)| (
            at,
            by.replace("system", "the host"),
            end
        ))
    );
    assert!(stretches("ina", "store.read", dev).is_empty());
    let manager = by(MANAGER);
    let by_manager = history::changes_by(&world.records, &manager);
    assert_eq!(
        by_manager
            .map(|record| record.event().kind())
            .collect::<Vec<_>>(),
        ["removed-from-group", "added-to-group"]
    );
    let touching = history::changes_touching(&world.records, "vic").unwrap();
    let kinds: Vec<_> = touching
        .iter()
        .map(|record| record.event().kind())
        .collect();
    assert_eq!(
        kinds,
        [
            "members-added",
            "added-to-group",
            "group-edited",
            "store-deleted"
        ]
    );
    let touching = history::changes_touching(&world.records, "ina").unwrap();
    assert_eq!(
        touching
            .iter()
            .map(|record| record.event().kind())
            .collect::<Vec<_>>(),
        ["member-invited", "added-to-group"]
    );
    world.ok("ina", accept());
    world.ok(OWNER, remove_member("ina"));
    let touching = history::changes_touching(&world.records, "ina").unwrap();
    assert_eq!(touching.len(), 4);
    assert_eq!(touching[2].event().kind(), "invitation-accepted");
    let mut broken = world.records.clone();
    broken.remove(3);
    let error = history::changes_touching(&broken, "ina").unwrap_err();
    assert_eq!(error.code(), "gap");
    let in_dev = Resource::Store("dev");
    let error = history::access(&broken, "ina", &Permission::STORE_READ, in_dev).unwrap_err();
    assert_eq!(error.code(), "gap");
    world.ok(OWNER, invite("eve"));
    world.ok(OWNER, cancel("eve"));
    let touching = history::changes_touching(&world.records, "eve").unwrap();
    assert_eq!(touching[1].event().kind(), "invitation-cancelled");
    let error = history::changes_touching(&broken[1..], "ina").unwrap_err();
    assert_eq!(error.code(), "gap");
    assert_eq!(
        history::changes_touching(&world.records[..0], "ina").unwrap_err(),
        ReplayError::NoRecords
    );
}

/// E4: alone, nobody gains anything; two group managers gain everything but ownership, and the records would say how.
#[test]
fn two_group_managers_can_raise_each_other() {
    let mut world = World::staffed();
    let alone = |world: &World, id: &str| world.account.escalation(id, None, 3, at(world.now));
    for id in [MANAGER, "dana", "nils", OWNER, "nobody"] {
        assert_eq!(alone(&world, id), [], "{id}");
    }
    let ina = alone(&world, "ina");
    assert_eq!(
        ina.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "`ina` could gain `store.read` in store `dev`: `ina` accepts the invitation",
            "`ina` could gain `store.write` in store `dev`: `ina` accepts the invitation",
        ]
    );
    let with_editor = world
        .account
        .escalation(MANAGER, Some("dana"), 3, at(world.now));
    let said: Vec<_> = with_editor.iter().map(ToString::to_string).collect();
    assert!(
        said.contains(
            &"`dana` could gain `store.read` in store `prod`: `gil` adds `dana` to group `viewers`"
                .to_owned()
        )
    );
    assert!(
        said.contains(
            &"`gil` could gain `store.read` in store `prod`: `gil` adds `dana` to group `it`, then `dana` adds `gil` to group `viewers`"
                .to_owned()
        ),
        "{said:#?}"
    );
    world.ok(OWNER, add("it", ["vic"]));
    let gains = world
        .account
        .escalation(MANAGER, Some("vic"), 3, at(world.now));
    assert_eq!(
        gains
            .iter()
            .filter(|gain| gain.member.as_str() == MANAGER)
            .count(),
        4
    );
    assert!(gains.iter().all(|gain| gain.steps.len() <= 2));
    let with_owner = world
        .account
        .escalation(OWNER, Some("nils"), 1, at(world.now));
    assert_eq!(with_owner.len(), Permission::BUILT_IN.len() * 3);
    let stranger = world
        .account
        .escalation(MANAGER, Some("eve"), 3, at(world.now));
    assert!(stranger.iter().any(|gain| {
        gain.to_string() == "`eve` could gain `store.read` in store `dev`: \
                             `gil` invites `eve`, then `eve` accepts the invitation, then `gil` adds `eve` to group `devs`"
    }));
}

/// E4, U7: where one command can name all that a group could be given, the search gives it all at once.
#[test]
fn what_one_command_can_bring_is_brought_by_one() {
    let mut world = World::staffed();
    world.ok(
        OWNER,
        define_role("log", "Log Reader", RoleLevel::Store, &["log.read"]),
    );
    world.ok(
        OWNER,
        define_role("bill", "Billing", RoleLevel::Account, &["bill.read"]),
    );
    world.ok(OWNER, add("it", ["vic"]));
    let gains = world
        .account
        .escalation(MANAGER, Some("vic"), 2, at(world.now));
    let steps = |text: &str| -> Vec<&Vec<(MemberId, Command)>> {
        let gains = gains.iter().filter(|gain| gain.permission.as_str() == text);
        gains
            .filter(|gain| gain.member.as_str() == MANAGER)
            .map(|gain| &gain.steps)
            .collect()
    };
    let (in_stores, at_account) = (steps("log.read"), steps("bill.read"));
    assert_eq!((in_stores.len(), at_account.len()), (2, 1));
    assert!(
        in_stores.iter().all(|steps| *steps == at_account[0]),
        "{gains:#?}"
    );
}

/// E4: what the search reports can be done, step by step, and no step before the last leads there.
fn check_gain(account: &Account, gain: &Escalation, now: Timestamp) -> Result<(), TestCaseError> {
    let mut account = account.clone();
    for (actor, command) in &gain.steps {
        prop_assert!(
            !account.can(&gain.member, &gain.permission, gain.resource.as_deref()),
            "{}",
            gain
        );
        let done = account.execute(&Actor::Member(actor.clone()), command, now);
        prop_assert!(matches!(done, Ok(Some(_))), "{}: {:?}", gain, done);
    }
    prop_assert!(
        account.can(&gain.member, &gain.permission, gain.resource.as_deref()),
        "{}",
        gain
    );
    Ok(())
}

proptest! {
    #![proptest_config(config(48))]

    /// P5, U2: a matrix agrees with every level, and the histories of access with replaying to every version.
    #[test]
    fn histories_are_what_replaying_says(world in account(24)) {
        let matrix = world.account.matrix();
        for row in &matrix.rows {
            for (store, level) in matrix.stores.iter().zip(&row.levels) {
                prop_assert_eq!(world.account.effective_permissions(&row.member).level(store), *level);
            }
        }
        let states: Vec<_> = (1..=world.records.len())
            .map(|version| history::at_version(&world.records, version as u64).unwrap())
            .collect();
        for (id, resource) in MEMBERS.iter().flat_map(|id| resources().map(move |resource| (*id, resource))) {
            for text in ["store.read", "log.export", "account.manage_groups"] {
                let permission = permission(text);
                let intervals = history::access(&world.records, id, &permission, resource).unwrap();
                for (state, record) in states.iter().zip(&world.records) {
                    let within = intervals.iter().any(|interval| {
                        interval.began.version() <= record.version()
                            && interval.ended.is_none_or(|ended| record.version() < ended.version())
                    });
                    prop_assert_eq!(within, state.can(id, &permission, resource));
                }
            }
        }
        for id in MEMBERS {
            let touching = history::changes_touching(&world.records, id).unwrap();
            for pair in states.windows(2).zip(&world.records[1..]) {
                let ([before, after], record) = (pair.0, pair.1) else { continue };
                let changed = before.effective_permissions(id) != after.effective_permissions(id);
                prop_assert!(!changed || touching.contains(&record));
            }
        }
    }

    /// E4: alone, nobody but an invited member gains anything; what two could gain, they can, and what one command of
    /// theirs gains is reported as one.
    #[test]
    fn escalation_is_exact(world in account(16), one in 0..MEMBERS.len(), other in 0..MEMBERS.len()) {
        let (one, other, now) = (MEMBERS[one], MEMBERS[other], at(world.now));
        let account = &world.account;
        let alone = account.escalation(one, None, 2, now);
        let is_active = account.member(one).is_some_and(|member| member.status().is_active());
        prop_assert!(alone.is_empty() || !is_active, "{:?}", alone);
        let together = account.escalation(one, Some(other), 2, now);
        for gain in alone.iter().chain(together.iter().step_by(7)) {
            check_gain(account, gain, now)?;
        }
        let ways = |gains: Vec<Escalation>| -> Vec<_> {
            gains.into_iter().map(|gain| (gain.member, gain.resource, gain.permission, gain.steps.len())).collect()
        };
        prop_assert_eq!(ways(together.clone()), {
            let mut turned = ways(account.escalation(other, Some(one), 2, now));
            turned.sort();
            turned
        });
        if one == other {
            return Ok(());
        }
        let mut single = vec![accept(), grant_ownership(one), grant_ownership(other)];
        for group in account.groups() {
            single.push(add(group.id(), [one]));
            single.push(add(group.id(), [other]));
            for store in STORES.into_iter().filter(|store| account.has_store(store)) {
                let grants = group.grants().iter().filter(|grant| grant.scope != Scope::Stores([].into()));
                single.push(regrant(group.id(), grants.cloned().chain([editor([store])]).collect::<Vec<_>>()));
            }
        }
        for (actor, command) in [one, other].iter().flat_map(|actor| single.iter().map(move |command| (*actor, command))) {
            let Ok(preview) = account.preview(&by(actor), std::slice::from_ref(command), now) else { continue };
            for change in preview.delta.iter().filter(|change| [one, other].contains(&change.member.as_str())) {
                for permission in Permission::BUILT_IN.iter().filter(|permission| change.gains(permission)) {
                    let gain = together.iter().find(|gain| {
                        gain.member == change.member && gain.resource == change.resource && gain.permission == *permission
                    });
                    prop_assert_eq!(gain.map(|gain| gain.steps.len()), Some(1), "{:?} {:?}", command, change);
                }
            }
        }
    }
}
