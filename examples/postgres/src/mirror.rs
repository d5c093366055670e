//! The mirror of what accounts grant, by which the database itself decides.

use crate::error::Error;
use crate::repository::PostgresRepository;

/// The accounts whose mirrors do not stand where their heads do.
const BEHIND: &str = "
SELECT head.account FROM grantbook.heads AS head
LEFT JOIN grantbook.mirrors AS mirror USING (account, version, digest)
WHERE head.state <> 'erased' AND mirror.account IS NULL ORDER BY head.account";

const FILL: &str = "SELECT grantbook.fill_mirror($1)";

/// Fills the mirrors of all accounts that have none, or one that does not stand where the account does: after
/// [`migrate_mirror`](crate::migrate_mirror), for the accounts that were there before, and after a backup was restored.
/// Returns how many it filled. While one is filled, others who change that account wait.
///
/// # Errors
/// The database's. It takes the rights of the role that migrates.
pub async fn fill_mirrors(repository: &PostgresRepository) -> Result<usize, Error> {
    let connection = repository.connection().await?;
    let behind = connection.query(BEHIND, &[]).await?;
    for row in &behind {
        let account: &str = row.try_get(0)?;
        repository.query(FILL, &[&account]).await?;
    }
    Ok(behind.len())
}
