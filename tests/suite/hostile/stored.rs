//! Any bytes as JSON of whatever can be read.

use std::fmt::Debug;

use grantbook::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::replays::replayed;
use super::snapshots::restored;

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
pub(super) fn takes_a_repetition<T>(plain: &Value, take: impl Fn(Value) -> Option<T>) -> bool {
    (0..8).any(|number| {
        let mut repeated = plain.clone();
        with_a_repetition(&mut repeated, &mut number.clone()) && take(repeated).is_some()
    })
}
