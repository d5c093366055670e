//! Ids, names, descriptions and permissions: what is accepted, and what is said of the rest.

use std::str::FromStr;

use grantbook::*;
use proptest::prelude::*;

use crate::support::*;

/// U7: an id is 1 to 128 bytes.
#[test]
fn an_id_has_1_to_128_bytes() {
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

/// U7: an id has no control characters, and no white space at its ends; everything else is the host's affair.
#[test]
fn an_id_is_the_hosts_text() {
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

/// U7, G2, L4: every way to make one of text is the same parse, and what is made reads as that text.
#[test]
fn every_door_is_the_same_parse() {
    fn doors<'a, T>(good: &'a str, bad: &'a str, code: &str)
    where
        T: FromStr<Err = ParseError> + TryFrom<&'a str, Error = ParseError> + AsRef<str>,
    {
        let opened = |text: &'a str| [T::from_str(text), T::try_from(text)];
        for door in opened(good) {
            assert_eq!(door.unwrap().as_ref(), good);
        }
        for door in opened(bad) {
            assert_eq!(door.err().unwrap().code(), code);
        }
    }
    doors::<MemberId>("dana", " dana", "surrounding-whitespace");
    doors::<Permission>("log.read", "log", "bad-segment");
    doors::<GroupName>("Dev Team", "ab", "too-short");
    doors::<Description>("", "a\nb", "bad-character");
    let name = |text| RoleName::parse(text).unwrap();
    assert!(name("Store Editor").is_same_name(&name("STORE editor")));
    assert!(!name("Store Editor").is_same_name(&name("Store-Editor")));
    assert_eq!(Actor::from(member("dana")), by("dana"));
}

/// U7: ids are compared byte by byte.
#[test]
fn ids_are_compared_byte_by_byte() {
    assert_ne!(member("Dana"), member("dana"));
    assert_ne!(member("é"), member("e\u{301}"));
}

/// G2: a name has 3 to 64 characters.
#[test]
fn a_name_has_3_to_64_characters() {
    assert_eq!(
        GroupName::parse("IT").unwrap_err().kind(),
        ParseErrorKind::TooShort { length: 2 }
    );
    assert!(GroupName::parse("Ops").is_ok());
    assert!(GroupName::parse(&"a".repeat(64)).is_ok());
    assert_eq!(
        GroupName::parse(&"a".repeat(65)).unwrap_err().kind(),
        ParseErrorKind::TooLong { length: 65 }
    );
    assert_eq!(RoleName::parse("IT").unwrap_err().code(), "too-short");
}

/// G2: a name takes letters A-Z, digits, period, hyphen, underscore and inner spaces; no look-alikes.
#[test]
fn a_name_takes_a_small_alphabet() {
    assert!(GroupName::parse("Dev.Team_1 - EU").is_ok());
    for text in [
        "Dеv Team",
        "Café",
        "Dev\tTeam",
        "Dev\0Team",
        "Dev\u{a0}Team",
        "Ｄｅｖ",
        "Dev/Team",
    ] {
        assert_eq!(
            GroupName::parse(text).unwrap_err().code(),
            "bad-character",
            "{text:?}"
        );
        assert_eq!(
            RoleName::parse(text).unwrap_err().code(),
            "bad-character",
            "{text:?}"
        );
    }
    for text in [" Dev Team", "Dev Team ", "   "] {
        assert_eq!(
            GroupName::parse(text).unwrap_err().code(),
            "surrounding-whitespace",
            "{text:?}"
        );
    }
    let error = GroupName::parse("Café").unwrap_err();
    assert_eq!(
        error.kind(),
        ParseErrorKind::Character {
            character: 'é',
            position: 4
        }
    );
    assert_eq!(
        error.to_string(),
        "a group name takes letters A-Z and a-z, digits, `.`, `-`, `_` and spaces; this one has 'é' at position 4"
    );
}

/// G2: a description has 0 to 100 characters of the same alphabet, and may begin and end with a space.
#[test]
fn a_description_has_0_to_100_characters() {
    assert_eq!(Description::parse("").unwrap(), Description::default());
    assert!(Description::parse(" who may write ").is_ok());
    assert!(Description::parse(&"a".repeat(100)).is_ok());
    assert_eq!(
        Description::parse(&"a".repeat(101)).unwrap_err().code(),
        "too-long"
    );
    assert_eq!(
        Description::parse("who, why").unwrap_err().code(),
        "bad-character"
    );
}

/// L4: two or more segments of 1 to 32, each beginning with a letter; 64 in all.
#[test]
fn a_permission_has_segments() {
    let long = format!("{}.{}", "a".repeat(31), "b".repeat(32));
    for text in [
        "store.read",
        "a.b",
        "a.b.c.d",
        "invoice.export_all-2",
        long.as_str(),
    ] {
        assert_eq!(Permission::parse(text).unwrap().as_str(), text);
    }
    let segment = |text: &str| {
        let error = Permission::parse(text).unwrap_err();
        assert_eq!(error.code(), "bad-segment");
        error.kind()
    };
    assert_eq!(segment("store"), ParseErrorKind::Segment { segment: 2 });
    assert_eq!(segment("store."), ParseErrorKind::Segment { segment: 2 });
    assert_eq!(segment(".read"), ParseErrorKind::Segment { segment: 1 });
    assert_eq!(segment("a..b"), ParseErrorKind::Segment { segment: 2 });
    assert_eq!(segment("a.1st"), ParseErrorKind::Segment { segment: 2 });
    assert_eq!(segment("a._b"), ParseErrorKind::Segment { segment: 2 });
    assert_eq!(
        segment(&format!("a.{}", "b".repeat(33))),
        ParseErrorKind::Segment { segment: 2 }
    );
    for text in [
        "Store.read",
        "store.*",
        "store read",
        "store.réad",
        "store.read\n",
        "*",
    ] {
        assert_eq!(
            Permission::parse(text).unwrap_err().code(),
            "bad-character",
            "{text:?}"
        );
    }
    assert_eq!(Permission::parse("").unwrap_err().code(), "too-short");
    let too_long = format!("{}.{}", "a".repeat(32), "b".repeat(32));
    assert_eq!(Permission::parse(&too_long).unwrap_err().code(), "too-long");
}

/// L5: the built-in permissions are these, in the order of their text.
#[test]
fn the_built_in_permissions() {
    let texts = Permission::BUILT_IN.map(|permission| permission.to_string());
    assert_eq!(
        texts,
        [
            "account.invite_members",
            "account.manage_groups",
            "account.manage_owners",
            "account.manage_roles",
            "account.manage_stores",
            "account.remove_members",
            "store.read",
            "store.write",
        ]
    );
    for built_in in &Permission::BUILT_IN {
        assert_eq!(Permission::parse(built_in).as_ref(), Ok(built_in));
        assert_eq!(built_in.is_reserved(), built_in.starts_with("account."));
        assert_eq!(built_in.is_store_only(), built_in.starts_with("store."));
    }
    assert!(!permission("accounts.read").is_reserved());
    assert!(!permission("stores.read").is_store_only());
}

/// A3: a limit is 1 to 4,096 groups.
#[test]
fn a_group_limit_is_1_to_4096() {
    assert_eq!(GroupLimit::default().get(), 20);
    assert_eq!(GroupLimit::new(1).map(GroupLimit::get), Ok(1));
    assert_eq!(GroupLimit::new(4_096).map(GroupLimit::get), Ok(4_096));
    for groups in [0, 4_097, u16::MAX] {
        let message = GroupLimit::new(groups).unwrap_err().to_string();
        assert_eq!(
            message,
            format!("an account can be limited to 1 to 4096 groups, not to {groups}")
        );
    }
}

/// U2: a host's clock is taken in milliseconds, and never wraps.
#[test]
fn a_timestamp_never_wraps() {
    use std::time::{Duration, UNIX_EPOCH};
    assert_eq!(
        Timestamp::from(UNIX_EPOCH + Duration::from_millis(7)),
        at(7)
    );
    assert_eq!(Timestamp::from(UNIX_EPOCH - Duration::from_secs(1)), at(0));
    assert_eq!(
        at(7).to_system_time(),
        Some(UNIX_EPOCH + Duration::from_millis(7))
    );
    assert_eq!(at(u64::MAX).plus_millis(1), at(u64::MAX));
    assert_eq!(at(1).plus_millis(2).as_millis(), 3);
}

/// Collections keyed by these types are searched with plain text, without allocating an id.
#[test]
fn look_ups_take_plain_text() {
    let by_id = std::collections::HashMap::from([(member("dana"), 1)]);
    assert_eq!(by_id.get("dana"), Some(&1));
    let held = std::collections::HashSet::from([permission("store.read"), permission("a.b")]);
    assert!(held.contains("store.read") && held.contains("a.b") && !held.contains("a.c"));
    assert!(permissions(["b.b", "store.read"]).contains("store.read"));
}

proptest! {
    /// U3: no text makes a parser panic; whatever is accepted is given back as it came, through serde too.
    #[test]
    fn any_text_is_accepted_as_it_is_or_refused(text in "\\PC{0,70}|.{0,140}|[a-z.]{0,70}|[A-Za-z .]{0,70}") {
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

    /// L4: restated as a pattern.
    #[test]
    fn a_permission_is_what_its_pattern_says(text in "[a-c1_.-]{0,8}|[a-c]{30,34}\\.[a-c]{28,34}") {
        let segment_holds = |segment: &str| {
            let mut bytes = segment.bytes();
            segment.len() <= 32 && bytes.next().is_some_and(|first| first.is_ascii_lowercase())
        };
        let segments: Vec<&str> = text.split('.').collect();
        let is_one = segments.len() >= 2 && text.len() <= 64 && segments.into_iter().all(segment_holds);
        prop_assert_eq!(Permission::parse(&text).is_ok(), is_one);
    }
}
