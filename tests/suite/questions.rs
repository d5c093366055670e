//! Questions to an account: why, who else, where, what would change, what has happened, what could happen.

mod agreement;
mod escalations;
mod explained;
mod explanations;
mod history;
mod lists;
mod matrices;
mod pages_of_explanations;
mod previews;
mod remedies;
mod reviews;
mod warnings;
mod wording;
