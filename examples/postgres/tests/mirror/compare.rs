//! What the database answers beside what the library does.

use std::collections::BTreeSet;

use grantbook::{Account, Permission, Resource};
use tokio_postgres::Client;

use crate::random::{MEMBERS, PERMISSIONS, STORES};

/// How many answers were compared, and which of them are not the same.
#[derive(Debug, Default)]
pub(crate) struct Compared {
    pub(crate) answers: usize,
    pub(crate) allowed: usize,
    pub(crate) different: Vec<String>,
}

impl Compared {
    pub(crate) fn add(&mut self, other: Self) {
        self.answers += other.answers;
        self.allowed += other.allowed;
        self.different.extend(other.different);
    }

    fn one(&mut self, is_allowed: bool, expected: bool, what: impl Fn() -> String) {
        self.answers += 1;
        self.allowed += usize::from(expected);
        if is_allowed != expected {
            self.different.push(format!(
                "{}: {is_allowed}, and the library says {expected}",
                what()
            ));
        }
    }
}

/// Asks for each member, permission and resource.
pub(crate) async fn all_answers(sql: &Client, account: &Account) -> Compared {
    // No store has an empty id: it stands for the account.
    let ask = "
        SELECT CASE store WHEN '' THEN grantbook.can($1, member, permission)
            ELSE grantbook.can($1, member, permission, store) END
        FROM unnest($2::text[]) WITH ORDINALITY AS members (member, m),
            unnest($3::text[]) WITH ORDINALITY AS permissions (permission, p),
            unnest($4::text[]) WITH ORDINALITY AS stores (store, s)
        ORDER BY m, p, s";
    let places = [&STORES[..], &[""]].concat();
    let (members, permissions) = (MEMBERS.to_vec(), PERMISSIONS.to_vec());
    let id = account.id().as_str();
    let rows = sql
        .query(ask, &[&id, &members, &permissions, &places])
        .await;
    let mut answers = rows
        .expect("an answer to each")
        .into_iter()
        .map(|row| row.get::<_, bool>(0));
    let mut compared = Compared::default();
    for member in MEMBERS {
        for permission in PERMISSIONS {
            let asked = Permission::parse(permission).expect("a permission");
            for place in &places {
                let resource = if place.is_empty() {
                    Resource::Account
                } else {
                    Resource::Store(*place)
                };
                let is_allowed = answers.next().expect("as many as were asked for");
                let expected = account.can(member, &asked, resource);
                let version = account.version();
                compared.one(is_allowed, expected, || {
                    format!("{id} at {version}: `{member}`, {permission}, `{place}`")
                });
            }
        }
    }
    compared
}

/// Asks for the stores of each member and permission.
pub(crate) async fn all_stores(sql: &Client, account: &Account) -> Compared {
    let ask = "SELECT store FROM grantbook.stores_where($1, $2) WHERE account = $3";
    let id = account.id().as_str();
    let mut compared = Compared::default();
    for member in MEMBERS {
        for permission in PERMISSIONS {
            let asked = Permission::parse(permission).expect("a permission");
            let rows = sql.query(ask, &[&member, &permission, &id]).await;
            let rows = rows.expect("they are read");
            let found: BTreeSet<&str> = rows.iter().map(|row| row.get(0)).collect();
            assert_eq!(found.len(), rows.len(), "each once");
            for store in STORES {
                let expected = account.can(member, &asked, Resource::Store(store));
                compared.one(found.contains(store), expected, || {
                    format!("{id}, stores: `{member}`, {permission}, `{store}`")
                });
            }
        }
    }
    compared
}

/// All rows of the mirror of an account, as text.
pub(crate) async fn rows(sql: &Client, account: &str) -> Vec<String> {
    let tables = [
        "mirrors",
        "stores",
        "members",
        "member_groups",
        "group_grants",
        "role_permissions",
    ];
    let tables = tables.map(|table| {
        format!("SELECT '{table}' || t::text FROM grantbook.{table} AS t WHERE account = $1")
    });
    let all = tables.join(" UNION ALL ") + " ORDER BY 1";
    let rows = sql.query(&all, &[&account]).await.expect("they are read");
    rows.iter().map(|row| row.get(0)).collect()
}
