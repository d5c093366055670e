//! An account as a Mermaid graph.

use grantbook::*;

use crate::support::*;

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
  m5([\"vera
vic\"])
  s0[(\"dev\")]
  r0_0 --> s0
  s1[(\"new
(in no scope)\")]:::inactive
  s2[(\"prod\")]
  r2_0 --> s2
  g0[\"Dev Team\"]
  g0 --> r0_0{{\"Store Editor\"}}
  m0 --> g0
  m2 -.-> g0
  g1[\"IT Group\"]
  g1 --> r1_0{{\"Group Manager at the account\"}}
  m1 --> g1
  g2[\"Read#45;Only Access\"]
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
        "q\"])",
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
    assert!(lines < 170, "{lines} lines");
    // No store is a node but those in no scope, as one, and each grant says where it holds.
    assert!(graph.contains("Store Viewer in 30 stores"), "{graph}");
    let nodes = graph.lines().filter(|line| line.contains("[("));
    assert_eq!(
        nodes.collect::<Vec<_>>(),
        ["  s1[(\"12 stores in no scope\")]:::inactive"]
    );
}

/// Some versions of Mermaid read a label as Markdown: in none is an address a link, or `1.` a list, and none has `<br/>`
/// between what was written by codes.
#[test]
fn a_label_has_no_punctuation_of_others() {
    let mut world = World::new();
    world.system(enrol([
        "1. one",
        "_max_",
        "max@acme.example",
        "- plus",
        "---",
    ]));
    let graph = world.account.to_mermaid(10);
    for label in [
        "1#46; one",
        "#95;max#95;",
        "max#64;acme#46;example",
        "#45; plus",
        "#45;#45;#45;",
    ] {
        assert!(graph.contains(label), "{label}\n{graph}");
    }
    assert!(!graph.contains("<br"), "{graph}");
}
