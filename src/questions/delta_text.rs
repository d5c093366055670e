//! Who gains and loses what, in sentences.

use std::fmt;

use crate::access::Permissions;
use crate::permission::Powers;
use crate::questions::delta::AccessDelta;
use crate::questions::differences::AccessBlock;
use crate::several::Several;
use crate::visible::Quoted;

/// A line for each of its blocks: `` `dana` and `vic` gain `store.read` in store `dev` ``. Of more than five of a
/// kind, five are named.
///
/// ```
/// # use grantbook::*;
/// # let now = Timestamp::from_millis(0);
/// # let (mut account, _) = Account::open(
/// #     AccountId::parse("acme")?, MemberId::parse("olga")?, GroupLimit::default(), now);
/// # let (dev, devs, dana) = (StoreId::parse("dev")?, GroupId::parse("devs")?, MemberId::parse("dana")?);
/// # for command in [
/// #     Command::create_store(&dev),
/// #     Command::add_members([&dana]),
/// #     Command::create_group(&devs, "Dev Team".parse()?, [Grant::store_viewer([dev])]),
/// # ] {
/// #     account.execute(&Actor::System, &command, now)?;
/// # }
/// let preview = account.preview(&Actor::System, &[Command::add_to_group(devs, [dana])], now)?;
/// assert_eq!(preview.delta.to_string(), "`dana` gains `store.read` in store `dev`");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl fmt::Display for AccessDelta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut blocks = self.blocks();
        match blocks.next() {
            Some(first) => first.fmt(f)?,
            None => f.write_str("nobody gains or loses anything")?,
        }
        blocks.try_for_each(|block| write!(f, "\n{block}"))
    }
}

/// As one sentence: `` `dana` gains `store.read` in store `dev` ``.
impl fmt::Display for AccessBlock<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members = Several::of(self.members.iter().map(|member| Quoted(member)));
        let places = Several::of(self.resources.iter());
        let s = if self.members.len() == 1 { "s" } else { "" };
        let gained = beyond(&self.after, &self.before);
        let lost = beyond(&self.before, &self.after);
        write!(f, "{members} ")?;
        match (gained, lost) {
            (Some(gained), Some(lost)) => write!(f, "gain{s} {gained} and lose{s} {lost}")?,
            (Some(gained), None) => write!(f, "gain{s} {gained}")?,
            (None, Some(lost)) => write!(f, "lose{s} {lost}")?,
            (None, None) => write!(f, "keep{s} everything")?,
        }
        write!(f, " {places}")
    }
}

/// What the one allows and the other does not, if there is any.
fn beyond(one: &Permissions, other: &Permissions) -> Option<Several> {
    match (one, other) {
        (_, Permissions::All) => None,
        (Permissions::All, Permissions::Only(_)) => {
            Some(Several::of(["every permission"].into_iter()))
        }
        (Permissions::Only(these), Permissions::Only(others)) => {
            let new = these.iter().filter(|permission| !others.allows(permission));
            let mut new = new.map(|permission| format!("`{permission}`")).peekable();
            new.peek()?;
            Some(Several::of(new))
        }
    }
}
