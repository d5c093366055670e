//! The tests by rule. A rule's tests are where its letter says, and begin with its number: `cargo test e1` runs what
//! E1 is about.

mod a;
mod e;
mod g;
mod l;
mod m;
mod p;
mod s;
mod u;

use grantbook::*;

use crate::support::*;

/// The staffed account with a role of its own, `auditor`, of store level.
fn with_auditor() -> World {
    let mut world = World::staffed();
    world.ok(
        OWNER,
        define_role(
            "auditor",
            "Auditor",
            RoleLevel::Store,
            &["log.read", "store.read"],
        ),
    );
    world
}
