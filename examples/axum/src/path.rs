//! Paths that name what others chose the ids of.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What has a meaning in a URL, or may have one.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Returns a text as one segment of a path, or as a value of a query.
///
/// ```
/// assert_eq!(grantbook_axum::path_segment("dana/a b"), "dana%2Fa%20b");
/// ```
#[must_use]
pub fn path_segment(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}
