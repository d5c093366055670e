//! Members by index: a small number for each, so that a group's members are a compressed bitmap.

use crate::id::MemberId;

/// A member's index while it is in the account. Nobody outside sees it.
pub(crate) type MemberIndex = u32;

/// Which member has which index. A free index is used again.
#[derive(Clone, Debug, Default)]
pub(crate) struct MemberSlab {
    ids: Vec<Option<MemberId>>,
    free: Vec<MemberIndex>,
}

impl MemberSlab {
    /// Gives a member an index that no other member has; `None` once there are 2^32 members.
    pub(crate) fn insert(&mut self, id: &MemberId) -> Option<MemberIndex> {
        if self.free.is_empty() {
            let next = MemberIndex::try_from(self.ids.len()).ok()?;
            self.ids.push(None);
            self.free.push(next);
        }
        let index = self.free.pop()?;
        *self.ids.get_mut(index as usize)? = Some(id.clone());
        Some(index)
    }

    /// Frees an index that no group's bitmap holds any more.
    pub(crate) fn remove(&mut self, index: MemberIndex) {
        if let Some(entry) = self.ids.get_mut(index as usize) {
            *entry = None;
            self.free.push(index);
        }
    }

    pub(crate) fn get(&self, index: MemberIndex) -> Option<&MemberId> {
        self.ids.get(index as usize)?.as_ref()
    }

    /// How many indices have ever been given at a time: every index is below.
    pub(crate) fn bound(&self) -> usize {
        self.ids.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No two members have one index at a time; and a free index is used again, so that they stay as small as the
    /// account.
    #[test]
    fn an_index_belongs_to_one_member() {
        let id = |text: &str| MemberId::parse(text).unwrap();
        let (olga, dana, gil) = (id("olga"), id("dana"), id("gil"));
        let mut slab = MemberSlab::default();
        assert_eq!((slab.insert(&olga), slab.insert(&dana)), (Some(0), Some(1)));
        slab.remove(0);
        assert_eq!((slab.get(0), slab.get(1)), (None, Some(&dana)));
        assert_eq!((slab.insert(&gil), slab.insert(&olga)), (Some(0), Some(2)));
        assert_eq!(slab.get(0), Some(&gil));
        assert_eq!(slab.bound(), 3);
    }
}
