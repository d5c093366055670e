//! What a decision costs over HTTP, beside the same router, key check and body for an answer that is always the same.
//!
//! `cargo run --release -p grantbook-authzen --example load`

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use grantbook::repository::{self, Accounts, MemoryRepository, SyncStorage};
use grantbook::{Actor, Command, Grant, GroupId, GroupLimit, MemberId, StoreId, Timestamp};
use grantbook_authzen::{Keys, MAX_BODY, Plain, PolicyHost, PublicUrl, router};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const MEMBERS: usize = 100_000;
const STORES: usize = 2_000;
const KEY: &str = "0b5d9b3f5a7f4f0e";
const QUESTIONS: usize = 20_000;

type Outcome<T> = Result<T, Box<dyn Error>>;

#[derive(Clone)]
struct App {
    accounts: Accounts<SyncStorage<MemoryRepository>>,
    keys: Arc<Keys>,
    url: PublicUrl,
}

impl PolicyHost for App {
    type Repository = MemoryRepository;
    type Vocabulary = Plain;

    fn accounts(&self) -> &Accounts<SyncStorage<MemoryRepository>> {
        &self.accounts
    }

    fn vocabulary(&self) -> &Plain {
        &Plain
    }

    fn allows(&self, account: &str, key: &str) -> bool {
        self.keys.allows(account, key)
    }

    fn public_url(&self) -> &PublicUrl {
        &self.url
    }
}

fn app() -> Outcome<App> {
    let accounts = Accounts::builder(MemoryRepository::new()).build();
    let now: Timestamp = SystemTime::now().into();
    let account = accounts.open(
        "open".parse()?,
        "acme".parse()?,
        "olga".parse()?,
        GroupLimit::default(),
        now,
    )?;
    let members: Vec<MemberId> = (0..MEMBERS)
        .map(|number| member(number).parse())
        .collect::<Result<_, _>>()?;
    let stores: Vec<StoreId> = (0..STORES)
        .map(|number| store(number).parse())
        .collect::<Result<_, _>>()?;
    let mut number = 0;
    let mut execute = |commands: Vec<Command>| -> Outcome<()> {
        number += 1;
        let request =
            repository::Request::by(Actor::System, format!("setup-{number}").parse()?, now);
        account.execute(&request.commands(commands))?;
        Ok(())
    };
    for some in stores.chunks(1_000) {
        execute(some.iter().map(Command::create_store).collect())?;
    }
    for some in members.chunks(10_000) {
        execute(vec![Command::add_members(some)])?;
    }
    for group in 0..20 {
        let id: GroupId = format!("group-{group}").parse()?;
        let read = stores.iter().skip(group).step_by(4).cloned();
        let grants = [Grant::store_viewer(read)];
        execute(vec![Command::create_group(
            &id,
            format!("Group {group}").parse()?,
            grants,
        )])?;
        let its: Vec<&MemberId> = members.iter().skip(group).step_by(10).collect();
        for some in its.chunks(10_000) {
            execute(vec![Command::add_to_group(&id, some.iter().copied())])?;
        }
    }
    let mut keys = Keys::default();
    keys.insert("acme", KEY);
    let url = PublicUrl::parse("https://pdp.example")?;
    Ok(App {
        accounts,
        keys: Arc::new(keys),
        url,
    })
}

fn member(number: usize) -> String {
    format!("member-{number:07}")
}

fn store(number: usize) -> String {
    format!("store-{number:05}")
}

/// As long as a usual answer.
const CONSTANT: &str = r#"{"decision":true,"context":{"version":2143}}"#;

async fn constant(
    State(app): State<App>,
    Path(account): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let key = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let key = key.and_then(|value| value.split_once(' '));
    if !key.is_some_and(|(_, key)| app.allows(&account, key)) || body.is_empty() {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "no-store"),
    ];
    (headers, CONSTANT).into_response()
}

/// Sends a request over a connection that stays open, and reads the answer to its end.
async fn ask(connection: &mut TcpStream, request: &str, answer: &mut Vec<u8>) -> Outcome<()> {
    connection.write_all(request.as_bytes()).await?;
    answer.clear();
    loop {
        if connection.read_buf(answer).await? == 0 {
            return Err("the service hung up".into());
        }
        let text = std::str::from_utf8(answer)?;
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        if !head.starts_with("HTTP/1.1 200") {
            return Err(text.into());
        }
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.ok_or("no length")?.parse()?;
        if body.len() >= length {
            return Ok(());
        }
    }
}

fn request(path: &str, number: usize) -> String {
    // A step that meets all members and stores, in no order.
    let (who, there) = (
        member(number * 7_919 % MEMBERS),
        store(number * 977 % STORES),
    );
    let body = format!(
        r#"{{"subject":{{"type":"user","id":"{who}"}},"action":{{"name":"store.read"}},"resource":{{"type":"store","id":"{there}"}}}}"#
    );
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: pdp.example\r\nauthorization: Bearer {KEY}\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
}

fn percentile(times: &mut [Duration], percent: usize) -> f64 {
    times.sort_unstable();
    times[times.len() * percent / 100].as_secs_f64() * 1e6
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let app = app()?;
    let service = router(app.clone()).merge(
        Router::new()
            .route("/{account}/constant", post(constant))
            .layer(DefaultBodyLimit::max(MAX_BODY))
            .with_state(app),
    );
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let serving = tokio::spawn(async move { axum::serve(listener, service).await });

    let mut connection = TcpStream::connect(address).await?;
    connection.set_nodelay(true)?;
    let paths = ["/acme/access/v1/evaluation", "/acme/constant"];
    let (mut times, mut answer, mut allowed) = ([Vec::new(), Vec::new()], Vec::new(), 0);
    for number in 0..QUESTIONS {
        // In turn, and each of them first every other time.
        for turn in [number % 2, (number + 1) % 2] {
            let request = request(paths[turn], number);
            let began = Instant::now();
            ask(&mut connection, &request, &mut answer).await?;
            // The first ones find nothing in the caches.
            if number >= QUESTIONS / 10 {
                times[turn].push(began.elapsed());
            }
            let is_allowed = std::str::from_utf8(&answer)?.contains(r#""decision":true"#);
            allowed += usize::from(is_allowed && turn == 0);
        }
    }
    serving.abort();
    println!("{MEMBERS} members, {STORES} stores; {allowed} of {QUESTIONS} questions allowed");
    println!("{:12} {:>10} {:>10}", "µs", "p50", "p99");
    let [evaluation, constant] = &mut times;
    let (ours, least) = (percentile(evaluation, 50), percentile(constant, 50));
    println!(
        "{:12} {ours:10.1} {:10.1}",
        "evaluation",
        percentile(evaluation, 99)
    );
    println!(
        "{:12} {least:10.1} {:10.1}",
        "constant",
        percentile(constant, 99)
    );
    println!("evaluation ÷ constant, p50: {:.2}", ours / least);
    Ok(())
}
