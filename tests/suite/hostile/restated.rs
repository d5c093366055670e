//! The rules in other words: over what an account shows of itself, and over the plain data of a snapshot. Nothing
//! here asks the crate whether a rule is kept.

use std::collections::BTreeSet;

use grantbook::*;
use serde_json::Value;

/// U7: what an id may be.
pub(crate) fn is_id(text: &str) -> bool {
    let is_control = |c: char| c < ' ' || ('\u{7f}'..='\u{9f}').contains(&c);
    (1..=128).contains(&text.len()) && text.trim() == text && !text.contains(is_control)
}

const LETTERS_AND_SUCH: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_ ";

/// G2, L3: what a name may be.
pub(crate) fn is_name(text: &str) -> bool {
    let ends_are_spaces = text.starts_with(' ') || text.ends_with(' ');
    is_of_letters(text) && (3..65).contains(&text.chars().count()) && !ends_are_spaces
}

/// G2: what a description may be.
pub(crate) fn is_description(text: &str) -> bool {
    is_of_letters(text) && text.chars().count() < 101
}

fn is_of_letters(text: &str) -> bool {
    text.chars().all(|c| LETTERS_AND_SUCH.contains(c))
}

/// L4: what a permission may be, read letter by letter.
pub(crate) fn is_permission(text: &str) -> bool {
    let (mut dots, mut in_segment) = (0, 0);
    for byte in text.bytes() {
        match byte {
            b'.' if in_segment > 0 => {
                dots += 1;
                in_segment = 0;
            }
            b'a'..=b'z' if in_segment < 32 => in_segment += 1,
            b'0'..=b'9' | b'_' | b'-' if (1..32).contains(&in_segment) => in_segment += 1,
            _ => return false,
        }
    }
    dots > 0 && in_segment > 0 && text.len() <= 64
}

/// What is true of every account at every moment.
pub(crate) fn keeps_the_rules(account: &Account) {
    let is_owner = |member: &Member<'_>| member.status() == MemberStatus::Active { owner: true };
    let owners: Vec<_> = account.members().filter(is_owner).collect();
    assert!(!owners.is_empty(), "A2");
    assert!(
        owners.iter().map(Member::id).eq(account.owners()),
        "the owners are those who are owners"
    );
    let limit = usize::from(account.group_limit().get());
    assert!(account.groups().count() <= limit, "A3");
    distinct(account.groups().map(|group| folded(group.name())), "G3");
    distinct(account.roles().map(|(_, role)| folded(role.name())), "L3");
    ascending(account.members().map(|member| member.id().to_string()));
    ascending(account.groups().map(|group| group.id().to_string()));
    ascending(account.stores().map(ToString::to_string));
    ascending(account.roles().map(|(id, _)| id.to_string()));
    for group in account.groups() {
        assert!(!group.grants().is_empty(), "G4");
        ascending(group.grants().iter().map(|grant| grant.role.to_string()));
        for grant in group.grants() {
            let role = account.role(&grant.role).expect("G5: a role");
            let at_account = grant.scope == Scope::Account;
            assert_eq!(at_account, role.level() == RoleLevel::Account, "G5");
            let mut stores = grant.scope.stores();
            assert!(stores.all(|store| account.has_store(store)), "G5, S3");
        }
        assert_eq!(group.members().count(), group.member_count());
        for member in group.members() {
            let member = account.member(member).expect("M4: a member");
            assert!(member.is_in(group.id()), "M4");
        }
    }
    for member in account.members() {
        for group in member.groups() {
            let group = account.group(group).expect("a group");
            assert!(group.members().any(|other| other == member.id()), "M4");
        }
    }
    for (id, role) in account.roles().filter(|(_, role)| !role.is_built_in()) {
        assert!(!role.permissions().is_empty(), "L3");
        assert!(!sounds_like_ownership(id), "M6");
        assert!(!sounds_like_ownership(role.name()), "M6");
        for permission in role.permissions() {
            assert_ne!(permission.split('.').next(), Some("account"), "L5");
            let of_stores = permission.split('.').next() == Some("store");
            assert!(!of_stores || role.level() == RoleLevel::Store, "L5");
        }
    }
    assert!(
        account.index_is_exact(),
        "the index is what a rebuilt one is"
    );
}

