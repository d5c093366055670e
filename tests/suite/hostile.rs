//! Hostile input: what must hold of any bytes whatever. Plain functions, which the fuzz targets (`fuzz/`) and the
//! ordinary tests (`corpus.rs`) share; each panics where the crate does not keep its word.

use std::collections::BTreeSet;
use std::fmt::{Debug, Display};
use std::str::FromStr;
use std::sync::OnceLock;

use grantbook::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

#[path = "hostile/restated.rs"]
mod restated;
#[path = "hostile/story.rs"]
mod story;

use restated::{answers_are_right, broken_by, holdings, in_order, keeps_the_rules};
use story::{KINDS, LINE, Step, Story};

/// Any bytes as an id, a name, a description, a permission: read as they are, or refused for what they break.
pub(crate) fn text(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    one_text::<AccountId>(data, &text, restated::is_id);
    one_text::<MemberId>(data, &text, restated::is_id);
    one_text::<GroupId>(data, &text, restated::is_id);
    one_text::<StoreId>(data, &text, restated::is_id);
    one_text::<RoleId>(data, &text, restated::is_id);
    one_text::<GroupName>(data, &text, restated::is_name);
    one_text::<RoleName>(data, &text, restated::is_name);
    one_text::<Description>(data, &text, restated::is_description);
    one_text::<Permission>(data, &text, restated::is_permission);
    let halves = text.split_once('\n').unwrap_or((&text, &text));
    if let (Ok(one), Ok(other)) = (GroupName::parse(halves.0), GroupName::parse(halves.1)) {
        let are_same = halves.0.to_lowercase() == halves.1.to_lowercase();
        assert_eq!(one.is_same_name(&other), are_same, "G3");
    }
    if let (Ok(one), Ok(other)) = (Permission::parse(halves.0), Permission::parse(halves.1)) {
        assert_eq!(one.cmp(&other), halves.0.cmp(halves.1), "U6");
        assert_eq!(one == other, halves.0 == halves.1);
    }
}

fn one_text<T>(data: &[u8], text: &str, keeps_its_rule: fn(&str) -> bool)
where
    T: FromStr<Err = ParseError> + AsRef<str> + Display + Debug + PartialEq,
    T: Serialize + DeserializeOwned,
{
    let json = serde_json::to_string(text).expect("text is JSON");
    let parsed = text.parse::<T>();
    assert_eq!(parsed.is_ok(), keeps_its_rule(text), "{text:?}: {parsed:?}");
    let from_json = serde_json::from_str::<T>(&json);
    let from_value = serde_json::from_value::<T>(Value::String(text.to_owned()));
    match parsed {
        Ok(parsed) => {
            assert_eq!(parsed.as_ref(), text);
            assert_eq!(parsed.to_string(), text);
            assert_eq!(serde_json::to_string(&parsed).expect("text"), json);
            assert_eq!(from_json.expect("one door"), parsed);
            assert_eq!(from_value.expect("one door"), parsed);
        }
        Err(error) => {
            explained(text, &error);
            for told in [from_json, from_value] {
                let told = told.expect_err("one door").to_string();
                assert!(told.starts_with(&error.to_string()), "{told}");
            }
        }
    }
    // The bytes as JSON themselves: nothing but a string is a text.
    let read = serde_json::from_slice::<T>(data).ok();
    let string = serde_json::from_slice::<String>(data).ok();
    assert_eq!(read, string.and_then(|string| string.parse().ok()));
}

/// What is said to be wrong with a text is wrong with it, and is said in few words.
fn explained(text: &str, error: &ParseError) {
    let (characters, bytes) = (text.chars().count(), text.len());
    assert!(error.to_string().len() < 250, "{error}");
    match (error.kind(), error.code()) {
        (ParseErrorKind::TooShort { length }, "too-short") => {
            assert!(length == bytes && length < 3);
        }
        (ParseErrorKind::TooLong { length }, "too-long") => assert!(length == bytes && length > 64),
        (
            ParseErrorKind::Character {
                character,
                position,
            },
            "bad-character",
        ) => {
            assert_eq!(text.chars().nth(position - 1), Some(character));
            assert!(position <= characters);
        }
        (ParseErrorKind::SurroundingWhitespace, "surrounding-whitespace") => {
            assert!(text.trim().len() < bytes);
        }
        (ParseErrorKind::Segment { segment }, "bad-segment") => {
            let segments: Vec<_> = text.split('.').collect();
            let named = segments.get(segment - 1).map(|segment| segment.len());
            assert!(named.is_some() || segments.len() == segment - 1);
        }
        (problem, code) => panic!("{problem:?} is not {code}"),
    }
}

