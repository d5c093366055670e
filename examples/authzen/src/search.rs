//! Which subjects, resources and actions there are.

use std::collections::BTreeSet;
use std::iter;

use grantbook::{Permission, Resource, RoleLevel};

use crate::decide::DecisionPoint;
use crate::page::Page;
use crate::vocabulary::Vocabulary;
use crate::wire::{Action, BadRequest, Body, Entity, Found, FoundAction, SearchResults};

impl<V: Vocabulary> DecisionPoint<'_, V> {
    /// Answers which subjects of a type may do this there, in the order of members' ids.
    ///
    /// # Errors
    /// As [`evaluation`](Self::evaluation), but that the subject needs no id; a `page.limit` below zero; a `page.token`
    /// of another search, of another account, or of pages of another length.
    pub fn search_subjects(&self, body: &[u8]) -> Result<SearchResults<Found>, BadRequest> {
        let body = Body::read(body)?;
        let (subject, action, resource) = (body.subject()?, body.action()?, body.resource()?);
        let there = self.resource(&resource)?;
        let query = [
            "subject",
            &subject.kind,
            &words(&action),
            &resource.kind,
            id(&resource),
        ];
        let page = self.page(&query, &body)?;
        let after = page.after.clone();
        let permission = self.vocabulary.permission(&resource.kind, &action);
        let asked = permission.as_ref().zip(there.as_ref());
        let members = asked.into_iter().flat_map(|(permission, there)| {
            self.account
                .who_can(permission, there.as_deref(), after.as_deref())
        });
        let found = members.filter_map(|member| {
            let id = self.vocabulary.subject(&subject.kind, member)?;
            Some((member.to_string(), found(&subject.kind, id)))
        });
        Ok(page.fill(self.account.version(), found))
    }

    /// Answers on which resources of a type this subject may do this: the account first, then stores in the order of
    /// their ids.
    ///
    /// # Errors
    /// As [`search_subjects`](Self::search_subjects), but that the subject needs an id and the resource does not.
    pub fn search_resources(&self, body: &[u8]) -> Result<SearchResults<Found>, BadRequest> {
        let body = Body::read(body)?;
        let (subject, action, resource) = (body.subject()?, body.action()?, body.resource()?);
        let member = self.member(&subject)?;
        let query = [
            "resource",
            &subject.kind,
            id(&subject),
            &words(&action),
            &resource.kind,
        ];
        let page = self.page(&query, &body)?;
        let after = page.after.clone();
        let permission = self.vocabulary.permission(&resource.kind, &action);
        let asked = member.as_deref().zip(permission.as_ref());
        let places = asked.into_iter().flat_map(|(member, permission)| {
            let is_first = after.is_none();
            let account = is_first && self.account.can(member, permission, Resource::Account);
            let stores = self
                .account
                .stores_for(member, permission, after.as_deref());
            let account = iter::once(Resource::Account).filter(move |_| account);
            account.chain(stores.map(|store| Resource::Store(store.as_str())))
        });
        let account = self.account.id().as_str();
        let found = places.filter_map(|place| {
            let id = self
                .vocabulary
                .resource_id(account, &resource.kind, place)?;
            // No store has an empty id: the account comes before all of them.
            let place = match place {
                Resource::Account => String::new(),
                Resource::Store(store) => store.to_owned(),
            };
            Some((place, found(&resource.kind, id)))
        });
        Ok(page.fill(self.account.version(), found))
    }

    /// Answers which actions this subject may do there: of those that are built in and those that any role of the
    /// resource's level holds, in the order of permissions. An account owner may do others too, which nothing names
    /// yet.
    ///
    /// # Errors
    /// As [`evaluation`](Self::evaluation), without an action, which is ignored; and for pages as
    /// [`search_subjects`](Self::search_subjects).
    pub fn search_actions(&self, body: &[u8]) -> Result<SearchResults<FoundAction>, BadRequest> {
        let body = Body::read(body)?;
        let (subject, resource) = (body.subject()?, body.resource()?);
        let (member, there) = (self.member(&subject)?, self.resource(&resource)?);
        let query = [
            "action",
            &subject.kind,
            id(&subject),
            &resource.kind,
            id(&resource),
        ];
        let page = self.page(&query, &body)?;
        let asked = member.as_deref().zip(there.as_ref());
        let permissions = asked.into_iter().flat_map(|(member, there)| {
            let named = self.permissions(there).into_iter();
            named.filter(move |permission| self.account.can(member, permission, there.as_deref()))
        });
        let after = page.after.clone();
        let is_next = |permission: &&Permission| {
            let after = after.as_deref();
            after.is_none_or(|after| permission.as_str() > after)
        };
        let found = permissions.filter(is_next).filter_map(|permission| {
            let action = self.vocabulary.action(&resource.kind, permission)?;
            Some((permission.to_string(), action))
        });
        Ok(page.fill(self.account.version(), found))
    }

    /// The permissions that have a name at this level.
    fn permissions(&self, there: &Resource) -> BTreeSet<&Permission> {
        let level = match there {
            Resource::Account => RoleLevel::Account,
            Resource::Store(_) => RoleLevel::Store,
        };
        let built_in = Permission::BUILT_IN.iter().filter(|permission| {
            let is_of_store = permission.as_str().starts_with("store.");
            is_of_store == (level == RoleLevel::Store)
        });
        let roles = self
            .account
            .roles()
            .filter(|(_, role)| role.level() == level);
        let named = roles.flat_map(|(_, role)| role.permissions());
        built_in.chain(named).collect()
    }

    fn page(&self, query: &[&str; 5], body: &Body<'_>) -> Result<Page, BadRequest> {
        let query = [&[self.account.id().as_str()], &query[..]].concat();
        Page::of(&query, body.page, self.account.version())
    }
}

fn id(entity: &Entity) -> &str {
    entity.id.as_deref().unwrap_or_default()
}

/// All that an action says, in one text.
fn words(action: &Action) -> String {
    let properties = action.properties.clone().unwrap_or_default();
    format!(
        "{}:{} {}",
        action.name.len(),
        action.name,
        serde_json::Value::Object(properties)
    )
}

fn found(kind: &str, id: String) -> Found {
    Found {
        kind: kind.to_owned(),
        id,
    }
}
