//! Records, replay, batches, time and bounds.

use grantbook::*;

use crate::support::*;

fn replayed(records: &[Record]) -> Result<Account, ReplayError> {
    Account::replay(records)
}

/// The record, changed as JSON and read back.
fn forged(record: &Record, change: impl Fn(&mut serde_json::Value)) -> Result<Record, String> {
    let mut json = serde_json::to_value(record).unwrap();
    change(&mut json);
    serde_json::from_value(json).map_err(|error| error.to_string())
}

/// Somebody who can have caused such an event.
fn possible_actor(event: &serde_json::Value) -> serde_json::Value {
    match event["kind"].as_str().unwrap() {
        "invitation-accepted" => serde_json::json!({ "member": event["member"] }),
        _ => "system".into(),
    }
}

/// U1: every accepted command that changes something is one event; one that changes nothing is none.
#[test]
fn a_change_is_one_event() {
    let mut world = World::staffed();
    let before = world.account.version();
    world.ok(OWNER, add("viewers", ["dana", "nils", "ina"]));
    assert_eq!(world.account.version(), before + 1);
    world.no_change(OWNER, add("viewers", ["dana", "nils"]));
    world.no_change(OWNER, take_out("it", ["dana"]));
    world.no_change(OWNER, rename_group("it", "IT Group"));
    world.no_change(OWNER, revoke_ownership("dana"));
    assert_eq!(world.account.version(), before + 1);
    assert_eq!(world.records.len() as u64, world.account.version());
}

/// U1: to create what is there already is refused.
#[test]
fn what_is_there_is_not_created_again() {
    let mut world = World::staffed();
    world.assert_refused(OWNER, create_store("dev"), "store-exists");
    world.assert_refused(
        OWNER,
        create_group("it", "IT Group", [Grant::group_manager()]),
        "group-exists",
    );
    world.assert_refused(OWNER, invite("dana"), "already-member");
}

/// A1, U2: records are numbered from the opening on; replaying them gives the account, at every version.
#[test]
fn replaying_gives_the_account_at_every_version() {
    let mut world = World::new();
    let mut versions = vec![world.account.clone()];
    let staffed = World::staffed();
    for record in &staffed.records[1..] {
        world.account.apply(record).unwrap();
        versions.push(world.account.clone());
    }
    assert_eq!(world.account, staffed.account);
    for (index, account) in versions.iter().enumerate() {
        assert_eq!(&replayed(&staffed.records[..=index]).unwrap(), account);
        assert_eq!(staffed.records[index].version(), index as u64 + 1);
    }
    assert_eq!(staffed.records[0].account().as_str(), "acme");
}

/// U2: where the host's clock runs backwards, the last record's time is used.
#[test]
fn time_never_runs_backwards() {
    let mut world = World::new();
    world.now = 5_000;
    world.ok(OWNER, create_store("a"));
    world.now = 10;
    world.ok(OWNER, create_store("b"));
    world.now = 5_001;
    world.ok(OWNER, create_store("c"));
    let times: Vec<_> = world
        .records
        .iter()
        .map(|record| record.at().as_millis())
        .collect();
    assert_eq!(times, [1_000, 5_000, 5_000, 5_001]);
    let earlier = forged(&world.records[3], |json| json["at"] = 4_999.into()).unwrap();
    let error = replayed(&[&world.records[..3], &[earlier]].concat()).unwrap_err();
    assert_eq!(error.code(), "time-runs-backwards");
    assert_eq!(
        error.to_string(),
        "record 4 is dated 4999, before the record it follows (5000)"
    );
}

/// U2: the highest version number is the last; the account can then be read, not changed.
#[test]
fn versions_end() {
    let world = World::staffed();
    let mut json = serde_json::to_value(world.account.snapshot()).unwrap();
    json["version"] = (u64::MAX - 1).into();
    json["at"] = u64::MAX.into();
    let snapshot: Snapshot = serde_json::from_value(json).unwrap();
    let mut world = World {
        account: snapshot.try_into().unwrap(),
        records: vec![],
        now: 0,
    };
    world.ok(OWNER, create_store("last"));
    assert_eq!(world.records[0].version(), u64::MAX);
    assert_eq!(world.records[0].at().as_millis(), u64::MAX);
    world.assert_refused(OWNER, create_store("more"), "versions-exhausted");
    world.no_change(OWNER, add("devs", ["dana"]));
    assert!(world.may("dana", "store.write", Resource::Store("dev")));
    let again = world.records[0].clone();
    assert_eq!(world.account.apply(&again).unwrap_err().code(), "repeat");
}

