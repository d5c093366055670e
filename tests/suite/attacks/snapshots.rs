//! Snapshots that somebody has written, changed or brought back.

use std::convert::Infallible;

use grantbook::repository::*;
use grantbook::*;
use serde_json::{Value, json};

use super::{reads, rewritten};
use crate::support::*;

type Edit = fn(&mut Value);

/// A snapshot is written by hand, and breaks one rule and no other. The rule itself stops it (U5, with A2, A3, G3, G4,
/// G5, L1, L3, L5, M6, S3, U2, U7), each with its code; and beside each break stands what comes close and is allowed,
/// so that nothing is refused for the wrong reason. Known as deserialization of untrusted data (CWE-502).
#[test]
fn u5_a_snapshot_that_breaks_one_rule_is_refused() {
    let mut world = World::staffed();
    world.ok(
        OWNER,
        define_role("own", "Own Role", RoleLevel::Account, &["log.read"]),
    );
    let good = world.account.snapshot();
    // Groups: devs, it, viewers. Members: dana, gil, ina, nils, olga, vic.
    let edits: [(&str, Edit, Edit); 26] = [
        (
            "not-opened",
            |json| json["version"] = 0.into(),
            |json| json["version"] = u64::MAX.into(),
        ),
        (
            "no-owner",
            |json| json["members"][4]["status"]["active"]["owner"] = false.into(),
            |json| json["members"][0]["status"]["active"]["owner"] = true.into(),
        ),
        (
            "no-owner",
            |json| {
                json["members"][4]["status"] =
                    json!({"invited": {"as_owner": true, "expires": null}});
            },
            |json| {
                json["members"][2]["status"] = json!({"invited": {"as_owner": true, "expires": 1}});
            },
        ),
        (
            "no-owner",
            |json| json["members"] = json!([]),
            |json| json["members"] = json!([json["members"][4]]),
        ),
        (
            "duplicate-member",
            |json| {
                push(&mut json["members"], |member| {
                    member["status"] = json!({"active": {"owner": true}});
                });
            },
            |json| push(&mut json["members"], |member| member["id"] = "Dana".into()),
        ),
        (
            "duplicate-membership",
            |json| json["members"][0]["groups"] = json!([{"group": "devs"}, {"group": "devs"}]),
            |json| json["members"][0]["groups"] = json!([{"group": "it"}, {"group": "devs"}]),
        ),
        (
            "unknown-group",
            |json| json["members"][0]["groups"] = json!([{"group": "Devs"}]),
            |json| json["members"][0]["groups"] = json!([]),
        ),
        (
            "too-many-groups",
            |json| json["group_limit"] = 2.into(),
            |json| json["group_limit"] = 3.into(),
        ),
        (
            "store-exists",
            |json| push(&mut json["stores"], |_| ()),
            |json| push(&mut json["stores"], |store| *store = "Dev".into()),
        ),
        (
            "group-exists",
            |json| push(&mut json["groups"], |group| group["name"] = "Other".into()),
            |json| {
                push(&mut json["groups"], |group| {
                    (group["id"], group["name"]) = ("Devs".into(), "Other".into());
                });
            },
        ),
        (
            "group-name-taken",
            |json| json["groups"][1]["name"] = "dev TEAM".into(),
            |json| json["groups"][1]["name"] = "dev TEAMS".into(),
        ),
        (
            "no-grants",
            |json| json["groups"][0]["grants"] = json!([]),
            |json| json["groups"][0]["grants"][0]["scope"] = json!({"stores": []}),
        ),
        (
            "duplicate-grant",
            |json| json["groups"][0]["grants"] = grants(&["store-viewer", "store-viewer"]),
            |json| json["groups"][0]["grants"] = grants(&["store-viewer"]),
        ),
        (
            "duplicate-grant",
            |json| json["groups"][0]["grants"] = grants(&["store-viewer", "store-editor"]),
            |json| json["groups"][0]["grants"] = grants(&["store-editor", "store-viewer"]),
        ),
        (
            "unknown-store",
            |json| json["groups"][0]["grants"][0]["scope"] = json!({"stores": ["dev", "none"]}),
            |json| json["groups"][0]["grants"][0]["scope"] = json!({"stores": ["prod", "dev"]}),
        ),
        (
            "unknown-role",
            |json| json["groups"][0]["grants"][0]["role"] = "account-owner".into(),
            |json| json["groups"][0]["grants"][0]["role"] = "store-viewer".into(),
        ),
        (
            "scope-mismatch",
            |json| json["groups"][0]["grants"][0]["scope"] = json!("account"),
            |json| json["groups"][0]["grants"] = json!([{"role": "own", "scope": "account"}]),
        ),
        (
            "scope-mismatch",
            |json| json["groups"][1]["grants"][0]["scope"] = json!({"stores": []}),
            |json| json["groups"][2]["grants"][0]["scope"] = json!({"stores": []}),
        ),
        (
            "role-exists",
            |json| json["roles"][0]["id"] = "store-editor".into(),
            |json| json["roles"][0]["id"] = "store-Editor".into(),
        ),
        (
            "role-exists",
            |json| push(&mut json["roles"], |role| role["name"] = "Other".into()),
            |json| {
                push(&mut json["roles"], |role| {
                    (role["id"], role["name"]) = ("other".into(), "Other".into());
                });
            },
        ),
        (
            "role-name-taken",
            |json| json["roles"][0]["name"] = "GROUP manager".into(),
            |json| json["roles"][0]["name"] = "GROUP managers".into(),
        ),
        (
            "ownership-name",
            |json| json["roles"][0]["name"] = "account_OWNER".into(),
            |json| json["roles"][0]["name"] = "account_OWNERS".into(),
        ),
        (
            "no-permissions",
            |json| json["roles"][0]["permissions"] = json!([]),
            |json| json["roles"][0]["permissions"] = json!(["log.read", "log.write"]),
        ),
        (
            "reserved-permission",
            |json| json["roles"][0]["permissions"] = json!(["account.manage_owners"]),
            |json| json["roles"][0]["permissions"] = json!(["accounts.manage_owners"]),
        ),
        (
            "store-permission",
            |json| json["roles"][0]["permissions"] = json!(["store.read"]),
            |json| {
                json["roles"][0]["permissions"] = json!(["store.read"]);
                json["roles"][0]["level"] = "store".into();
            },
        ),
        (
            "too-many-named",
            |json| json["roles"][0]["permissions"] = many_permissions(MAX_ITEMS_PER_COMMAND + 1),
            |json| json["roles"][0]["permissions"] = many_permissions(MAX_ITEMS_PER_COMMAND),
        ),
    ];
    for (code, broken, control) in edits {
        let snapshot = rewritten(&good, broken).unwrap();
        assert_ne!(snapshot, good, "{code}");
        let error = Account::try_from(snapshot).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        let snapshot = rewritten(&good, control).unwrap();
        assert_ne!(snapshot, good, "{code}");
        let account = Account::try_from(snapshot).unwrap_or_else(|error| panic!("{code}: {error}"));
        assert!(account.index_is_exact());
        assert!(account.owners().count() >= 1);
    }
    assert_eq!(Account::try_from(good), Ok(world.account));
}

