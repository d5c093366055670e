//! JSON Schema (draft 2020-12) of commands and of records, for programs in other languages. The schemas are files in
//! `docs/schema`; here they are text, for a service that publishes them.
//!
//! They say what can be read. Whether a command is accepted is for the account to decide.

/// What `grantbook::Command` reads.
pub const COMMAND: &str = include_str!("../../../docs/schema/command.json");

/// What `grantbook::Record` reads and writes, in format 1.
pub const RECORD: &str = include_str!("../../../docs/schema/record.json");
