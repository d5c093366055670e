//! A decision point over grantbook accounts, as the `OpenID AuthZEN` Authorization API 1.0 has it: may this subject do
//! this action on this resource, which subjects, resources and actions are there, and many questions at once.
//!
//! A package beside the crate, so that whoever needs no decision point has no part of it. It is two things:
//!
//! - [`DecisionPoint`] answers the body of a request from one [`Account`](grantbook::Account). No HTTP is in it, and no
//!   clock: it can stand behind any server.
//! - [`router`] serves it with axum, for all accounts of a [`PolicyHost`], with a bearer key for each account.
//!
//! The standard's callers have types and actions of their own (`user`, `record`, `can_read`). A [`Vocabulary`] says
//! which members, stores and permissions they are. [`Plain`] takes them as they are.
//!
//! ```
//! use grantbook::{Account, Actor, Command, GroupLimit, StoreId, Timestamp};
//! use grantbook_authzen::{DecisionPoint, Plain};
//!
//! let now = Timestamp::from_millis(0);
//! let (mut account, _) = Account::open("acme".parse()?, "olga".parse()?, GroupLimit::default(), now);
//! account.execute(&Actor::System, &Command::create_store(StoreId::parse("dev")?), now)?;
//!
//! let point = DecisionPoint::new(&account, &Plain, now);
//! let decision = point.evaluation(
//!     br#"{
//!         "subject": {"type": "user", "id": "olga"},
//!         "action": {"name": "store.read"},
//!         "resource": {"type": "store", "id": "dev"}
//!     }"#,
//! )?;
//! assert!(decision.decision);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What is claimed: evaluation, evaluations with their three semantics, the three searches with pages, and metadata for
//! each account. Properties of subjects and resources decide nothing; those of an action can, by the vocabulary.
//! Whatever is unknown is denied, and found by no search.

mod decide;
mod http;
mod keys;
mod metadata;
mod page;
mod search;
mod vocabulary;
mod wire;

pub use decide::{DecisionPoint, MAX_EVALUATIONS, MAX_EXPLANATIONS};
pub use http::{MAX_BODY, PolicyHost, router};
pub use keys::Keys;
pub use metadata::{Metadata, PublicUrl};
pub use page::{DEFAULT_PAGE, MAX_PAGE};
pub use vocabulary::{Plain, Vocabulary};
pub use wire::{
    Action, BadRequest, Context, Decision, Entity, Evaluations, Found, FoundAction, ItemError,
    PageEnd, Reason, SearchContext, SearchResults,
};
