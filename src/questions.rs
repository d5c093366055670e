//! What people ask of an account beyond yes and no: who else, why, what would change.

mod covers;
pub(crate) mod delta;
mod delta_text;
pub(crate) mod differences;
pub(crate) mod effective;
pub(crate) mod escalation;
mod explain;
mod explain_text;
pub(crate) mod explanation;
pub(crate) mod finding;
mod many;
pub(crate) mod matrix;
mod pages;
mod remedies;
pub(crate) mod reverse;
mod review;
mod warning;
