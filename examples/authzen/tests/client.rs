//! A client that others have written finds the decision point, and asks it over HTTPS.

mod support;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use authzen_rs::client::AuthZenClient;
use authzen_rs::{
    Action, ActionSearchRequest, Decision, EvaluationRequest, EvaluationsRequest, PageRequest,
    Resource, ResourceSearchRequest, Subject, SubjectSearchRequest,
};
use axum::serve::Listener;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::server::TlsStream;

use support::{KEY, records};

/// Accepts connections that speak TLS.
struct Encrypted {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for Encrypted {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            if let Ok((stream, address)) = self.listener.accept().await
                && let Ok(stream) = self.acceptor.accept(stream).await
            {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

fn acceptor(certificate: CertificateDer<'static>, key: PrivateKeyDer<'static>) -> TlsAcceptor {
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth();
    let config = config.with_single_cert(vec![certificate], key).unwrap();
    TlsAcceptor::from(Arc::new(config))
}

#[tokio::test]
async fn a_client_of_others_is_served() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let listener = TcpListener::bind("localhost:0").await.unwrap();
    let url = format!(
        "https://localhost:{}",
        listener.local_addr().unwrap().port()
    );
    let encrypted = Encrypted {
        listener,
        acceptor: acceptor(certificate.clone(), key),
    };
    let router = records().at(&url).router();
    tokio::spawn(async move { axum::serve(encrypted, router).await });

    let certificate = reqwest::Certificate::from_der(&certificate).unwrap();
    let http = reqwest::Client::builder().add_root_certificate(certificate);
    let http = http.build().unwrap();
    let point = || AuthZenClient::builder(format!("{url}/acme")).http_client(http.clone());
    // It finds where to ask in the metadata.
    let client = point()
        .discover()
        .bearer_token(format!("{KEY}-acme"))
        .build()
        .await
        .unwrap();

    let alice = || Subject::new("user", "alice");
    let record = |id: &str| Resource::new("record", id);
    let question = EvaluationRequest::new(alice(), Action::new("read"), record("record-1"));
    assert!(client.evaluate(question.clone()).await.unwrap().allowed());
    let denied = EvaluationRequest::new(alice(), Action::new("write"), record("record-2"));
    let answer = client.evaluate(denied.clone()).await.unwrap();
    assert!(!answer.allowed() && answer.context().is_some());
    let both = EvaluationsRequest::new(vec![question.clone(), denied]);
    let answers = client.evaluations(both).await.unwrap();
    let decisions: Vec<bool> = answers
        .evaluations()
        .iter()
        .map(Decision::allowed)
        .collect();
    assert_eq!(decisions, [true, false]);

    let page = PageRequest::new().with_limit(1);
    let who = |page: PageRequest| {
        let read = Action::new("read");
        SubjectSearchRequest::new(Subject::query("user"), read, record("record-1")).with_page(page)
    };
    let first = client.search_subjects(who(page.clone())).await.unwrap();
    assert_eq!(first.results(), [alice()]);
    let next = page.with_token(first.next_token().unwrap());
    let next = client.search_subjects(who(next)).await.unwrap();
    assert_eq!(next.results(), [Subject::new("user", "bob")]);
    let read = Action::new("read");
    let what = ResourceSearchRequest::new(alice(), read, Resource::query("record"));
    let found = client.search_resources(what).await.unwrap();
    assert_eq!(found.results(), [record("record-1"), record("record-2")]);
    let actions = ActionSearchRequest::new(alice(), record("record-2"));
    let found = client.search_actions(actions).await.unwrap();
    assert_eq!(found.results(), [Action::new("read")]);

    // Without the key it is told nothing.
    let stranger = point().discover().bearer_token("another").build().await;
    assert!(stranger.unwrap().evaluate(question).await.is_err());
}
