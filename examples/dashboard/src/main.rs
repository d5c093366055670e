//! `cargo run -p grantbook-dashboard`. Settings are environment variables; a wrong one stops it with a sentence.

use std::env;
use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use grantbook_dashboard::{App, PublicUrl};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// So long may requests take to end once the service is to stop.
const PATIENCE: Duration = Duration::from_secs(10);

fn setting(name: &str, default: &str) -> Result<String, String> {
    match env::var(name) {
        Ok(value) => Ok(value),
        Err(env::VarError::NotPresent) => Ok(default.to_owned()),
        Err(env::VarError::NotUnicode(_)) => Err(format!("{name} is not valid Unicode")),
    }
}

/// What is told of a database: an address may hold a password.
fn place(database: &str) -> &str {
    if database.contains("://") {
        "PostgreSQL"
    } else {
        database
    }
}

/// An error with its causes.
fn chain(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |error| (*error).source());
    causes.fold(error.to_string(), |said, cause| format!("{said}: {cause}"))
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("grantbook-dashboard: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let address = setting("DASHBOARD_ADDRESS", "127.0.0.1:8090")?;
    let database = setting("DASHBOARD_DATABASE", "dashboard.db")?;
    let secret = setting("DASHBOARD_SECRET", "")?;
    if !secret.is_empty() && secret.len() < 64 {
        return Err("DASHBOARD_SECRET takes 64 bytes or more".into());
    }
    let millis = setting("DASHBOARD_REFRESH_MS", "500")?;
    let millis = millis.parse().ok().filter(|millis| *millis > 0);
    let every = millis.ok_or("DASHBOARD_REFRESH_MS takes a number of milliseconds, 1 or more")?;

    let key = setting("DASHBOARD_POLICY_KEY", "")?;
    let url = PublicUrl::parse(&setting("DASHBOARD_PUBLIC_URL", "https://localhost")?);
    let url = url.map_err(|problem| format!("DASHBOARD_PUBLIC_URL: {problem}"))?;

    let app = App::open(&database, &secret).await;
    let app = app.map_err(|error| format!("DASHBOARD_DATABASE: {}", chain(&*error)))?;
    let listener = TcpListener::bind(&address).await;
    let listener = listener.map_err(|error| format!("DASHBOARD_ADDRESS {address}: {error}"))?;
    println!(
        "the dashboard is at http://{}/ and keeps its accounts in {}",
        listener.local_addr()?,
        place(&database)
    );
    tokio::spawn(app.clone().refresh_every(Duration::from_millis(every)));
    let mut terminate = signal(SignalKind::terminate())?;
    let stop = app.clone();
    let mut router = app.clone().router();
    if !key.is_empty() {
        router = router.merge(app.policy_router(&key, url));
    }
    let (tell, told) = oneshot::channel();
    let stopping = async move {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        stop.end_live_updates();
        let _ = tell.send(());
    };
    let too_long = async {
        let _ = told.await;
        tokio::time::sleep(PATIENCE).await;
    };
    let serving = axum::serve(listener, router).with_graceful_shutdown(stopping);
    tokio::select! {
        done = serving.into_future() => done?,
        () = too_long => eprintln!("grantbook-dashboard: stopped before all requests had ended"),
    }
    Ok(())
}
