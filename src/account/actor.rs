//! Who issues a command.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::errors::error_field;
use crate::id::MemberId;
use crate::visible::{Quoted, Unquoted};

/// The actor that issues a command.
///
/// **Never deserialize one from a request**: whoever writes `"system"` there may do anything. It is a serde type
/// because a [`Record`](crate::Record) holds it; for a request, make one from the id that your application has
/// authenticated.
///
/// Exhaustive on purpose: an application that matches on it must handle both.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Actor {
    /// A member, as your application has authenticated it.
    Member(MemberId),
    /// Your application acting for itself: provisioning, directory sync. It needs no permission and passes the
    /// guardrails [E1](crate::docs::rules#E1) to [E5](crate::docs::rules#E5), but no rule of form and never
    /// [A2](crate::docs::rules#A2) ([E6](crate::docs::rules#E6)).
    System,
}

impl From<MemberId> for Actor {
    fn from(member: MemberId) -> Self {
        Actor::Member(member)
    }
}

error_field!(Actor: actor => match actor {
    Actor::Member(member) => Quoted(member).to_string(),
    Actor::System => "the application itself".to_owned(),
});

/// `member dana` or `the application`, so that no member id reads like your application. What cannot be seen in an id is
/// written out, as [`Visible`](crate::Visible) does, and so are back quotes.
impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Actor::Member(member) => f.pad(&format!("member {}", Unquoted(member))),
            Actor::System => f.pad("the application"),
        }
    }
}
