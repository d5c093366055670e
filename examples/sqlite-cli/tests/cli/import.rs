//! Tables of members and groups.

use std::fmt::Write;
use std::fs;

use crate::terminal::Terminal;

const TABLE: &str = "kind,id,groups,name,description,grants\n\
     group,devs,,Developers,They build it,store-editor@dev|store-viewer@live|group-manager\n\
     member,dana,devs,,,\n\
     member,\"smith, john\",devs|readers,,,\n\
     member,max,,,,\n\
     group,readers,,Readers,,store-viewer@live\n";

/// With stores `dev` and `live`.
fn with_stores() -> Terminal {
    let terminal = Terminal::new();
    terminal.runs("{\"command\":\"create-store\",\"store\":\"dev\"}\n{\"command\":\"create-store\",\"store\":\"live\"}");
    terminal
}

#[test]
fn a_table_is_imported_as_a_whole() {
    let terminal = with_stores();
    let said = terminal.imports(TABLE);
    assert_eq!(
        said.out,
        "imported 3 members, 2 groups, 3 memberships; version 8\n"
    );
    assert_eq!((said.err.as_str(), said.code), ("", 0));
    for (member, permission, store, code) in [
        ("dana", "store.write", "dev", 0),
        ("dana", "store.write", "live", 1),
        ("smith, john", "store.read", "live", 0),
        ("max", "store.read", "live", 1),
    ] {
        let args = [
            "check",
            "access.db",
            "acme",
            member,
            permission,
            "--store",
            store,
        ];
        assert_eq!(terminal.types(&args, "").code, code, "{args:?}");
    }
}

#[test]
fn a_table_that_is_imported_again_changes_nothing() {
    let terminal = with_stores();
    terminal.imports(TABLE);
    let again = terminal.imports(TABLE);
    assert_eq!(
        again.out,
        "imported 0 members, 0 groups, 0 memberships; version 8\n"
    );
    let more = format!("{TABLE}member,zoe,devs,,,\n");
    assert_eq!(
        terminal.imports(&more).out,
        "imported 1 member, 0 groups, 1 membership; version 10\n"
    );
}

#[test]
fn every_bad_line_is_told_and_none_of_the_table_is_imported() {
    let terminal = with_stores();
    let before = terminal.kinds();
    let said = terminal.imports(
        "kind,id,groups,name,description,grants\n\
         member,good,,,,\n\
         group,short,,ab,,store-viewer@dev\n\
         group,lost,,Lost,,store-viewer@nowhere\n\
         member,good,,,,\n\
         member,of-lost,lost,,,\n\
         member,of-none,none,,,\n\
         member,few-cells\n\
         robot,r2,,,,\n\
         member,named,,Name,,\n\
         member, space,,,,\n\
         group,empty,,Empty,,\n",
    );
    assert_eq!((said.out.as_str(), said.code), ("", 1));
    assert_eq!(
        said.err,
        "line 3: name: a group name takes 3 to 64 characters; this one has 2\n\
         line 4: there is no store `nowhere` in this account\n\
         line 5: member `good` has a line already, line 2\n\
         line 7: there is no group `none` in this account\n\
         line 8: it has 2 cells, and the first line has 6\n\
         line 9: the kind is `robot`; it is `member` or `group`\n\
         line 10: a member has nothing in the column `name`\n\
         line 11: id: a member id neither begins nor ends with white space\n\
         line 12: a group carries at least one grant; name a role\n\
         9 bad lines; nothing was imported\n"
    );
    assert_eq!(terminal.kinds(), before);
}

#[test]
fn an_import_ends_invitations_and_no_suspension() {
    let terminal = with_stores();
    terminal.imports(TABLE);
    terminal.runs(
        r#"{"command":"invite-member","member":"ivan","as_owner":true}
           {"command":"add-to-group","group":"devs","members":["ivan"]}
           {"command":"suspend-member","member":"dana"}"#,
    );
    let said = terminal.imports("kind,id\nmember,dana\nmember,ivan\n");
    assert_eq!(
        said.out,
        "imported 1 member, 0 groups, 0 memberships; 1 invitation ended; version 12\n"
    );
    let check = |member: &str| {
        let args = [
            "check",
            "access.db",
            "acme",
            member,
            "store.read",
            "--store",
            "dev",
        ];
        terminal.types(&args, "").out
    };
    assert_eq!(
        check("ivan"),
        "denied, missing-permission: the member lacks `store.read`\n"
    );
    assert_eq!(
        check("dana"),
        "denied, suspended: the member is suspended\n"
    );
}

