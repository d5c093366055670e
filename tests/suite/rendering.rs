//! Matrices and graphs in every format.

use std::collections::BTreeSet;

use grantbook::*;

use crate::support::*;

mod graphs;
mod pages;

/// An account whose ids hold characters with a meaning in some format.
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

/// P5, M1: tables show each row with how many members it has, and who; what is held at the account, and each level.
#[test]
fn p5_tables_show_rows_of_equals() {
    let mut world = World::staffed();
    world.system(enrol(["vera"]));
    world.ok(OWNER, add("viewers", ["vera"]));
    let matrix = world.account.matrix();
    assert_eq!(
        matrix.to_text(),
        "count  status   account                                       dev     prod    members\n\
         1      owner    everything                                    owner   owner   `olga`\n\
         1      active   account.invite_members account.manage_groups  none    none    `gil`\n\
         1      active   none                                          editor  none    `dana`\n\
         2      active   none                                          none    viewer  `vera`, `vic`\n\
         1      active   none                                          none    none    `nils`\n\
         1      invited  none                                          none    none    `ina`\n"
    );
    let table = "| count | status | account | dev | prod | members |\n| --- | --- | --- | --- | --- | --- |\n\
                 | 1 | owner | everything | owner | owner | \\`olga\\` |\n\
                 | 1 | active | account.invite_members account.manage_groups |  |  | \\`gil\\` |\n";
    assert!(
        matrix.to_markdown().starts_with(table),
        "{}",
        matrix.to_markdown()
    );
    assert!(
        matrix
            .to_markdown()
            .contains("|  |  | viewer | \\`vera\\`\\, \\`vic\\` |\n")
    );
    // A spreadsheet has a line for each member, in the order of ids.
    assert_eq!(
        matrix.to_csv(),
        "member,status,account,dev,prod\r\n\
         dana,active,none,editor,none\r\n\
         gil,active,account.invite_members account.manage_groups,none,none\r\n\
         ina,invited,none,none,none\r\n\
         nils,active,none,none,none\r\n\
         olga,owner,everything,owner,owner\r\n\
         vera,active,none,none,viewer\r\n\
         vic,active,none,none,viewer\r\n"
    );
}

/// P5, M1, M8, L7: no form says "no access" of somebody who has some, and each names what there is beyond a level; who is
/// invited as an owner is told from who is only invited; what is held at the account is shown.
#[test]
fn p5_no_form_hides_access() {
    let mut world = World::staffed();
    world.ok(
        OWNER,
        define_role("w", "Writers", RoleLevel::Store, &["store.write"]),
    );
    world.ok(
        OWNER,
        define_role("export", "Exporters", RoleLevel::Store, &["invoice.export"]),
    );
    world.ok(
        OWNER,
        define_role("billing", "Billing", RoleLevel::Account, &["invoice.pay"]),
    );
    let exporters = Grant::in_stores(role("export"), ["dev", "prod"].map(store));
    let writers = Grant::in_stores(role("w"), [store("dev")]);
    let grants = [exporters, writers, Grant::at_account(role("billing"))];
    world.ok(OWNER, create_group("more", "And More", grants));
    world.ok(
        OWNER,
        create_group(
            "w",
            "Only Writers",
            [Grant::in_stores(role("w"), [store("dev")])],
        ),
    );
    world.ok(OWNER, add("more", ["vic", "ina"]));
    world.ok(OWNER, add("w", ["nils"]));
    world.ok(OWNER, suspend("dana"));
    world.ok(OWNER, invite_owner("otto"));
    let matrix = world.account.matrix();
    let csv = matrix.to_csv();
    for line in [
        "dana,suspended,none,none,none",
        "ina,invited,none,none,none",
        "nils,active,none,custom: store.write,none",
        "otto,invited as owner,none,none,none",
        "vic,active,invoice.pay,custom: invoice.export store.write,viewer + invoice.export",
    ] {
        assert!(csv.lines().any(|other| other == line), "{line}\n{csv}");
    }
    let text = matrix.to_text();
    assert!(
        text.contains("custom: invoice.export store.write  viewer + invoice.export  `vic`"),
        "{text}"
    );
    let markdown = matrix.to_markdown();
    let line = "| 1 | active | invoice.pay | custom: invoice.export store.write | viewer + invoice.export | \\`vic\\` |\n";
    assert!(markdown.contains(line), "{markdown}");
    let page = world.account.to_html("Acme", at(2_000));
    for piece in [
        "<b class=\"status\">invited as owner</b>",
        "<b class=\"status\">suspended</b>",
        "<b class=\"a\">Account: invoice.pay</b>",
        "<b class=\"o\">Everything, everywhere</b>",
        "<dt>At the account</dt><dd><code>invoice.pay</code></dd>",
        "<b class=\"c\">Custom: store.write in 1</b>",
        "<b class=\"c\">Custom: invoice.export, store.write in 1</b>",
        "<b class=\"v\">Viewer + invoice.export in 1</b>",
    ] {
        assert!(page.contains(piece), "{piece}\n{page}");
    }
    let graph = world.account.to_mermaid(10);
    assert!(graph.contains("otto (invited as owner)") && graph.contains("ina (invited)"));
}

