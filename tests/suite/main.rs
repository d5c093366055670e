//! The suite: one binary, through the public API alone. Each test names the rules that it holds (`docs/rules.md`).

// A table of cases is long and easy to read; so is a command that is made where it is used.
#![allow(
    clippy::needless_pass_by_value,
    clippy::too_many_lines,
    clippy::type_complexity
)]

mod access;
mod attacks;
mod conformance;
mod corpus;
mod differential;
mod escalation;
mod exhaustive;
mod faults;
mod faulty;
mod format;
mod groups;
mod handles;
mod histories;
mod hostile;
mod members;
mod model;
mod oracle;
mod project;
mod questions;
mod realm;
mod records;
mod refusals;
mod replicas;
mod repository;
mod review;
mod roles;
mod scale;
mod small_world;
mod snapshots;
mod stores;
mod strategies;
mod support;
mod text;
mod words;
