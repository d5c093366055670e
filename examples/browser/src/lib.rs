//! A real browser, for tests that look at a page as a person would.
//!
//! It is Debian's Chromium without a window, driven by its `chromedriver` over WebDriver. Nothing is downloaded: the rules
//! of accessibility are axe-core's, which `scripts/setup` puts into `target/tools` and checks.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use std::{fs, io};

use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// Whatever went wrong.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// The root of the repository.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What Chromium is started with, beside its profile.
const ARGUMENTS: [&str; 7] = [
    "--headless=new",
    "--no-sandbox", // which root cannot have, and the pages are our own
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// Prints a page into a file. Chromium does so by itself: its driver gives it ten seconds, and the machine may be busy.
///
/// # Errors
/// Chromium is missing (`scripts/setup` installs it), or does not print.
pub async fn print(page: &str, path: &Path) -> Result<(), Error> {
    let profile = tempfile::tempdir()?;
    let printed = Command::new("chromium")
        .args(ARGUMENTS)
        .arg(profile_in(&profile))
        .arg("--no-pdf-header-footer")
        .arg(format!("--print-to-pdf={}", path.display()))
        .arg(page)
        .kill_on_drop(true)
        .output()
        .await?;
    if printed.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&printed.stderr).into())
    }
}

fn profile_in(folder: &TempDir) -> String {
    format!("--user-data-dir={}", folder.path().display())
}

/// A browser, which ends when this is dropped.
pub struct Browser {
    client: Client,
    axe: String,
    driver: Child,
    _profile: TempDir,
}

/// Chromium ends with its driver, also where a test fails.
impl Drop for Browser {
    fn drop(&mut self) {
        if let Some(group) = self.driver.id() {
            let _ = std::process::Command::new("kill")
                .args(["--", &format!("-{group}")])
                .status();
        }
    }
}

impl Browser {
    /// Starts a browser.
    ///
    /// # Errors
    /// `chromedriver`, Chromium or axe-core is missing: `scripts/setup` installs them.
    pub async fn start() -> Result<Self, Error> {
        let path = root().join("target/tools/axe.min.js");
        let missing =
            |error| io::Error::other(format!("{}: {error}; run scripts/setup", path.display()));
        let axe = fs::read_to_string(&path).map_err(missing)?;
        let profile = tempfile::tempdir()?;
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(|error| {
                io::Error::other(format!("chromedriver: {error}; run scripts/setup"))
            })?;
        let output = driver.stdout.take().ok_or("chromedriver says nothing")?;
        let mut lines = BufReader::new(output).lines();
        let port = loop {
            let line = lines.next_line().await?.ok_or("chromedriver ended")?;
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                break port.trim_end_matches('.').to_owned();
            }
        };
        let mut arguments = ARGUMENTS.map(str::to_owned).to_vec();
        arguments.push(profile_in(&profile));
        // An account of thousands of members is a long page, and the machine may be busy.
        let capabilities = json!({
            "timeouts": { "script": 180_000 },
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        let Value::Object(capabilities) = capabilities else {
            return Err("no object".into());
        };
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await?;
        Ok(Self {
            client,
            axe,
            driver,
            _profile: profile,
        })
    }

    /// What else WebDriver can do.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Ends the browser in an orderly way.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn close(self) -> Result<(), Error> {
        Ok(self.client.clone().close().await?)
    }

    /// Runs a script and returns what it returns.
    ///
    /// # Errors
    /// It throws.
    pub async fn run(&self, script: &str) -> Result<Value, Error> {
        Ok(self.client.execute(script, Vec::new()).await?)
    }

    /// Sets the size of the page, in CSS pixels, whatever a window could be.
    ///
    /// # Errors
    /// The browser refuses.
    pub async fn resize(&self, width: u32, height: u32) -> Result<(), Error> {
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics)
            .await
    }

    /// Has the page drawn for people who prefer `dark` or `light`.
    ///
    /// # Errors
    /// The browser refuses.
    pub async fn prefer(&self, colors: &str) -> Result<(), Error> {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": colors }] });
        self.devtools("Emulation.setEmulatedMedia", features).await
    }

    /// Switches the page's own scripts off, from its next loading on, or on again.
    ///
    /// # Errors
    /// The browser refuses.
    pub async fn switch_scripts(&self, is_on: bool) -> Result<(), Error> {
        let disabled = json!({ "value": !is_on });
        self.devtools("Emulation.setScriptExecutionDisabled", disabled)
            .await
    }

    /// Keeps a picture of what is seen.
    ///
    /// # Errors
    /// There is none, or the file cannot be written.
    pub async fn picture(&self, path: &Path) -> Result<(), Error> {
        Ok(fs::write(path, self.client.screenshot().await?)?)
    }

    /// Presses keys, one after another; `'\u{e004}'` is the tabulator, `'\u{e007}'` Enter.
    ///
    /// # Errors
    /// The browser refuses.
    pub async fn press(&self, keys: &str) -> Result<(), Error> {
        let mut actions = KeyActions::new("keyboard".to_owned());
        for value in keys.chars() {
            actions = actions
                .then(KeyAction::Down { value })
                .then(KeyAction::Up { value });
        }
        Ok(self.client.perform_actions(actions).await?)
    }

    /// What axe-core finds of the page, as it is now: what is `serious` or `critical`, each with its rule and the first
    /// element.
    ///
    /// # Errors
    /// It cannot run.
    pub async fn serious_violations(&self) -> Result<Vec<String>, Error> {
        self.run(&format!("{}; window.axe = axe; return true", self.axe))
            .await?;
        let script = "const done = arguments[arguments.length - 1];
            axe.run(document, { resultTypes: ['violations'] }).then(found => done(found.violations), error => done(String(error)))";
        let found = self.client.execute_async(script, Vec::new()).await?;
        let found = found
            .as_array()
            .ok_or_else(|| format!("axe-core: {found}"))?;
        let serious = found.iter().filter(|violation| {
            let impact = violation["impact"].as_str();
            matches!(impact, Some("serious" | "critical"))
        });
        let said = |violation: &Value| {
            let (rule, html) = (&violation["id"], &violation["nodes"][0]["html"]);
            format!(
                "{rule}: {html} and {} more",
                violation["nodes"].as_array().map_or(0, Vec::len)
            )
        };
        Ok(serious.map(said).collect())
    }

    /// What the browser has complained of since the last time.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn complaints(&self) -> Result<Vec<String>, Error> {
        let log = self
            .client
            .issue_cmd(Post("se/log", json!({ "type": "browser" })))
            .await?;
        let entries = log.as_array().ok_or("no log")?;
        Ok(entries
            .iter()
            .map(|entry| entry["message"].to_string())
            .collect())
    }

    async fn devtools(&self, command: &str, parameters: Value) -> Result<(), Error> {
        let body = json!({ "cmd": command, "params": parameters });
        self.client
            .issue_cmd(Post("goog/cdp/execute", body))
            .await?;
        Ok(())
    }
}

/// Waits until something holds, for ten seconds.
///
/// # Errors
/// It does not, or cannot be asked.
pub async fn eventually(browser: &Browser, script: &str) -> Result<(), Error> {
    for _ in 0..200 {
        if browser.run(script).await? == true {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err(format!("never: {script}").into())
}

/// What chromedriver offers beside the standard.
#[derive(Debug)]
struct Post(&'static str, Value);

impl WebDriverCompatibleCommand for Post {
    fn endpoint(
        &self,
        base: &url::Url,
        session: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        base.join(&format!(
            "session/{}/{}",
            session.unwrap_or_default(),
            self.0
        ))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.1.to_string()))
    }
}