/// Any bytes as JSON of everything that can be read: nothing is read that is not written back, and what is read of an
/// account keeps all its rules or is refused.
pub(crate) fn stored(data: &[u8]) {
    reread::<Command>(data);
    reread::<Vec<Command>>(data);
    reread::<Event>(data);
    reread::<Record>(data);
    reread::<Actor>(data);
    reread::<Grant>(data);
    reread::<Scope>(data);
    reread::<MemberStatus>(data);
    reread::<GroupLimit>(data);
    reread::<Timestamp>(data);
    reread::<RoleLevel>(data);
    reread::<AccessLevel>(data);
    reread::<Resource>(data);
    reread::<Permissions>(data);
    reread::<EffectivePermissions>(data);
    if let Some(snapshot) = reread::<Snapshot>(data) {
        restored(snapshot);
    }
    if let Some(records) = reread::<Vec<Record>>(data) {
        replayed(None, &records);
    }
    // Records as a file of lines, as far as they can be read.
    let lines = data.split(|byte| *byte == b'\n');
    let records: Vec<Record> = lines
        .map_while(|line| serde_json::from_slice(line).ok())
        .collect();
    if !records.is_empty() {
        replayed(None, &records);
    }
}

/// What these bytes are read as, if they are; then it is written, and read again as the same.
fn reread<T>(data: &[u8]) -> Option<T>
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let read: T = match serde_json::from_slice(data) {
        Ok(read) => read,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return None;
        }
    };
    let written = serde_json::to_string(&read).expect("what is read can be written");
    let again: T = serde_json::from_str(&written).expect("what is written can be read");
    assert_eq!(again, read);
    assert_eq!(serde_json::to_string(&again).expect("the same"), written);
    let plain: Value = serde_json::from_str(&written).expect("JSON");
    let from_plain = serde_json::from_value::<T>(plain.clone());
    assert_eq!(from_plain.expect("plain data too"), read);
    let mut plain = plain;
    if !std::any::type_name::<T>().ends_with("Snapshot") {
        let take = |repeated| serde_json::from_value::<T>(repeated).ok();
        assert!(!takes_a_repetition(&plain, take), "U5: {plain}");
    }
    for number in 0..16 {
        if !with_a_stranger(&mut plain, &mut number.clone()) {
            break;
        }
        let with_stranger = serde_json::from_value::<T>(plain.clone());
        assert!(with_stranger.is_err(), "U5: an unknown field in {plain}");
        with_a_stranger(&mut plain, &mut number.clone());
    }
    Some(read)
}

/// Gives the object of this number a field that nobody knows, or takes it away again.
fn with_a_stranger(value: &mut Value, number: &mut usize) -> bool {
    match value {
        Value::Object(fields) => {
            if *number == 0 {
                if fields.remove("colour").is_none() {
                    fields.insert("colour".to_owned(), 7.into());
                }
                return true;
            }
            *number -= 1;
            fields
                .values_mut()
                .any(|value| with_a_stranger(value, number))
        }
        Value::Array(items) => items.iter_mut().any(|item| with_a_stranger(item, number)),
        _ => false,
    }
}

/// Gives the list of texts of this number its first text once more.
fn with_a_repetition(value: &mut Value, number: &mut usize) -> bool {
    match value {
        Value::Object(fields) => fields
            .values_mut()
            .any(|value| with_a_repetition(value, number)),
        Value::Array(items) => {
            if let Some(first @ Value::String(_)) = items.first().cloned() {
                if *number == 0 {
                    items.push(first);
                    return true;
                }
                *number -= 1;
            }
            items.iter_mut().any(|item| with_a_repetition(item, number))
        }
        _ => false,
    }
}

/// Whether these plain data are still taken when one of their lists of texts names one twice.
fn takes_a_repetition<T>(plain: &Value, take: impl Fn(Value) -> Option<T>) -> bool {
    (0..8).any(|number| {
        let mut repeated = plain.clone();
        with_a_repetition(&mut repeated, &mut number.clone()) && take(repeated).is_some()
    })
}

