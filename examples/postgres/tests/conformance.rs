//! grantbook's own tests for repositories, over a real server: as it comes, with pages of two records and a snapshot at
//! every version, with the mirror, and with every transaction at SERIALIZABLE.

mod server;

use std::num::{NonZeroU32, NonZeroU64};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use grantbook::repository::AsyncAsSync;
use grantbook::repository::conformance::Fixture;
use grantbook_postgres::{PostgresRepository, migrate_mirror};
use server::{Server, Waits, blocking, repository, runtime};

/// Its input ends with this process, and so does it.
static SERVER: LazyLock<Server> = LazyLock::new(|| Server::start(false));

/// A database of its own.
struct Fresh {
    address: String,
    set: fn(PostgresRepository) -> PostgresRepository,
}

impl Fresh {
    fn with(settings: &str, set: fn(PostgresRepository) -> PostgresRepository) -> Self {
        static DATABASES: AtomicUsize = AtomicUsize::new(0);
        let name = format!("fresh{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        let address = runtime().block_on(SERVER.database(&name));
        let address = format!("{address} options='{settings}'");
        Self { address, set }
    }
}

impl Fresh {
    /// With the mirror, which is kept by every commit.
    fn mirrored() -> Self {
        let fresh = Self::with("", |repository| repository);
        let repository = repository(&fresh.address);
        let migrated = runtime().block_on(migrate_mirror(&repository));
        migrated.expect("it is prepared");
        fresh
    }
}

impl Fixture for Fresh {
    type Repository = AsyncAsSync<PostgresRepository, Waits>;

    fn connect(&self) -> Self::Repository {
        let AsyncAsSync {
            repository,
            runtime,
        } = blocking(&self.address);
        let repository = (self.set)(repository);
        AsyncAsSync {
            repository,
            runtime,
        }
    }
}

mod as_is {
    use super::Fresh;

    grantbook::repository_conformance!(Fresh::with("", |repository| repository));
}

mod small_pages {
    use super::{Fresh, NonZeroU32, NonZeroU64};

    grantbook::repository_conformance!(Fresh::with("", |repository| {
        let two = NonZeroU32::MIN.saturating_add(1);
        repository
            .with_page(two)
            .with_snapshots(Some(NonZeroU64::MIN))
    }));
}

mod mirrored {
    use super::Fresh;

    grantbook::repository_conformance!(Fresh::mirrored());
}

mod serializable {
    use super::Fresh;

    grantbook::repository_conformance!(Fresh::with(
        "-c default_transaction_isolation=serializable",
        |repository| repository
    ));
}
