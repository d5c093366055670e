//! U7: the bounds of ids, of commands and of batches.

use std::str::FromStr;

use grantbook::*;
use proptest::prelude::*;

use crate::support::*;

/// U7: an id is 1 to 128 bytes.
#[test]
fn u7_an_id_has_1_to_128_bytes() {
    assert_eq!(
        MemberId::parse("").unwrap_err().kind(),
        ParseErrorKind::TooShort { length: 0 }
    );
    assert!(MemberId::parse("a").is_ok());
    assert!(MemberId::parse(&"a".repeat(128)).is_ok());
    assert_eq!(
        MemberId::parse(&"a".repeat(129)).unwrap_err().code(),
        "too-long"
    );
    assert!(StoreId::parse(&"é".repeat(64)).is_ok());
    let error = StoreId::parse(&"é".repeat(65)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a store id takes 1 to 128 bytes; this one has 130"
    );
}

/// U7: an id has no control characters, and no white space at its ends; everything else is up to the application.
#[test]
fn u7_an_id_is_any_text_without_control_characters() {
    for text in [
        "dana@example.org",
        "7f9c:0",
        "*",
        "0",
        "a b",
        "Ω/∂",
        "it's",
        "a\u{200b}b",
    ] {
        assert_eq!(MemberId::parse(text).unwrap().as_str(), text);
    }
    for text in ["a\0b", "a\nb", "\u{7f}a", "a\u{85}b"] {
        assert_eq!(
            GroupId::parse(text).unwrap_err().code(),
            "bad-character",
            "{text:?}"
        );
    }
    for text in [" a", "a ", "\u{a0}a", "a\u{3000}", "\ta"] {
        assert_eq!(
            RoleId::parse(text).unwrap_err().code(),
            "surrounding-whitespace",
            "{text:?}"
        );
    }
}

/// U7, G2, L4: every way to make an id, name or permission of text is the same parse, and the result reads as that
/// text.
#[test]
fn u7_every_constructor_parses_alike() {
    fn parses<'a, T>(good: &'a str, bad: &'a str, code: &str)
    where
        T: FromStr<Err = ParseError> + TryFrom<&'a str, Error = ParseError> + AsRef<str>,
    {
        let parsed = |text: &'a str| [T::from_str(text), T::try_from(text)];
        for result in parsed(good) {
            assert_eq!(result.unwrap().as_ref(), good);
        }
        for result in parsed(bad) {
            assert_eq!(result.err().unwrap().code(), code);
        }
    }
    parses::<MemberId>("dana", " dana", "surrounding-whitespace");
    parses::<Permission>("log.read", "log", "bad-segment");
    parses::<GroupName>("Dev Team", "ab", "too-short");
    parses::<Description>("", "a\nb", "bad-character");
    let name = |text| RoleName::parse(text).unwrap();
    assert!(name("Store Editor").is_same_name(&name("STORE editor")));
    assert!(!name("Store Editor").is_same_name(&name("Store-Editor")));
    assert_eq!(Actor::from(member("dana")), by("dana"));
}

/// U7: ids are compared byte by byte.
#[test]
fn u7_ids_are_compared_byte_by_byte() {
    assert_ne!(member("Dana"), member("dana"));
    assert_ne!(member("é"), member("e\u{301}"));
}

proptest! {
    /// U7, U3: no text makes a parser panic; whatever is accepted is given back unchanged, through serde too.
    #[test]
    fn u7_any_text_is_accepted_unchanged_or_refused(text in "\\PC{0,70}|.{0,140}|[a-z.]{0,70}|[A-Za-z .]{0,70}") {
        fn holds<T>(text: &str)
        where
            T: std::str::FromStr<Err = ParseError> + std::fmt::Display + PartialEq + std::fmt::Debug,
            T: serde::Serialize + serde::de::DeserializeOwned,
        {
            let json = serde_json::to_string(text).unwrap();
            match text.parse::<T>() {
                Ok(parsed) => {
                    assert_eq!(parsed.to_string(), text);
                    assert_eq!(serde_json::to_string(&parsed).unwrap(), json);
                    assert_eq!(serde_json::from_str::<T>(&json).unwrap(), parsed);
                }
                Err(error) => {
                    assert!(error.to_string().len() < 250);
                    let told = serde_json::from_str::<T>(&json).unwrap_err().to_string();
                    assert!(told.starts_with(&error.to_string()), "{told}");
                }
            }
        }
        holds::<MemberId>(&text);
        holds::<GroupName>(&text);
        holds::<RoleName>(&text);
        holds::<Description>(&text);
        holds::<Permission>(&text);
    }
}

/// U7: a command names at most 10,000 members, stores, grants or permissions.
#[test]
fn u7_a_command_names_at_most_10_000_items() {
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
    // Even if they are the grants that the group has, so that nothing would change.
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
fn u7_a_batch_holds_at_most_1_000_commands() {
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
        "an actor without the permission is told only that"
    );
    assert_eq!(world.account.version(), 1);
    world
        .account
        .execute_batch(&by(OWNER), &commands[1..], at(0))
        .unwrap();
    assert_eq!(world.account.stores().count(), MAX_BATCH);
}
