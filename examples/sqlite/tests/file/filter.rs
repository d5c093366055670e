//! An application lists its rows with a filter of stores, and gets those that a check of each row allows.

use std::collections::BTreeSet;

use grantbook::command::{AddMembers, AddToGroup, CreateGroup, GrantRole};
use grantbook::repository::{self, Request};
use grantbook::{
    Actor, Command, Description, Grant, GroupId, IdempotencyKey, MemberId, Permission, Resource,
    RoleId, Scope, StoreId, StoreSet,
};
use grantbook_sqlite::SqliteRepository;
use rusqlite::{Connection, params};

use crate::kept::{Kept, NOW, delete_store};

#[test]
fn a_query_with_a_filter_lists_what_a_check_of_each_row_allows() {
    let kept = Kept::new();
    let repository = SqliteRepository::open(kept.path()).unwrap();
    let mut acme = kept.load("acme").unwrap().unwrap();
    let store = |id: &str| StoreId::parse(id).unwrap();
    let member = |id: &str| MemberId::parse(id).unwrap();
    let group = GroupId::parse("devs").unwrap();
    let commands: Vec<Command> = vec![
        AddMembers {
            members: ["dana", "nils"].map(member).into(),
        }
        .into(),
        CreateGroup {
            group: group.clone(),
            name: "Dev Team".parse().unwrap(),
            description: Description::default(),
            grants: vec![Grant::in_stores(RoleId::store_viewer(), [store("dev")])],
        }
        .into(),
        GrantRole {
            group: group.clone(),
            role: RoleId::store_editor(),
            scope: Scope::Stores([store("live")].into()),
        }
        .into(),
        AddToGroup {
            group,
            members: [member("dana")].into(),
        }
        .into(),
    ];
    let key = IdempotencyKey::parse("staff").unwrap();
    let request = Request::by(Actor::System, key, NOW).commands(commands);
    repository::execute(&repository, &mut acme, &request).unwrap();

    // The application's own table, in the same file.
    let connection = Connection::open(kept.path()).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE documents (id INTEGER PRIMARY KEY, store TEXT NOT NULL) STRICT",
        )
        .unwrap();
    let stores = ["dev", "live", "never-there"].into_iter().cycle();
    for (id, store) in (0..200_i64).zip(stores) {
        let insert = "INSERT INTO documents VALUES (?1, ?2)";
        connection.execute(insert, params![id, store]).unwrap();
    }
    let listed = |condition: &str, stores: &str| -> BTreeSet<(i64, String)> {
        let query = format!("SELECT id, store FROM documents WHERE ?1 IS NOT NULL AND {condition}");
        let mut statement = connection.prepare(&query).unwrap();
        let rows = statement.query_map([stores], |row| Ok((row.get(0)?, row.get(1)?)));
        rows.unwrap().map(Result::unwrap).collect()
    };
    let all = listed("true", "");
    for deleted in [false, true] {
        if deleted {
            repository::execute(&repository, &mut acme, &delete_store("dev")).unwrap();
        }
        for (member, permission) in
            ["olga", "dana", "nils", "nobody"]
                .into_iter()
                .flat_map(|member| {
                    [Permission::STORE_READ, Permission::STORE_WRITE]
                        .map(|permission| (member, permission))
                })
        {
            let filter = acme.store_filter(member, &permission);
            let found = match &filter.stores {
                // These rows may be of a store that the account does not have.
                StoreSet::All => {
                    let stores: Vec<&StoreId> = acme.stores().collect();
                    let stores = serde_json::to_string(&stores).unwrap();
                    listed("store IN (SELECT value FROM json_each(?1))", &stores)
                }
                StoreSet::None => BTreeSet::new(),
                StoreSet::Only(stores) => {
                    let stores = serde_json::to_string(stores).unwrap();
                    listed("store IN (SELECT value FROM json_each(?1))", &stores)
                }
            };
            let allowed = all
                .iter()
                .filter(|(_, store)| acme.can(member, &permission, Resource::Store(store)));
            assert!(found.iter().eq(allowed), "{member} {permission}");
            assert_eq!(filter.version, acme.version());
        }
    }
}
