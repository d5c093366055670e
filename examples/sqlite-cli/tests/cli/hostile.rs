//! What somebody may put in the way: files that are no accounts, text that steers a terminal, accounts that have ended.

use std::fs;

use rusqlite::Connection;

use crate::terminal::{Said, Terminal};

const ESCAPE: &str = "\u{1b}[31m";
const TURN: &str = "\u{202e}";

fn assert_is_plain(said: &Said) {
    let text = format!("{}{}", said.out, said.err);
    assert!(
        text.contains("u{1b}") || text.contains("u{202e}"),
        "{text:?}"
    );
    let is_plain = |c: char| c == '\n' || !(c.is_control() || TURN.contains(c));
    assert!(text.chars().all(is_plain), "{text:?}");
}

#[test]
fn what_is_quoted_does_not_steer_the_terminal() {
    let terminal = Terminal::new();
    let files = [
        format!("kind,id\n{ESCAPE}robot,x\n"),
        format!("kind,id,{ESCAPE}\nmember,x,\n"),
        format!("kind,id\nmember,{TURN}x\nmember,{TURN}x\n"),
    ];
    for csv in files {
        let said = terminal.imports(&csv);
        assert_eq!(said.code, 1);
        assert_is_plain(&said);
    }
    for command in [
        r#"{"command":"\u001b[31mx"}"#.to_owned(),
        r#"{"command":"create-store","store":"dev","\u001b[31m":1}"#.to_owned(),
        format!(r#"{{"command":"delete-store","store":"{TURN}dev"}}"#),
    ] {
        let said = terminal.runs(&command);
        assert_eq!(said.code, 1, "{command}");
        assert_is_plain(&said);
    }
}

/// An id may have any characters but control characters.
#[test]
fn ids_do_not_steer_the_terminal() {
    let terminal = Terminal::new();
    let id = format!("a{TURN}b");
    assert_is_plain(&terminal.types(&["open", "access.db", &id, &id], ""));
    assert_is_plain(&terminal.types(&["open", "access.db", &id, &id], ""));
    assert_is_plain(&terminal.types(&["history", "access.db", &id], ""));
    assert_is_plain(&terminal.types(&["list", "access.db"], ""));
    assert_is_plain(&terminal.types(&["history", "access.db", &format!("{id}c")], ""));
    let question = ["explain", "access.db", &id, ESCAPE, "store.read"];
    assert_is_plain(&terminal.types(&question, ""));
}

/// An explanation names members, groups and stores, and none of them turns the line around.
#[test]
fn an_explanation_does_not_steer_the_terminal() {
    let terminal = Terminal::new();
    let id = |name: &str| format!("{name}{TURN}x");
    let (member, group, store, role) = (id("m"), id("g"), id("s"), id("r"));
    let reads = r#"["store.read"]"#;
    for command in [
        format!(r#"{{"command":"create-store","store":"{store}"}}"#),
        format!(
            r#"{{"command":"define-role","role":"{role}","name":"Reader","level":"store","permissions":{reads}}}"#
        ),
        format!(
            r#"{{"command":"create-group","group":"{group}","name":"Readers","description":"","grants":[{{"role":"{role}","scope":{{"stores":["{store}"]}}}}]}}"#
        ),
        format!(r#"{{"command":"add-members","members":["{member}","out{member}"]}}"#),
        format!(r#"{{"command":"add-to-group","group":"{group}","members":["{member}"]}}"#),
    ] {
        let said = terminal.types(&["run", "access.db", "acme", "--system"], &command);
        assert_eq!(said.code, 0, "{said:?}");
    }
    let ask = |task: &str, member: &str, permission: &str, store: &str| {
        let args = [
            task,
            "access.db",
            "acme",
            member,
            permission,
            "--store",
            store,
        ];
        terminal.types(&args, "")
    };
    let (outsider, unknown) = (format!("out{member}"), format!("un{store}"));
    let allowed = ask("explain", &member, "store.read", &store);
    assert_eq!(allowed.code, 0, "{allowed:?}");
    for named in [&*group, &store] {
        let shown = named.replace(TURN, r"\u{202e}");
        assert!(allowed.out.contains(&shown), "{named:?}: {allowed:?}");
    }
    assert_is_plain(&allowed);
    // What would allow it names the group and the store too.
    assert_is_plain(&ask("explain", &outsider, "store.read", &store));
    assert_is_plain(&ask("explain", &member, "store.write", &store));
    assert_is_plain(&ask("explain", &id("nobody"), "store.read", &store));
    assert_is_plain(&ask("explain", &member, "store.read", &unknown));
    for (member, store) in [(id("nobody"), store), (member, unknown)] {
        let said = ask("check", &member, "store.read", &store);
        assert_eq!(said.code, 1, "{said:?}");
        assert!(!said.out.contains(TURN), "{said:?}");
    }
}

#[test]
fn an_id_does_not_read_like_a_state() {
    let terminal = Terminal::new();
    let id = "beta  version 9, closed";
    terminal.types(&["open", "access.db", id, "olga"], "");
    let list = terminal.types(&["list", "access.db"], "");
    let lines = "     1  open    acme\n     1  open    beta \\u{20}version 9, closed\n";
    assert_eq!(list.out, lines);
}

#[test]
fn keys_are_text_and_take_their_number() {
    let terminal = Terminal::new();
    let create = r#"{"command":"create-store","store":"dev"}"#;
    let run = |keys: &str| {
        let args = ["run", "access.db", "acme", "--system", "--keys", keys];
        terminal.types(&args, create)
    };
    for wrong in [" x", ESCAPE, &"x".repeat(128)] {
        assert_eq!(run(wrong).code, 2, "{wrong:?}");
    }
    assert_eq!(terminal.kinds().len(), 1);
    for key in [
        "a'b\"; DROP TABLE grantbook_records; --",
        "ключ",
        "",
        "a|b,c",
    ] {
        let (first, again) = (run(key), run(key));
        assert_eq!((&first.out, first.code), (&again.out, again.code), "{key}");
    }
    assert_eq!(terminal.kinds(), ["account-opened", "store-created"]);
}

#[test]
fn a_limit_of_groups_that_cannot_be_is_a_wrong_argument() {
    let terminal = Terminal::new();
    for groups in ["0", "4097", "99999", "many"] {
        let said = terminal.types(
            &["open", "access.db", "beta", "olga", "--groups", groups],
            "",
        );
        assert_eq!(said.code, 2, "{groups}: {}", said.err);
    }
    let list = terminal.types(&["list", "access.db"], "");
    assert_eq!(list.out, "     1  open    acme\n");
}

#[test]
fn a_file_that_holds_no_accounts_is_told_and_left_as_it_is() {
    let terminal = Terminal::new();
    let write = |name: &str, bytes: &[u8]| fs::write(terminal.path(name), bytes).unwrap();
    write(
        "letter.txt",
        &b"Dear Olga, this is no database. ".repeat(40),
    );
    write("empty.db", b"");
    let torn = fs::read(terminal.path("access.db")).unwrap();
    write("torn.db", &torn[..torn.len().min(5_000)]);
    // The tables of the first round, which were never published.
    let former = Connection::open(terminal.path("former.db")).unwrap();
    former
        .execute_batch(
            "PRAGMA user_version = 1; CREATE TABLE records (account TEXT, version INTEGER, record TEXT)",
        )
        .unwrap();
    fs::create_dir(terminal.path("folder.db")).unwrap();
    for (file, told) in [
        (
            "letter.txt",
            "error: `letter.txt` is no SQLite database, and is left as it is\n",
        ),
        (
            "empty.db",
            "error: `empty.db` holds no accounts of grantbook, and is left as it is\n",
        ),
        ("torn.db", "error: database disk image is malformed\n"),
        (
            "former.db",
            "error: `former.db` holds no accounts of grantbook, and is left as it is\n",
        ),
        (
            "folder.db",
            "error: unable to open database file: folder.db\n",
        ),
        (
            "none/x.db",
            "error: there is no file `none/x.db`; create it by opening an account in it\n",
        ),
    ] {
        let before = fs::read(terminal.path(file)).ok();
        for task in [
            &["list", file][..],
            &["history", file, "acme"],
            &["export", file, "acme"],
        ] {
            let said = terminal.types(task, "");
            assert_eq!((said.err.as_str(), said.code), (told, 3), "{task:?}");
            assert_eq!(said.out, "");
        }
        assert_eq!(fs::read(terminal.path(file)).ok(), before, "{file}");
    }
}

/// What was revoked by the last record is not allowed because the head was set back to the one before it.
#[test]
fn a_head_that_was_set_back_is_told() {
    let terminal = Terminal::new();
    for command in [
        r#"{"command":"add-members","members":["otto"]}"#,
        r#"{"command":"grant-ownership","member":"otto"}"#,
        r#"{"command":"revoke-ownership","member":"otto"}"#,
    ] {
        let said = terminal.types(&["run", "access.db", "acme", "--system"], command);
        assert_eq!(said.code, 0, "{said:?}");
    }
    let triggers = "SELECT group_concat('DROP TRIGGER ' || name, ';') FROM sqlite_schema WHERE type = 'trigger'";
    let by_hand = Connection::open(terminal.path("access.db")).unwrap();
    let drop_all: String = by_hand.query_row(triggers, [], |row| row.get(0)).unwrap();
    by_hand.execute_batch(&drop_all).unwrap();
    let back = "UPDATE grantbook_heads SET version = 3,
        digest = (SELECT digest FROM grantbook_records WHERE version = 3)";
    by_hand.execute(back, []).unwrap();
    let told = "the head of account `acme` is at version 3, and there is a record 4\n";
    for args in [
        &["check", "access.db", "acme", "otto", "account.close"][..],
        &["explain", "access.db", "acme", "otto", "account.close"],
        &["history", "access.db", "acme"],
        &["run", "access.db", "acme", "--system"],
    ] {
        let said = terminal.types(args, r#"{"command":"create-store","store":"dev"}"#);
        assert!(said.err.ends_with(told), "{args:?}: {said:?}");
        assert_eq!((said.out.as_str(), said.code), ("", 3), "{args:?}");
    }
}

#[test]
fn an_account_that_has_ended_is_read_and_not_changed() {
    let terminal = Terminal::new();
    let create = r#"{"command":"create-store","store":"dev"}"#;
    terminal.runs(create);
    terminal.runs(r#"{"command":"close-account"}"#);
    let run = terminal.runs(r#"{"command":"create-store","store":"live"}"#);
    let told = "line 1: refused, account-closed: the account is closed; it can be read, not changed\n\
                1 of 1 commands were refused\n";
    assert_eq!((run.err.as_str(), run.code), (told, 1));
    let import = terminal.imports("kind,id\nmember,dana\n");
    assert_eq!(import.code, 1);
    let check = [
        "check",
        "access.db",
        "acme",
        "olga",
        "store.read",
        "--store",
        "dev",
    ];
    let check = terminal.types(&check, "");
    assert_eq!(
        (check.out.as_str(), check.code),
        ("denied, account-closed: the account is closed\n", 1)
    );
    assert_eq!(terminal.kinds().len(), 3);

    Connection::open(terminal.path("access.db"))
        .unwrap()
        .execute_batch(
            "UPDATE grantbook_heads SET state = 'erased'; DELETE FROM grantbook_records; DELETE FROM grantbook_requests",
        )
        .unwrap();
    for args in [
        &["history", "access.db", "acme"][..],
        &["export", "access.db", "acme"],
        &["check", "access.db", "acme", "olga", "store.read"],
        &["explain", "access.db", "acme", "olga", "store.read"],
        &["run", "access.db", "acme", "--system"],
    ] {
        let said = terminal.types(args, create);
        assert!(
            said.err.starts_with("error: account `acme` was erased"),
            "{said:?}"
        );
        assert_eq!((said.out.as_str(), said.code), ("", 3));
    }
    let open = terminal.types(&["open", "access.db", "acme", "olga"], "");
    assert_eq!(open.code, 1);
    assert!(
        open.err.starts_with("refused, account-erased: "),
        "{}",
        open.err
    );
    let list = terminal.types(&["list", "access.db"], "");
    assert_eq!(list.out, "     3  erased  acme\n");
}