/// Columns of text are aligned where a terminal draws two columns for a character, or none (fault 29).
#[test]
fn columns_are_aligned_by_what_is_drawn() {
    let mut world = World::new();
    let stores = ["ก\u{e31}", "東京", "plain"];
    for id in stores {
        world.ok(OWNER, create_store(id));
    }
    let text = world.account.matrix().to_text();
    assert_eq!(
        text,
        "count  status  account     plain  ก\u{e31}      東京   members\n\
         1      owner   everything  owner  owner  owner  `olga`\n"
    );
}

/// U7: what others chose stays as they typed it where it means nothing, in every form (fault 29).
#[test]
fn a_backslash_stays_one() {
    let mut world = World::new();
    world.system(enrol(["CORP\\dana"]));
    let matrix = world.account.matrix();
    assert!(matrix.to_csv().contains("\r\nCORP\\dana,"));
    assert!(matrix.to_text().contains("`CORP\\dana`"));
    assert!(
        world
            .account
            .to_html("Acme", at(2_000))
            .contains(">CORP\\dana</li>")
    );
}

/// Each format escapes what it would otherwise take for its own syntax, and writes out invisible characters.
#[test]
fn each_format_escapes_ids() {
    let world = hostile();
    let matrix = world.account.matrix();
    let html = world.account.to_html("<Acme> & \"co\"", at(2_000));
    assert!(html.contains("<title>&lt;Acme&gt; &amp; &quot;co&quot;</title>"));
    assert!(html.contains(">&lt;b&gt;&amp;&quot;&#39;</li>"));
    assert!(!html.contains("<b>&") && html.matches("<script").count() == 1);
    assert!(html.contains("a\\u{202e}b\\u{200b}"));
    let csv = matrix.to_csv();
    for cell in [
        "\"'=1+2\"",
        "\"x,y\\u{3b}\"\"z\"\"\"",
        "\"'-7\"",
        "\"<b>&\"\"'\"",
    ] {
        assert!(csv.contains(cell), "{cell} {csv}");
    }
    assert!(
        !csv.contains(';'),
        "a cell of its own, where `;` separates them: {csv}"
    );
    assert!(
        csv.split("\r\n")
            .all(|line| !line.starts_with(['=', '-', '+', '@']))
    );
    assert!(matrix.to_markdown().contains("| a\\|b\\*c\\_d\\`e |"));
    let columns = matrix.stores.len() + 4;
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
    assert!(graph.contains("\n#60;b#62;#38;#34;#39;\n"), "{graph}");
    let mut world = World::new();
    world.system(enrol([
        "%%{init: {'theme':'forest'}}%%",
        "$$x^2$$",
        "fa:fa-user",
    ]));
    let labels = world.account.to_mermaid(10);
    assert!(
        !labels.contains(['%', '{', '$', '\'']) && labels.contains("fa#58;fa#45;user"),
        "{labels}"
    );
}

