//! The same accounts in other engines, and their answers beside grantbook's.
//!
//! [`Facts`] is what an account holds that decides about access, read through grantbook's public readers. Each engine
//! is built from the facts alone: [`cedar::Cedar`] and [`casbin::Casbin`]. [`compare`] asks an engine and the account
//! every one of some [`Questions`], and counts. [`speed`] is about how long they take.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt;
use std::ops::AddAssign;

use grantbook::{
    Account, AccountId, GroupId, MemberId, MemberStatus, Permission, Resource, RoleId, Scope,
    StoreId,
};

pub mod casbin;
pub mod cedar;
// The crate's benches': it documents no item, and must compile with Rust 1.85.
#[allow(
    clippy::manual_is_multiple_of,
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    clippy::must_use_candidate
)]
#[path = "../../population/mod.rs"]
pub mod population;
pub mod speed;

/// Why an engine could not be built or asked. None of the accounts should bring it about.
pub type EngineError = Box<dyn Error + Send + Sync>;

/// What an account holds that decides about access. Names, descriptions, expiries and versions are left out: where
/// the facts of two accounts are equal, so are all answers.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Facts {
    /// Which account.
    pub account: AccountId,
    /// What each role allows where it is granted.
    pub roles: BTreeMap<RoleId, BTreeSet<Permission>>,
    /// The stores.
    pub stores: BTreeSet<StoreId>,
    /// The groups.
    pub groups: BTreeSet<GroupId>,
    /// Which groups have which roles, by place. A grant that has lost its stores is in none.
    pub grants: BTreeMap<Resource, BTreeMap<RoleId, BTreeSet<GroupId>>>,
    /// The members, invited ones included.
    pub members: BTreeMap<MemberId, Membership>,
}

/// How a member stands, and where.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Membership {
    /// Whether it is active, and not only invited.
    pub active: bool,
    /// Whether it is an owner, or is to be one when it accepts its invitation.
    pub owner: bool,
    /// The groups that it is in, or is to be in.
    pub groups: BTreeSet<GroupId>,
}

impl Facts {
    /// The facts of this account.
    #[must_use]
    pub fn of(account: &Account) -> Self {
        let roles = account
            .roles()
            .map(|(id, role)| (id.clone(), role.permissions().clone()));
        let mut grants: BTreeMap<_, BTreeMap<_, BTreeSet<_>>> = BTreeMap::new();
        for group in account.groups() {
            for grant in group.grants() {
                let resources: Vec<_> = match grant.scope {
                    Scope::Account => vec![Resource::Account],
                    Scope::Stores(stores) => stores.iter().cloned().map(Resource::Store).collect(),
                };
                for resource in resources {
                    let there = grants.entry(resource).or_default();
                    let holders = there.entry(grant.role.clone()).or_default();
                    holders.insert(group.id().clone());
                }
            }
        }
        let members = account.members().map(|member| {
            let (active, owner) = match member.status() {
                MemberStatus::Active { owner } => (true, owner),
                MemberStatus::Suspended { owner } => (false, owner),
                MemberStatus::Invited { as_owner, .. } => (false, as_owner),
            };
            let groups = member.groups().cloned().collect();
            let membership = Membership {
                active,
                owner,
                groups,
            };
            (member.id().clone(), membership)
        });
        Self {
            account: account.id().clone(),
            roles: roles.collect(),
            stores: account.stores().cloned().collect(),
            groups: account.groups().map(|group| group.id().clone()).collect(),
            grants,
            members: members.collect(),
        }
    }

    /// Every permission that a role names, and for each one that extends it and that nobody has named.
    ///
    /// # Panics
    /// Never: a permission of the suite is short enough to be extended.
    #[must_use]
    pub fn permissions(&self) -> BTreeSet<Permission> {
        let named = self.roles.values().flatten();
        let both = named.flat_map(|held| {
            let more = Permission::parse(&format!("{held}.more")).expect("a permission");
            [held.clone(), more]
        });
        both.collect()
    }

    /// Of these facts, what is said of this member and of this place: all that an answer about the two can hang on,
    /// in an engine without anything like "unless somebody else has".
    #[must_use]
    pub fn reached(&self, member: &str, resource: Resource<&str>) -> Self {
        let members = self.members.get_key_value(member);
        let store = match resource {
            Resource::Account => None,
            Resource::Store(store) => self.stores.get(store),
        };
        let grants = match resource {
            Resource::Account => self.grants.get_key_value(&Resource::Account),
            Resource::Store(_) => {
                store.and_then(|store| self.grants.get_key_value(&Resource::Store(store.clone())))
            }
        };
        let cloned =
            |(member, membership): (&MemberId, &Membership)| (member.clone(), membership.clone());
        Self {
            account: self.account.clone(),
            roles: self.roles.clone(),
            stores: store.into_iter().cloned().collect(),
            groups: self.groups.clone(),
            grants: grants
                .map(|(resource, roles)| (resource.clone(), roles.clone()))
                .into_iter()
                .collect(),
            members: members.map(cloned).into_iter().collect(),
        }
    }
}

/// May this member do this there?
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Who.
    pub member: &'a str,
    /// What.
    pub permission: &'a Permission,
    /// Where.
    pub resource: Resource<&'a str>,
}

impl fmt::Display for Question<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            member,
            permission,
            resource,
        } = self;
        write!(f, "may {member:?} {permission:?} {resource}?")
    }
}