/// A snapshot is an account if and only if it breaks no rule; the account is what the snapshot says.
fn restored(snapshot: Snapshot) {
    let plain = serde_json::to_value(&snapshot).expect("plain data");
    let broken = broken_by(&plain);
    match Account::try_from(snapshot) {
        Err(error) => {
            assert!(broken.is_some(), "refused without reason: {error}");
            assert!(SNAPSHOT_CODES.contains(&error.code()) || is_refusal_code(error.code()));
            assert!(error.to_string().len() < 700);
        }
        Ok(account) => {
            assert_eq!(broken, None, "a rule is broken");
            keeps_the_rules(&account);
            answers_are_right(&account);
            same_snapshot(&account);
            let told = serde_json::to_value(account.snapshot()).expect("plain data");
            assert_eq!(told, in_order(plain));
            let take = |repeated| {
                let snapshot: Snapshot = serde_json::from_value(repeated).ok()?;
                Account::try_from(snapshot).ok()
            };
            assert!(!takes_a_repetition(&told, take), "U5: {told}");
        }
    }
}

/// U2: an account's snapshot is the account, through JSON too.
fn same_snapshot(account: &Account) {
    let snapshot = account.snapshot();
    let json = serde_json::to_string(&snapshot).expect("a snapshot is written");
    let read: Snapshot = serde_json::from_str(&json).expect("a snapshot is read");
    assert_eq!(read, snapshot, "U2");
    let read = Account::try_from(read).expect("a snapshot of an account is one");
    assert_eq!(read.snapshot(), snapshot, "U2");
    assert!(read.index_is_exact());
}

const SNAPSHOT_CODES: [&str; 6] = [
    "not-opened",
    "no-owner",
    "duplicate-member",
    "duplicate-membership",
    "duplicate-grant",
    "unknown-group",
];

/// Whether the table of refusals in `docs/rules.md` has this code.
fn is_refusal_code(code: &str) -> bool {
    static CODES: OnceLock<BTreeSet<&str>> = OnceLock::new();
    let codes = CODES.get_or_init(|| {
        let rules = include_str!("../../docs/rules.md");
        let (_, table) = rules.split_once("## Refusals").expect("a table");
        let (table, _) = table.split_once("## ").expect("what comes after it");
        table.split('`').skip(1).step_by(2).collect()
    });
    codes.contains(code)
}

/// What a story came to: for the test that says that the stories of the corpus reach everything.
#[derive(Debug, Default)]
pub(crate) struct Reached {
    pub(crate) accepted: BTreeSet<&'static str>,
    pub(crate) refused: BTreeSet<&'static str>,
    pub(crate) accepted_steps: usize,
    pub(crate) refused_steps: usize,
    pub(crate) unchanged_steps: usize,
}

/// Any bytes as a story of commands: every rule is kept after each step, whoever asked for what.
pub(crate) fn commands(data: &[u8]) -> Reached {
    let Story { beginning, steps } = Story::read(data);
    let mut reached = Reached::default();
    let mut account = beginning.account.clone();
    let mut records = beginning.records.clone();
    for step in &steps {
        match asked(&mut account, step) {
            Err(refusal) => {
                reached.refused.insert(refusal.code());
                reached.refused_steps += 1;
            }
            Ok(more) => {
                reached
                    .accepted
                    .extend(more.iter().map(|record| record.event().kind()));
                reached.accepted_steps += usize::from(!more.is_empty());
                reached.unchanged_steps += usize::from(more.is_empty());
                records.extend(more);
            }
        }
    }
    keeps_the_rules(&account);
    answers_are_right(&account);
    same_snapshot(&account);
    // Questions that are not asked above give some answer.
    let now = account.changed_at();
    drop((account.review(now), account.matrix()));
    // U1, S3: to give a group what it has is to change nothing.
    for group in account.groups() {
        let same = Command::EditGroup {
            group: group.id().clone(),
            name: Some(group.name().clone()),
            description: Some(group.description().clone()),
            grants: Some(group.grants().to_vec()),
        };
        let decided = account.decide(&Actor::System, &same, now);
        assert_eq!(decided, Ok(None), "U1, S3");
    }
    let mut again = beginning.account;
    if !beginning.records.is_empty() {
        again = Account::replay(&records[..1]).expect("U2");
        records.remove(0);
    }
    for record in through_json(&records) {
        assert_eq!(record.version(), again.version() + 1, "U2");
        again.apply(&record).expect("U2");
    }
    assert_eq!(again, account, "U2");
    reached
}

fn through_json(records: &[Record]) -> Vec<Record> {
    let json = serde_json::to_string(records).expect("records are written");
    let read: Vec<Record> = serde_json::from_str(&json).expect("records are read");
    assert_eq!(read, records);
    read
}