/// U4: a batch is accepted as a whole; each command that changes something is one record.
#[test]
fn a_batch_is_accepted_as_a_whole() {
    let mut world = World::staffed();
    let commands = [
        create_store("new"),
        create_group("new", "New Group", [viewer(["new"])]),
        add("new", ["nils"]),
        add("new", ["nils"]),
    ];
    let decided = world
        .account
        .decide_batch(&by(OWNER), &commands, at(world.now))
        .unwrap();
    assert!(!world.account.has_store("new"), "deciding changes nothing");
    let version = world.account.version();
    let records = world
        .account
        .execute_batch(&by(OWNER), &commands, at(world.now))
        .unwrap();
    assert_eq!(records, decided);
    assert_eq!(
        records.iter().map(Record::version).collect::<Vec<_>>(),
        [version + 1, version + 2, version + 3]
    );
    assert_eq!(world.level("nils", "new"), AccessLevel::Viewer);
    assert!(world.account.index_is_exact());
    assert_eq!(
        world.account.execute_batch(&by(OWNER), &[], at(world.now)),
        Ok(vec![])
    );
}

/// U4: or it is refused as a whole, saying which command was refused first and why.
#[test]
fn a_batch_is_refused_as_a_whole() {
    let mut world = World::staffed();
    let before = world.account.clone();
    let commands = [
        create_store("new"),
        create_store("dev"),
        delete_store("none"),
    ];
    let refusal = world
        .account
        .execute_batch(&by(OWNER), &commands, at(world.now))
        .unwrap_err();
    assert_eq!(world.account, before);
    assert_eq!(
        (refusal.code(), refusal.kind()),
        ("store-exists", ErrorKind::Conflict)
    );
    assert_eq!(
        refusal.to_string(),
        "command 2 of the batch: there is a store `dev` already; choose another id"
    );
    assert!(matches!(refusal, CommandError::InBatch { index: 1, .. }));
    assert!(matches!(refusal.reason(), CommandError::StoreExists { .. }));
    let one = world
        .account
        .decide_batch(&by(OWNER), &commands[1..2], at(world.now))
        .unwrap_err();
    assert_eq!(&one, refusal.reason(), "a batch of one is that command");
}

/// U4, A2, E6: each command of a batch must be acceptable on what those before it leave: no dipping below a rule and
/// coming back, and who loses its powers on the way stops there.
#[test]
fn a_batch_does_not_dip_below_a_rule() {
    let mut world = World::staffed();
    for (commands, code) in [
        (
            vec![revoke_ownership(OWNER), grant_ownership("dana")],
            "last-owner",
        ),
        (
            vec![
                grant_ownership("dana"),
                revoke_ownership(OWNER),
                create_store("new"),
            ],
            "not-authorized",
        ),
        (
            vec![
                grant_ownership("dana"),
                remove_member(OWNER),
                create_store("new"),
            ],
            "not-authorized",
        ),
        (
            vec![
                grant_ownership("dana"),
                revoke_ownership(OWNER),
                revoke_ownership("dana"),
            ],
            "not-authorized",
        ),
    ] {
        let refusal = world
            .account
            .execute_batch(&by(OWNER), &commands, at(world.now))
            .unwrap_err();
        assert_eq!(refusal.code(), code);
    }
    let none_left = [
        grant_ownership("dana"),
        remove_member(OWNER),
        remove_member("dana"),
    ];
    let refusal = world
        .account
        .execute_batch(&Actor::System, &none_left, at(world.now))
        .unwrap_err();
    assert_eq!(refusal.code(), "last-owner");
    let handed_over = [grant_ownership("dana"), revoke_ownership(OWNER)];
    assert_eq!(
        world
            .account
            .execute_batch(&by(OWNER), &handed_over, at(world.now))
            .unwrap()
            .len(),
        2
    );
}

