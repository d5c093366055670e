//! What the service is for: documents, each in a store.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use grantbook::{Permission, StoreId};
use grantbook_axum::{InStore, Needs, Problem, blocking};
use rusqlite::{Connection, params};
use serde::Serialize;

use crate::{App, InAccount};

/// The longest document, in bytes.
const LONGEST: usize = 100_000;

/// What reading a store takes.
pub(crate) struct Reads;

impl Needs for Reads {
    const PERMISSION: Permission = Permission::STORE_READ;
}

/// What changing a store takes.
pub(crate) struct Writes;

impl Needs for Writes {
    const PERMISSION: Permission = Permission::STORE_WRITE;
}

/// A document.
#[derive(Serialize)]
pub(crate) struct Document {
    store: String,
    author: String,
    text: String,
}

/// The table of documents, in the file of the accounts.
pub(crate) struct Documents(Mutex<Connection>);

impl Documents {
    pub(crate) fn open(file: &str) -> rusqlite::Result<Self> {
        let connection = Connection::open(file)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.execute_batch(
            "CREATE TABLE IF NOT EXISTS documents (
                id INTEGER PRIMARY KEY, account TEXT NOT NULL, store TEXT NOT NULL,
                author TEXT NOT NULL, text TEXT NOT NULL
            ) STRICT;
            CREATE INDEX IF NOT EXISTS documents_in_store ON documents (account, store);",
        )?;
        Ok(Self(Mutex::new(connection)))
    }

    fn with<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Problem> {
        let connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        work(&connection).map_err(Problem::internal)
    }

    fn add(&self, into: &InStore<Writes>, text: &str) -> Result<(), Problem> {
        let row = params![
            into.account.as_str(),
            into.store.as_str(),
            into.caller.as_str(),
            text
        ];
        let insert = "INSERT INTO documents (account, store, author, text) VALUES (?1, ?2, ?3, ?4)";
        self.with(|connection| connection.execute(insert, row).map(drop))
    }

    /// The documents of these stores: one query, however many they are.
    fn list(&self, account: &str, stores: &[StoreId]) -> Result<Vec<Document>, Problem> {
        let stores = serde_json::json!(stores).to_string();
        let query = "SELECT store, author, text FROM documents
            WHERE account = ?1 AND store IN (SELECT value FROM json_each(?2)) ORDER BY id";
        self.with(|connection| {
            let mut statement = connection.prepare_cached(query)?;
            let rows = statement.query_map(params![account, stores], |row| {
                let (store, author, text) = (row.get(0)?, row.get(1)?, row.get(2)?);
                Ok(Document {
                    store,
                    author,
                    text,
                })
            })?;
            rows.collect()
        })
    }
}

/// `GET /accounts/{account}/documents`: all that the caller may read.
pub(crate) async fn list(
    State(app): State<App>,
    at: InAccount,
) -> Result<Json<Vec<Document>>, Problem> {
    let stores: Vec<StoreId> = at.account.with(|account| {
        let stores = account.stores_for(&at.caller, &Permission::STORE_READ, None);
        stores.cloned().collect()
    });
    let list = move || app.documents.list(at.account.id(), &stores);
    Ok(Json(blocking(list).await??))
}

/// `GET /accounts/{account}/stores/{store}/documents`.
pub(crate) async fn in_store(
    State(app): State<App>,
    at: InStore<Reads>,
) -> Result<Json<Vec<Document>>, Problem> {
    let list = move || app.documents.list(&at.account, &[at.store]);
    Ok(Json(blocking(list).await??))
}

/// `POST /accounts/{account}/stores/{store}/documents`: the body is the text.
pub(crate) async fn add(
    State(app): State<App>,
    into: InStore<Writes>,
    text: String,
) -> Result<StatusCode, Problem> {
    if text.len() > LONGEST {
        let told = format!("a document has at most {LONGEST} bytes");
        return Err(Problem::new(422, "document-too-long", told));
    }
    blocking(move || app.documents.add(&into, &text)).await??;
    Ok(StatusCode::CREATED)
}
