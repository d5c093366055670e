//! Requests whose answers are lost, whether they were kept or not.

mod common;

use std::time::Duration;

use grantbook::repository::{AsyncRepository, RepositoryError};
use grantbook_etcd::{Error, EtcdRepository};
use tokio::time::sleep;

use common::proxy::Proxy;
use common::{Host, account_id, are_equal, create, report, request, server};

const ROUNDS: u64 = 100;

/// Without an answer the outcome is unknown; asked again with the same key, the request counts once.
#[tokio::test]
async fn a_request_without_an_answer_can_be_made_again_and_counts_once() {
    let host = Host::fresh().await;
    let shared = host.open("acme").await;
    let acme = account_id("acme");
    let [server] = &host.server.endpoints()[..] else {
        panic!("there is one server");
    };
    let mut random = fastrand::Rng::with_seed(6);
    let (mut unknown, mut kept, mut lost) = (0, 0, 0);
    for round in 0..ROUNDS {
        let proxy = Proxy::to(server).await;
        let client = server::client(std::slice::from_ref(&proxy.endpoint)).await;
        let through =
            EtcdRepository::new(&client, "access").with_timeout(Duration::from_millis(200));
        let through = common::load(&through, "acme").await;
        let through = through.expect("it is connected");

        let store = round.to_string();
        let request = request(&store, create([store.clone()]));
        let lose_answers = async {
            sleep(Duration::from_micros(random.u64(..3_000))).await;
            proxy.lose_answers();
        };
        let (answer, ()) = tokio::join!(through.execute(&request), lose_answers);
        match answer {
            Ok(_) => {}
            Err(RepositoryError::Storage(error))
                if matches!(error.downcast_ref(), Some(Error::Unanswered { .. })) =>
            {
                unknown += 1;
                let remembered = host.repository.request(&acme, &request.key).await;
                kept += usize::from(remembered.expect("etcd answers").is_some());
            }
            Err(error) => panic!("{error}"),
        }
        let again = shared.execute(&request).await.expect("etcd answers");
        if (again.version(), again.records().len()) != (round + 2, 1) {
            lost += 1;
        }
    }
    let replica = host.load("acme").await.expect("it is there");
    assert!(are_equal(&replica, &shared));
    report(&format!(
        "answer lost at a random moment, {ROUNDS} rounds, {unknown} unanswered, {kept} of them kept: {lost} lost or twice"
    ));
    assert_eq!((lost, replica.version()), (0, ROUNDS + 1));
}
