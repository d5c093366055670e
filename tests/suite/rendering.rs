//! Matrices and graphs in every format.

use std::collections::BTreeSet;

use grantbook::*;

use crate::support::*;

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
    for cell in ["\"'=1+2\"", "\"x,y;\"\"z\"\"\"", "\"'-7\"", "\"<b>&\"\"'\""] {
        assert!(csv.contains(cell), "{cell} {csv}");
    }
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
    assert!(graph.contains("<br/>#60;b#62;#38;#34;#39;<br/>"), "{graph}");
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

/// The graph shows members, groups, roles and stores, and how they are connected; equals are one node.
#[test]
fn a_graph_shows_how_everything_is_connected() {
    let mut world = World::staffed();
    world.system(enrol(["vera"]));
    world.ok(OWNER, add("viewers", ["vera"]));
    world.ok(OWNER, create_store("new"));
    assert_eq!(
        world.account.to_mermaid(10),
        "flowchart LR
  classDef owner stroke-width:3px
  classDef inactive stroke-dasharray:4 3
  m0([\"dana\"])
  m1([\"gil\"])
  m2([\"ina (invited)\"]):::inactive
  m3([\"nils\"])
  m4([\"olga (owner)\"]):::owner
  m5([\"vera<br/>vic\"])
  s0[(\"dev\")]
  r0_0 --> s0
  s1[(\"new<br/>(in no scope)\")]:::inactive
  s2[(\"prod\")]
  r2_0 --> s2
  g0[\"Dev Team\"]
  g0 --> r0_0{{\"Store Editor\"}}
  m0 --> g0
  m2 -.-> g0
  g1[\"IT Group\"]
  g1 --> r1_0{{\"Group Manager at the account\"}}
  m1 --> g1
  g2[\"Read-Only Access\"]
  g2 --> r2_0{{\"Store Viewer\"}}
  m5 --> g2
"
    );
}

/// Where there is much, the graph shows numbers: of equals, of the members of a group, of the stores of a grant.
#[test]
fn a_graph_counts_what_is_many() {
    let mut world = World::staffed();
    world.system(enrol(["p", "q", "vera"]));
    world.ok(OWNER, add("it", ["nils", "p", "q"]));
    world.ok(OWNER, add("viewers", ["vera", "nils"]));
    world.ok(OWNER, add("devs", ["p", "vic"]));
    let stores: Vec<String> = (0..30).map(|number| format!("s{number:02}")).collect();
    for id in &stores {
        world.ok(OWNER, create_store(id));
    }
    let (some, others) = stores.split_at(20);
    let grants = |ids: &[String]| [Grant::store_viewer(ids.iter().map(|id| store(id)))];
    world.ok(OWNER, regrant("it", grants(some)));
    let graph = world.account.to_mermaid(3);
    for line in [
        "n0([\"3 members\"]) --> g0", // not so: dana, p, vic and ina are four nodes
        "m1([\"gil<br/>q\"])",
    ] {
        let is_there = graph.lines().any(|other| other.trim() == line);
        assert_eq!(is_there, !line.starts_with("n0([\"3"), "{line}\n{graph}");
    }
    assert!(graph.contains("n0([\"4 members\"]) --> g0"), "{graph}");
    assert!(
        graph.contains("[(\"20 stores\")]") && graph.contains("[(\"10 stores in no scope\")]"),
        "{graph}"
    );
    // Each store apart, so that the grant reaches more nodes than are named.
    for (number, id) in others.iter().enumerate() {
        let name = format!("Group {number}");
        world.ok(
            OWNER,
            create_group(
                &format!("x{number}"),
                &name,
                grants(std::slice::from_ref(id)),
            ),
        );
    }
    world.ok(OWNER, regrant("viewers", grants(others)));
    let graph = world.account.to_mermaid(3);
    assert!(graph.contains(" --> c2_0[(\"10 stores\")]"), "{graph}");
}

/// Of 2,000 members in 20 groups and 60 stores, whoever is where, the graph has no more than a few hundred lines.
#[test]
fn a_graph_of_many_stays_small() {
    let mut world = World::new();
    let ids: Vec<String> = (0..2_000).map(|number| format!("p{number}")).collect();
    let stores: Vec<String> = (0..60).map(|number| format!("s{number:02}")).collect();
    world.system(enrol(ids.iter().map(String::as_str)));
    for id in &stores {
        world.ok(OWNER, create_store(id));
    }
    for number in 0..20 {
        let some = |step: usize| {
            stores
                .iter()
                .step_by(step)
                .skip(number % 3)
                .map(|id| store(id))
        };
        let grants = [
            Grant::store_editor(some(number + 3)),
            Grant::store_viewer(some(number % 7 + 2)),
        ];
        world.ok(
            OWNER,
            create_group(&format!("g{number}"), &format!("Group {number}"), grants),
        );
        let in_it = ids
            .iter()
            .enumerate()
            .filter(|(at, _)| at * 7919 % 101 % (number + 2) == 0);
        world.ok(
            OWNER,
            add(&format!("g{number}"), in_it.map(|(_, id)| id.as_str())),
        );
    }
    let graph = world.account.to_mermaid(5);
    let lines = graph.lines().count();
    assert!(lines < 150, "{lines} lines");
    // No store is a node but those in no scope, as one, and each grant says where it holds.
    assert!(graph.contains("Store Viewer in 30 stores"), "{graph}");
    let nodes = graph.lines().filter(|line| line.contains("[("));
    assert_eq!(
        nodes.collect::<Vec<_>>(),
        ["  s1[(\"12 stores in no scope\")]:::inactive"]
    );
}
