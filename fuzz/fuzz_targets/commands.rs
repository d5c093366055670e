//! Any bytes; see `tests/suite/hostile/`.

#![no_main]
#![allow(dead_code, unused_imports)] // The other targets use the rest.

#[path = "../../tests/suite/hostile/mod.rs"]
mod hostile;
#[path = "../../tests/suite/model/mod.rs"]
mod model;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    hostile::commands(data);
});
