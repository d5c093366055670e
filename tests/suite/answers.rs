//! What is said and given back: text that others chose is quoted everywhere, every answer is data with a stable JSON, and
//! `Debug` of what holds an account is a line.

mod handles;
mod json;
mod question_samples;
mod quoted;
mod samples;
