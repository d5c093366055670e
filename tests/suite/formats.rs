//! A later version of the library writes format 2, and a process of this one reads it: what `docs/formats.md` promises.

use std::collections::HashMap;
use std::sync::Mutex;

use grantbook::repository::*;
use grantbook::*;

use crate::support::*;

/// A repository that keeps everything as JSON text, as a database does.
#[derive(Default)]
struct Texts(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    head: Option<Head>,
    /// From version 1 on; none, where the record was given up.
    records: Vec<Option<String>>,
    requests: HashMap<String, String>,
    snapshot: Option<String>,
}

impl Repository for &Texts {
    type Error = serde_json::Error;

    fn snapshot(&self, _: &AccountId) -> Result<Option<Snapshot>, serde_json::Error> {
        let kept = self.0.lock().unwrap();
        let text = kept.snapshot.as_deref();
        text.map(serde_json::from_str).transpose()
    }

    /// One record a page, so that what can be read before one that cannot is read.
    fn records_after(&self, _: &AccountId, version: u64) -> Result<RecordPage, serde_json::Error> {
        let kept = self.0.lock().unwrap();
        let next = kept.records.get(usize::try_from(version).unwrap());
        let records = match next {
            Some(None) => return Ok(RecordPage::Compacted),
            Some(Some(text)) => vec![serde_json::from_str(text)?],
            None => Vec::new(),
        };
        let head = kept.head;
        Ok(RecordPage::Records { records, head })
    }

    fn request(
        &self,
        _: &AccountId,
        key: &IdempotencyKey,
    ) -> Result<Option<StoredRequest>, serde_json::Error> {
        let kept = self.0.lock().unwrap();
        let text = kept.requests.get(key.as_str());
        text.map(|text| serde_json::from_str(text)).transpose()
    }

    fn commit(&self, commit: &Commit) -> Result<CommitOutcome, serde_json::Error> {
        let mut kept = self.0.lock().unwrap();
        if kept.requests.contains_key(commit.key().as_str()) {
            return Ok(CommitOutcome::Duplicate);
        }
        if kept.head.as_ref() != commit.expected() {
            return Ok(CommitOutcome::Conflict);
        }
        kept.head = Some(*commit.head());
        for record in commit.records() {
            kept.records.push(Some(serde_json::to_string(record)?));
        }
        let request = serde_json::to_string(commit.request())?;
        kept.requests
            .insert(commit.key().as_str().to_owned(), request);
        Ok(CommitOutcome::Appended)
    }
}

impl Texts {
    fn change(&self, change: impl FnOnce(&mut Kept)) {
        change(&mut self.0.lock().unwrap());
    }

    /// The text of the last record, in place of which a later format stands for a while.
    fn last_record(&self) -> String {
        let kept = self.0.lock().unwrap();
        kept.records.last().unwrap().clone().unwrap()
    }
}

fn in_format_2(form: &str, text: &str) -> String {
    let mut json: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_eq!(json[form], 1);
    json[form] = 2.into();
    json["until"] = 1_700.into();
    json.to_string()
}

fn acme() -> AccountId {
    AccountId::parse("acme").unwrap()
}

fn opened(texts: &Texts) -> Accounts<SyncStorage<&Texts>> {
    let accounts = Accounts::builder(texts).build();
    let limit = GroupLimit::default();
    accounts
        .open(commit_id("open"), acme(), member(OWNER), limit, at(0))
        .unwrap();
    accounts
}

/// U2, U5, U10: a process that does not know a format reads what is before it, counts as behind and says why, and changes
/// nothing. When it can read the record, it goes on.
#[test]
fn u5_an_older_process_stops_before_a_newer_record() {
    let texts = Texts::default();
    let newer = opened(&texts);
    let older = Accounts::builder(&texts).build();
    let (here, there) = (newer.get(&acme()).unwrap(), older.get(&acme()).unwrap());
    here.execute(&request(&by(OWNER), &[create_store("dev")], at(1)))
        .unwrap();
    here.execute(&request(&Actor::System, &[enrol(["dana"])], at(2)))
        .unwrap();
    let readable = texts.last_record();
    let unreadable = in_format_2("record", &readable);
    texts.change(|kept| *kept.records.last_mut().unwrap() = Some(unreadable));

    let error = there.refresh().unwrap_err();
    assert_eq!(
        (error.code(), error.http_status()),
        ("repository-failed", 503)
    );
    let as_of = there.as_of();
    assert_eq!((as_of.version, as_of.behind), (2, 1), "the store is there");
    assert!(as_of.problem.unwrap().contains("format 2"));
    // Requests are not answered from it, and nothing is changed on it.
    assert_eq!(older.get(&acme()).unwrap_err().code(), "repository-failed");
    let asked = request(&by(OWNER), &[create_store("prod")], at(3));
    assert_eq!(
        there.execute(&asked).unwrap_err().code(),
        "repository-failed"
    );
    assert_eq!(there.version(), 2);
    assert!(load(&&texts, &acme()).is_err(), "not without the record");

    texts.change(|kept| *kept.records.last_mut().unwrap() = Some(readable));
    older.get(&acme()).unwrap();
    let as_of = there.as_of();
    assert_eq!((as_of.version, as_of.behind, as_of.problem), (3, 0, None));
    there.execute(&asked).unwrap();
}

/// A snapshot of a later format is passed over where all records are there, and is an error where they were given up.
#[test]
fn u2_a_newer_snapshot_is_passed_over() {
    let texts = Texts::default();
    let account = opened(&texts).get(&acme()).unwrap();
    account
        .execute(&request(&by(OWNER), &[create_store("dev")], at(1)))
        .unwrap();
    let text = account.with(|account| serde_json::to_string(&account.snapshot()).unwrap());
    texts.change(|kept| kept.snapshot = Some(in_format_2("snapshot", &text)));
    let loaded = load(&&texts, &acme()).unwrap().unwrap();
    assert_eq!(loaded.version(), 2);

    texts.change(|kept| kept.records[0] = None);
    let error = load(&&texts, &acme()).unwrap_err();
    assert!(error.to_string().contains("format 2"), "{error}");
    // The snapshot that this version reads stands for the record that was given up.
    texts.change(|kept| kept.snapshot = Some(text));
    assert_eq!(load(&&texts, &acme()).unwrap().unwrap(), loaded);
}

/// U9: what is remembered of a request is not guessed either.
#[test]
fn u9_a_newer_request_is_not_answered() {
    let texts = Texts::default();
    let account = opened(&texts).get(&acme()).unwrap();
    let asked = request(&by(OWNER), &[create_store("dev")], at(1));
    account.execute(&asked).unwrap();
    let key = asked.key.as_str();
    texts.change(|kept| {
        let text = in_format_2("request", &kept.requests[key]);
        kept.requests.insert(key.to_owned(), text);
    });
    let error = account.execute(&asked).unwrap_err();
    assert_eq!(error.code(), "repository-failed");
    assert_eq!(account.version(), 2, "done once");
}