/// U5, A4: what is not the next record of this account is not applied, and nothing changes.
#[test]
fn only_the_next_record_is_applied() {
    let world = World::staffed();
    let records = &world.records;
    assert_eq!(replayed(&[]).unwrap_err(), ReplayError::NoRecords);
    assert_eq!(ReplayError::NoRecords.code(), "no-records");
    assert_eq!(
        replayed(&records[1..]).unwrap_err(),
        ReplayError::Gap {
            expected: 1,
            found: 2
        }
    );
    let mut account = replayed(&records[..4]).unwrap();
    let before = account.clone();
    let other = forged(&records[4], |json| json["account"] = "other".into()).unwrap();
    let next = |json: &mut serde_json::Value| json["version"] = 5.into();
    for (record, code) in [
        (records[5].clone(), "gap"),
        (records[3].clone(), "repeat"),
        (records[0].clone(), "repeat"),
        (other, "wrong-account"),
        (forged(&records[0], next).unwrap(), "opening"),
        (
            forged(&records[4], |json| json["version"] = 0.into()).unwrap(),
            "repeat",
        ),
        (
            forged(&records[4], |json| json["version"] = u64::MAX.into()).unwrap(),
            "gap",
        ),
    ] {
        assert_eq!(
            account.apply(&record).unwrap_err().code(),
            code,
            "{record:?}"
        );
        assert_eq!(account, before);
    }
    account.apply(&records[4]).unwrap();
    let not_opened = forged(&records[1], |json| json["version"] = 1.into()).unwrap();
    assert_eq!(
        replayed(&[not_opened]).unwrap_err(),
        ReplayError::Opening { version: 1 }
    );
    for (error, message) in [
        (
            ReplayError::NoRecords,
            "there are no records; an account begins with the record that opens it",
        ),
        (
            ReplayError::Gap {
                expected: 5,
                found: 7,
            },
            "record 7 came where record 5 was due; load the records between",
        ),
        (
            ReplayError::Repeat {
                expected: 5,
                found: 4,
            },
            "record 4 came again where record 5 was due",
        ),
        (
            ReplayError::Opening { version: 5 },
            "record 5 is out of place: an account opens once, with record 1",
        ),
    ] {
        assert_eq!(error.to_string(), message);
    }
}

/// U5: an event that does not fit the account is not applied, and nothing changes; nothing is skipped.
#[test]
fn an_event_that_does_not_fit_is_not_applied() {
    let mut world = World::staffed();
    world.ok(OWNER, invite_until("eva", 2_000));
    world.now = 2_000;
    world.ok(
        OWNER,
        define_role("own", "Own Role", RoleLevel::Store, &["log.read"]),
    );
    let before = world.account.clone();
    let next = before.version() + 1;
    let last = world.records.last().unwrap();
    for (event, code) in [
        (r#"{"kind":"member-removed","member":"olga"}"#, "last-owner"),
        (
            r#"{"kind":"ownership-revoked","member":"olga"}"#,
            "last-owner",
        ),
        (
            r#"{"kind":"member-invited","member":"dana","as_owner":false}"#,
            "already-member",
        ),
        (
            r#"{"kind":"member-invited","member":"eve","as_owner":false,"expires":2000}"#,
            "expiry-passed",
        ),
        (
            r#"{"kind":"invitation-accepted","member":"eva"}"#,
            "invitation-expired",
        ),
        (
            r#"{"kind":"invitation-accepted","member":"dana"}"#,
            "already-member",
        ),
        (
            r#"{"kind":"invitation-accepted","member":"none"}"#,
            "unknown-member",
        ),
        (
            r#"{"kind":"invitation-cancelled","member":"dana"}"#,
            "not-invited",
        ),
        (
            r#"{"kind":"members-added","members":["new","ina"]}"#,
            "already-invited",
        ),
        (
            r#"{"kind":"added-to-group","group":"devs","members":["none"]}"#,
            "unknown-member",
        ),
        (
            r#"{"kind":"removed-from-group","group":"none","members":["dana"]}"#,
            "unknown-group",
        ),
        (r#"{"kind":"store-created","store":"dev"}"#, "store-exists"),
        (
            r#"{"kind":"group-deleted","group":"devs"}"#,
            "group-has-members",
        ),
        (
            r#"{"kind":"group-edited","group":"devs","grants":[]}"#,
            "no-grants",
        ),
        (
            r#"{"kind":"group-edited","group":"devs","name":"it group"}"#,
            "group-name-taken",
        ),
        (
            r#"{"kind":"role-deleted","role":"store-editor"}"#,
            "built-in-role",
        ),
        (
            r#"{"kind":"role-changed","role":"own","permissions":["account.manage_owners"]}"#,
            "reserved-permission",
        ),
    ] {
        let event: serde_json::Value = serde_json::from_str(event).unwrap();
        let record = forged(last, |json| {
            json["version"] = next.into();
            json["actor"] = possible_actor(&event);
            json["event"] = event.clone();
        });
        let error = world.account.apply(&record.unwrap()).unwrap_err();
        let ReplayError::DoesNotFit { version, reason } = &error else {
            panic!("{event}: {error}")
        };
        assert_eq!((*version, reason.code()), (next, code), "{event}");
        assert_eq!(error.code(), "does-not-fit");
        assert_eq!(world.account, before);
    }
}

/// U1, U5: an event that no command would have left, because it says what is so already, is not applied.
#[test]
fn an_event_that_changes_nothing_is_not_applied() {
    let world = World::staffed();
    let mut account = world.account.clone();
    for event in [
        r#"{"kind":"added-to-group","group":"devs","members":["dana","nils"]}"#,
        r#"{"kind":"removed-from-group","group":"devs","members":[]}"#,
        r#"{"kind":"members-added","members":["dana"]}"#,
        r#"{"kind":"ownership-granted","member":"olga"}"#,
        r#"{"kind":"ownership-revoked","member":"dana"}"#,
        r#"{"kind":"group-edited","group":"it","name":"IT Group"}"#,
        r#"{"kind":"group-edited","group":"it"}"#,
        r#"{"kind":"group-created","group":"x","name":"New Group","description":"","grants":[
            {"role":"store-viewer","scope":{"stores":["dev"]}},{"role":"store-viewer","scope":{"stores":["prod"]}}]}"#,
    ] {
        let event: serde_json::Value = serde_json::from_str(event).unwrap();
        let record = forged(world.records.last().unwrap(), |json| {
            json["version"] = (account.version() + 1).into();
            json["actor"] = possible_actor(&event);
            json["event"] = event.clone();
        });
        assert_eq!(
            account.apply(&record.unwrap()).unwrap_err().code(),
            "redundant",
            "{event}"
        );
        assert_eq!(account, world.account);
    }
}

