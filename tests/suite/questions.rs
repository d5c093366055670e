//! Questions to an account: why, who else, where, what would change, what has happened, what could happen.

mod agreement;
mod escalations;
mod explanations;
mod history;
mod lists;
mod matrices;
mod previews;
mod remedies;
mod reviews;
mod wording;
