//! The suite: one binary, through the public API alone. A test about a rule has it in its name (`docs/rules.md`).

// A table of cases is long and easy to read; so is a command that is made where it is used.
#![allow(
    clippy::needless_pass_by_value,
    clippy::too_many_lines,
    clippy::type_complexity
)]

mod accounts;
mod answers;
mod attacks;
mod command_json;
mod commands;
mod conformance;
mod corpus;
mod differential;
mod documents;
mod encodings;
mod exhaustive;
mod faults;
mod format;
mod formats;
mod histories;
mod hostile;
mod model;
mod project;
mod questions;
mod rendering;
mod replicas;
mod repository;
mod rules;
mod small_world;
mod strategies;
mod support;
mod text;