fn folded(text: &str) -> String {
    text.to_lowercase()
}

fn sounds_like_ownership(text: &str) -> bool {
    let letters = text.replace(|c: char| !c.is_ascii_alphanumeric(), "");
    letters.to_lowercase() == "accountowner"
}

fn distinct(texts: impl Iterator<Item = String>, rule: &str) {
    let mut seen = BTreeSet::new();
    for text in texts {
        assert!(seen.insert(text.clone()), "{rule}: {text:?}");
    }
}

/// U6, and nothing twice.
fn ascending(texts: impl Iterator<Item = String>) {
    let texts: Vec<_> = texts.collect();
    assert!(texts.is_sorted_by(|one, next| one < next), "U6: {texts:?}");
}

/// All that a member who is no owner holds, by what its groups say (P1, P4, L6): (permission, store or `None` for the
/// account). `None` for an owner, who holds everything (P2).
pub(crate) fn holdings(account: &Account, id: &str) -> Option<BTreeSet<(String, Option<String>)>> {
    let mut holdings = BTreeSet::new();
    match account.member(id).map(|member| member.status()) {
        Some(MemberStatus::Active { owner: true }) => return None,
        Some(MemberStatus::Active { owner: false }) => {}
        Some(MemberStatus::Invited { .. }) | None => return Some(holdings),
    }
    for group in account.groups() {
        if !group.members().any(|member| member.as_str() == id) {
            continue;
        }
        for grant in group.grants() {
            let role = account.role(&grant.role).expect("G5: a role");
            for permission in role.permissions() {
                let held = |store| (permission.to_string(), store);
                match &grant.scope {
                    Scope::Account => holdings.extend([held(None)]),
                    Scope::Stores(stores) => {
                        holdings.extend(stores.iter().map(|store| held(Some(store.to_string()))));
                    }
                }
            }
        }
    }
    Some(holdings)
}

/// What the account answers about its members is what their groups say (P1 to P4).
pub(crate) fn answers_are_right(account: &Account) {
    for member in account.members() {
        let told = account.effective_permissions(member.id());
        let Some(holdings) = holdings(account, member.id()) else {
            assert_eq!(told.account(), &Permissions::All, "P2");
            assert_eq!(told.stores().count(), account.stores().count(), "P2");
            assert!(
                told.stores().all(|(_, there)| there == &Permissions::All),
                "P2"
            );
            continue;
        };
        let at = |there: &Permissions, resource: Option<&StoreId>| match there {
            Permissions::All => panic!("P1: only an owner holds everything"),
            Permissions::Only(permissions) => permissions
                .iter()
                .map(|permission| (permission.to_string(), resource.map(ToString::to_string)))
                .collect::<Vec<_>>(),
        };
        let in_stores = told
            .stores()
            .flat_map(|(store, there)| at(there, Some(store)));
        let told: BTreeSet<_> = at(told.account(), None)
            .into_iter()
            .chain(in_stores)
            .collect();
        assert_eq!(told, holdings, "P1: {}", member.id());
        for (permission, store) in &holdings {
            let permission = Permission::parse(permission).expect("a permission");
            let resource = store.as_deref().map_or(Resource::Account, Resource::Store);
            assert!(account.can(member.id(), &permission, resource), "P1");
        }
    }
}

