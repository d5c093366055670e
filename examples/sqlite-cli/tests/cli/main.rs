//! The program, as somebody at a terminal has it.

mod hostile;
mod import;
#[cfg(unix)]
mod readme;
mod terminal;

use terminal::Terminal;

const SOME_COMMANDS: &str = r#"{"command":"create-store","store":"dev"}
{"command":"create-group","group":"devs","name":"Developers","grants":[{"role":"store-editor","scope":{"stores":["dev"]}}]}
{"command":"invite-member","member":"dana"}
{"command":"add-to-group","group":"devs","members":["dana"]}
"#;

#[test]
fn an_account_is_opened_once() {
    let terminal = Terminal::new();
    let again = terminal.types(&["open", "access.db", "acme", "otto"], "");
    assert_eq!(again.code, 1);
    assert_eq!(
        again.err,
        "refused, account-exists: there is an account `acme` already; load it, or take another id\n"
    );
    assert_eq!(terminal.kinds(), ["account-opened"]);
}

#[test]
fn commands_are_run_line_by_line() {
    let terminal = Terminal::new();
    let said = terminal.runs(SOME_COMMANDS);
    assert_eq!((said.err.as_str(), said.code), ("", 0));
    assert_eq!(
        said.out,
        "line 1: version 2, store-created\n\
         line 2: version 3, group-created\n\
         line 3: version 4, member-invited\n\
         line 4: version 5, added-to-group\n"
    );
    let accepted = terminal.types(
        &["run", "access.db", "acme", "--as", "dana"],
        r#"{"command":"accept-invitation"}"#,
    );
    assert_eq!(accepted.out, "line 1: version 6, invitation-accepted\n");
}

#[test]
fn a_line_that_is_refused_is_told_and_the_others_are_run() {
    let terminal = Terminal::new();
    let said = terminal.runs(
        "{\"command\":\"create-store\",\"store\":\"dev\"}\n\
         \n\
         {\"command\":\"create-store\",\"store\":\"dev\"}\n\
         not a command\n\
         {\"command\":\"remove-members\",\"members\":[\"olga\"]}\n\
         {\"command\":\"create-store\",\"store\":\"live\"}",
    );
    assert_eq!(said.code, 1);
    assert_eq!(
        said.out,
        "line 1: version 2, store-created\nline 6: version 3, store-created\n"
    );
    assert_eq!(
        said.err,
        "line 3: refused, store-exists: store `dev` already exists; choose another id\n\
         line 4: refused, not-a-command: expected ident at column 2\n\
         line 5: refused, last-owner: `olga` is the last account owner; grant ownership to someone else first\n\
         3 of 5 commands were refused\n"
    );
}

#[test]
fn who_asks_must_be_said() {
    let terminal = Terminal::new();
    let said = terminal.types(&["run", "access.db", "acme"], SOME_COMMANDS);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("--as <MEMBER>|--system"), "{}", said.err);
    let both = ["run", "access.db", "acme", "--as", "olga", "--system"];
    assert_eq!(terminal.types(&both, SOME_COMMANDS).code, 2);
    assert_eq!(terminal.kinds(), ["account-opened"]);
}

#[test]
fn a_stranger_is_refused_and_the_host_is_not() {
    let terminal = Terminal::new();
    let command = r#"{"command":"create-store","store":"dev"}"#;
    let stranger = terminal.types(&["run", "access.db", "acme", "--as", "eve"], command);
    assert_eq!(stranger.code, 1);
    assert!(
        stranger
            .err
            .starts_with("line 1: refused, not-authorized: "),
        "{}",
        stranger.err
    );
    let host = terminal.types(&["run", "access.db", "acme", "--system"], command);
    assert_eq!(host.out, "line 1: version 2, store-created\n");
}

