//! Migrations by many processes.

use grantbook_postgres::{Error, migrate, migrate_mirror};
use tokio::task::JoinSet;

use crate::server::accounts::{loaded, with_two_owners};
use crate::server::{Server, client, repository, runtime};

const AT_ONCE: usize = 16;

/// Many begin at once, over connections of their own: all of them find the schema, made once. Again is harmless.
pub(crate) fn at_once(server: &Server, name: &str) {
    runtime().block_on(async {
        let address = server.empty_database(name).await;
        let loaded = loaded(&repository(&address), "acme").await;
        let error = loaded.expect_err("there is no schema yet").to_string();
        let said =
            "the database failed: db error: ERROR: relation \"grantbook.snapshots\" does not exist";
        assert!(error.contains(said), "{error}");

        for round in 0..2 {
            let mut all = JoinSet::new();
            for _ in 0..AT_ONCE {
                let repository = repository(&address);
                all.spawn(async move {
                    migrate(&repository).await?;
                    migrate_mirror(&repository).await
                });
            }
            while let Some(done) = all.join_next().await {
                done.expect("it does not panic").expect("it is prepared");
            }
            let sql = client(&address).await;
            for table in ["migrations", "mirror_migrations"] {
                let applied = format!("SELECT number FROM grantbook.{table}");
                let applied = sql.query(&applied, &[]).await.expect("they are read");
                let applied: Vec<i32> = applied.iter().map(|row| row.get(0)).collect();
                assert_eq!(applied, [1], "{table}, round {round}");
            }
        }
        with_two_owners(&repository(&address), "acme").await;
        println!("fault: postgres, {AT_ONCE} migrations at once, twice: 0 failed");
    });
}

/// A database that a later program has migrated is left alone, and so is one that cannot hold every id.
pub(crate) fn of_a_later_program(server: &Server, name: &str) {
    runtime().block_on(async {
        let address = server.database(name).await;
        let sql = client(&address).await;
        let later = "INSERT INTO grantbook.migrations (number) VALUES (7)";
        sql.batch_execute(later).await.expect("it is kept");
        let error = migrate(&repository(&address))
            .await
            .expect_err("it is later");
        assert!(
            matches!(error, Error::NewerSchema { found: 7, known: 1 }),
            "{error}"
        );

        let ascii = format!("{name}_ascii");
        let create = format!("CREATE DATABASE {ascii} ENCODING 'SQL_ASCII' TEMPLATE template0");
        sql.batch_execute(&create).await.expect("it is made");
        let address = server.address(&ascii);
        let error = migrate(&repository(&address))
            .await
            .expect_err("it is not UTF8");
        assert!(
            matches!(&error, Error::Encoding { encoding } if encoding == "SQL_ASCII"),
            "{error}"
        );
    });
}
