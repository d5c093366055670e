//! The guide shows the code that is there.

use std::fs;
use std::path::Path;

#[test]
fn the_guide_shows_the_code_that_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let guide = fs::read_to_string(root.join("docs/guides/axum.md")).unwrap();
    let mut sources = String::new();
    for file in fs::read_dir(root.join("examples/service/src")).unwrap() {
        sources += &fs::read_to_string(file.unwrap().path()).unwrap();
    }
    let excerpts: Vec<&str> = guide
        .split("```rust,ignore\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert!(excerpts.len() > 6);
    for excerpt in excerpts {
        assert!(sources.contains(excerpt), "not in the sources:\n{excerpt}");
    }
}
