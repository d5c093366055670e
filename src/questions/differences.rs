//! What a delta says, worked out kind by kind.

use std::collections::VecDeque;
use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};
use serde::Serialize;

use crate::access::{Permissions, Resource};
use crate::account::data::classes::{Classes, Held, Number, Roles, When};
use crate::account::data::hash::{Keyed, KeyedMap};
use crate::id::MemberId;
use crate::permission::Permission;

/// What one member may do in one place, before and after. The two allow different things: what another permission that
/// the member held and holds includes ([L7](crate::docs::rules#L7)) is no difference.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct AccessChange<'a> {
    /// Who.
    pub member: &'a MemberId,
    /// Where.
    pub resource: &'a Resource,
    /// What the member could do there; nothing, if one of the two did not exist.
    pub before: Arc<Permissions>,
    /// What the member can do there.
    pub after: Arc<Permissions>,
}

/// What each of some members may do in each of some places, before and after.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct AccessBlock<'a> {
    /// Who: at least one, in the order of ids.
    pub members: Vec<&'a MemberId>,
    /// Where: at least one, the account first, then stores in the order of ids.
    pub resources: Vec<&'a Resource>,
    /// What each could do in each.
    pub before: Arc<Permissions>,
    /// What each can do in each.
    pub after: Arc<Permissions>,
}

/// What a before and an after come to.
macro_rules! compared {
    ($type:ident) => {
        impl $type<'_> {
            /// Whether this permission is held after the change and was not before.
            #[must_use]
            pub fn gains(&self, permission: &Permission) -> bool {
                self.after.allows(permission) && !self.before.allows(permission)
            }

            /// Whether this permission was held before the change and is not any more.
            #[must_use]
            pub fn loses(&self, permission: &Permission) -> bool {
                self.before.allows(permission) && !self.after.allows(permission)
            }

            /// Whether anything is held after the change that was not before.
            #[must_use]
            pub fn gains_any(&self) -> bool {
                !self.after.is_subset(&self.before)
            }

            /// Whether anything was held before the change that is not any more: time to revoke what was handed out on
            /// the strength of it.
            #[must_use]
            pub fn loses_any(&self) -> bool {
                !self.before.is_subset(&self.after)
            }
        }
    };
}
compared!(AccessChange);
compared!(AccessBlock);

/// What changes touch, as a product: members and resources, each with the number of its kind, and what counts of the
/// kinds.
#[derive(Clone, Default)]
pub(crate) struct Touched {
    /// In the order of ids.
    pub(crate) members: Vec<(MemberId, Number)>,
    /// The account first, then stores in the order of ids.
    pub(crate) resources: Vec<(Resource, Number)>,
    pub(crate) classes: Classes,
}

/// Where a kind of members may do something else: kinds of resources, each with the number of a before and after.
type Row = Arc<[(Number, Number)]>;

/// A before and an after.
type Pair = (Arc<Permissions>, Arc<Permissions>);

/// How much is remembered, in rows' cells, roles and permissions, before all of it is forgotten.
const REMEMBERED: usize = 1 << 18;

/// What a delta says, worked out kind by kind. What was found is remembered, up to a bound.
pub(crate) struct Differences<'d> {
    delta: &'d Touched,
    /// The numbers of the resources of each kind.
    resources: Vec<Vec<usize>>,
    rows: KeyedMap<Number, Row>,
    united: KeyedMap<(When, Roles), Arc<Permissions>>,
    judged: KeyedMap<(Held, Held), Option<Number>>,
    pairs: IndexSet<Pair, Keyed>,
    nothing: Arc<Permissions>,
    everything: Arc<Permissions>,
    remembered: usize,
}

impl<'d> Differences<'d> {
    pub(crate) fn new(delta: &'d Touched) -> Self {
        let mut resources: Vec<Vec<usize>> = Vec::new();
        for (index, (_, class)) in delta.resources.iter().enumerate() {
            let class = *class as usize;
            resources.resize_with(resources.len().max(class + 1), Vec::new);
            if let Some(of_class) = resources.get_mut(class) {
                of_class.push(index);
            }
        }
        Self {
            delta,
            resources,
            rows: KeyedMap::default(),
            united: KeyedMap::default(),
            judged: KeyedMap::default(),
            pairs: IndexSet::default(),
            nothing: Arc::new(Permissions::nothing()),
            everything: Arc::new(Permissions::All),
            remembered: 0,
        }
    }

    fn is_full(&self) -> bool {
        self.remembered > REMEMBERED
    }

    /// Numbers of pairs that were given out mean nothing any more.
    fn forget(&mut self) {
        self.rows.clear();
        self.united.clear();
        self.judged.clear();
        self.pairs.clear();
        self.remembered = 0;
    }

    pub(crate) fn pair(&self, number: Number) -> Option<&Pair> {
        self.pairs.get_index(number as usize)
    }

    /// The row of a kind of members. Numbers in rows that were found before may mean nothing any more.
    pub(crate) fn fresh_row(&mut self, class: Number) -> Row {
        if self.is_full() {
            self.forget();
        }
        self.row(class)
    }

