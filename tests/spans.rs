//! The feature `tracing`: what makes spans, and what makes none.

use std::fmt::Write;
use std::sync::{Arc, Mutex};

use grantbook::repository::{Accounts, MemoryRepository, RepositoryError, Request};
use grantbook::{Actor, Command, GroupLimit, Permission, Resource, StoreId, Timestamp};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// Writes down each span with its fields, and each event.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    fn taken(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let _ = write!(self.0, " {}={value:?}", field.name());
    }
}

impl Subscriber for Told {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut fields = Fields(span.metadata().name().to_owned());
        span.record(&mut fields);
        let mut told = self.0.lock().unwrap();
        told.push(fields.0);
        Id::from_u64(told.len() as u64)
    }

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields("event".to_owned());
        event.record(&mut fields);
        self.0.lock().unwrap().push(fields.0);
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[test]
fn requests_and_calls_of_the_storage_are_spans_and_checks_are_none() {
    let told = Told::default();
    tracing::subscriber::set_global_default(told.clone()).unwrap();
    let accounts = Accounts::builder(MemoryRepository::new()).build();
    let key = "opening".parse().unwrap();
    let (id, olga) = ("ac\u{202e}me".parse().unwrap(), "olga".parse().unwrap());
    let account = accounts
        .open(key, id, olga, GroupLimit::default(), NOW)
        .unwrap();
    assert_eq!(
        told.taken()[0],
        "grantbook.storage.commit account=ac\\u{202e}me"
    );

    let olga = Actor::Member("olga".parse().unwrap());
    let dev: StoreId = "dev".parse().unwrap();
    let request = |key: &str| {
        Request::by(olga.clone(), key.parse().unwrap(), NOW)
            .command(Command::create_store(dev.clone()))
    };
    account.execute(&request("one")).unwrap();
    let spans = told.taken();
    assert_eq!(
        spans[0],
        "grantbook.execute account=ac\\u{202e}me commands=1"
    );
    let commit = "grantbook.storage.commit account=ac\\u{202e}me".to_owned();
    assert!(spans.contains(&commit), "{spans:?}");

    // A refusal is an event, in words that no id can disguise.
    let refused = account.execute(&request("two"));
    assert!(matches!(refused, Err(RepositoryError::Refused(_))));
    let spans = told.taken();
    let read = "grantbook.storage.records account=ac\\u{202e}me version=2".to_owned();
    assert!(spans.contains(&read), "{spans:?}");
    let event = "event error=store `dev` already exists; choose another id".to_owned();
    assert!(spans.contains(&event), "{spans:?}");

    assert!(account.can("olga", &Permission::STORE_READ, Resource::Store("dev")));
    account
        .with(|account| account.explain("olga", &Permission::STORE_READ, Resource::Account, NOW));
    assert_eq!(told.taken(), Vec::<String>::new());
}
