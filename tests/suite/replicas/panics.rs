//! Observers that panic.

use std::panic::{AssertUnwindSafe, catch_unwind};

use grantbook::repository::{self, Ingested, MemoryRepository, Request, Shared};
use grantbook::*;

use super::sharing::{kept, may_write};
use super::{by_host, keeping, loaded, opened, records_of};
use crate::support::*;

/// U2: an observer may panic: the copy is then as far behind as before the record that was shown, keeps serving, and
/// catches up.
#[test]
fn u2_an_observer_that_panics_leaves_a_copy_behind() {
    let kept = MemoryRepository::new();
    let shared = Shared::new(opened(&kept));
    let commands = vec![create_store("dev"), create_store("prod")];
    let both = Request {
        commands,
        ..by_host(1, create_store("dev"))
    };
    let failed = catch_unwind(|| {
        shared.execute_with(&kept, &both, |_, record| {
            assert!(record.version() < 3, "the observer fails on purpose");
        })
    });
    assert!(failed.is_err());
    assert_eq!(shared.as_of().version, 2);
    assert!(shared.can(OWNER, &Permission::STORE_READ, Resource::Store("dev")));
    assert_eq!(*shared.read(), {
        let mut late = loaded(&keeping(&records_of(&kept)[..1]));
        assert_eq!(late.ingest(&records_of(&kept)[1]), Ok(Ingested::Applied));
        late
    });
    // Retried, the request is answered as a whole; and others are executed.
    assert_eq!(shared.execute(&kept, &both).unwrap().len(), 2);
    shared
        .execute(&kept, &by_host(2, create_store("test")))
        .unwrap();
    assert_eq!(*shared.read(), loaded(&kept));
}

/// U2, U4: a refusal changes nothing. The observer sees what is caught up with, and what is executed; if the host
/// panics there, the account goes on, at a version that was stored.
#[test]
fn u2_a_panic_in_an_observer_leaves_the_account_whole() {
    let repository = MemoryRepository::new();
    let account = kept(&repository);
    let (mut other, shared) = (account.clone(), Shared::new(account));
    let version = shared.read().version();
    let refused = shared
        .execute(
            &repository,
            &request(&by("ann"), &[create_store("x")], at(0)),
        )
        .unwrap_err();
    assert_eq!(refused.code(), "not-authorized");
    assert_eq!(shared.read().version(), version);

    repository::execute(
        &repository,
        &mut other,
        &request(&by(OWNER), &[create_store("x"), create_store("y")], at(0)),
    )
    .unwrap();
    let mut shown = 0;
    let caught = catch_unwind(AssertUnwindSafe(|| {
        shared.catch_up_with(&repository, |before, record| {
            assert_eq!(before.version() + 1, record.version());
            shown += 1;
            assert!(shown < 2, "the host fails");
        })
    }));
    assert!(caught.is_err());
    assert_eq!(
        (shared.read().version(), shared.read().has_store("y")),
        (version + 1, false)
    );
    assert!(!may_write(&shared));

    let mut versions = Vec::new();
    let add = [add("right", ["ann"])];
    let records = shared.execute_with(
        &repository,
        &request(&by(OWNER), &add, at(0)),
        |_, record| {
            versions.push(record.version());
        },
    );
    assert_eq!(records.unwrap().len(), 1);
    assert_eq!(versions, [version + 2, version + 3]);
    assert!(may_write(&shared) && shared.read().has_store("y"));
    shared.catch_up(&repository).unwrap();
}