/// Different ids never give the same cell, in any form, and one id never looks like two.
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
        "c d",
        "c  d",
        "c\u{a0}d",
        "c\u{2003}d",
        "=1",
        "'=1",
        "＝1",
        "`, `",
        "b`, `b",
        "b, b",
        "b<br/>b",
        "b (suspended)",
        "&amp;",
        "&",
    ];
    let mut world = World::new();
    world.system(enrol(alike));
    for id in alike {
        world.ok(OWNER, create_store(id));
    }
    let matrix = world.account.matrix();
    let drawn = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let distinct = |cells: Vec<&str>| cells.into_iter().map(drawn).collect::<BTreeSet<_>>().len();
    let (text, markdown, csv) = (matrix.to_text(), matrix.to_markdown(), matrix.to_csv());
    let html = world.account.to_html("Acme", at(2_000));
    // The members of the one row of equals; then the stores in the heading.
    let (_, of_text) = text.lines().last().unwrap().split_once("  `").unwrap();
    assert_eq!(
        distinct(of_text.trim_end_matches('`').split("`, `").collect()),
        alike.len()
    );
    let (_, of_markdown) = markdown
        .lines()
        .last()
        .unwrap()
        .split_once("| \\`")
        .unwrap();
    assert_eq!(
        distinct(of_markdown.split("\\`\\, \\`").collect()),
        alike.len()
    );
    let cells = |line: &str| {
        line.replace("\\|", "")
            .split(" | ")
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let heading = cells(markdown.lines().next().unwrap());
    assert_eq!(
        distinct(heading.iter().map(String::as_str).collect()),
        alike.len() + 4
    );
    assert_eq!(distinct(csv.lines().collect()), alike.len() + 2);
    let items: Vec<_> = html.split("<li id=\"m").skip(1).collect();
    let names = items.iter().map(|item| item.split_once("\">").unwrap().1);
    let names: Vec<_> = names
        .map(|name| name.split_once("</li>").unwrap().0)
        .collect();
    assert_eq!(distinct(names), alike.len() + 1);
    for form in [text, csv, markdown, html, world.account.to_mermaid(99)] {
        assert!(!form.contains(['\u{3164}', '\u{2800}', '\u{34f}', '\u{fe0f}', '\u{a0}']));
    }
    assert!(matrix.to_csv().contains("\"'＝1\""));
}

/// U7: an id may hold invisible characters. A matrix writes them out, from the first to the last of each range, and
/// leaves their neighbors as they are.
#[cfg(feature = "render")]
#[test]
fn u7_invisible_characters_are_written_out() {
    let ranges = [
        ('\u{a0}', '\u{a0}'),
        ('\u{ad}', '\u{ad}'),
        ('\u{34f}', '\u{34f}'),
        ('\u{61c}', '\u{61c}'),
        ('\u{115f}', '\u{1160}'),
        ('\u{17b4}', '\u{17b5}'),
        ('\u{180b}', '\u{180f}'),
        ('\u{2000}', '\u{200f}'),
        ('\u{2028}', '\u{202f}'),
        ('\u{205f}', '\u{206f}'),
        ('\u{2800}', '\u{2800}'),
        ('\u{3164}', '\u{3164}'),
        ('\u{fe00}', '\u{fe0f}'),
        ('\u{feff}', '\u{feff}'),
        ('\u{ffa0}', '\u{ffa0}'),
        ('\u{fff0}', '\u{fffb}'),
        ('\u{13430}', '\u{1343f}'),
        ('\u{16fe4}', '\u{16fe4}'),
        ('\u{1bca0}', '\u{1bca3}'),
        ('\u{1d159}', '\u{1d159}'),
        ('\u{1d173}', '\u{1d17a}'),
        ('\u{e0000}', '\u{e0fff}'),
    ];
    let id = |character: char| format!("a{character}b");
    let next_to = |character: char, step: i32| {
        let number = u32::from(character).checked_add_signed(step).unwrap();
        char::from_u32(number).unwrap()
    };
    let unseen = ranges.into_iter().flat_map(|(first, last)| [first, last]);
    let seen = ranges
        .into_iter()
        .flat_map(|(first, last)| [next_to(first, -1), next_to(last, 1)]);
    // Without U+009F, a control character, which no id has, and without combining marks and what Unicode has not assigned.
    let has_shape = |character: &char| character.escape_debug().nth(1).is_none();
    let seen: Vec<_> = seen.filter(has_shape).collect();
    let mut world = World::new();
    let ids: Vec<_> = unseen.clone().chain(seen.iter().copied()).map(id).collect();
    world.system(enrol(ids.iter().map(String::as_str)));
    let text = world.account.matrix().to_text();
    for character in unseen {
        let written = format!("a{}b", character.escape_unicode());
        assert!(
            text.contains(&written) && !text.contains(&id(character)),
            "{written}"
        );
    }
    for character in seen {
        assert!(
            text.contains(&id(character)),
            "{}",
            character.escape_unicode()
        );
    }
}
