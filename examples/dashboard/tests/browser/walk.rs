//! What a published description of such a dashboard says, sentence by sentence, in a real browser.

use grantbook_browser::{Browser, Error, eventually};

use crate::{Service, click, fill, pictures, says};

/// A box to tick: a role, at the account or in a store.
type Tick<'t> = (&'t str, Option<&'t str>);

/// Fills in and sends the form of a new group, from the list of groups on.
async fn create(
    service: &Service,
    browser: &Browser,
    name: &str,
    description: &str,
    ticks: &[Tick<'_>],
) -> Result<(), Error> {
    service.open(browser, "/groups").await?;
    click(browser, "a.button").await?;
    eventually(browser, "return location.pathname === '/groups/new'").await?;
    fill(browser, "#name", name).await?;
    fill(browser, "#description", description).await?;
    tick(browser, ticks).await?;
    click(browser, "form.edit p button").await
}

async fn tick(browser: &Browser, ticks: &[Tick<'_>]) -> Result<(), Error> {
    browser
        .run("for (const one of document.querySelectorAll('details')) one.open = true")
        .await?;
    for (role, store) in ticks {
        let value = serde_json::to_string(&(role, store))?;
        click(browser, &format!("input[value='{value}']")).await?;
    }
    Ok(())
}

/// Adds somebody to the group whose page is open, and confirms what that gives.
async fn add(browser: &Browser, member: &str) -> Result<(), Error> {
    fill(browser, "#member", member).await?;
    click(browser, "main form:nth-of-type(2) button").await?;
    says(browser, "This gives people access that they do not have").await?;
    click(browser, "main form button").await?;
    says(browser, "Saved. Undo").await
}

/// The form is there again, and says this. What it would do is said while it is edited already, so the text alone could be
/// of the page before.
async fn is_refused(browser: &Browser, text: &str) -> Result<(), Error> {
    says(browser, "This can't be done").await?;
    says(browser, text).await
}

/// What the browser complains of, but for pages that were refused on purpose.
async fn complaints(browser: &Browser) -> Result<Vec<String>, Error> {
    let mut complaints = browser.complaints().await?;
    complaints.retain(|said| !said.contains("422") && !said.contains("404"));
    Ok(complaints)
}

#[tokio::test]
async fn groups_are_created_edited_and_deleted() -> Result<(), Error> {
    let service = Service::start().await?;
    let olga = service.as_member("olga").await?;

    // The four groups of the description are there, each with its roles and stores.
    service.open(&olga, "/groups").await?;
    for text in [
        "IT Group",
        "Information Technology Team",
        "Group Manager",
        "Dev Team",
        "Store Editor: dev, staging",
        "Read-Only Access",
        "Store Viewer: production",
        "Integrations Team",
        "Store Editor: staging",
    ] {
        says(&olga, text).await?;
    }

    // A group without members, with several roles: name and description, then roles, and the stores of each.
    let (editor, viewer) = ("store-editor", "store-viewer");
    let mixed = [
        ("group-manager", None),
        (editor, Some("staging")),
        (viewer, Some("production")),
    ];
    create(&service, &olga, "Night Shift", "On call", &mixed).await?;
    says(&olga, "No members yet").await?;
    olga.picture(&pictures()?.join("dashboard-created.png"))
        .await?;

    // Names are unique, whatever their case, and of 3 to 64 characters; a group has at least one role.
    create(&service, &olga, "dev team", "", &[(viewer, Some("dev"))]).await?;
    is_refused(&olga, "is taken by group `dev-team`").await?;
    create(&service, &olga, "IT", "", &[(viewer, Some("dev"))]).await?;
    is_refused(
        &olga,
        "a group name takes 3 to 64 characters; this one has 2",
    )
    .await?;
    create(&service, &olga, "Nothing", "", &[]).await?;
    is_refused(&olga, "a group carries at least one grant").await?;
    assert_eq!(
        olga.run("return document.querySelector('#name').value")
            .await?,
        "Nothing"
    );

    // Whoever is added was invited first, and has the roles at once; whoever is taken out has lost them at once.
    service.open(&olga, "/groups/night-shift").await?;
    fill(&olga, "#member", "stranger").await?;
    click(&olga, "main form:nth-of-type(2) button").await?;
    is_refused(&olga, "there is no member `stranger`").await?;
    add(&olga, "nina").await?;
    service.open(&olga, "/members/nina").await?;
    says(&olga, "Night Shift").await?;
    says(&olga, "editor").await?;
    // Editor includes Viewer.
    let read = "/why?member=nina&permission=store.read&store=staging";
    service.open(&olga, read).await?;
    says(&olga, "Yes: store.read in staging").await?;

    // A group with members cannot be deleted.
    service.open(&olga, "/groups/night-shift").await?;
    says(&olga, "still has 1 member").await?;
    let disabled = "return document.querySelector('section:last-child button').ariaDisabled";
    assert_eq!(olga.run(disabled).await?, "true");
    click(&olga, "button[name=remove]").await?;
    says(&olga, "No members yet").await?;
    service.open(&olga, read).await?;
    says(&olga, "No: store.read in staging").await?;
    service.open(&olga, "/groups/night-shift").await?;
    click(&olga, "section:last-child button").await?;
    eventually(
        &olga,
        "return location.pathname === '/groups/night-shift/delete'",
    )
    .await?;
    click(&olga, "main form button").await?;
    eventually(&olga, "return location.pathname === '/groups'").await?;
    let gone = "return !document.querySelector('main table').innerText.includes('Night Shift')";
    eventually(&olga, gone).await?;

    // A new store is in no group.
    service.open(&olga, "/stores").await?;
    fill(&olga, "#store", "lab").await?;
    click(&olga, "main form p button").await?;
    says(&olga, "Saved. Undo").await?;
    service
        .open(&olga, "/why?member=ada&permission=store.read&store=lab")
        .await?;
    says(&olga, "No: store.read in lab").await?;

    // At most 20 groups.
    for number in 5..=20 {
        let name = format!("Team {number}");
        create(&service, &olga, &name, "", &[(viewer, Some("dev"))]).await?;
        says(&olga, "Saved. Undo").await?;
    }
    create(&service, &olga, "Team 21", "", &[(viewer, Some("dev"))]).await?;
    is_refused(&olga, "the account has reached its limit of 20 groups").await?;

    // The last owner stays one.
    service.open(&olga, "/members/olga").await?;
    says(&olga, "is the last account owner").await?;
    assert_eq!(complaints(&olga).await?, Vec::<String>::new());
    olga.close().await
}

#[tokio::test]
async fn a_group_manager_manages_others_and_not_itself() -> Result<(), Error> {
    let service = Service::start().await?;
    let (gil, ada) = (
        service.as_member("gil").await?,
        service.as_member("ada").await?,
    );
    service.open(&gil, "/groups/dev-team").await?;
    fill(&gil, "#member", "gil").await?;
    click(&gil, "main form:nth-of-type(2) button").await?;
    is_refused(&gil, "`gil` cannot add itself to group `dev-team`").await?;
    gil.picture(&pictures()?.join("dashboard-itself.png"))
        .await?;
    let typed = "return document.querySelector('#member').value";
    assert_eq!(gil.run(typed).await?, "gil");
    add(&gil, "nina").await?;
    // Nor does it give its own group more than it has.
    service.open(&gil, "/groups/it").await?;
    tick(&gil, &[("store-editor", Some("production"))]).await?;
    click(&gil, "form.edit p button").await?;
    is_refused(&gil, "would give itself").await?;
    // Store Editors manage no groups.
    service.open(&ada, "/groups").await?;
    says(&ada, "There is no such page, or you have no part in it").await?;
    assert_eq!(complaints(&gil).await?, Vec::<String>::new());
    gil.close().await?;
    ada.close().await
}

/// Two people edit one group: the second sees what the other did and what it wanted, and one button does it.
#[tokio::test]
async fn two_people_edit_one_group() -> Result<(), Error> {
    let service = Service::start().await?;
    let (olga, gil) = (
        service.as_member("olga").await?,
        service.as_member("gil").await?,
    );
    service.open(&gil, "/groups/read-only").await?;
    fill(&gil, "#name", "Auditors").await?;
    service.open(&olga, "/groups/read-only").await?;
    fill(&olga, "#description", "Of production").await?;
    click(&olga, "form.edit p button").await?;
    says(&olga, "Saved. Undo").await?;
    click(&gil, "form.edit p button").await?;
    is_refused(&gil, "Meanwhile").await?;
    says(
        &gil,
        "olga gave group `read-only` the description `Of production`",
    )
    .await?;
    gil.picture(&pictures()?.join("dashboard-meanwhile.png"))
        .await?;
    assert_eq!(
        gil.run("return document.querySelector('#name').value")
            .await?,
        "Auditors"
    );
    click(&gil, "form.edit p button").await?;
    says(&gil, "Saved. Undo").await?;
    service.open(&gil, "/groups").await?;
    says(&gil, "Auditors").await?;
    assert_eq!(complaints(&gil).await?, Vec::<String>::new());
    gil.close().await?;
    olga.close().await
}
