//! Where accounts are kept: in a file, or in a database that several instances share.

use std::error::Error;

use grantbook::repository::{Accounts, AnyRepository, AsyncAsSync, Runtime, SyncStorage};
use grantbook_postgres::{PostgresRepository, migrate};
use grantbook_sqlite::SqliteRepository;
use tokio::runtime::Handle;
use tokio_postgres::{Config, NoTls};

pub(crate) type Storage = SyncStorage<AnyRepository>;
pub(crate) type Held = Accounts<Storage>;

/// So many connections of this instance to a database server.
const CONNECTIONS: usize = 8;

/// The runtime of the service. Storage is asked by threads that serve no requests.
struct Waiting(Handle);

impl Runtime for Waiting {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.0.block_on(future)
    }
}

/// Opens a file of SQLite, or a database of PostgreSQL if this is the address of one, and makes its tables.
pub(crate) async fn open(database: &str) -> Result<AnyRepository, Box<dyn Error>> {
    let is_server = ["postgres://", "postgresql://"];
    if !is_server.iter().any(|scheme| database.starts_with(scheme)) {
        return Ok(AnyRepository::new(SqliteRepository::create(database)?));
    }
    let config: Config = database.parse()?;
    let repository = PostgresRepository::connect(config, NoTls, CONNECTIONS)?;
    migrate(&repository).await?;
    let runtime = Waiting(Handle::current());
    Ok(AnyRepository::new(AsyncAsSync {
        repository,
        runtime,
    }))
}