fn many_permissions(count: usize) -> Value {
    (0..count)
        .map(|number| json!(format!("a.p{number}")))
        .collect()
}

fn grants(roles: &[&str]) -> Value {
    roles
        .iter()
        .map(|role| json!({"role": role, "scope": {"stores": ["dev"]}}))
        .collect()
}

/// Repeats the first entry of a list, changed.
fn push(list: &mut Value, change: fn(&mut Value)) {
    let mut first = list[0].clone();
    change(&mut first);
    list.as_array_mut().unwrap().push(first);
}

/// A storage that returns whatever an attacker has put there.
struct Tampered {
    snapshot: Snapshot,
    records: Vec<Record>,
    head: Head,
}

impl Repository for Tampered {
    type Error = Infallible;

    fn snapshot(&self, _: &AccountId) -> Result<Option<Snapshot>, Infallible> {
        Ok(Some(self.snapshot.clone()))
    }

    fn records_after(&self, _: &AccountId, version: u64) -> Result<RecordPage, Infallible> {
        let _ = version;
        let (records, head) = (self.records.clone(), Some(self.head));
        Ok(RecordPage::Records { records, head })
    }

    fn request(
        &self,
        _: &AccountId,
        _: &IdempotencyKey,
    ) -> Result<Option<StoredRequest>, Infallible> {
        Ok(None)
    }

