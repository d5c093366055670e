//! The contract, over a file.

use grantbook::repository::conformance::Fixture;
use grantbook_sqlite::SqliteRepository;
use tempfile::TempDir;

/// A folder with a file of its own, gone when dropped.
struct Fresh(TempDir);

impl Fixture for Fresh {
    type Repository = SqliteRepository;

    fn connect(&self) -> SqliteRepository {
        SqliteRepository::create(self.0.path().join("access.db")).expect("the file opens")
    }
}

fn fresh() -> Fresh {
    Fresh(tempfile::tempdir().expect("a folder"))
}

grantbook::repository_conformance!(fresh());
