//! What somebody does to records where they are stored.

use grantbook::event::InvitationAccepted;
use grantbook::*;
use serde_json::Value;

use super::sealed;
use super::story::{self, LINE};
use crate::commands::{MEMBERS, id, moved};
use crate::model::event_of;

/// The records after these changes, and how many of them at the beginning nobody touched. Mended, they are a chain again
/// that follows this digest.
pub(super) fn tampered(
    records: &[Record],
    lines: &[u8],
    repair: bool,
    before: &Digest,
) -> (Vec<Record>, usize) {
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
                let at = moved(record.at(), cut[3]).as_millis();
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
                        let end = json.len().min(resource + usize::from(cut[6]));
                        drop(json.drain(resource..end));
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
                    Event::InvitationAccepted(InvitationAccepted { member }) => {
                        Actor::Member(member.clone())
                    }
                    Event::AccountOpened(_) | Event::MembersAdded(_) => Actor::System,
                    _ => changed[index].actor().clone(),
                };
                let actor = serde_json::to_value(actor).expect("an actor");
                edited(&mut changed, index, "actor", actor);
            }
        }
    }
    untouched = untouched.min(changed.len());
    if repair {
        for index in untouched..changed.len() {
            let last = index.checked_sub(1).map(|last| changed[last].clone());
            if let Some(last) = &last {
                let version = last.version().saturating_add(1);
                edited(&mut changed, index, "version", version.into());
                let at = last.at().max(changed[index].at()).as_millis();
                edited(&mut changed, index, "at", at.into());
                let (number, of) = match last.commit() {
                    place if place.is_last() => (1, 1),
                    place => (place.number() + 1, place.of()),
                };
                let place = serde_json::json!({"number": number, "of": of});
                edited(&mut changed, index, "commit", place);
            }
            let before = last.as_ref().map_or(before, Record::digest);
            changed[index] = sealed(&changed[index], before);
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
    let member = Value::from(id::<MemberId>(&MEMBERS, line[1]).as_str());
    let Some(command) = story::command(line, at) else {
        return serde_json::json!({"kind": "account-opened", "owner": member, "group_limit": 3, "key": null});
    };
    let kind = event_of(&command);
    let mut event = serde_json::to_value(command).expect("a command");
    let fields = event.as_object_mut().expect("an object");
    fields.remove("command");
    fields.insert("kind".to_owned(), kind.into());
    match kind {
        "invitation-accepted" | "member-left" => {
            fields.insert("member".to_owned(), member);
        }
        "members-added" => {
            fields.insert("ended".to_owned(), serde_json::json!([]));
        }
        "group-members-set" => {
            let members = fields.remove("members").expect("a list");
            fields.insert("added".to_owned(), members);
            fields.insert("removed".to_owned(), serde_json::json!([]));
        }
        _ => {}
    }
    event
}
