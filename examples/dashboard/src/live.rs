//! What changes is shown on every open page.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use axum::response::sse::{Event, KeepAlive, Sse};
use grantbook::repository::Notice;
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::{Stream, StreamExt};

/// Tells whoever listens that the account has changed, and no more: not everybody may know by whom.
#[derive(Clone)]
pub(crate) struct Live(Arc<Mutex<Option<broadcast::Sender<()>>>>);

impl Live {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Some(broadcast::channel(64).0))))
    }

    pub(crate) fn tell(&self, notice: &Notice) {
        let sender = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Some(sender), Notice::Committed { .. }) = (sender.as_ref(), notice) {
            // Nobody may be listening.
            let _ = sender.send(());
        }
    }

    pub(crate) fn end(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// An event for each change from now on, and one at once if the page is behind already. A page that fell behind is
    /// told as if of one change.
    pub(crate) fn events(
        &self,
        is_behind: bool,
    ) -> Sse<impl Stream<Item = Result<Event, Infallible>> + use<>> {
        let sender = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A channel that nobody sends to has ended.
        let ended = || broadcast::channel(1).1;
        let receiver = sender
            .as_ref()
            .map_or_else(ended, broadcast::Sender::subscribe);
        let changes = BroadcastStream::new(receiver);
        let told = || Ok(Event::default().event("changed").data(""));
        let missed = tokio_stream::iter(is_behind.then(told));
        let events = missed.chain(changes.map(move |_| told()));
        Sse::new(events).keep_alive(KeepAlive::default())
    }
}
