//! Guides, the rules by number, and what else is written about the library.
//!
//! The same pages stand in the package as Markdown, under `docs`.

macro_rules! pages {
    ($($(#[$attribute:meta])* $name:ident: $file:literal,)+) => {
        $(
            // A link's first definition counts: these are for here, those at a page's end for where it is a file.
            $(#[$attribute])*
            #[doc = include_str!("docs/links.md")]
            #[doc = include_str!(concat!("../", $file))]
            pub mod $name {}
        )+
    };
}
pages! {
    // Excerpts of a program that is compiled where it is.
    #[allow(rustdoc::invalid_rust_codeblocks)]
    axum: "docs/guides/axum.md",
    #[cfg(any(feature = "render", not(doctest)))]
    testing: "docs/guides/testing.md",
    #[cfg(any(feature = "uuid", not(doctest)))]
    ids: "docs/guides/ids.md",
    directory_sync: "docs/guides/directory-sync.md",
    moving: "docs/guides/moving.md",
    limits: "docs/guides/limits.md",
    own_database: "docs/own-database.md",
    scaling: "docs/scaling.md",
    erasure: "docs/erasure.md",
    formats: "docs/formats.md",
    answers: "docs/answers.md",
    rules: "docs/rules.md",
    security: "SECURITY.md",
    design: "docs/design.md",
}