/// Asks, and holds the answer against every rule about answers.
fn asked(account: &mut Account, step: &Step) -> Result<Vec<Record>, CommandError> {
    let Step {
        actor,
        commands,
        now,
    } = step;
    let before = account.clone();
    let preview = before.preview(actor, commands, *now);
    let outcome = match commands.as_slice() {
        [command] => account.execute(actor, command, *now).map(Vec::from_iter),
        _ => account.execute_batch(actor, commands, *now),
    };
    match (preview, &outcome) {
        (Ok(preview), Ok(records)) => {
            assert_eq!(
                preview.records, *records,
                "what is previewed is what is done"
            );
            let delta = AccessDelta::between(&before, account);
            assert_eq!(preview.delta, delta, "what is previewed is what changes");
        }
        (Err(previewed), Err(refusal)) => assert_eq!(previewed, *refusal),
        (preview, _) => panic!("{preview:?} is previewed, {outcome:?} is done"),
    }
    match &outcome {
        Err(refusal) => {
            assert_eq!(*account, before, "U3");
            assert!(account.index_is_exact(), "U3");
            assert!(is_refusal_code(refusal.code()), "{}", refusal.code());
            assert!(refusal.to_string().len() < 700, "{refusal}");
        }
        Ok(records) => {
            let mut after = before.clone();
            for record in records {
                let last = after.clone();
                after.apply(record).expect("U2");
                caused(&last, &after, record);
                assert_eq!(record.actor(), actor);
                assert_eq!(record.at(), last.changed_at().max(*now), "U2");
            }
            assert_eq!(after, *account, "U2");
            keeps_the_rules(account);
        }
    }
    if commands.len() > 1 && commands.len() <= MAX_BATCH {
        assert_eq!(outcome, one_by_one(before, step), "U4");
    }
    outcome
}

/// U4: a batch, one command at a time.
fn one_by_one(mut account: Account, step: &Step) -> Result<Vec<Record>, CommandError> {
    let mut records = Vec::new();
    for (index, command) in step.commands.iter().enumerate() {
        match account.execute(&step.actor, command, step.now) {
            Ok(record) => records.extend(record),
            Err(refusal) => {
                let refusal = Box::new(refusal);
                return Err(CommandError::InBatch { index, refusal });
            }
        }
    }
    Ok(records)
}

/// U1, U2: a record is the next one and changes something. E1, E3, E4: its actor gains nothing by it.
fn caused(before: &Account, after: &Account, record: &Record) {
    next_and_new(before, after, record);
    let Actor::Member(actor) = record.actor() else {
        return;
    };
    if matches!(record.event(), Event::InvitationAccepted { .. }) {
        return;
    }
    let Some(held) = holdings(before, actor) else {
        return; // An owner has nothing to gain.
    };
    let holds = holdings(after, actor).expect("E3: no ownership by one's own doing");
    assert!(holds.is_subset(&held), "E4: {actor} by {record:?}");
    for group in after.groups() {
        let is_in = |account: &Account| {
            let member = account.member(actor);
            member.is_some_and(|member| member.is_in(group.id()))
        };
        assert!(is_in(before) || !is_in(after), "E1: {actor} by {record:?}");
    }
}