    fn row(&mut self, class: Number) -> Row {
        if let Some(row) = self.rows.get(&class) {
            return Row::clone(row);
        }
        let delta = self.delta;
        let cells = delta.classes.differing(class);
        let row: Row = cells
            .filter_map(|(resource, was, is)| Some((resource, self.judge(was, is)?)))
            .collect();
        self.remembered += row.len() + 1;
        self.rows.insert(class, Row::clone(&row));
        row
    }

    /// The number of the pair, if the two allow different things.
    fn judge(&mut self, was: Held, is: Held) -> Option<Number> {
        let key = (was, is);
        if let Some(judged) = self.judged.get(&key) {
            return *judged;
        }
        let before = self.permissions(&key.0, When::Before);
        let after = self.permissions(&key.1, When::After);
        let judged = (!before.allows_same(&after)).then(|| {
            let (index, _) = self.pairs.insert_full((before, after));
            Number::try_from(index).unwrap_or(Number::MAX)
        });
        self.remembered += 1;
        self.judged.insert(key, judged);
        judged
    }

    fn permissions(&mut self, held: &Held, when: When) -> Arc<Permissions> {
        let roles = match held {
            Held::Nothing => return Arc::clone(&self.nothing),
            Held::Everything => return Arc::clone(&self.everything),
            Held::By(roles) => roles,
        };
        let key = (when, roles.clone());
        if let Some(known) = self.united.get(&key) {
            return Arc::clone(known);
        }
        let permissions = self.delta.classes.united(roles, when);
        self.remembered += permissions.len() + roles.len();
        let permissions = Arc::new(Permissions::Only(permissions));
        self.united.insert(key, Arc::clone(&permissions));
        permissions
    }

    /// The resources of these kinds, in their order.
    fn resources_of(
        &self,
        classes: impl Iterator<Item = (Number, Number)>,
    ) -> Vec<(&'d Resource, Number)> {
        let each = classes.flat_map(|(class, pair)| {
            let resources = self.resources.get(class as usize).into_iter().flatten();
            resources.map(move |index| (*index, pair))
        });
        let mut each: Vec<(usize, Number)> = each.collect();
        each.sort_unstable();
        let resources = each.into_iter().filter_map(|(index, pair)| {
            let (resource, _) = self.delta.resources.get(index)?;
            Some((resource, pair))
        });
        resources.collect()
    }

    pub(crate) fn of_member(
        &mut self,
        member: &'d MemberId,
        class: Number,
    ) -> impl Iterator<Item = AccessChange<'d>> + use<'d> {
        let row = self.fresh_row(class);
        let resources = self.resources_of(row.iter().copied()).into_iter();
        let changes = resources.filter_map(|(resource, pair)| {
            let (before, after) = self.pair(pair)?.clone();
            Some(AccessChange {
                member,
                resource,
                before,
                after,
            })
        });
        changes.collect::<Vec<_>>().into_iter()
    }
}

/// The blocks of a delta: kinds of members with the same row are put together, as many as are remembered at once.
pub(crate) struct Blocks<'d> {
    differences: Differences<'d>,
    /// The members of each kind.
    members: Vec<Vec<&'d MemberId>>,
    next: Number,
    found: VecDeque<AccessBlock<'d>>,
}

impl<'d> Blocks<'d> {
    pub(crate) fn new(delta: &'d Touched) -> Self {
        let mut members = vec![Vec::new(); delta.classes.member_classes()];
        for (member, class) in &delta.members {
            if let Some(of_class) = members.get_mut(*class as usize) {
                of_class.push(member);
            }
        }
        Self {
            differences: Differences::new(delta),
            members,
            next: 0,
            found: VecDeque::new(),
        }
    }

    fn find(&mut self) {
        self.differences.forget();
        let mut rows: IndexMap<Row, Vec<&'d MemberId>, Keyed> = IndexMap::default();
        while (self.next as usize) < self.members.len() && !self.differences.is_full() {
            let row = self.differences.row(self.next);
            if let Some(members) = self.members.get_mut(self.next as usize) {
                if !row.is_empty() {
                    rows.entry(row).or_default().append(members);
                }
            }
            self.next += 1;
        }
        for (row, mut members) in rows {
            members.sort_unstable();
            let mut by_pair: IndexMap<Number, Vec<&'d Resource>, Keyed> = IndexMap::default();
            for (resource, pair) in self.differences.resources_of(row.iter().copied()) {
                by_pair.entry(pair).or_default().push(resource);
            }
            for (pair, resources) in by_pair {
                if let Some((before, after)) = self.differences.pair(pair).cloned() {
                    self.found.push_back(AccessBlock {
                        members: members.clone(),
                        resources,
                        before,
                        after,
                    });
                }
            }
        }
    }
}

impl<'d> Iterator for Blocks<'d> {
    type Item = AccessBlock<'d>;

    fn next(&mut self) -> Option<AccessBlock<'d>> {
        while self.found.is_empty() && (self.next as usize) < self.members.len() {
            self.find();
        }
        self.found.pop_front()
    }
}
