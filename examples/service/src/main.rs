//! `cargo run -p grantbook-service`. Settings are environment variables; a wrong one stops it with a sentence.

use std::env;
use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use grantbook_service::{App, DemoTokens};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Who may try it out, unless `SERVICE_TOKENS` says otherwise.
const DEMO: &str = "olga=olga-demo,dana=dana-demo,max=max-demo";

fn setting(name: &str, default: &str) -> Result<String, String> {
    match env::var(name) {
        Ok(value) => Ok(value),
        Err(env::VarError::NotPresent) => Ok(default.to_owned()),
        Err(env::VarError::NotUnicode(_)) => Err(format!("{name} is not valid Unicode")),
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("grantbook-service: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let address = setting("SERVICE_ADDRESS", "127.0.0.1:8080")?;
    let file = setting("SERVICE_DATABASE", "service.db")?;
    let tokens = DemoTokens::parse(&setting("SERVICE_TOKENS", DEMO)?)
        .map_err(|problem| format!("SERVICE_TOKENS: {problem}"))?;
    let millis = setting("SERVICE_REFRESH_MS", "1000")?;
    let millis = millis.parse().ok().filter(|millis| *millis > 0);
    let every = millis.ok_or("SERVICE_REFRESH_MS takes a number of milliseconds, 1 or more")?;

    let app = App::open(&file, tokens).map_err(|error| format!("SERVICE_DATABASE: {error}"))?;
    let listener = TcpListener::bind(&address).await;
    let listener = listener.map_err(|error| format!("SERVICE_ADDRESS {address}: {error}"))?;
    let address = listener.local_addr()?;
    println!(
        "listening on http://{address}; try: curl -X POST http://{address}/accounts -d '{{\"id\":\"acme\"}}' \
         -H 'Authorization: Bearer olga-demo' -H 'Idempotency-Key: 1'"
    );
    tokio::spawn(app.clone().refresh_every(Duration::from_millis(every)));
    let mut terminate = signal(SignalKind::terminate())?;
    let stop = async move {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    };
    let serving = axum::serve(listener, app.router());
    serving.with_graceful_shutdown(stop).await?;
    Ok(())
}