#[test]
fn lines_with_keys_are_done_once() {
    let terminal = Terminal::new();
    let args = [
        "run",
        "access.db",
        "acme",
        "--as",
        "olga",
        "--keys",
        "monday",
    ];
    let first = terminal.types(&args, SOME_COMMANDS);
    let again = terminal.types(&args, SOME_COMMANDS);
    assert_eq!((&again.out, again.code), (&first.out, 0));
    assert_eq!(terminal.kinds().len(), 5);

    let others = terminal.types(&args, r#"{"command":"create-store","store":"live"}"#);
    assert_eq!(others.code, 1);
    assert!(
        others
            .err
            .starts_with("line 1: refused, idempotency-key-reused: "),
        "{}",
        others.err
    );
}

#[test]
fn a_check_says_yes_or_why_not() {
    let terminal = Terminal::new();
    terminal.runs(SOME_COMMANDS);
    let check = |member: &str| {
        let args = [
            "check",
            "access.db",
            "acme",
            member,
            "store.write",
            "--store",
            "dev",
        ];
        terminal.types(&args, "")
    };
    let (olga, dana, eve) = (check("olga"), check("dana"), check("eve"));
    assert_eq!((olga.out.as_str(), olga.code), ("allowed\n", 0));
    let invited = "denied, invited: the member has not accepted its invitation yet\n";
    assert_eq!((dana.out.as_str(), dana.code), (invited, 1));
    let unknown = "denied, unknown-member: no such member in this account\n";
    assert_eq!((eve.out.as_str(), eve.code), (unknown, 1));
}

#[test]
fn an_explanation_says_what_would_help() {
    let terminal = Terminal::new();
    terminal.runs(SOME_COMMANDS);
    let system = ["run", "access.db", "acme", "--system"];
    terminal.types(&system, r#"{"command":"add-members","members":["max"]}"#);
    let args = [
        "explain",
        "access.db",
        "acme",
        "max",
        "store.write",
        "--store",
        "dev",
    ];
    let said = terminal.types(&args, "");
    assert_eq!(said.code, 1);
    assert_eq!(
        said.out,
        "`max` may not `store.write` in store `dev`: the member lacks `store.write`\n\
         One command would allow it:\n\
         - add `max` to group `devs`\n"
    );
}

#[test]
fn the_history_says_when_who_and_what() {
    let terminal = Terminal::new();
    terminal.runs(SOME_COMMANDS);
    let said = terminal.types(&["history", "access.db", "acme", "--after", "3"], "");
    let lines: Vec<Vec<&str>> = said
        .out
        .lines()
        .map(|line| {
            line.split("  ")
                .filter(|part| !part.is_empty())
                .map(str::trim)
                .collect()
        })
        .collect();
    let [invited, added] = lines.as_slice() else {
        panic!("{}", said.out);
    };
    assert_eq!((invited[0], invited[2]), ("4", "member olga"));
    assert!(
        humantime::parse_rfc3339(invited[1]).is_ok(),
        "{}",
        invited[1]
    );
    assert_eq!(invited[3], "invited `dana`");
    assert_eq!(added[3], "added `dana` to group `devs`");
}

#[test]
fn the_history_shows_notes_and_takes_no_member_for_the_host() {
    let terminal = Terminal::new();
    let added = r#"{"command":"add-members","members":["the application"]}"#;
    let system = [
        "run",
        "access.db",
        "acme",
        "--system",
        "--note",
        "ticket 4711",
    ];
    assert_eq!(terminal.types(&system, added).code, 0);
    terminal.runs(r#"{"command":"grant-ownership","member":"the application"}"#);
    let by_member = ["run", "access.db", "acme", "--as", "the application"];
    let suspended = terminal.types(
        &by_member,
        r#"{"command":"suspend-member","member":"olga"}"#,
    );
    assert_eq!(suspended.out, "line 1: version 4, member-suspended\n");
    let said = terminal.types(&["history", "access.db", "acme", "--after", "1"], "");
    let lines: Vec<&str> = said.out.lines().collect();
    let [added, _, suspended] = lines.as_slice() else {
        panic!("{}", said.out);
    };
    assert!(added.contains("  the application  "), "{added}");
    assert!(added.ends_with("  note: ticket 4711"), "{added}");
    assert!(
        suspended.contains("  member the application  "),
        "{suspended}"
    );
    assert!(!suspended.contains("note"), "{suspended}");
    let steering = [
        "run",
        "access.db",
        "acme",
        "--system",
        "--note",
        "\u{202e}4711",
    ];
    assert_eq!(terminal.types(&steering, "").code, 2);
}

#[test]
fn what_is_not_there_is_an_error() {
    let terminal = Terminal::new();
    let no_file = terminal.types(&["check", "other.db", "acme", "olga", "store.read"], "");
    assert_eq!(no_file.code, 3);
    assert_eq!(
        no_file.err,
        "error: there is no file `other.db`; create it by opening an account in it\n"
    );
    assert!(!terminal.path("other.db").exists());
    let no_account = terminal.types(&["history", "access.db", "beta"], "");
    assert_eq!(no_account.code, 3);
    assert_eq!(
        no_account.err,
        "error: there is no account `beta` in `access.db`; open it first\n"
    );
}

#[test]
fn a_record_of_a_later_format_stops_the_program() {
    let terminal = Terminal::new();
    let connection = rusqlite::Connection::open(terminal.path("access.db")).unwrap();
    connection
        .execute_batch(
            "DROP TRIGGER grantbook_records_are_not_updated;
             UPDATE grantbook_records SET record = json_set(record, '$.record', 2)",
        )
        .unwrap();
    drop(connection);
    let told = "record 1 of account `acme` cannot be read: format 2 is not known to this version of grantbook, which reads format 1 at line 1 column 11\n";
    let history = terminal.types(&["history", "access.db", "acme"], "");
    assert_eq!((history.err, history.code), (format!("error: {told}"), 3));
    let run = terminal.runs(SOME_COMMANDS);
    assert_eq!(
        (run.err, run.code),
        (format!("error: the repository failed: {told}"), 3)
    );
}

/// The series of the first round: somebody is added who is there, then taken out, and both lines are run again.
#[test]
fn a_repeated_series_undoes_no_revocation() {
    let terminal = Terminal::new();
    terminal.runs(SOME_COMMANDS);
    let args = ["run", "access.db", "acme", "--as", "olga", "--keys", "k"];
    let series = r#"{"command":"add-to-group","group":"devs","members":["dana"]}
{"command":"remove-from-group","group":"devs","members":["dana"]}"#;
    let first = terminal.types(&args, series);
    let versions = terminal.kinds().len();
    assert!(
        first.out.starts_with("line 1: nothing changed\n"),
        "{}",
        first.out
    );
    for _ in 0..2 {
        let again = terminal.types(&args, series);
        assert_eq!((&again.out, again.code), (&first.out, 0));
        assert_eq!(terminal.kinds().len(), versions, "nothing was done again");
    }
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_line() {
    let terminal = Terminal::new();
    let command = "\u{feff}{\"command\":\"create-store\",\"store\":\"dev\"}";
    let said = terminal.runs(command);
    assert_eq!(said.out, "line 1: version 2, store-created\n");
}

#[test]
fn accounts_are_listed_and_exported() {
    let terminal = Terminal::new();
    terminal.runs(SOME_COMMANDS);
    terminal.types(&["open", "access.db", "beta", "otto"], "");
    let close = r#"{"command":"close-account"}"#;
    terminal.types(&["run", "access.db", "beta", "--system"], close);
    let list = terminal.types(&["list", "access.db"], "");
    assert_eq!(list.out, "     5  open    acme\n     2  closed  beta\n");
    let exported = terminal.types(&["export", "access.db", "acme"], "");
    assert_eq!(exported.out.lines().count(), 5);
    let history = terminal.types(&["history", "access.db", "acme", "--json"], "");
    assert_eq!(exported.out, history.out);
}
