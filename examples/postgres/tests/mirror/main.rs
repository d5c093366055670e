//! The mirror, by which the database itself decides: it answers as the library does.

#[path = "../server/mod.rs"]
mod server;

mod beginnings;
mod compare;
mod costs;
mod decisions;
mod mutations;
mod policies;
mod random;
mod rights;

use std::future::Future;
use std::sync::LazyLock;

use grantbook_postgres::migrate_mirror;
use tokio_postgres::Client;

use server::{Server, repository, runtime};

/// Its input ends with this process, and so does it.
static SERVER: LazyLock<Server> = LazyLock::new(|| Server::start(false));

/// Runs a test when the server is there.
fn run(test: impl Future<Output = ()>) {
    LazyLock::force(&SERVER);
    runtime().block_on(test);
}

/// A database with a mirror; its address.
async fn mirrored(name: &str) -> String {
    let address = SERVER.database(name).await;
    let migrated = migrate_mirror(&repository(&address)).await;
    migrated.expect("it is prepared");
    address
}

/// The SQL of the package's documentation: its rights first, then its policies.
fn documented_sql(number: usize) -> &'static str {
    let blocks = include_str!("../../README.md").split("```sql\n").skip(1);
    let mut blocks = blocks.filter_map(|block| block.split("```").next());
    blocks.nth(number).expect("it is there")
}

/// Makes the application's role, with the rights of the documentation.
async fn prepare_app(owner: &Client) {
    let create = "DO $$ BEGIN CREATE ROLE app LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$";
    owner.batch_execute(create).await.expect("as a superuser");
    let rights = documented_sql(0);
    owner.batch_execute(rights).await.expect("as a superuser");
}

/// The same address, for the role with an application's rights.
fn as_app(address: &str) -> String {
    address.replace("user=postgres", "user=app")
}

#[test]
fn random_histories_are_decided_as_the_library_decides_them() {
    run(decisions::random_histories());
}

#[test]
fn each_rule_that_is_broken_in_the_database_is_noticed() {
    run(mutations::are_noticed());
}

#[test]
fn an_account_that_was_there_before_is_denied_until_it_is_filled() {
    run(beginnings::of_accounts_that_were_there());
}

#[test]
fn mirrors_are_filled_while_others_write() {
    run(beginnings::while_others_write());
}

#[test]
fn a_mirror_that_does_not_stand_where_its_account_does_denies() {
    run(beginnings::elsewhere());
}

#[test]
fn what_the_mirror_does_not_know_is_refused() {
    run(beginnings::of_a_later_library());
}

#[test]
fn what_is_malformed_unknown_or_null_is_denied() {
    run(decisions::malformed_and_unknown());
}

#[test]
fn policies_show_the_rows_that_the_library_allows() {
    run(policies::show_what_is_allowed());
}

#[test]
fn policies_decide_what_is_written() {
    run(policies::decide_what_is_written());
}

#[test]
fn many_rows_are_filtered_at_once() {
    run(policies::over_many_rows());
}

#[test]
fn the_applications_role_cannot_write_the_mirror() {
    run(rights::of_the_application());
}

#[test]
fn what_a_commit_costs_with_the_mirror() {
    run(costs::of_commits());
}
