//! The dashboard in a real browser. The pictures are in `target/pages`.

mod walk;

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use fantoccini::Locator;
use grantbook_browser::{Browser, Error, eventually, root};
use grantbook_dashboard::App;
use tempfile::TempDir;
use tokio::net::TcpListener;

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";
const SPACE: &str = "\u{e00d}";

struct Service {
    address: SocketAddr,
    _folder: TempDir,
}

impl Service {
    async fn start() -> Result<Self, Error> {
        let folder = TempDir::new()?;
        let file = folder.path().join("dashboard.db");
        let app = App::open(file.to_str().ok_or("a path")?, "").await;
        let app = app.map_err(|error| error.to_string())?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move { axum::serve(listener, app.router()).await });
        Ok(Self {
            address,
            _folder: folder,
        })
    }

    /// A browser in which somebody is signed in.
    async fn as_member(&self, member: &str) -> Result<Browser, Error> {
        let browser = Browser::start().await?;
        browser.resize(1280, 900).await?;
        self.open(&browser, "/sign-in").await?;
        click(&browser, &format!("button[value={member}]")).await?;
        eventually(&browser, "return location.pathname !== '/sign-in'").await?;
        Ok(browser)
    }

    async fn open(&self, browser: &Browser, path: &str) -> Result<(), Error> {
        Ok(browser
            .client()
            .goto(&format!("http://{}{path}", self.address))
            .await?)
    }
}

async fn click(browser: &Browser, selector: &str) -> Result<(), Error> {
    let found = browser.client().find(Locator::Css(selector)).await?;
    Ok(found.click().await?)
}

async fn fill(browser: &Browser, selector: &str, text: &str) -> Result<(), Error> {
    let found = browser.client().find(Locator::Css(selector)).await?;
    found.clear().await?;
    Ok(found.send_keys(text).await?)
}

async fn says(browser: &Browser, text: &str) -> Result<(), Error> {
    let text = serde_json::to_string(text)?;
    eventually(
        browser,
        &format!("return document.body.innerText.includes({text})"),
    )
    .await
}

