//! The repository as one that makes its thread wait, for tests that are the same for every host.

use std::future::Future;
use std::sync::Arc;

use grantbook::repository::{AsyncAsSync, Runtime};
use grantbook_etcd::EtcdRepository;
use tokio::runtime;

use super::server;

/// Waits in a runtime of two threads.
#[derive(Clone)]
pub(crate) struct Waiting(Arc<runtime::Runtime>);

impl Runtime for Waiting {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.0.block_on(future)
    }
}

pub(crate) type Connection = AsyncAsSync<EtcdRepository, Waiting>;

/// A connection of its own, with a runtime of its own, to the repository under `access`.
pub(crate) fn connect(endpoints: &[String]) -> Connection {
    let runtime = Waiting(Arc::new(server::runtime()));
    let client = runtime.block_on(server::client(endpoints));
    let repository = EtcdRepository::new(&client, "access");
    AsyncAsSync {
        repository,
        runtime,
    }
}
