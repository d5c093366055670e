//! An account for people to read: its matrix as text, Markdown and CSV; a page to review it; a Mermaid graph. Feature
//! `render`.
//!
//! Ids and names may hold anything that can be typed: each form escapes them its own way, and all of them write out
//! what cannot be seen or turns the direction of writing, so that no id looks like another.

mod escape;
mod graph;
mod page;
mod page_account;
mod page_parts;
mod page_rows;
mod tables;