#[test]
fn a_group_that_is_there_with_other_grants_is_a_bad_line() {
    let terminal = with_stores();
    terminal.imports(TABLE);
    let said = terminal.imports("kind,id,name,grants\ngroup,readers,Readers,store-editor@live\n");
    assert_eq!(said.code, 1);
    assert_eq!(
        said.err,
        "line 2: there is a group `readers` already, with another name, description or grants\n\
         1 bad line; nothing was imported\n"
    );
}

#[test]
fn a_table_without_the_columns_is_refused() {
    let terminal = with_stores();
    for (csv, told) in [
        ("", "the column `kind` is missing"),
        ("kind,groups\nmember,\n", "the column `id` is missing"),
        ("kind,id,id\nmember,a,b\n", "there are two columns `id`"),
        (
            "kind,id,email\nmember,a,b\n",
            "there is no column `email`; the columns are kind, id, groups, name, description, grants",
        ),
    ] {
        let said = terminal.imports(csv);
        assert_eq!(said.code, 1);
        assert_eq!(
            said.err,
            format!("line 1: {told}\n1 bad line; nothing was imported\n")
        );
    }
}

#[test]
fn a_dry_run_imports_nothing() {
    let terminal = with_stores();
    fs::write(terminal.path("people.csv"), TABLE).unwrap();
    let before = terminal.kinds();
    let said = terminal.types(
        &["import", "access.db", "acme", "people.csv", "--dry-run"],
        "",
    );
    assert_eq!(
        (said.out.as_str(), said.code),
        ("all lines are good; nothing was imported\n", 0)
    );
    assert_eq!(terminal.kinds(), before);
}

#[test]
fn thirty_thousand_members_are_one_commit() {
    let terminal = with_stores();
    let mut csv = "kind,id,groups\r\n".to_owned();
    for member in 0..30_000 {
        write!(csv, "member,member-{member},staff\r\n").unwrap();
    }
    csv.push_str("group,staff,\r\n");
    let bad = terminal.imports(&csv);
    assert_eq!(bad.code, 1);
    assert_eq!(
        bad.err.lines().count(),
        2,
        "the group's line, and not 30,000 others: {}",
        bad.err
    );

    let csv = csv.replace("kind,id,groups", "kind,id,groups,name,grants");
    let csv = csv.replace(",staff\r\n", ",staff,,\r\n").replace(
        "group,staff,\r\n",
        "group,staff,,Staff,store-viewer@dev\r\n",
    );
    let said = terminal.imports(&csv);
    assert_eq!(
        said.out,
        "imported 30000 members, 1 group, 30000 memberships; version 10\n"
    );
    let last = commits(&terminal, "acme").pop();
    assert_eq!(
        last,
        Some((4, 10)),
        "three times 10,000 members, the group, and its members"
    );
    let history = terminal.types(&["history", "access.db", "acme", "--after", "9"], "");
    assert!(
        history.out.contains(" and 9995 more to group "),
        "{}",
        history.out
    );
}

#[test]
fn a_table_of_more_commands_than_a_request_holds_takes_several() {
    let terminal = Terminal::new();
    let open = ["open", "access.db", "large", "olga", "--groups", "600"];
    assert_eq!(terminal.types(&open, "").code, 0);
    let mut csv = "kind,id,groups,name,grants\n".to_owned();
    for n in 0..600 {
        writeln!(
            csv,
            "group,g{n},,Group {n},group-manager\nmember,m{n},g{n},,"
        )
        .unwrap();
    }
    let import = ["import", "access.db", "large", "-"];
    let said = terminal.types(&import, &csv);
    assert_eq!(
        said.out,
        "imported 600 members, 600 groups, 600 memberships; version 1202\n"
    );
    assert_eq!(
        commits(&terminal, "large"),
        [(1, 1), (2, 1_001), (1_002, 1_202)]
    );
    let again = terminal.types(&import, &csv);
    assert_eq!(
        again.out,
        "imported 0 members, 0 groups, 0 memberships; version 1202\n"
    );
}