/// U5, M3, M7: an event that its actor cannot have caused, whatever it was allowed, is not applied.
#[test]
fn an_event_is_its_actors() {
    let world = World::staffed();
    let mut account = world.account.clone();
    for (event, actor) in [
        (
            r#"{"kind":"invitation-accepted","member":"ina"}"#,
            r#"{"member":"olga"}"#,
        ),
        (
            r#"{"kind":"invitation-accepted","member":"ina"}"#,
            r#""system""#,
        ),
        (
            r#"{"kind":"members-added","members":["new"]}"#,
            r#"{"member":"olga"}"#,
        ),
    ] {
        let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        let record = forged(world.records.last().unwrap(), |record| {
            record["version"] = (account.version() + 1).into();
            record["actor"] = json(actor);
            record["event"] = json(event);
        });
        let error = account.apply(&record.unwrap()).unwrap_err();
        assert_eq!(error.code(), "wrong-actor", "{event} {actor}");
        assert!(
            error
                .to_string()
                .starts_with("record 12 cannot have been caused by its actor ("),
            "{error}"
        );
        assert_eq!(account, world.account);
    }
    let opened = forged(&world.records[0], |record| {
        record["actor"] = serde_json::json!({"member": "olga"});
    });
    assert_eq!(
        replayed(&[opened.unwrap()]).unwrap_err().code(),
        "wrong-actor"
    );
}

/// U6: lists are in the order of ids, whatever the history.
#[test]
fn lists_are_in_the_order_of_ids() {
    let mut world = World::with_limit(50);
    for id in ["m", "c", "z", "a", "Z", "é", "10", "9"] {
        world.system(enrol([id]));
        world.ok(OWNER, create_store(id));
        world.ok(
            OWNER,
            create_group(
                id,
                &format!("Group {}", id.len() * 100 + usize::from(id.as_bytes()[0])),
                [viewer([id])],
            ),
        );
        world.ok(OWNER, add(id, [id]));
    }
    world.ok(OWNER, remove_member("c"));
    world.ok(OWNER, delete_group("c"));
    world.ok(OWNER, delete_store("c"));
    world.ok(OWNER, create_store("b"));
    let sorted = |ids: Vec<&str>| assert!(ids.is_sorted(), "{ids:?}");
    let account = &world.account;
    sorted(
        account
            .members()
            .map(|member| member.id().as_str())
            .collect(),
    );
    sorted(account.stores().map(StoreId::as_str).collect());
    sorted(account.groups().map(|group| group.id().as_str()).collect());
    sorted(account.roles().map(|(id, _)| id.as_str()).collect());
    sorted(
        account
            .effective_permissions(OWNER)
            .stores()
            .map(|(id, _)| id.as_str())
            .collect(),
    );
    assert_eq!(account.stores().count(), 8);
}

