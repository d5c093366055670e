//! The caller's words, and the account's.

use grantbook::{Permission, Resource};

use crate::wire::Action;

/// Says which members, stores and permissions a caller's subjects, resources and actions are, and the reverse, which
/// searches need. `None` is for what is nothing here: it is denied, and never found.
///
/// Each pair of methods must undo each other: what [`subject`](Vocabulary::subject) calls a member,
/// [`member`](Vocabulary::member) takes for that member. Left as they are, the methods are those of [`Plain`].
pub trait Vocabulary {
    /// Returns the member that is this subject.
    fn member(&self, kind: &str, id: &str) -> Option<String> {
        (kind == "user").then(|| id.to_owned())
    }

    /// Returns the id of a member as a subject of this type.
    fn subject(&self, kind: &str, member: &str) -> Option<String> {
        self.member(kind, member)
    }

    /// Returns where this resource is; `account` is the account's id.
    fn resource(&self, account: &str, kind: &str, id: &str) -> Option<Resource> {
        match kind {
            "account" => (id == account).then_some(Resource::Account),
            "store" => id.parse().ok().map(Resource::Store),
            _ => None,
        }
    }

    /// Returns the id of the account, or of a store, as a resource of this type.
    fn resource_id(&self, account: &str, kind: &str, resource: Resource<&str>) -> Option<String> {
        match (kind, resource) {
            ("account", Resource::Account) => Some(account.to_owned()),
            ("store", Resource::Store(store)) => Some(store.to_owned()),
            _ => None,
        }
    }

    /// Returns the permission that an action takes on a resource of this type. Its properties may tell one action from
    /// another.
    fn permission(&self, _kind: &str, action: &Action) -> Option<Permission> {
        action.name.parse().ok()
    }

    /// Returns the action that takes this permission on a resource of this type.
    fn action(&self, _kind: &str, permission: &Permission) -> Option<Action> {
        Some(Action {
            name: permission.to_string(),
            properties: None,
        })
    }
}

/// Members are the subjects of the type `user`, stores the resources of the type `store`, the account that of the type
/// `account`, and actions are named as permissions are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain;

impl Vocabulary for Plain {}