/// Every combination of these members, permissions and places.
#[derive(Clone, Debug)]
pub struct Questions {
    /// Who is asked about.
    pub members: BTreeSet<String>,
    /// What is asked.
    pub permissions: BTreeSet<Permission>,
    /// Where it is asked.
    pub resources: BTreeSet<Resource<String>>,
}

impl Questions {
    /// Every member and a stranger; every built-in permission, every one that a role names, one that extends each of
    /// these, and one that nobody holds;
    /// the account, every store, and one that is not there.
    ///
    /// # Panics
    /// Never: the permission that nobody holds is well formed.
    #[must_use]
    pub fn about(facts: &Facts) -> Self {
        let mut members: BTreeSet<String> = facts.members.keys().map(ToString::to_string).collect();
        let stranger = unused("stranger", |id| members.contains(id));
        members.insert(stranger);
        let nobodys = Permission::parse("nobody.holds-this").expect("a permission");
        let held = facts.permissions().into_iter();
        let permissions = held.chain(Permission::BUILT_IN).chain([nobodys]).collect();
        let unknown = unused("no-such-store", |id| facts.stores.contains(id));
        let stores = facts.stores.iter().map(ToString::to_string);
        let resources = stores.chain([unknown]).map(Resource::Store);
        Self {
            members,
            permissions,
            resources: resources.chain([Resource::Account]).collect(),
        }
    }

    /// One after another, always in the same order.
    pub fn iter(&self) -> impl Iterator<Item = Question<'_>> {
        self.members.iter().flat_map(move |member| {
            self.resources.iter().flat_map(move |resource| {
                let resource = as_text(resource);
                self.permissions.iter().map(move |permission| Question {
                    member,
                    permission,
                    resource,
                })
            })
        })
    }
}

fn as_text(resource: &Resource<String>) -> Resource<&str> {
    match resource {
        Resource::Account => Resource::Account,
        Resource::Store(store) => Resource::Store(store),
    }
}

/// This text, or a longer one that is not taken.
fn unused(text: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let mut text = text.to_owned();
    while is_taken(&text) {
        text.push('-');
    }
    text
}

/// An engine that holds one account.
pub trait Engine {
    /// What it is called.
    const NAME: &'static str;

    /// Its answer.
    ///
    /// # Errors
    /// The engine could not answer.
    fn allows(&self, question: Question<'_>) -> Result<bool, EngineError>;
}

/// What came of asking.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Accounts asked about.
    pub accounts: u64,
    /// Questions asked, each of the engine and of the account.
    pub decisions: u64,
    /// How many of them grantbook allowed.
    pub allowed: u64,
    /// How many were answered differently.
    pub differences: u64,
    /// The first of those.
    pub shown: Vec<Difference>,
}

impl Counts {
    /// How many differences are shown: each brings its whole account.
    const SHOWN: usize = 5;
}

impl AddAssign for Counts {
    fn add_assign(&mut self, more: Self) {
        self.accounts += more.accounts;
        self.decisions += more.decisions;
        self.allowed += more.allowed;
        self.differences += more.differences;
        self.shown.extend(more.shown);
        self.shown.truncate(Self::SHOWN);
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per_mille = (self.allowed * 1_000)
            .checked_div(self.decisions)
            .unwrap_or(0);
        write!(
            f,
            "{} accounts, {} decisions, {}.{} % allowed, {} differences",
            self.accounts,
            self.decisions,
            per_mille / 10,
            per_mille % 10,
            self.differences
        )
    }
}

/// One question that an engine and grantbook answer differently.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The other engine.
    pub engine: &'static str,
    /// The question, in words.
    pub question: String,
    /// What grantbook says.
    pub grantbook: bool,
    /// The account: its snapshot in JSON.
    pub account: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = |yes| if yes { "yes" } else { "no" };
        write!(
            f,
            "{} grantbook says {}, {} says {}; the account: {}",
            self.question,
            said(self.grantbook),
            self.engine,
            said(!self.grantbook),
            self.account
        )
    }
}

/// Asks both all of the questions.
///
/// # Errors
/// The engine could not answer.
pub fn compare<E: Engine>(
    account: &Account,
    engine: &E,
    questions: &Questions,
) -> Result<Counts, EngineError> {
    let answers: Vec<_> = questions
        .iter()
        .map(|question| engine.allows(question))
        .collect::<Result<_, _>>()?;
    Ok(compared::<E>(account, questions, &answers))
}

/// Sets the account's answers beside those of the engine, which are in the order of the questions.
fn compared<E: Engine>(account: &Account, questions: &Questions, answers: &[bool]) -> Counts {
    let mut counts = Counts {
        accounts: 1,
        ..Counts::default()
    };
    for (question, answer) in questions.iter().zip(answers) {
        let Question {
            member,
            permission,
            resource,
        } = question;
        let allowed = account.can(member, permission, resource);
        counts.decisions += 1;
        counts.allowed += u64::from(allowed);
        if allowed != *answer {
            counts.differences += 1;
            if counts.shown.len() < Counts::SHOWN {
                counts.shown.push(Difference {
                    engine: E::NAME,
                    question: question.to_string(),
                    grantbook: allowed,
                    account: serde_json::to_string(&account.snapshot())
                        .unwrap_or_else(|error| error.to_string()),
                });
            }
        }
    }
    counts
}
