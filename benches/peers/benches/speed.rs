//! How fast grantbook and other engines are on the same data: one table for each of three sizes.
//!
//! ```sh
//! cargo bench --manifest-path benches/peers/Cargo.toml
//! ```
//!
//! First each engine's memory is measured in a process of its own; one that is not ready after two minutes takes no
//! further part in that size. Then all are loaded, and must give the answers that grantbook gives to all that they
//! will be asked. Only then are they timed, in turn, round after round, so that what disturbs the machine disturbs
//! all of them alike; what is told is the median of the rounds.

use std::io::Read;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use grantbook::Account;
use grantbook_peers::EngineError;
use grantbook_peers::population::{L, M, S, Size};
use grantbook_peers::speed::{Contestant, Pace, Plain, agree, changes, contestants, requests};

/// How many rounds are timed, after one that is not.
const ROUNDS: usize = 9;

/// How often an engine is asked the questions of a round before that is timed: the others have used the caches since.
const WARMING: usize = 4;

/// How long an engine may take until it is ready, and how much time goes into loading it again.
const PATIENCE: Duration = Duration::from_mins(2);
const LOADING: Duration = Duration::from_secs(2);

fn main() -> Result<(), EngineError> {
    for size in [S, M, L] {
        measure(size)?;
    }
    Ok(())
}

/// One engine, and what was measured of it. An engine that was not ready in time has nothing.
struct Row {
    engine: Box<dyn Contestant>,
    bytes: Option<u64>,
    compared: usize,
    /// Nanoseconds, one number a round.
    loads: Vec<f64>,
    checks: Vec<f64>,
    changes: Vec<f64>,
}

impl Row {
    fn of(engine: Box<dyn Contestant>, size: Size) -> Result<Self, EngineError> {
        Ok(Self {
            bytes: held(engine.name(), size)?,
            engine,
            compared: 0,
            loads: Vec::new(),
            checks: Vec::new(),
            changes: Vec::new(),
        })
    }
}

/// Measures everything at this size, and prints it in Markdown.
fn measure(size: Size) -> Result<(), EngineError> {
    let plain = Plain::of(size)?;
    let account = Account::try_from(plain.snapshot.clone())?;
    let mut rows = Vec::new();
    for engine in contestants() {
        rows.push(Row::of(engine, size)?);
    }
    let mut ready: Vec<_> = rows.iter_mut().filter(|row| row.bytes.is_some()).collect();

    load(&mut ready, &plain)?;

    let paces = || ready.iter().map(|row| row.engine.pace());
    let most = paces().map(Pace::questions).max().unwrap_or(0);
    let (questions, batches) = (requests(size, most as u64), size.batches());
    let most = paces().map(|pace| pace.changes).max().unwrap_or(0);
    let changes = changes(&plain, &account, most * (ROUNDS + 1));
    let allowed = questions
        .iter()
        .filter(|asked| {
            let resource = grantbook::Resource::Store(asked.store.as_str());
            account.can(&asked.member, &asked.permission, resource)
        })
        .count();

    for row in &mut ready {
        let pace = row.engine.pace();
        let asked = part(&questions, pace.questions() * (ROUNDS + 1), 0);
        let made = part(&changes, pace.changes * (ROUNDS + 1), 0);
        row.compared = agree(&account, &*row.engine, asked, made)?;
    }
    for round in 0..=ROUNDS {
        for row in &mut ready {
            let pace = row.engine.pace();
            let asked = part(&batches, pace.batches, round);
            // Before, too, so that what it answers from is where it is when it goes on answering.
            for _ in 0..WARMING {
                row.engine.time_checks(asked)?;
            }
            let took = row.engine.time_checks(asked)?;
            row.checks
                .push(nanoseconds(took) / float(pace.questions() as u64));
        }
    }
    for round in 0..=ROUNDS {
        for row in &mut ready {
            // Each only once: making a change again changes nothing.
            let pace = row.engine.pace().changes;
            if let Some(changes) = changes.chunks_exact(pace).nth(round) {
                let took = row.engine.time_changes(changes)?;
                row.changes.push(nanoseconds(took) / count(changes));
            }
        }
    }
    print(size, &rows);
    print_notes(&rows, allowed * 100 / questions.len().max(1));
    Ok(())
}

