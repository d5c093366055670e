//! A picture of time against size: `cargo bench --bench picture` writes `docs/pictures/time.svg`, and prints its figures.

use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::hint::black_box;

use grantbook::Resource;

use crate::by_hand::ByHand;
use crate::least::{InTable, Least};
use crate::population::{Batch, Ids, Size};
use crate::reference::allowed;
use crate::timing::{Rounds, Run, each, is_bench, time};

mod by_hand;
mod cycles;
mod least;
mod population;
mod reference;
mod timing;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const MEMBERS: [u32; 5] = [100, 1_000, 10_000, 100_000, 1_000_000];
const LINES: [&str; 4] = [
    "check, hash maps of your own",
    "add a member to a group, recorded",
    "check, grantbook",
    "check, the least possible",
];

fn main() -> Result<()> {
    if !is_bench() {
        println!("measured by `cargo bench --bench picture`");
        return Ok(());
    }
    println!("ns; members {MEMBERS:?}");
    let mut times = LINES.map(|_| Vec::new());
    for members in MEMBERS {
        for (line, time) in times.iter_mut().zip(measured(members.into())?) {
            line.push(time);
        }
    }
    for (what, line) in LINES.iter().zip(&times) {
        println!("{what:36} {line:7.1?}");
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/pictures/time.svg");
    fs::write(path, picture(&times)?)?;
    println!("{path}");
    Ok(())
}

/// What each line is at this size, in nanoseconds: the medians over three accounts.
fn measured(members: u64) -> Result<[f64; 4]> {
    let size = Size {
        name: "",
        members,
        groups: 20,
        stores: 200,
        ids: Ids::Short,
    };
    let mut rounds = Vec::new();
    for _ in 0..3 {
        let (mut account, _) = size.account()?;
        let maps = ByHand::of(&account).ok_or("more permissions than maps hold")?;
        let (least, batches) = (Least::<InTable>::new(size), size.batches());
        let by_maps = |batch: &Batch| {
            let asked = batch.questions();
            let store = |asked: &population::Asked<'_>| {
                maps.can(
                    asked.member,
                    asked.permission(),
                    Resource::Store(asked.store),
                )
            };
            asked.filter(store).count()
        };
        assert_eq!(by_maps(&batches[0]), allowed(&account, &batches[0]));
        assert_eq!(least.allowed(&batches[0]), allowed(&account, &batches[0]));
        let ask_some = |ask: &dyn Fn(&Batch) -> usize, round: usize| -> usize {
            let others = batches.iter().cycle().skip(round * 16);
            others.take(16).map(ask).sum()
        };
        let asking: [&dyn Fn(&Batch) -> usize; 3] =
            [&by_maps, &|batch| allowed(&account, batch), &|batch| {
                least.allowed(batch)
            }];
        // Warms up with others than it measures.
        let (ask_some, questions) = (&ask_some, 16 * u64::from(Batch::QUESTIONS));
        let runs = asking.map(|ask| -> Run<'_> {
            Box::new(move |round| {
                black_box(ask_some(ask, round));
                each(time(|| ask_some(ask, round + 1)), questions)
            })
        });
        let asked = Rounds::of(9, runs.into());
        let medians = [0, 1, 2].map(|run| asked.median(run));
        let cycle = cycles::membership(size, &grantbook::Actor::System, cycles::FEW)?;
        let adding: Run<'_> = Box::new(|_| {
            let taken = (0..20).map(|_| cycle.time(&mut account, 0)).sum();
            each(taken, 20 * cycle.commands(0))
        });
        let added = Rounds::of(9, vec![adding]).median(0);
        rounds.push([medians[0], added, medians[1], medians[2]]);
    }
    Ok([0, 1, 2, 3].map(|line| timing::median(rounds.iter().map(|round| round[line]))))
}

/// Both axes grow by powers of ten.
fn picture(times: &[Vec<f64>; 4]) -> Result<String> {
    let x = |members: u32| 70.0 + (f64::from(members).log10() - 2.0) * 105.0;
    let y = |nanoseconds: f64| 300.0 - (nanoseconds.log10()) * 70.0;
    let mut svg = String::from(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 780 350" role="img" aria-label="Time against the number of members">
<style>
  svg { background: #fff; font: 13px system-ui, sans-serif }
  text { fill: #333 } .grid { stroke: #ddd } .line { fill: none; stroke-width: 2.5 }
  .l0 { stroke: #b45309 } .l1 { stroke: #6d28d9 } .l2 { stroke: #0369a1 } .l3 { stroke: #888; stroke-dasharray: 5 4 }
  @media (prefers-color-scheme: dark) { svg { background: #111 } text { fill: #ddd } .grid { stroke: #333 } }
</style>
"#,
    );
    for (exponent, label) in ["1 ns", "10 ns", "100 ns", "1 µs", "10 µs"]
        .iter()
        .enumerate()
    {
        let at = y(10_f64.powi(i32::try_from(exponent)?));
        writeln!(svg, r#"<path class="grid" d="M70 {at:.0}H490"/>"#)?;
        writeln!(
            svg,
            r#"<text x="62" y="{:.0}" text-anchor="end">{label}</text>"#,
            at + 4.0
        )?;
    }
    let labels = ["100", "1,000", "10,000", "100,000", "1,000,000"];
    for (members, label) in MEMBERS.iter().zip(labels) {
        let at = x(*members);
        writeln!(
            svg,
            r#"<text x="{at:.0}" y="322" text-anchor="middle">{label}</text>"#
        )?;
    }
    writeln!(
        svg,
        r#"<text x="280" y="342" text-anchor="middle">members</text>"#
    )?;
    let mut label = 0.0_f64;
    for (number, (line, what)) in times.iter().zip(LINES).enumerate() {
        let points = line.iter().zip(MEMBERS);
        let points: Vec<String> = points
            .map(|(time, members)| format!("{:.1},{:.1}", x(members), y(*time)))
            .collect();
        writeln!(
            svg,
            r#"<polyline class="line l{number}" points="{}"/>"#,
            points.join(" ")
        )?;
        // Below the one before, where two lines end together.
        label = line
            .last()
            .map_or(0.0, |time| y(*time) + 4.0)
            .max(label + 16.0);
        writeln!(svg, r#"<text x="498" y="{label:.0}">{what}</text>"#)?;
    }
    svg.push_str("</svg>\n");
    Ok(svg)
}