/// Where no script can look.
async fn source_says(browser: &Browser, text: &str) -> Result<(), Error> {
    for _ in 0..200 {
        if browser.client().source().await?.contains(text) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err(format!("never: {text}: {}", browser.client().source().await?).into())
}

fn pictures() -> Result<PathBuf, Error> {
    let folder = root().join("target/pages");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Presses the tabulator until this has the focus.
async fn tab_to(browser: &Browser, selector: &str) -> Result<(), Error> {
    for _ in 0..60 {
        browser.press(TAB).await?;
        let script = format!(
            "return document.activeElement.matches({})",
            serde_json::to_string(selector)?
        );
        if browser.run(&script).await? == true {
            return Ok(());
        }
    }
    Err(format!("never at {selector}").into())
}

/// What an edit would do is said while it is made; what gives access is asked about.
#[tokio::test]
async fn an_edit_says_what_it_would_do() -> Result<(), Error> {
    let service = Service::start().await?;
    let browser = service.as_member("olga").await?;
    service.open(&browser, "/groups/read-only").await?;
    let box_of = r#"input[value='["store-editor","production"]']"#;
    browser
        .run("for (const one of document.querySelectorAll('details')) one.open = true")
        .await?;
    click(&browser, box_of).await?;
    says(&browser, "+ cleo gains store.write in production").await?;
    browser
        .run("document.querySelector('form.edit').scrollIntoView()")
        .await?;
    browser
        .picture(&pictures()?.join("dashboard-edit.png"))
        .await?;
    click(&browser, "form.edit p button").await?;
    says(&browser, "This gives people access that they do not have").await?;
    browser
        .picture(&pictures()?.join("dashboard-confirm.png"))
        .await?;
    click(&browser, "main form button").await?;
    eventually(&browser, "return location.pathname === '/groups/read-only'").await?;
    // The page that asked has the same path.
    says(&browser, "Delete this group").await?;
    service
        .open(
            &browser,
            "/why?member=cleo&permission=store.write&store=production",
        )
        .await?;
    says(&browser, "Yes").await?;
    assert_eq!(browser.complaints().await?, Vec::<String>::new());
    browser.close().await
}

/// A change in one browser shows in another, within a second, and what is typed there stays.
#[tokio::test]
async fn changes_show_in_another_browser() -> Result<(), Error> {
    let service = Service::start().await?;
    let (olga, gil) = (
        service.as_member("olga").await?,
        service.as_member("gil").await?,
    );
    service.open(&gil, "/members").await?;
    fill(&gil, "#member", "typed-by-gil").await?;
    // The connection for changes is open.
    tokio::time::sleep(Duration::from_millis(500)).await;
    service.open(&olga, "/members").await?;
    fill(&olga, "#member", "invited-by-olga").await?;
    click(&olga, "main form p button").await?;
    let began = Instant::now();
    says(&gil, "invited-by-olga").await?;
    println!(
        "seen in another browser after {} ms",
        began.elapsed().as_millis()
    );
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    let state = "return [document.querySelector('#member').value, document.activeElement.id]";
    assert_eq!(
        gil.run(state).await?,
        serde_json::json!(["typed-by-gil", "member"])
    );
    assert_eq!(gil.complaints().await?, Vec::<String>::new());
    gil.close().await?;
    olga.close().await
}

#[tokio::test]
async fn a_group_is_made_by_keyboard_alone() -> Result<(), Error> {
    let service = Service::start().await?;
    let browser = service.as_member("olga").await?;
    service.open(&browser, "/groups").await?;
    tab_to(&browser, "a[href='/groups/new']").await?;
    browser.press(ENTER).await?;
    eventually(&browser, "return location.pathname === '/groups/new'").await?;
    tab_to(&browser, "#name").await?;
    browser.press("Night Shift").await?;
    tab_to(&browser, "input[name=grant]").await?;
    browser.press(SPACE).await?;
    tab_to(&browser, "form.edit p button").await?;
    browser.press(ENTER).await?;
    eventually(
        &browser,
        "return location.pathname === '/groups/night-shift'",
    )
    .await?;
    says(&browser, "No members yet").await?;
    browser.close().await
}

#[tokio::test]
async fn without_scripts_everything_works() -> Result<(), Error> {
    let service = Service::start().await?;
    let browser = service.as_member("gil").await?;
    browser.switch_scripts(false).await?;
    service.open(&browser, "/groups/dev-team").await?;
    fill(&browser, "#member", "gil").await?;
    click(&browser, "main form:nth-of-type(2) button").await?;
    source_says(&browser, "add itself").await?;
    source_says(&browser, r#"value="gil""#).await?;
    fill(&browser, "#member", "nina").await?;
    click(&browser, "main form:nth-of-type(2) button").await?;
    source_says(&browser, "This gives people access").await?;
    click(&browser, "main form button").await?;
    source_says(&browser, "href=\"/members/nina\"").await?;
    browser.close().await
}

/// In the light and in the dark, on a screen and on a telephone: axe-core finds nothing serious, nothing has to be
/// scrolled sideways, and the browser complains of nothing.
#[tokio::test]
async fn everybody_can_read_the_pages() -> Result<(), Error> {
    let service = Service::start().await?;
    let browser = service.as_member("olga").await?;
    let folder = pictures()?;
    for (colors, width) in [("light", 1280), ("dark", 1280), ("light", 400)] {
        browser.resize(width, 900).await?;
        browser.prefer(colors).await?;
        for (name, path) in [
            ("groups", "/groups"),
            ("group", "/groups/integrations"),
            ("new", "/groups/new"),
            ("members", "/members"),
            ("member", "/members/ada"),
            ("stores", "/stores"),
            ("store", "/stores/production"),
            ("roles", "/roles"),
            ("access", "/access"),
            (
                "why",
                "/why?member=cleo&permission=store.write&store=production",
            ),
            ("history", "/history"),
            ("settings", "/settings"),
        ] {
            service.open(&browser, path).await?;
            browser
                .picture(&folder.join(format!("dashboard-{name}-{colors}-{width}.png")))
                .await?;
            assert_eq!(
                browser.serious_violations().await?,
                Vec::<String>::new(),
                "{name} {colors} {width}"
            );
            let fits = browser
                .run("return document.documentElement.scrollWidth <= innerWidth")
                .await?;
            assert_eq!(fits, true, "{name} {width}");
        }
    }
    assert_eq!(browser.complaints().await?, Vec::<String>::new());
    browser.close().await
}
