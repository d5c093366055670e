//! Why a check says what it says: the question, and the paths.

use crate::access::{DenialReason, Resource};
use crate::account::Account;
use crate::account::check::Check;
use crate::account::data::hash::KeyedMap;
use crate::account::data::{AccountData, GroupEntry};
use crate::grant::Scope;
use crate::id::{GroupId, RoleId};
use crate::permission::Permission;
use crate::questions::explanation::{
    AccessPath, AccessSource, ExplainOptions, Explanation, Verdict,
};
use crate::questions::remedies::Asked;
use crate::questions::warning::warning;

impl Account {
    /// Explains why this member may or may not do this here: the paths that lead there, or the reason of the denial and
    /// what would allow it. Also says whether the permission looks like a mistake, which is certain with a
    /// [`Catalog`](crate::Catalog).
    ///
    /// Pass the time, which says whether an invitation can still be accepted, or [`ExplainOptions`].
    ///
    /// Takes time in proportion to the account's groups and roles, what they grant, and the page.
    ///
    /// ```
    /// # use grantbook::*;
    /// # let now = Timestamp::from_millis(0);
    /// # let (account, _) =
    /// #     Account::open(AccountId::parse("acme")?, MemberId::parse("olga")?, GroupLimit::default(), now);
    /// let explanation = account.explain("olga", &Permission::MANAGE_STORES, Resource::Account, now);
    /// assert_eq!(
    ///     explanation.to_string(),
    ///     "`olga` may `account.manage_stores` at the account:\n\
    ///      - as an account owner (the only way: without ownership it is lost)",
    /// );
    /// # Ok::<(), ParseError>(())
    /// ```
    #[must_use]
    pub fn explain<'a>(
        &self,
        member: &str,
        permission: &Permission,
        resource: Resource<&str>,
        options: impl Into<ExplainOptions<'a>>,
    ) -> Explanation {
        self.explain_with(member, permission, resource, options.into())
    }

    /// The same without type parameters.
    fn explain_with(
        &self,
        member: &str,
        permission: &Permission,
        resource: Resource<&str>,
        options: ExplainOptions<'_>,
    ) -> Explanation {
        let state = &self.state;
        let asked = Asked {
            state,
            member,
            permission,
            resource,
            options,
        };
        let warning = warning(state, permission, resource, options.catalog);
        let denial = match state.check(member, permission, resource) {
            Ok(true) => None,
            Ok(false) => Some(DenialReason::MissingPermission {
                permission: permission.clone(),
            }),
            Err(denial) => Some(denial),
        };
        let answer = match denial {
            None => asked.allowed(),
            Some(denial) => {
                let advice = asked.advice(&denial, warning.as_ref());
                Verdict::Denied { denial, advice }
            }
        };
        let resource = match resource {
            Resource::Account => Resource::Account,
            Resource::Store(store) => Resource::Store(store.to_owned()),
        };
        Explanation {
            member: member.to_owned(),
            permission: permission.clone(),
            resource,
            version: state.header().version,
            warning,
            answer,
        }
    }
}

/// A grant of a group that the member is in.
struct HeldGrant<'a> {
    id: &'a GroupId,
    group: &'a GroupEntry,
    role: &'a RoleId,
    including: &'a Permission,
}

impl<'a> Asked<'a> {
    /// The paths by which an active member holds what it was asked about.
    fn allowed(self) -> Verdict {
        let mut grants = Vec::new();
        let mut is_owner = false;
        let allowing = self.allowing();
        if let Some(member) = self.state.member(self.member) {
            is_owner = member.is_owner();
            for (id, group) in self.state.groups_of(member) {
                grants.extend(self.grants_of(id, group, &allowing));
            }
        }
        // Ordered by groups: the first and the last are of one group only if all are.
        let ends = grants.first().zip(grants.last());
        let is_one_group = ends.is_some_and(|(first, last)| first.id == last.id);
        let is_only_way = is_owner != is_one_group && (is_one_group || grants.is_empty());
        let count = grants.len() + usize::from(is_owner);
        let ownership = is_owner.then_some(AccessSource::Ownership);
        let sources = ownership
            .into_iter()
            .map(Some)
            .chain(grants.iter().map(|grant| grant.source(self)));
        let page = sources.skip(self.options.skip).take(Explanation::PAGE);
        let paths: Vec<AccessPath> = page
            .flatten()
            .map(|via| AccessPath { via, is_only_way })
            .collect();
        let more = count.saturating_sub(self.options.skip.saturating_add(paths.len()));
        Verdict::Allowed { paths, more }
    }

    /// The roles that allow it, each with its permission that counts: found once for all groups.
    fn allowing(self) -> KeyedMap<&'a RoleId, &'a Permission> {
        let including = self.permission.included_in();
        let mut allowing = KeyedMap::default();
        for (held, roles) in including.filter_map(|text| self.state.holders(text)) {
            // Of several that one role holds, the longest counts.
            allowing.extend(roles.iter().map(|role| (role, held)));
        }
        allowing
    }

    /// The grants of a group that count here.
    fn grants_of(
        self,
        id: &'a GroupId,
        group: &'a GroupEntry,
        allowing: &KeyedMap<&'a RoleId, &'a Permission>,
    ) -> impl Iterator<Item = HeldGrant<'a>> {
        let grants = self.state.scopes(group);
        grants.filter_map(move |(role, scope)| {
            let including = *allowing.get(role)?;
            self.is_in(scope).then_some(HeldGrant {
                id,
                group,
                role,
                including,
            })
        })
    }

    fn is_in(self, scope: &Scope) -> bool {
        match (scope, self.resource) {
            (Scope::Account, Resource::Account) => true,
            (Scope::Stores(stores), Resource::Store(store)) => stores.contains(store),
            (Scope::Account, Resource::Store(_)) | (Scope::Stores(_), Resource::Account) => false,
        }
    }
}

impl HeldGrant<'_> {
    fn source(&self, asked: Asked<'_>) -> Option<AccessSource> {
        Some(AccessSource::Group {
            group: self.id.clone(),
            group_name: self.group.name.clone(),
            role: self.role.clone(),
            role_name: asked.state.role(self.role)?.name.clone(),
            via_included_role: *self.role == RoleId::store_editor()
                && *self.including == Permission::STORE_READ,
            included_by: (self.including != asked.permission).then(|| self.including.clone()),
        })
    }
}
