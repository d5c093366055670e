//! Matrices and graphs in every format.

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

/// P5, M1: a matrix is every member's level in every store, and what it holds at the account.
#[test]
fn p5_a_matrix_is_every_level() {
    let world = World::staffed();
    let matrix = world.account.matrix();
    assert_eq!(matrix.stores, [store("dev"), store("prod")]);
    let cell = |level| MatrixCell {
        level,
        has_more: false,
    };
    let rows: Vec<_> = matrix
        .rows
        .iter()
        .map(|row| (row.member.as_str(), row.cells.as_slice()))
        .collect();
    let none = cell(AccessLevel::None);
    assert_eq!(
        rows,
        [
            ("dana", &[cell(AccessLevel::Editor), none][..]),
            ("gil", &[none; 2]),
            ("ina", &[none; 2]),
            ("nils", &[none; 2]),
            ("olga", &[cell(AccessLevel::Owner); 2]),
            ("vic", &[none, cell(AccessLevel::Viewer)]),
        ]
    );
    assert_eq!(
        matrix.to_text(),
        "      status   account                                       dev     prod\n\
         dana  active   none                                          editor  none\n\
         gil   active   account.invite_members account.manage_groups  none    none\n\
         ina   invited  none                                          none    none\n\
         nils  active   none                                          none    none\n\
         olga  owner    everything                                    owner   owner\n\
         vic   active   none                                          none    viewer\n"
    );
    assert_eq!(
        matrix.to_csv().lines().nth(3),
        Some("ina,invited,none,none,none")
    );
    let table = "| member | status | account | dev | prod |\n| --- | --- | --- | --- | --- |\n\
                 | dana | active |  | editor |  |\n\
                 | gil | active | account.invite_members account.manage_groups |  |  |\n";
    assert!(matrix.to_markdown().starts_with(table));
    let row = "<tr><th scope=\"row\">ina</th><td>invited</td><td></td><td></td><td></td></tr>";
    assert!(matrix.to_html("Acme").contains(row));
}

/// P5, M1, L7: no form says "no access" of somebody who has some, and each says where there is more than a level says;
/// who is invited as an owner is told from who is only invited.
#[test]
fn p5_a_matrix_hides_no_access() {
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
    world.ok(OWNER, add("more", ["vic", "ina"]));
    world.ok(OWNER, invite_owner("otto"));
    let matrix = world.account.matrix();
    let csv = matrix.to_csv();
    for line in [
        "ina,invited,none,none,none",
        "otto,invited as owner,none,none,none",
        "vic,active,invoice.pay,custom,viewer+",
    ] {
        assert!(csv.lines().any(|other| other == line), "{line}\n{csv}");
    }
    assert!(
        matrix
            .to_text()
            .contains("vic   active            invoice.pay")
    );
    let markdown = matrix.to_markdown();
    assert!(
        markdown.contains("| vic | active | invoice.pay | custom | viewer+ |\n"),
        "{markdown}"
    );
    let html = matrix.to_html("Acme");
    let row = "<th scope=\"row\">vic</th><td>active</td><td>invoice.pay</td>\
               <td class=\"c\"><b aria-hidden=\"true\">C</b><i>custom</i></td>\
               <td class=\"v\"><b aria-hidden=\"true\">V+</b><i>viewer and more</i></td></tr>";
    assert!(html.contains(row), "{html}");
    assert!(html.contains("<td>invited as owner</td>") && html.contains("<td>everything</td>"));
    let graph = world.account.to_mermaid(10);
    assert!(graph.contains("otto (invited as owner)") && graph.contains("ina (invited)"));
}

/// Each format escapes what it would otherwise take for its own syntax, and writes out invisible characters.
#[test]
fn each_format_escapes_ids() {
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
    let columns = matrix.stores.len() + 3;
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

/// Different ids look different, in every format.
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

/// The graph shows members, groups, roles and stores, and how they are connected.
#[test]
fn a_graph_shows_how_everything_is_connected() {
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

/// Where a group has many members, the graph shows their number.
#[test]
fn a_graph_counts_large_groups() {
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
