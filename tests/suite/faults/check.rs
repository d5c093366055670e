//! The end of a run: every answer is compared with what is stored.

use std::collections::BTreeMap;

use grantbook::repository::conformance::Fault;
use grantbook::repository::*;
use grantbook::*;

use super::{Asked, COPIES, NothingKept, Run, TRIES, Trust, acme, commit, stored_of};

impl Run {
    /// Retries each request without an answer until it has one.
    pub(super) fn finish(&mut self) {
        for number in 0..self.asked.len() {
            for which in 0..TRIES {
                if self.asked[number].is_settled {
                    break;
                }
                let which = usize::try_from(which).unwrap() % COPIES;
                if self.chance.below(4) == 0 {
                    self.load(which); // as the error tells a copy that is ahead of a stale read
                }
                self.ask(which, number);
            }
        }
        if self.trust == Trust::Contract {
            assert!(
                self.asked.iter().all(|asked| asked.is_settled),
                "every request is answered in the end"
            );
        }
        self.line.settle();
        self.look();
    }

    /// Compares every answer with what is stored.
    pub(super) fn check(&mut self) {
        for which in 0..COPIES {
            self.sample(which);
        }
        let kept = self.line.kept();
        let mut covered = vec![0; self.records.len()];
        let mut cover = |records: &[Record]| {
            for record in records {
                covered[usize::try_from(record.version()).unwrap() - 1] += 1;
            }
        };
        let rivals = self
            .line
            .injected_faults()
            .iter()
            .filter(|fault| **fault == Fault::Rival)
            .count();
        let others = ["open".to_owned(), "staff".to_owned()].into_iter();
        for id in others.chain((0..rivals).map(|number| format!("rival-{number}"))) {
            let (_, records) = stored_of(kept, &commit(&id)).expect("it was acknowledged");
            assert!(!records.is_empty());
            cover(&records);
        }
        let mut decided_on: BTreeMap<u64, Vec<(&Request, Vec<Record>)>> = BTreeMap::new();
        let mut nothing_kept = Vec::new();
        for Asked {
            request,
            kept: answered,
            nothing_kept: answers,
            is_settled,
        } in &self.asked
        {
            let stored = stored_of(kept, &request.key);
            if let (Some(answered), Some((stored, records))) = (answered, &stored) {
                if !answered.is_repeat() || !answered.records().is_empty() {
                    assert_eq!(answered.records(), records, "what was acknowledged stays");
                }
                assert_eq!(answered.version(), stored.version);
            }
            assert!(answered.is_none() || stored.is_some(), "it is remembered");
            if answered.is_none() && *is_settled && self.trust != Trust::StaleReads {
                assert_eq!(
                    stored, None,
                    "nothing is stored later for a refused request"
                );
            }
            if let Some((stored, records)) = stored {
                assert!(stored.is_of(request));
                cover(&records);
                let on_it = decided_on.entry(stored.before).or_default();
                on_it.push((request, records));
            }
            nothing_kept.extend(answers.iter().map(|answer| (request, answer)));
        }
        assert!(
            covered.iter().all(|times| *times == 1),
            "each record is of one request: {covered:?}"
        );

        self.samples.sort_by_key(Account::version);
        let mut samples = self.samples.iter().peekable();
        let mut account = Account::replay(&self.records[..1]).unwrap();
        for (index, record) in self.records.iter().enumerate() {
            let version = index as u64 + 1;
            if index > 0 {
                account.apply(record).expect("no gap, and each record fits");
            }
            assert_eq!(account.version(), version);
            let mut members = account.members();
            assert!(
                members.any(|member| member.status() == MemberStatus::Active { owner: true }),
                "A2"
            );
            while let Some(sample) = samples.next_if(|sample| sample.version() == version) {
                assert_eq!(*sample, account, "a copy is the account at its version");
            }
            let decide = |request: &Request| {
                let commit = Commit::decide(&account, request)?;
                Ok(commit.records().to_vec())
            };
            for (request, records) in decided_on.get(&version).into_iter().flatten() {
                assert_eq!(
                    decide(request).as_ref(),
                    Ok(records),
                    "stored as it was asked for, as a whole"
                );
            }
            nothing_kept.retain(
                |(
                    request,
                    NothingKept {
                        refusal,
                        between: (from, to),
                    },
                )| {
                    !((*from..=*to).contains(&version) && decide(request).as_ref() == Err(refusal))
                },
            );
        }
        assert!(
            samples.next().is_none(),
            "no copy is ahead of what is stored"
        );
        let wrong = nothing_kept
            .first()
            .map(|(request, wrong)| (request, &wrong.refusal, wrong.between));
        assert!(
            wrong.is_none(),
            "right at none of the versions that it may be based on: {wrong:?}"
        );
        let loaded = load(kept, &acme()).unwrap().unwrap();
        assert_eq!(*loaded, account, "the account is its replay");
    }
}
