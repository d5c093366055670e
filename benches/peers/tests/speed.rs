//! What must hold before anything is timed, at the smallest size: every engine gives grantbook's answers and sees a
//! change in the next check.

use grantbook::Account;
use grantbook_peers::population::S;
use grantbook_peers::speed::{Plain, agree, changes, contestants, requests};

/// P1, P2, M1, G9: all engines that are timed give the same answers about the same population.
#[test]
fn all_that_are_timed_agree_and_see_changes() {
    let plain = Plain::of(S).unwrap();
    let account = Account::try_from(plain.snapshot.clone()).unwrap();
    let (questions, changes) = (requests(S, 2_000), changes(&plain, &account, 50));
    assert_eq!(changes.len(), 50);
    let allowed = questions
        .iter()
        .filter(|asked| {
            let resource = grantbook::Resource::Store(asked.store.as_str());
            account.can(&asked.member, &asked.permission, resource)
        })
        .count();
    assert!((600..1_400).contains(&allowed), "{allowed} are allowed");
    for mut engine in contestants() {
        engine.load(&plain).unwrap();
        let compared = agree(&account, &*engine, &questions, &changes).unwrap();
        assert_eq!(compared, 2_050);
        engine.time_changes(&changes).unwrap();
        // Now it holds what grantbook does not, which the comparison must find.
        let found = agree(&account, &*engine, &questions, &changes).unwrap_err();
        assert!(found.to_string().contains(engine.name()), "{found}");
    }
}