/// The first and the last version of each commit of an account.
fn commits(terminal: &Terminal, account: &str) -> Vec<(i64, i64)> {
    let connection = rusqlite::Connection::open(terminal.path("access.db")).unwrap();
    let mut statement = connection
        .prepare(
            "SELECT before + 1, version FROM grantbook_requests WHERE account = ?1 ORDER BY version",
        )
        .unwrap();
    let rows = statement.query_map([account], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

#[test]
fn a_bad_line_after_empty_ones_is_told_by_its_number() {
    let terminal = Terminal::new();
    let csv = "kind,id,groups\n\n\nmember,dana,\n\r\n\nmember,,\nmember\n\nmembers,max,\n";
    let said = terminal.imports(csv);
    let lines: Vec<_> = said
        .err
        .lines()
        .filter_map(|line| line.split_once(':'))
        .collect();
    let numbers: Vec<_> = lines.iter().map(|(line, _)| *line).collect();
    assert_eq!(
        numbers[..3],
        ["line 7", "line 8", "line 10"],
        "{}",
        said.err
    );
}

/// However the lines end, each bad one is told by its own number.
#[test]
fn bad_lines_are_numbered_by_every_end_of_line() {
    let lines = "kind,id|member,dana|robot,r2||member,dana|member|robot,r3|member,\"|";
    for (end, csv) in ["\n", "\r\n", "\r"].map(|end| (end, lines.replace('|', end))) {
        let terminal = Terminal::new();
        let said = terminal.imports(&csv);
        assert_eq!((said.out.as_str(), said.code), ("", 1), "{end:?}");
        let told = "line 3: the kind is `robot`; it is `member` or `group`\n\
            line 5: member `dana` has a line already, line 2\n\
            line 6: it has 1 cells, and the first line has 2\n\
            line 7: the kind is `robot`; it is `member` or `group`\n\
            line 8: id: ";
        assert!(said.err.starts_with(told), "{end:?}: {}", said.err);
        assert!(
            said.err.ends_with("5 bad lines; nothing was imported\n"),
            "{}",
            said.err
        );
    }
    // Ends of several kinds in one file, an empty line among them.
    let said = Terminal::new().imports("kind,id\rrobot,r2\r\nrobot,r3\n\rrobot,r4\r\r\nrobot,r5");
    let numbers = said
        .err
        .lines()
        .filter_map(|line| line.split_once(": the kind"));
    let numbers: Vec<_> = numbers.map(|(line, _)| line).collect();
    assert_eq!(
        numbers,
        ["line 2", "line 3", "line 5", "line 7"],
        "{}",
        said.err
    );
}

/// What Excel, a Mac of old, and a careful exporter write.
#[test]
fn marks_quotes_and_ends_of_lines_are_no_part_of_the_cells() {
    for csv in [
        "\u{feff}kind,id,groups\r\nmember,dana,\r\n",
        "\u{feff}\"kind\",\"id\"\r\n\"member\",\"dana\"\r\n",
        "id,kind\rdana,member\r",
        "\n\r\nkind,id\n\nmember,dana\n\n\n",
        "kind,id\nmember,dana",
    ] {
        let terminal = Terminal::new();
        let said = terminal.imports(csv);
        let told = "imported 1 member, 0 groups, 0 memberships; version 2\n";
        assert_eq!(
            (said.out.as_str(), said.err.as_str()),
            (told, ""),
            "{csv:?}"
        );
    }
    let terminal = Terminal::new();
    let quoted = terminal.imports("kind,id\nmember,\"the \"\"boss\"\", his wife\"\n");
    assert_eq!(quoted.code, 0);
    let member = r#"the "boss", his wife"#;
    let told = terminal.types(&["check", "access.db", "acme", member, "store.read"], "");
    assert!(
        told.out.starts_with("denied, missing-permission"),
        "{told:?}"
    );
}

#[test]
fn a_quote_that_is_not_closed_hides_no_line() {
    let terminal = with_stores();
    let said = terminal.imports(
        "kind,id,name,grants,description\n\
         group,devs,Developers,store-viewer@dev,\"They build it\n\
         member,dana,,,\n",
    );
    assert_eq!(said.code, 1);
    assert!(
        said.err.starts_with("line 2: description: "),
        "{}",
        said.err
    );
    assert_eq!(terminal.kinds().len(), 3);
}

#[test]
fn a_table_that_is_not_utf_8_is_told_by_its_line() {
    let terminal = Terminal::new();
    for (csv, told) in [
        (
            &b"\xff\xfek\0i\0n\0d\0,\0i\0d\0\n\0"[..],
            "line 1: it is not UTF-8\n",
        ),
        (
            b"kind,id\nmember,dana\nmember,J\xfcrgen\n",
            "line 3: it is not UTF-8\n",
        ),
    ] {
        fs::write(terminal.path("people.csv"), csv).unwrap();
        let said = terminal.types(&["import", "access.db", "acme", "people.csv"], "");
        assert_eq!(said.code, 1);
        let told = format!("{told}1 bad line; nothing was imported\n");
        assert_eq!(said.err, told);
    }
    let folder = terminal.types(&["import", "access.db", "acme", "."], "");
    assert_eq!(folder.code, 3);
    assert!(
        folder.err.starts_with("error: `.` cannot be read: "),
        "{}",
        folder.err
    );
}
