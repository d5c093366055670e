//! grantbook's contract, case by case, on a server for each.

mod common;

use grantbook::repository::conformance::Fixture;

use common::server::Cluster;
use common::waiting::{self, Connection};

struct Server(Cluster);

impl Fixture for Server {
    type Repository = Connection;

    fn connect(&self) -> Connection {
        waiting::connect(&self.0.endpoints())
    }
}

fn fresh() -> Server {
    Server(Cluster::start(1))
}

grantbook::repository_conformance!(fresh());
