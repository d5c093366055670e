//! Commands as requests bring them: what is wrong with one that can't be read, and how a caller makes one.

use std::collections::BTreeSet;

use grantbook::*;

use crate::support::*;

/// Bodies of requests that are no command, and what is said of each: what was found, what would do, and in which field or
/// at which place.
const WRONG: [(&str, &str); 42] = [
    ("", "EOF while parsing a value at line 1 column 0"),
    ("{", "EOF while parsing an object at line 1 column 1"),
    ("{}", "missing field `command` at line 1 column 2"),
    ("[]", "missing field `command` at line 1 column 2"),
    (
        "null",
        "invalid type: null, expected an object with the field `command` at line 1 column 4",
    ),
    (
        "7",
        "invalid type: integer `7`, expected an object with the field `command` at line 1 column 1",
    ),
    (
        r#""create-store""#,
        "invalid type: string \"create-store\", expected an object with the field `command` at line 1 column 14",
    ),
    (
        r#"{"store":"dev"}"#,
        "missing field `command` at line 1 column 15",
    ),
    (
        r#"{"command":"create-shop"}"#,
        "unknown variant `create-shop`, expected one of ",
    ),
    (
        r#"{"command":"create-store","store":"dev"} x"#,
        "trailing characters at line 1 column 42",
    ),
    (
        r#"{"command":"create-store"}"#,
        "missing field `store` at line 1 column 26",
    ),
    (
        r#"{"command":"create-store","store":7}"#,
        "invalid type: integer `7`, expected a store id (a string) at line 1 column 35",
    ),
    (
        r#"{"command":"create-store","store":null}"#,
        "invalid type: null, expected a store id (a string) at line 1 column 38",
    ),
    (
        r#"{"command":"create-store","store":""}"#,
        "a store id takes 1 to 128 bytes; this one has 0 at line 1 column 36",
    ),
    (
        r#"{"command":"create-store","store":" dev"}"#,
        "a store id neither begins nor ends with white space at line 1 column 40",
    ),
    (
        r#"{"command":"create-store","store":"a\u0000b"}"#,
        "a store id takes any characters but control characters; this one has '\\u{0}' at position 2 at line 1 column 44",
    ),
    (
        r#"{"command":"create-store","store":"dev","shop":"x"}"#,
        "unknown field `shop`, expected `store` at line 1 column 46",
    ),
    (
        r#"{"command":"create-store","store":"dev","store":"x"}"#,
        "duplicate field `store` at line 1 column 47",
    ),
    (
        r#"{"command":"add-to-group","group":"devs"}"#,
        "missing field `members` at line 1 column 41",
    ),
    (
        r#"{"command":"add-to-group","group":["devs"],"members":[]}"#,
        "invalid type: sequence, expected a group id (a string) at line 1 column 34",
    ),
    (
        r#"{"command":"add-to-group","group":"devs","members":"dana"}"#,
        "invalid type: string \"dana\", expected a list, each item a member id at line 1 column 57",
    ),
    (
        r#"{"command":"add-to-group","group":"devs","members":[7]}"#,
        "invalid type: integer `7`, expected a member id (a string) at line 1 column 53",
    ),
    (
        r#"{"command":"add-to-group","group":"devs","members":[""]}"#,
        "a member id takes 1 to 128 bytes; this one has 0 at line 1 column 54",
    ),
    (
        r#"{"command":"add-to-group","group":"devs","members":["dana","dana"]}"#,
        "`dana` is listed twice at line 1 column 66",
    ),
    (
        r#"{"command":"create-group","group":"devs","name":"IT","grants":[]}"#,
        "a group name takes 3 to 64 characters; this one has 2 at line 1 column 52",
    ),
    (
        r#"{"command":"create-group","group":"devs","name":"Dev Team"}"#,
        "missing field `grants` at line 1 column 59",
    ),
    (
        r#"{"command":"create-group","group":"devs","name":"Dev Team","grants":{}}"#,
        "invalid type: map, expected a list of grants at line 1 column 68",
    ),
    (
        r#"{"command":"edit-group","group":"devs","grants":"all"}"#,
        "invalid type: string \"all\", expected a list of grants at line 1 column 53",
    ),
    (
        r#"{"command":"grant-role","group":"devs","role":"store-editor"}"#,
        "a scope is `\"account\"` or `{\"stores\": [\"dev\"]}`: missing field `scope` at line 1 column 61",
    ),
    (
        r#"{"command":"grant-role","group":"devs","role":"store-editor","scope":7}"#,
        "a scope is `\"account\"` or `{\"stores\": [\"dev\"]}`: expected value at line 1 column 70",
    ),
    (
        r#"{"command":"grant-role","group":"devs","role":"store-editor","scope":{"shops":["dev"]}}"#,
        "a scope is `\"account\"` or `{\"stores\": [\"dev\"]}`: unknown variant `shops`, expected `account` or `stores` at line 1 column 77",
    ),
    (
        r#"{"command":"grant-role","group":"devs","role":"store-editor","scope":{"stores":"dev"}}"#,
        "a scope is `\"account\"` or `{\"stores\": [\"dev\"]}`: invalid type: string \"dev\", expected a list, each item a store id at line 1 column 84",
    ),
    (
        r#"{"command":"invite-member","member":"dana","expires":"tomorrow"}"#,
        "invalid type: string \"tomorrow\", expected milliseconds since the Unix epoch (a number, zero or more) at line 1 column 63",
    ),
    (
        r#"{"command":"invite-member","member":"dana","expires":-1}"#,
        "invalid value: integer `-1`, expected milliseconds since the Unix epoch (a number, zero or more) at line 1 column 55",
    ),
    (
        r#"{"command":"invite-member","member":"dana","expires":1.5}"#,
        "invalid type: floating point `1.5`, expected milliseconds since the Unix epoch (a number, zero or more) at line 1 column 56",
    ),
    (
        r#"{"command":"invite-member","member":"dana","as_owner":"yes"}"#,
        "invalid type: string \"yes\", expected a boolean at line 1 column 59",
    ),
    (
        r#"{"command":"define-role","role":"r","name":"Auditor","level":"shop","permissions":["log.read"]}"#,
        "unknown variant `shop`, expected `account` or `store` at line 1 column 67",
    ),
    (
        r#"{"command":"define-role","role":"r","name":"Auditor","level":"store","permissions":["read"]}"#,
        "a permission takes two or more segments",
    ),
    (
        r#"{"command":"change-group-limit","limit":0}"#,
        "invalid value: integer `0`, expected a number of groups from 1 to 4096 at line 1 column 41",
    ),
    (
        r#"{"command":"change-group-limit","limit":100000}"#,
        "invalid value: integer `100000`, expected a number of groups from 1 to 4096 at line 1 column 46",
    ),
    (
        r#"{"command":"change-group-limit","limit":"20"}"#,
        "invalid type: string \"20\", expected a number of groups from 1 to 4096 at line 1 column 44",
    ),
    (
        r#"{"command":"accept-invitation","member":"dana"}"#,
        "unknown field `member`, there are no fields at line 1 column 39",
    ),
];

