//! Guides, the rules by number, and what else is written about the library.
//!
//! The same pages stand in the package as Markdown.

// The text is there where documentation is made; the modules always are, for links to them.
macro_rules! pages {
    ($($(#[$attribute:meta])* $name:ident: $file:literal $(if $condition:meta)?,)+) => {
        $(
            // A link's first definition counts: these are for here, those at a page's end for where it is a file.
            $(#[$attribute])*
            #[doc = include_str!("docs/links.md")]
            #[cfg_attr(
                all(any(doc, doctest), $(any(not(doctest), $condition))?),
                doc = include_str!(concat!("../", $file))
            )]
            pub mod $name {}
        )+
    };
}
pages! {
    // Excerpts of a program that is compiled where it is.
    #[allow(rustdoc::invalid_rust_codeblocks)]
    axum: "docs/guides/axum.md",
    testing: "docs/guides/testing.md" if feature = "render",
    ids: "docs/guides/ids.md" if feature = "uuid",
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
