//! Members by stores.

use crate::access::AccessLevel;
use crate::account::Account;
use crate::account::status::MemberStatus;
use crate::id::{MemberId, StoreId};

/// Who has which access level in which store: a row for each member, a column for each store, both in the order of
/// ids. With the feature `render` it is written as text, Markdown, CSV and HTML.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AccessMatrix {
    /// The columns.
    pub stores: Vec<StoreId>,
    /// The rows.
    pub rows: Vec<MatrixRow>,
}

/// One member's row of a [`AccessMatrix`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MatrixRow {
    /// Who.
    pub member: MemberId,
    /// Whether it is active, and an owner.
    pub status: MemberStatus,
    /// A level for each column.
    pub levels: Vec<AccessLevel>,
}

impl Account {
    /// Members by stores, with their levels. Takes time and memory in proportion to members times stores.
    #[must_use]
    pub fn matrix(&self) -> AccessMatrix {
        let rows = self.members().map(|member| MatrixRow {
            member: member.id().clone(),
            status: member.status(),
            levels: self
                .stores()
                .map(|store| self.access_level(member.id(), store))
                .collect(),
        });
        AccessMatrix {
            stores: self.stores().cloned().collect(),
            rows: rows.collect(),
        }
    }
}
