//! The page of an access review, in a real browser: `cargo run --example access_review` makes it, for 2,000 members and
//! 60 stores. The pictures are in `target/pages`.

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use grantbook_browser::{Browser, Error, eventually, print, root};
use serde_json::Value;

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";

fn page() -> Result<String, Error> {
    let page = root().join("target/access_review/review.html");
    let missing = "run `cargo run --example access_review` first, which makes the page";
    let page = page
        .canonicalize()
        .map_err(|error| format!("{}: {error}; {missing}", page.display()))?;
    Ok(format!("file://{}", page.display()))
}

fn pictures() -> Result<PathBuf, Error> {
    let folder = root().join("target/pages");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

async fn opened(width: u32, height: u32) -> Result<Browser, Error> {
    let browser = Browser::start().await?;
    browser.resize(width, height).await?;
    browser.client().goto(&page()?).await?;
    Ok(browser)
}

async fn fits(browser: &Browser) -> Result<bool, Error> {
    let fits = browser
        .run("return document.documentElement.scrollWidth <= innerWidth")
        .await?;
    Ok(fits == true)
}

/// How many rows are seen.
async fn rows(browser: &Browser) -> Result<u64, Error> {
    let script = "for (const more of document.querySelectorAll('.more')) more.open = true;
        return [...document.querySelectorAll('.kind')].filter(row => row.checkVisibility()).length";
    Ok(browser.run(script).await?.as_u64().unwrap_or_default())
}

/// In the light and in the dark, on a screen and on a telephone, with everything folded and with much of it open: axe-core
/// finds nothing serious, nothing has to be scrolled sideways, and the browser complains of nothing.
#[tokio::test]
async fn everybody_can_read_the_page() -> Result<(), Error> {
    let folder = pictures()?;
    let browser = opened(1280, 2600).await?;
    for (name, colors, width) in [
        ("light", "light", 1280),
        ("dark", "dark", 1280),
        ("narrow", "light", 400),
        ("narrow-dark", "dark", 400),
    ] {
        browser.resize(width, 2600).await?;
        browser.prefer(colors).await?;
        browser
            .picture(&folder.join(format!("review-{name}.png")))
            .await?;
        assert!(
            fits(&browser).await?,
            "{name}: it has to be scrolled sideways"
        );
        assert_eq!(
            browser.serious_violations().await?,
            Vec::<String>::new(),
            "{name}"
        );
    }
    browser.resize(1280, 900).await?;
    browser.prefer("light").await?;
    let open = "for (const row of [...document.querySelectorAll('details')].slice(0, 200)) row.open = true; return 0";
    browser.run(open).await?;
    assert!(fits(&browser).await?);
    assert_eq!(
        browser.serious_violations().await?,
        Vec::<String>::new(),
        "open"
    );
    assert_eq!(browser.complaints().await?, Vec::<String>::new());
    browser.close().await
}

/// A page that axe-core, the width and the browser's log must complain of is complained of.
#[tokio::test]
async fn what_is_wrong_is_found() -> Result<(), Error> {
    let browser = Browser::start().await?;
    browser.resize(400, 800).await?;
    let wrong = "data:text/html,<title>x</title><img src='data:,'><div style='width:900px'>x</div><script>nothing()</script>";
    browser.client().goto(wrong).await?;
    assert!(!fits(&browser).await?);
    let found = browser.serious_violations().await?;
    assert!(
        found.iter().any(|one| one.contains("image-alt")),
        "{found:?}"
    );
    let complaints = browser.complaints().await?;
    assert!(
        complaints
            .iter()
            .any(|one| one.contains("nothing is not defined")),
        "{complaints:?}"
    );
    browser.close().await
}

/// The filter finds a member; a link of a finding leads to its row, also where the filter hides it.
#[tokio::test]
async fn the_filter_finds_who_is_looked_for() -> Result<(), Error> {
    let browser = opened(1280, 900).await?;
    let all = rows(&browser).await?;
    browser
        .run("document.querySelector('#member').focus(); return 0")
        .await?;
    browser.press("cora").await?;
    eventually(&browser, "return /^Shown: [0-9]+ members? in [0-9]+ of/.test(document.querySelector('#found').textContent)").await?;
    let found = rows(&browser).await?;
    assert!(0 < found && found < all, "{found} of {all}");
    browser
        .picture(&pictures()?.join("review-filter.png"))
        .await?;
    browser
        .run("document.querySelector('.findings a[href^=\"#m\"]').click(); return 0")
        .await?;
    eventually(
        &browser,
        "return document.querySelector(':target')?.checkVisibility() === true",
    )
    .await?;
    assert_eq!(browser.complaints().await?, Vec::<String>::new());
    browser.close().await
}

/// Without a script, the page filters by store, by level and by group, and folds.
#[tokio::test]
async fn the_page_works_without_scripts() -> Result<(), Error> {
    let browser = Browser::start().await?;
    browser.resize(1280, 900).await?;
    browser.switch_scripts(false).await?;
    browser.client().goto(&page()?).await?;
    assert_eq!(
        browser
            .run("return document.documentElement.className")
            .await?,
        ""
    );
    let all = rows(&browser).await?;
    for field in ["store", "level", "group"] {
        let choose = |number: usize| {
            format!("document.querySelector('#{field}').selectedIndex = {number}; return 0")
        };
        browser.run(&choose(2)).await?;
        let found = rows(&browser).await?;
        assert!(0 < found && found < all, "{field}: {found} of {all}");
        browser.run(&choose(0)).await?;
        assert_eq!(rows(&browser).await?, all, "{field}");
    }
    let fields = "return ['#member', '#unfold'].map(field => document.querySelector(field).checkVisibility())";
    let fields = browser.run(fields).await?;
    assert_eq!(
        fields,
        Value::from(vec![false, false]),
        "what needs a script is not shown"
    );
    browser.close().await
}

/// By keyboard alone: the first stop leads past the head, the filter is reached, and a row opens and closes.
#[tokio::test]
async fn the_page_works_by_keyboard() -> Result<(), Error> {
    let browser = opened(1280, 900).await?;
    let mut stops = Vec::new();
    for _ in 0..80 {
        browser.press(TAB).await?;
        let stop = "const it = document.activeElement; return it.id || it.className || it.tagName + ' ' + (it.closest('.kind') ? 'kind' : '')";
        stops.push(
            browser
                .run(stop)
                .await?
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        );
        if stops.last().is_some_and(|stop| stop == "SUMMARY kind") {
            break;
        }
    }
    for field in ["member", "group", "store", "level", "SUMMARY kind"] {
        assert!(
            stops.iter().any(|stop| stop == field),
            "{field} is in no stop of {stops:?}"
        );
    }
    let ring = "const style = getComputedStyle(document.activeElement);
        return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0";
    assert_eq!(browser.run(ring).await?, true, "it is seen where one is");
    let is_open = "return document.activeElement.parentElement.open";
    for expected in [true, false] {
        browser.press(ENTER).await?;
        assert_eq!(browser.run(is_open).await?, expected);
    }
    browser.close().await
}

/// It prints, in a time that a person waits for.
#[tokio::test]
async fn the_page_prints() -> Result<(), Error> {
    let path = pictures()?.join("review.pdf");
    let _ = fs::remove_file(&path); // of an earlier run
    let began = Instant::now();
    print(&page()?, &path).await?;
    let paper = fs::read(path)?;
    println!(
        "printed in {:.1} s, {} KB",
        began.elapsed().as_secs_f64(),
        paper.len() / 1024
    );
    assert!(paper.starts_with(b"%PDF"));
    Ok(())
}
