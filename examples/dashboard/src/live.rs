//! What changes is shown on every open page.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use axum::response::sse::{Event, KeepAlive, Sse};
use grantbook::Actor;
use grantbook::repository::Notice;
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::{Stream, StreamExt};

/// Tells whoever listens that the account has changed, and by whom.
#[derive(Clone)]
pub(crate) struct Live(Arc<Mutex<Option<broadcast::Sender<String>>>>);

impl Live {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Some(broadcast::channel(64).0))))
    }

    pub(crate) fn tell(&self, notice: &Notice) {
        let Notice::Committed { records, .. } = notice else {
            return;
        };
        let who = records.last().map(|record| match record.actor() {
            Actor::System => "the application".to_owned(),
            Actor::Member(member) => member.to_string(),
        });
        let sender = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Some(sender), Some(who)) = (sender.as_ref(), who) {
            // Nobody may be listening.
            let _ = sender.send(who);
        }
    }

    pub(crate) fn end(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// An event for each change, from now on. A page that fell behind is told as if of one change.
    pub(crate) fn events(&self) -> Sse<impl Stream<Item = Result<Event, Infallible>> + use<>> {
        let sender = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A channel that nobody sends to has ended.
        let ended = || broadcast::channel(1).1;
        let receiver = sender
            .as_ref()
            .map_or_else(ended, broadcast::Sender::subscribe);
        let changes = BroadcastStream::new(receiver);
        let events = changes.map(|who| {
            let who = who.unwrap_or_else(|_| "somebody".to_owned());
            Ok(Event::default().event("changed").data(who))
        });
        Sse::new(events).keep_alive(KeepAlive::default())
    }
}
