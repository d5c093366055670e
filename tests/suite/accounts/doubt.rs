//! A commit whose answer is lost may have been kept.

use grantbook::repository::*;
use grantbook::*;

use super::hooked::{Asked, Hooked};
use super::{account, open_with_ann};
use crate::support::*;

/// U2, U9: a revocation whose answer is lost may have been kept: the copy counts as behind until it is known, and
/// whoever asks for the account next finds out.
#[test]
fn u9_a_revocation_whose_answer_is_lost_counts_at_the_next_request() {
    let repository = Hooked::new();
    let accounts = Accounts::builder(&*repository).build();
    let handle = open_with_ann(&accounts, "acme");
    let writes =
        |copy: &SharedAccount<_>| copy.can("ann", &Permission::STORE_WRITE, Resource::Store("dev"));
    assert!(writes(&handle));
    assert_eq!(handle.as_of().behind, 0);
    repository.lost_when(Asked::Commit, |_| ());
    let revoke = request(&by(OWNER), &[take_out("devs", ["ann"])], at(1));
    let error = handle.execute(&revoke).unwrap_err();
    assert_eq!(error.code(), "repository-failed");
    assert_eq!(handle.as_of().behind, 1, "it may have been kept");
    assert!(!writes(&accounts.get(&account("acme")).unwrap()));
    assert_eq!(handle.as_of().behind, 0);

    assert!(handle.execute(&revoke).unwrap().is_repeat());
    assert_eq!(handle.as_of().behind, 0);
}

/// A5: an account whose erasure is not known to be done counts as behind, and whoever asks for it next finds out. A
/// handle to it denies, and says that it was erased.
#[test]
fn a5_an_erasure_whose_answer_is_lost_counts_at_the_next_request() {
    let repository = Hooked::new();
    let accounts = Accounts::builder(&*repository).build();
    let handle = open_with_ann(&accounts, "acme");
    let close = request(&by(OWNER), &[close()], at(1));
    handle.execute(&close).unwrap();
    repository.lost_when(Asked::Erase, |_| ());
    let acme = account("acme");
    let error = accounts.erase(&acme).unwrap_err();
    assert_eq!(error.code(), "repository-failed");
    assert_eq!(handle.as_of().behind, 1, "it may have been erased");
    let found = accounts.get(&acme).unwrap_err();
    assert_eq!((found.code(), found.http_status()), ("account-erased", 410));
    accounts.erase(&acme).unwrap();
    drop(handle);
    assert!(accounts.forget("acme") && accounts.held().is_empty());
}
