//! The digest of a record, calculated from what `docs/design.md` says of it.

use grantbook::{Digest, Record};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// The digest of what comes before record 1.
pub(crate) fn no_digest() -> Digest {
    Digest::parse(&"0".repeat(64)).expect("64 digits")
}

/// The digest that a record has after one with this digest: that of its encoding without its own digest, which is
/// written last as 64 digits and a byte for their number, and of the digest before it.
pub(crate) fn digest_after(record: &Record, before: &Digest) -> Digest {
    let encoded = postcard::to_extend(record, Vec::new()).expect("a record is encoded");
    let mut hasher = Sha256::new();
    hasher.update(&encoded[..encoded.len() - 65]);
    hasher.update(before.as_bytes());
    let digits = hasher.finalize();
    let digits = digits
        .iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    Digest::parse(&digits).expect("64 digits")
}

/// The record as somebody leaves it who changes it and knows how digests are made.
pub(crate) fn sealed(record: &Record, before: &Digest) -> Record {
    let mut plain = serde_json::to_value(record).expect("a record");
    plain["digest"] = Value::from(digest_after(record, before).to_string());
    serde_json::from_value(plain).expect("a record with another digest")
}