    fn commit(&self, _: &Commit) -> Result<CommitOutcome, Infallible> {
        Ok(CommitOutcome::Conflict)
    }
}

/// An old snapshot, from before a revocation, is put under the records of today; or one of another account, or of a
/// history that went otherwise. U2, A4 and U5 stop it: the records after the snapshot are all applied, so what was
/// taken away is taken away; and what does not follow is not served. Known as a rollback to an older state, as The
/// Update Framework describes it.
#[test]
fn u2_a_stale_snapshot_brings_nothing_back() {
    let mut world = World::staffed();
    world.ok(OWNER, grant_ownership("dana"));
    let granted = world.account.version();
    world.ok("dana", take_out("viewers", ["vic"]));
    world.ok("dana", add("viewers", ["nils"]));
    world.ok("dana", remove_member(OWNER));
    let acme = world.account.id().clone();
    let snapshots: Vec<_> = (1..=world.records.len())
        .map(|version| {
            Account::replay(&world.records[..version])
                .unwrap()
                .snapshot()
        })
        .collect();
    let served = |snapshot: &Snapshot, records: &[Record]| {
        let stored = Tampered {
            snapshot: snapshot.clone(),
            records: records.to_vec(),
            head: head_after(world.records.last().unwrap()),
        };
        load(&stored, &acme)
            .map(Option::unwrap)
            .map_err(|error| error.code())
    };
    for (index, snapshot) in snapshots.iter().enumerate() {
        for (first, tail) in (0..=world.records.len()).map(|first| (first, &world.records[first..]))
        {
            let account = served(snapshot, tail);
            if first == index + 1 || first == 0 {
                // A snapshot that does not go with all records is passed over.
                let account = account.unwrap();
                assert_eq!(*account, world.account);
                assert!(account.owners().eq([&member("dana")]));
                assert!(!reads(&account, "vic", "prod") && reads(&account, "nils", "prod"));
            } else if tail.is_empty() {
                assert_eq!(account.unwrap_err(), "records-missing");
            } else {
                let code = if first > index { "gap" } else { "repeat" };
                assert_eq!(
                    account.unwrap_err(),
                    code,
                    "snapshot {index}, records from {first}"
                );
            }
        }
    }
    // The version is made to fit: the records that follow do not continue the older snapshot's digest. Where that is made
    // to fit as well, they do not fit the content.
    let before = usize::try_from(granted).unwrap() - 2;
    let tail = &world.records[before + 2..];
    let dressed_up =
        rewritten(&snapshots[before], |json| json["version"] = granted.into()).unwrap();
    assert_eq!(served(&dressed_up, tail).unwrap_err(), "digest-mismatch");
    let dressed_up = rewritten(&dressed_up, |json| {
        json["digest"] = world.records[before + 1].digest().to_string().into();
    });
    assert_eq!(
        served(&dressed_up.unwrap(), tail).unwrap_err(),
        "does-not-fit"
    );
    let later = rewritten(&snapshots[before], |json| json["at"] = 9_999.into()).unwrap();
    assert_eq!(
        served(&later, &world.records[before + 1..]).unwrap_err(),
        "time-runs-backwards"
    );
    let others = rewritten(&snapshots[before], |json| json["account"] = "other".into()).unwrap();
    assert_eq!(
        served(&others, &world.records[before + 1..]).unwrap_err(),
        "wrong-account"
    );
}
