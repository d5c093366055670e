//! Any bytes; see `tests/suite/hostile.rs`.

#![no_main]
#![allow(dead_code)] // The other targets use the rest.

#[path = "../../tests/suite/hostile.rs"]
mod hostile;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    hostile::text(data);
});