/// U7: whoever sends a command that can't be read is told what is wrong and where, in words of the domain.
#[test]
fn u7_a_command_that_cannot_be_read_says_why() {
    for (body, expected) in WRONG {
        let error = serde_json::from_str::<Command>(body)
            .unwrap_err()
            .to_string();
        let is_as_expected = if body.contains("create-shop") || body.contains("[\"read\"]") {
            error.starts_with(expected)
        } else {
            error == expected
        };
        assert!(is_as_expected, "{body}\n{error}\n{expected}");
    }
}

/// U5: each constructor makes the command that it is named after, and there is one for every command.
#[test]
fn u5_every_command_has_a_constructor() {
    let (group, member, role, store) =
        (group("devs"), member("dana"), role("auditor"), store("dev"));
    let viewer = || [Grant::store_viewer([store.clone()])];
    let made = [
        (
            Command::add_members([&member]),
            r#"{"command":"add-members","members":["dana"]}"#,
        ),
        (
            Command::remove_members([&member]),
            r#"{"command":"remove-members","members":["dana"]}"#,
        ),
        (
            Command::invite_member(&member, None),
            r#"{"command":"invite-member","member":"dana"}"#,
        ),
        (
            Command::invite_owner(&member, Some(at(7))),
            r#"{"command":"invite-member","member":"dana","as_owner":true,"expires":7}"#,
        ),
        (
            Command::accept_invitation(),
            r#"{"command":"accept-invitation"}"#,
        ),
        (
            Command::cancel_invitation(&member),
            r#"{"command":"cancel-invitation","member":"dana"}"#,
        ),
        (Command::leave_account(), r#"{"command":"leave-account"}"#),
        (
            Command::suspend_member(&member),
            r#"{"command":"suspend-member","member":"dana"}"#,
        ),
        (
            Command::reinstate_member(&member),
            r#"{"command":"reinstate-member","member":"dana"}"#,
        ),
        (
            Command::grant_ownership(&member),
            r#"{"command":"grant-ownership","member":"dana"}"#,
        ),
        (
            Command::revoke_ownership(&member),
            r#"{"command":"revoke-ownership","member":"dana"}"#,
        ),
        (
            Command::create_store(&store),
            r#"{"command":"create-store","store":"dev"}"#,
        ),
        (
            Command::delete_store(&store),
            r#"{"command":"delete-store","store":"dev"}"#,
        ),
        (
            Command::create_group(&group, "Dev Team".parse().unwrap(), viewer()),
            r#"{"command":"create-group","group":"devs","name":"Dev Team","grants":[{"role":"store-viewer","scope":{"stores":["dev"]}}]}"#,
        ),
        (
            Command::rename_group(&group, "Dev Team".parse().unwrap()),
            r#"{"command":"edit-group","group":"devs","name":"Dev Team"}"#,
        ),
        (
            Command::describe_group(&group, "All of us".parse().unwrap()),
            r#"{"command":"edit-group","group":"devs","description":"All of us"}"#,
        ),
        (
            Command::set_grants(&group, viewer()),
            r#"{"command":"edit-group","group":"devs","grants":[{"role":"store-viewer","scope":{"stores":["dev"]}}]}"#,
        ),
        (
            Command::delete_group(&group),
            r#"{"command":"delete-group","group":"devs"}"#,
        ),
        (
            Command::add_to_group(&group, [member.clone()]),
            r#"{"command":"add-to-group","group":"devs","members":["dana"]}"#,
        ),
        (
            Command::remove_from_group(&group, [&member]),
            r#"{"command":"remove-from-group","group":"devs","members":["dana"]}"#,
        ),
        (
            Command::set_group_members(&group, BTreeSet::from([member.clone()])),
            r#"{"command":"set-group-members","group":"devs","members":["dana"]}"#,
        ),
        (
            Command::grant_role(&group, &role, Scope::Account),
            r#"{"command":"grant-role","group":"devs","role":"auditor","scope":"account"}"#,
        ),
        (
            Command::revoke_role(&group, &role),
            r#"{"command":"revoke-role","group":"devs","role":"auditor"}"#,
        ),
        (
            Command::revoke_role_in(&group, &role, [&store]),
            r#"{"command":"revoke-role","group":"devs","role":"auditor","stores":["dev"]}"#,
        ),
        (
            Command::define_role(
                &role,
                "Auditor".parse().unwrap(),
                RoleLevel::Store,
                [permission("log.read")],
            ),
            r#"{"command":"define-role","role":"auditor","name":"Auditor","level":"store","permissions":["log.read"]}"#,
        ),
        (
            Command::rename_role(&role, "Auditor".parse().unwrap()),
            r#"{"command":"change-role","role":"auditor","name":"Auditor"}"#,
        ),
        (
            Command::redefine_role(&role, [permission("log.read")]),
            r#"{"command":"change-role","role":"auditor","permissions":["log.read"]}"#,
        ),
        (
            Command::delete_role(&role),
            r#"{"command":"delete-role","role":"auditor"}"#,
        ),
        (
            Command::change_group_limit(GroupLimit::new(30).unwrap()),
            r#"{"command":"change-group-limit","limit":30}"#,
        ),
        (Command::close_account(), r#"{"command":"close-account"}"#),
    ];
    for (command, json) in &made {
        assert_eq!(*command, serde_json::from_str::<Command>(json).unwrap());
    }
    let kinds: BTreeSet<&str> = made.iter().map(|(command, _)| command.kind()).collect();
    // An unknown command is answered with the names of all.
    let unknown = serde_json::from_str::<Command>(r#"{"command":"?"}"#)
        .unwrap_err()
        .to_string();
    let known: BTreeSet<&str> = unknown.split('`').skip(3).step_by(2).collect();
    assert_eq!(kinds, known);
}

/// Ids compare with texts, are made of owned texts, of references and of UUIDs.
#[test]
fn ids_are_made_of_what_callers_have() {
    let dana = member("dana");
    assert!(dana == "dana" && dana == *"dana" && dana != "max");
    assert_eq!(MemberId::try_from("dana".to_owned()), Ok(dana.clone()));
    assert!(MemberId::try_from(String::new()).is_err());
    assert_eq!(MemberId::from(&dana), dana);
    let uuid = uuid::Uuid::from_u128(0x0123_4567_89AB_CDEF_0F1E_2D3C_4B5A_6978);
    assert_eq!(
        StoreId::from(uuid).as_str(),
        "01234567-89ab-cdef-0f1e-2d3c4b5a6978"
    );
    assert_eq!(StoreId::parse(&uuid.to_string()), Ok(uuid.into()));
}
