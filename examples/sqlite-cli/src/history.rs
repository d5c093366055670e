//! What has happened.

use std::io::{BufWriter, Write, stdout};

use grantbook::repository::{HeadState, RecordPage, Repository};
use grantbook::{OneLine, Quoted, Record, Timestamp, Visible};
use grantbook_sqlite::SqliteRepository;
use serde_json::Value;

use crate::account::unknown;
use crate::{Failure, Place};

/// How many entries of a list are printed.
const LONGEST: usize = 10;
/// The first moment that is not written with a year of four digits.
const YEAR_10000: Timestamp = Timestamp::MAX.plus_millis(1);

/// Prints the records after a version, in their order.
pub(crate) fn print(place: &Place, after: u64, json: bool) -> Result<bool, Failure> {
    let kept = SqliteRepository::open(&place.file)?;
    let mut out = BufWriter::new(stdout().lock());
    let mut version = after;
    loop {
        let RecordPage::Records { records, head } = kept.records_after(&place.account, version)?
        else {
            return Err("records are missing".into()); // which this file never gives up
        };
        let Some(head) = head else {
            return Err(unknown(place));
        };
        if head.state == HeadState::Erased {
            return Err(format!("account {} was erased", Quoted(&place.account)).into());
        }
        for record in &records {
            version = record.version();
            if json {
                writeln!(out, "{}", serde_json::to_string(record)?)?;
            } else {
                writeln!(out, "{}", line(record)?)?;
            }
        }
        if version >= head.version {
            out.flush()?;
            return Ok(true);
        }
    }
}

fn line(record: &Record) -> Result<String, Failure> {
    let (version, at) = (record.version(), time(record.at()));
    // No member id reads like the host.
    let who = record.actor();
    let mut what = serde_json::to_value(record.event())?;
    shorten(&mut what);
    // In JSON what cannot be seen is data; here it is shown.
    let what = what.to_string();
    let what = OneLine(&what);
    let note = record.note();
    let note = note.map(|note| format!("  note: {}", Visible(note)));
    let note = note.unwrap_or_default();
    Ok(format!("{version:>6}  {at}  {who:<16}  {what}{note}"))
}

/// Cuts long lists: nobody reads ten thousand members in a line.
fn shorten(value: &mut Value) {
    match value {
        Value::Array(entries) => {
            let more = entries.len().saturating_sub(LONGEST);
            if more > 0 {
                entries.truncate(LONGEST);
                entries.push(format!("and {more} more").into());
            }
            entries.iter_mut().for_each(shorten);
        }
        Value::Object(fields) => fields.values_mut().for_each(shorten),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn time(at: Timestamp) -> String {
    match at.to_system_time().filter(|_| at < YEAR_10000) {
        Some(time) => humantime::format_rfc3339_millis(time).to_string(),
        None => format!("{} ms", at.as_millis()),
    }
}
