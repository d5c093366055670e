//! What has happened.

use std::io::{BufWriter, Write, stdout};

use grantbook::repository::{HeadState, RecordPage, Repository};
use grantbook::{Quoted, Record, Visible};
use grantbook_sqlite::SqliteRepository;

use crate::account::unknown;
use crate::{Failure, Place};

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
                writeln!(out, "{}", line(record))?;
            }
        }
        if version >= head.version {
            out.flush()?;
            return Ok(true);
        }
    }
}

fn line(record: &Record) -> String {
    let (version, at) = (record.version(), record.at());
    // No member id reads like the application.
    let (who, what) = (record.actor(), record.event());
    let note = record.note();
    let note = note.map_or(String::new(), |note| format!("  note: {}", Visible(note)));
    format!("{version:>6}  {at}  {who:<16}  {what}{note}")
}