/// U7: a command names at most 10,000 members, stores, grants or permissions.
#[test]
fn a_command_names_at_most_10_000() {
    let mut world = World::staffed();
    let ids = |count: usize| {
        (0..count)
            .map(|number| format!("m{number:05}"))
            .collect::<Vec<_>>()
    };
    let (most, more) = (ids(MAX_ITEMS_PER_COMMAND), ids(MAX_ITEMS_PER_COMMAND + 1));
    let text = |ids: &'static Vec<String>| ids.iter().map(String::as_str);
    let (most, more): (&'static _, &'static _) =
        (Box::leak(Box::new(most)), Box::leak(Box::new(more)));
    world.assert_refused(Actor::System, enrol(text(more)), "too-many-named");
    world.system(enrol(text(most)));
    world.assert_refused(OWNER, add("devs", text(more)), "too-many-named");
    world.ok(OWNER, add("devs", text(most)));
    world.assert_refused(OWNER, take_out("devs", text(more)), "too-many-named");
    let in_stores = |ids: &[String]| Grant::store_viewer(ids.iter().map(|id| store(id)));
    world.assert_refused(OWNER, regrant("devs", [in_stores(more)]), "too-many-named");
    let halves = [
        in_stores(&more[..6_000]),
        Grant::store_editor(more[6_000..].iter().map(|id| store(id))),
    ];
    world.assert_refused(OWNER, regrant("devs", halves), "too-many-named");
    world.assert_refused(OWNER, regrant("devs", [in_stores(most)]), "unknown-store");
    let grants: Vec<_> = more.iter().map(|id| Grant::at_account(role(id))).collect();
    world.assert_refused(OWNER, regrant("devs", grants), "too-many-named");
    // Also where they are the grants that the group has, so that nothing would change.
    let as_they_are = |many| vec![editor(["dev"]); many];
    world.assert_refused(
        OWNER,
        regrant("devs", as_they_are(MAX_ITEMS_PER_COMMAND + 1)),
        "too-many-named",
    );
    world.no_change(OWNER, regrant("devs", as_they_are(MAX_ITEMS_PER_COMMAND)));
    let texts: Vec<String> = (0..=MAX_ITEMS_PER_COMMAND)
        .map(|number| format!("a.p{number}"))
        .collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let refusal = world.refused(
        OWNER,
        define_role("new", "New Role", RoleLevel::Account, &texts),
    );
    assert_eq!(
        refusal.to_string(),
        "the command names 10001 members, stores, grants or permissions; it may name 10000 of a kind; split it"
    );
    world.ok(
        OWNER,
        define_role("new", "New Role", RoleLevel::Account, &texts[1..]),
    );
}

/// U7: a batch holds at most 1,000 commands.
#[test]
fn a_batch_holds_at_most_1_000_commands() {
    let mut world = World::new();
    let commands: Vec<_> = (0..=MAX_BATCH)
        .map(|number| create_store(&number.to_string()))
        .collect();
    let refusal = world
        .account
        .execute_batch(&by(OWNER), &commands, at(0))
        .unwrap_err();
    assert_eq!(
        (refusal.code(), refusal.kind()),
        ("batch-too-large", ErrorKind::Invalid)
    );
    let stranger = world
        .account
        .execute_batch(&by("nobody"), &commands, at(0))
        .unwrap_err();
    assert_eq!(
        stranger.code(),
        "not-authorized",
        "who may not is told nothing else"
    );
    assert_eq!(world.account.version(), 1);
    world
        .account
        .execute_batch(&by(OWNER), &commands[1..], at(0))
        .unwrap();
    assert_eq!(world.account.stores().count(), MAX_BATCH);
}
