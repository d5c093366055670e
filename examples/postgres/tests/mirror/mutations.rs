//! Rules that are broken in the database on purpose.

use grantbook_postgres::migrate;

use crate::SERVER;
use crate::decisions::History;
use crate::server::{client, repository};

const MIRROR: &str = include_str!("../../migrations/mirror/0001_mirror.sql");

/// A rule, what stands for it, and what is put in its place.
const BROKEN: &[(&str, &str, &str)] = &[
    (
        "who is suspended holds nothing",
        "status = 'active' AND",
        "status <> 'invited' AND",
    ),
    (
        "who is invited holds nothing",
        "status = 'active' AND",
        "status <> 'suspended' AND",
    ),
    ("a closed account denies", "AND state = 'open';", ";"),
    (
        "owners hold all at the account",
        "COLLATE \"C\" WHERE is_owner",
        "COLLATE \"C\" WHERE false",
    ),
    (
        "only owners hold all",
        "FROM grantbook.stores WHERE is_owner AND",
        "FROM grantbook.stores WHERE",
    ),
    ("editors read", "('store-editor', 'store.read'),\n", ""),
    (
        "managers invite",
        "('group-manager', 'account.invite_members'),\n",
        "",
    ),
    (
        "a permission includes those that extend it",
        "including || prefix",
        "ARRAY[prefix]",
    ),
    (
        "a store's role counts in its store",
        "AND held.store = can.store\n",
        "\n",
    ),
    (
        "an account's role counts at the account alone",
        "AND held.store IS NULL\n",
        "\n",
    ),
    (
        "a role is granted at the account",
        "one -> 'scope' = '\"account\"'",
        "false",
    ),
    (
        "an invitation that expired starts from nothing",
        "
        DELETE FROM grantbook.members WHERE account = of_account AND member = of_member;
        INSERT",
        "
        INSERT",
    ),
    (
        "who is added starts from nothing",
        "'active', false FROM jsonb",
        "'active', true FROM jsonb",
    ),
    (
        "who is invited as an owner becomes one",
        "(event ->> 'as_owner')::boolean",
        "false",
    ),
    (
        "accepting makes active",
        "'invitation-accepted', ",
        "'invitation-accepted' THEN NULL; WHEN ",
    ),
    (
        "grants that are edited replace the others",
        "DELETE FROM grantbook.group_grants AS now WHERE",
        "DELETE FROM grantbook.group_grants AS now WHERE false AND",
    ),
    (
        "a role is revoked",
        "AND role = of_role\n            AND (event",
        "AND false AND role = of_role\n            AND (event",
    ),
    (
        "revoked in some stores, it stays in the others",
        "(event -> 'stores' = 'null' OR store IN",
        "(true OR store IN",
    ),
    (
        "a changed role loses permissions",
        "AND NOT event -> 'permissions' ? permission",
        "AND false",
    ),
    (
        "a group's members are set",
        "(event -> 'removed')",
        "('[]'::jsonb)",
    ),
    (
        "who leaves a group is out",
        "WHEN 'removed-from-group' THEN\n        DELETE FROM grantbook.member_groups WHERE",
        "WHEN 'removed-from-group' THEN\n        DELETE FROM grantbook.member_groups WHERE false AND",
    ),
    (
        "a store is deleted",
        "DELETE FROM grantbook.stores WHERE",
        "DELETE FROM grantbook.stores WHERE false AND",
    ),
    (
        "ownership is revoked",
        "SET is_owner = false WHERE",
        "SET is_owner = true WHERE",
    ),
];

/// Each is noticed by histories such as those that find nothing in the database as it is: an answer is another one, or
/// the mirror refuses a record.
pub(crate) async fn are_noticed() {
    let mut unnoticed = Vec::new();
    for (number, (rule, from, to)) in BROKEN.iter().enumerate() {
        let broken = MIRROR.replacen(from, to, 1);
        assert_ne!(broken, MIRROR, "{rule}: it is not written so");
        if !is_noticed(&format!("broken_{number}"), &broken).await {
            unnoticed.push(rule);
        }
    }
    println!(
        "mirror: {} rules broken on purpose, {} unnoticed",
        BROKEN.len(),
        unnoticed.len()
    );
    assert!(unnoticed.is_empty(), "{unnoticed:?}");
}

async fn is_noticed(database: &str, mirror: &str) -> bool {
    let address = SERVER.empty_database(database).await;
    let repository = repository(&address);
    migrate(&repository).await.expect("it is prepared");
    let sql = client(&address).await;
    sql.batch_execute(mirror).await.expect("it is still SQL");
    for seed in 0..20 {
        let mut history = History::begin(&repository, &format!("history {seed}"), seed).await;
        for step in 0..100 {
            if history.step().await.is_err() {
                return true;
            }
            if step % 4 == 0 && !history.compare(&sql).await.different.is_empty() {
                return true;
            }
        }
    }
    false
}