/// Loads all of them in turn, round after round, but none for longer than it is worth.
fn load(rows: &mut [&mut Row], plain: &Plain) -> Result<(), EngineError> {
    for round in 0..=ROUNDS {
        for row in &mut *rows {
            if round == 0 || row.loads.iter().sum::<f64>() < nanoseconds(LOADING) {
                row.loads.push(nanoseconds(row.engine.load(plain)?));
            }
        }
    }
    Ok(())
}

/// So many of them that belong to this round: another part in the next, and the first again after the last.
fn part<T>(all: &[T], count: usize, round: usize) -> &[T] {
    let parts = (all.len() / count).max(1);
    let part = &all[round % parts * count..];
    &part[..count.min(part.len())]
}

#[allow(clippy::cast_precision_loss)] // far below 2^52
fn float(number: u64) -> f64 {
    number as f64
}

fn count<T>(of: &[T]) -> f64 {
    float(of.len() as u64)
}

fn nanoseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e9
}

/// How many bytes an engine holds at this size; nothing if it was not ready in time.
fn held(engine: &str, size: Size) -> Result<Option<u64>, EngineError> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_held"))
        .args([engine, size.name])
        .stdout(Stdio::piped())
        .spawn()?;
    let began = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if began.elapsed() > PATIENCE {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        sleep(Duration::from_millis(5));
    };
    if !status.success() {
        return Err(format!("{engine} could not load {}: {status}", size.name).into());
    }
    let mut printed = String::new();
    if let Some(mut stdout) = child.stdout {
        stdout.read_to_string(&mut printed)?;
    }
    Ok(Some(printed.trim().parse()?))
}

fn print(size: Size, rows: &[Row]) {
    let [members, groups, stores] = [size.members, size.groups, size.stores].map(float);
    println!(
        "### {}: {} members, {} groups, {} stores\n",
        size.name,
        grouped(members),
        grouped(groups),
        grouped(stores)
    );
    println!(
        "| | ns a check | grantbook is faster by | load | add to a group, and check | bytes a member |"
    );
    println!("|---|---:|---:|---:|---:|---:|");
    let ours = rows.first().and_then(|row| median(&row.checks));
    for row in rows {
        let check = median(&row.checks);
        let ratio = check.zip(ours).map(|(theirs, ours)| theirs / ours);
        let cells = [
            check.map(grouped),
            ratio.map(|ratio| format!("{ratio:.1} ×")),
            median(&row.loads).map(duration),
            median(&row.changes).map(duration),
            row.bytes.map(|bytes| grouped(float(bytes) / members)),
        ];
        let cells = cells.map(|cell| cell.unwrap_or_else(|| "—".to_owned()));
        println!("| {} | {} |", row.engine.name(), cells.join(" | "));
    }
}

fn print_notes(rows: &[Row], allowed: usize) {
    println!("\n{allowed} % of the questions are allowed. Medians of {ROUNDS} rounds.");
    let (ready, late): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.bytes.is_some());
    let asked = ready.iter().map(|row| {
        let questions = grouped(float(row.engine.pace().questions() as u64));
        let compared = grouped(float(row.compared as u64));
        format!(
            "{} is asked {questions} a round (compared: {compared})",
            row.engine.name()
        )
    });
    println!("{}.", asked.collect::<Vec<_>>().join("; "));
    for row in late {
        let (name, patience) = (row.engine.name(), PATIENCE.as_secs());
        println!("— {name} was not ready after {patience} s.");
    }
    println!();
}

/// Of all rounds but the first, where there are others: that one warms up.
fn median(rounds: &[f64]) -> Option<f64> {
    let mut sorted = match rounds {
        [_, rest @ ..] if !rest.is_empty() => rest.to_vec(),
        _ => rounds.to_vec(),
    };
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

fn duration(nanoseconds: f64) -> String {
    match nanoseconds {
        ..1e3 => format!("{nanoseconds:.0} ns"),
        ..1e6 => format!("{:.1} µs", nanoseconds / 1e3),
        ..1e9 => format!("{:.1} ms", nanoseconds / 1e6),
        _ => format!("{:.1} s", nanoseconds / 1e9),
    }
}

/// A whole number with a comma before every three digits.
fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (resource, digit) in digits.chars().enumerate() {
        if resource > 0 && (digits.len() - resource) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
