//! Any bytes; see `tests/suite/hostile/`.

#![no_main]
#![allow(dead_code, unused_imports)] // The other targets use the rest.

#[path = "../../tests/suite/commands/mod.rs"]
mod commands;
#[path = "../../tests/suite/hostile/mod.rs"]
mod hostile;
#[path = "../../tests/suite/model/mod.rs"]
mod model;
#[path = "../../tests/suite/small_world/mod.rs"]
mod small_world;
#[path = "../../tests/suite/strategies.rs"]
mod strategies;
#[path = "../../tests/suite/support.rs"]
mod support;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    hostile::replays(data);
});
