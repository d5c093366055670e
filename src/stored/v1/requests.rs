//! Format 1 of what is remembered of a request, and of what its digest is taken of.

use serde::{Deserialize, Serialize};

use super::{ActorV1, Format};
use crate::account::actor::Actor;
use crate::account::changes::Command;
use crate::account::digest::Digest;
use crate::account::precondition::Precondition;
use crate::id::IdempotencyKey;

/// What makes a request the same.
#[derive(Serialize)]
pub(crate) struct RequestContentV1<'a> {
    pub(crate) request: Format,
    pub(crate) commands: &'a [Command],
    pub(crate) preconditions: &'a [Precondition],
}

/// A request that was accepted.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoredRequestV1 {
    pub(crate) request: Format,
    pub(crate) key: IdempotencyKey,
    #[serde(with = "ActorV1")]
    pub(crate) actor: Actor,
    pub(crate) digest: Digest,
    pub(crate) before: u64,
    pub(crate) version: u64,
}
