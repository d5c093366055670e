//! What people ask of an account beyond yes and no: who else, why, what would change.

mod covers;
pub(crate) mod delta;
pub(crate) mod differences;
pub(crate) mod escalation;
pub(crate) mod explain;
mod explain_text;
pub(crate) mod matrix;
mod pages;
pub(crate) mod reverse;
pub(crate) mod review;
