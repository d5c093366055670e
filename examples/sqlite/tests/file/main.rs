//! The file: whose it is, what is in it, and what cannot be.

mod branches;
mod filter;
mod keeping;
mod kept;
mod opening;
mod rows;
mod together;