/// Which rule the plain data of a snapshot break, if they break one; each of its texts and numbers keeps its own.
pub(crate) fn broken_by(snapshot: &Value) -> Option<&'static str> {
    let list = |of: &Value, key: &str| of[key].as_array().cloned().unwrap_or_default();
    let text = |of: &Value, key: &str| of[key].as_str().unwrap_or_default().to_owned();
    let texts = |of: &Value, key: &str| -> Vec<String> {
        let all = list(of, key).into_iter();
        all.map(|item| item.as_str().unwrap_or_default().to_owned())
            .collect()
    };
    let all_differ = |texts: &[String]| texts.iter().collect::<BTreeSet<_>>().len() == texts.len();
    let unless = |holds: bool, rule| if holds { None } else { Some(rule) };

    let (roles, groups, members) = (
        list(snapshot, "roles"),
        list(snapshot, "groups"),
        list(snapshot, "members"),
    );
    let stores = texts(snapshot, "stores");
    let built_in = [
        ("group-manager", "Group Manager", "account"),
        ("store-editor", "Store Editor", "store"),
        ("store-viewer", "Store Viewer", "store"),
    ];
    let mut levels: Vec<(String, String)> = Vec::new();
    let mut role_names = Vec::new();
    for (id, name, level) in built_in {
        levels.push((id.to_owned(), level.to_owned()));
        role_names.push(folded(name));
    }
    for role in &roles {
        let (level, permissions) = (text(role, "level"), texts(role, "permissions"));
        let bad = |permission: &String| {
            permission.starts_with("account.")
                || level == "account" && permission.starts_with("store.")
        };
        let holds = !permissions.is_empty()
            && permissions.len() <= MAX_ITEMS_PER_COMMAND
            && !permissions.iter().any(bad)
            && ![text(role, "id"), text(role, "name")]
                .iter()
                .any(|text| sounds_like_ownership(text));
        if !holds {
            return Some("L3, L5, M6");
        }
        levels.push((text(role, "id"), level));
        role_names.push(folded(&text(role, "name")));
    }
    let role_ids: Vec<_> = levels.iter().map(|(id, _)| id.clone()).collect();
    let group_ids: Vec<_> = groups.iter().map(|group| text(group, "id")).collect();
    let group_names: Vec<_> = groups
        .iter()
        .map(|group| folded(&text(group, "name")))
        .collect();
    let member_ids: Vec<_> = members.iter().map(|member| text(member, "id")).collect();
    let grant_holds = |grant: &Value| {
        let level = levels.iter().find(|(id, _)| *id == text(grant, "role"));
        match (level.map(|(_, level)| level.as_str()), &grant["scope"]) {
            (Some("account"), Value::String(_)) => true,
            (Some("store"), scope @ Value::Object(_)) => texts(scope, "stores")
                .iter()
                .all(|store| stores.contains(store)),
            _ => false,
        }
    };
    let grants_hold = |group: &Value| {
        let grants = list(group, "grants");
        let roles: Vec<_> = grants.iter().map(|grant| text(grant, "role")).collect();
        let named = grants
            .iter()
            .map(|grant| texts(&grant["scope"], "stores").len());
        (1..=MAX_ITEMS_PER_COMMAND).contains(&grants.len())
            && named.sum::<usize>() <= MAX_ITEMS_PER_COMMAND
            && roles.is_sorted_by(|one, next| one < next)
            && grants.iter().all(grant_holds)
    };
    let groups_hold = |member: &Value| {
        let of = texts(member, "groups");
        all_differ(&of) && of.iter().all(|group| group_ids.contains(group))
    };
    let is_owner = |member: &Value| member["status"]["active"]["owner"] == Value::Bool(true);
    let limit = snapshot["group_limit"].as_u64().unwrap_or_default();

    unless(snapshot["version"] != 0, "U2")
        .or_else(|| unless(all_differ(&role_ids) && all_differ(&role_names), "L1, L3"))
        .or_else(|| unless(all_differ(&stores), "S1"))
        .or_else(|| unless(all_differ(&group_ids) && all_differ(&group_names), "G3"))
        .or_else(|| unless(groups.len() as u64 <= limit, "A3"))
        .or_else(|| unless(groups.iter().all(grants_hold), "G4, G5"))
        .or_else(|| unless(all_differ(&member_ids), "M1"))
        .or_else(|| unless(members.iter().all(groups_hold), "M4"))
        .or_else(|| unless(members.iter().any(is_owner), "A2"))
}

/// The plain data of a snapshot with its lists in the order of ids, as an account gives them.
pub(crate) fn in_order(mut snapshot: Value) -> Value {
    let key = |item: &Value| item.as_str().or(item["id"].as_str()).map(str::to_owned);
    for list in ["roles", "stores", "groups", "members"] {
        if let Some(items) = snapshot[list].as_array_mut() {
            items.sort_by_key(key);
        }
    }
    for member in snapshot["members"].as_array_mut().into_iter().flatten() {
        if let Some(groups) = member["groups"].as_array_mut() {
            groups.sort_by_key(key);
        }
    }
    snapshot
}