fn next_and_new(before: &Account, after: &Account, record: &Record) {
    assert_eq!(after.version(), before.version() + 1, "U2");
    assert_eq!(record.version(), after.version(), "U2");
    assert_eq!(record.account(), after.id(), "A4");
    assert_eq!(record.at(), after.changed_at(), "U2");
    assert!(record.at() >= before.changed_at(), "U2");
    // All but version and time, which come before.
    let content = |account: &Account| {
        let json = serde_json::to_string(&account.snapshot()).expect("plain data");
        let (_, content) = json.split_once(r#""group_limit""#).expect("a field");
        content.to_owned()
    };
    assert_ne!(content(before), content(after), "U1: {record:?}");
}

/// Any bytes as a story, and as what somebody does to its records where they are stored. They are replayed as far as
/// nobody touched them; from there on each record is refused, or leads to an account that keeps every rule.
///
/// The first byte says how many lines of changes come (its low three bits), and whether versions and times are mended
/// afterwards (its top bit); then come the changes, eight bytes each; then the story.
pub(crate) fn replays(data: &[u8]) {
    let (first, rest) = data.split_first().unwrap_or((&0, &[]));
    let (lines, told) = rest.split_at(rest.len().min(usize::from(first & 7) * LINE));
    let Story { beginning, steps } = Story::read(told);
    let mut account = beginning.account.clone();
    let mut records = beginning.records.clone();
    for step in &steps {
        let outcome = account.execute_batch(&step.actor, &step.commands, step.now);
        records.extend(outcome.unwrap_or_default());
    }
    let base = beginning.records.is_empty().then_some(beginning.account);
    let (changed, untouched) = tampered(&records, lines, *first >= 128);
    if untouched > 0 {
        // The same account as far as nothing was touched.
        let (one, other) = (&records[..untouched], &changed[..untouched]);
        assert_eq!(replay(base.clone(), one), replay(base.clone(), other));
    }
    if untouched == records.len() {
        assert_eq!(replay(base.clone(), &records).as_ref(), Ok(&account), "U2");
    }
    replayed(base, &changed);
}

fn replay(base: Option<Account>, records: &[Record]) -> Result<Account, ReplayError> {
    match base {
        None => Account::replay(records),
        Some(mut account) => {
            records
                .iter()
                .try_for_each(|record| account.apply(record))?;
            Ok(account)
        }
    }
}

/// Replays records that anybody may have written, and goes on after those that are refused.
fn replayed(base: Option<Account>, records: &[Record]) {
    let whole = replay(base.clone(), records);
    let mut account = base;
    let mut refused = None;
    for record in records {
        let before = account.clone();
        let applied = match &mut account {
            Some(account) => account.apply(record),
            None => Account::replay([record]).map(|opened| account = Some(opened)),
        };
        let barred = barred(before.as_ref(), record);
        if let Err(error) = applied {
            assert_eq!(account, before, "U5: a refused record changes nothing");
            match barred {
                Some(code) => assert_eq!(error.code(), code),
                None => assert!(["does-not-fit", "redundant"].contains(&error.code())),
            }
            assert!(error.to_string().len() < 900, "{error}");
            refused.get_or_insert(error);
        } else {
            assert_eq!(barred, None, "{record:?}");
            let account = account.as_ref().expect("it was applied");
            keeps_the_rules(account);
            if let Some(before) = before {
                next_and_new(&before, account, record);
            }
        }
    }
    if let Some(account) = &account {
        answers_are_right(account);
        same_snapshot(account);
    }
    match (whole, refused, account) {
        (Ok(whole), None, Some(account)) => assert_eq!(whole, account, "U2"),
        (Err(error), Some(refused), _) => assert_eq!(error, refused, "U5"),
        (Err(ReplayError::NoRecords), None, None) => {}
        (whole, refused, _) => panic!("{whole:?}, and one at a time {refused:?}"),
    }
}

/// Why a record cannot be next, whatever it says happened: the first reason of A4, U2, A1, U5.
fn barred(account: Option<&Account>, record: &Record) -> Option<&'static str> {
    let version = account.map_or(0, Account::version);
    let is_opening = matches!(record.event(), Event::AccountOpened { .. });
    let by_itself = match record.event() {
        Event::AccountOpened { .. } | Event::MembersAdded { .. } => {
            *record.actor() == Actor::System
        }
        Event::InvitationAccepted { member } => {
            matches!(record.actor(), Actor::Member(actor) if actor == member)
        }
        _ => true,
    };
    [
        (
            account.is_some_and(|account| account.id() != record.account()),
            "wrong-account",
        ),
        (record.version() <= version, "repeat"),
        (record.version().saturating_sub(1) > version, "gap"),
        (
            account.is_some_and(|account| account.changed_at() > record.at()),
            "time-runs-backwards",
        ),
        (is_opening != account.is_none(), "opening"),
        (!by_itself, "wrong-actor"),
    ]
    .into_iter()
    .find_map(|(is_so, code)| is_so.then_some(code))
}

/// The records after these changes, and how many of them at the beginning nobody touched.
fn tampered(records: &[Record], lines: &[u8], mend: bool) -> (Vec<Record>, usize) {
    let mut changed = records.to_vec();
    let mut untouched = changed.len();
    for cut in lines.chunks_exact(LINE) {
        let Some(last) = changed.len().checked_sub(1) else {
            break;
        };
        let index = usize::from(cut[1]).min(last);
        let other = usize::from(cut[2]).min(last);
        untouched = untouched.min(index);
        let record = changed[index].clone();
        match cut[0] % 12 {
            0 => drop(changed.remove(index)),
            1 => {
                untouched = untouched.min(other);
                changed.insert(other, record);
            }
            2 => {
                untouched = untouched.min(other);
                changed.swap(index, other);
            }
            3 => {
                let by = i64::from(i8::from_ne_bytes([cut[3]]));
                let version = match by {
                    -128 => u64::MAX,
                    127 => 0,
                    _ => record.version().saturating_add_signed(by),
                };
                edited(&mut changed, index, "version", version.into());
            }
            4 => edited(&mut changed, index, "account", "other".into()),
            5 => {
                let actor = serde_json::to_value(story::actor(cut[3])).expect("an actor");
                edited(&mut changed, index, "actor", actor);
            }
            6 => {
                let at = story::moved(record.at(), cut[3]).as_millis();
                edited(&mut changed, index, "at", at.into());
            }
            7 => {
                let event = serde_json::to_value(changed[other].event()).expect("an event");
                edited(&mut changed, index, "event", event);
            }
            8 => changed.truncate(index),
            9 => {
                let mut json = serde_json::to_vec(&record).expect("a record");
                let resource = (usize::from(cut[3]) * 256 + usize::from(cut[4])) % json.len();
                match cut[5] % 3 {
                    0 => json[resource] = cut[6],
                    1 => json.insert(resource, cut[6]),
                    _ => {
                        drop(json.drain(resource..(resource + usize::from(cut[6])).min(json.len())))
                    }
                }
                match serde_json::from_slice(&json) {
                    Ok(read) => changed[index] = read,
                    Err(_) => drop(changed.remove(index)),
                }
            }
            // An event that nobody decided, in the place of one or before it.
            kind => {
                let event = forged(&cut[2..], record.at());
                if kind == 11 {
                    changed.insert(index, record);
                }
                edited(&mut changed, index, "event", event);
                let actor = match changed[index].event() {
                    Event::InvitationAccepted { member } => Actor::Member(member.clone()),
                    Event::AccountOpened { .. } | Event::MembersAdded { .. } => Actor::System,
                    _ => changed[index].actor().clone(),
                };
                let actor = serde_json::to_value(actor).expect("an actor");
                edited(&mut changed, index, "actor", actor);
            }
        }
    }
    untouched = untouched.min(changed.len());
    if mend {
        for index in untouched.max(1)..changed.len() {
            let (version, at) = (changed[index - 1].version(), changed[index - 1].at());
            edited(
                &mut changed,
                index,
                "version",
                version.saturating_add(1).into(),
            );
            let at = at.max(changed[index].at()).as_millis();
            edited(&mut changed, index, "at", at.into());
        }
    }
    (changed, untouched)
}

fn edited(records: &mut [Record], index: usize, field: &str, to: Value) {
    let mut plain = serde_json::to_value(&records[index]).expect("a record");
    plain[field] = to;
    records[index] = serde_json::from_value(plain).expect("a record with another value");
}

/// An event of any kind, such as a command of the story would cause, whether or not it could.
fn forged(line: &[u8], at: Timestamp) -> Value {
    let kind = line[0] % (KINDS + 1);
    let member = Value::from(story::member(line[1]).as_str());
    let Some(command) = story::command(line, at) else {
        return serde_json::json!({"kind": "account-opened", "owner": member, "group_limit": 3});
    };
    let mut event = serde_json::to_value(command).expect("a command");
    let fields = event.as_object_mut().expect("an object");
    let command = fields.remove("command");
    let kind = match command.as_ref().and_then(Value::as_str).unwrap_or_default() {
        "create-store" => "store-created",
        "create-group" => "group-created",
        "add-to-group" => "added-to-group",
        "add-members" => "members-added",
        "invite-member" => "member-invited",
        "accept-invitation" => "invitation-accepted",
        "cancel-invitation" => "invitation-cancelled",
        "remove-member" => "member-removed",
        "grant-ownership" => "ownership-granted",
        "revoke-ownership" => "ownership-revoked",
        "delete-store" => "store-deleted",
        "edit-group" => "group-edited",
        "delete-group" => "group-deleted",
        "remove-from-group" => "removed-from-group",
        "define-role" => "role-defined",
        "change-role" => "role-changed",
        "delete-role" => "role-deleted",
        other => panic!("{kind} is {other}, which has no event"),
    };
    fields.insert("kind".to_owned(), kind.into());
    if kind == "invitation-accepted" {
        fields.insert("member".to_owned(), member);
    }
    event
}
