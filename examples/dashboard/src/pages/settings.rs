//! The account itself.

use axum::response::Response;
use grantbook::{Account, Command};
use maud::{Markup, html};

use crate::change::{Intent, submit};
use crate::form::Wrong;
use crate::layout;
use crate::pages::{guarded, refusal};
use crate::session::{PostedByManager, Viewer};

pub(crate) async fn show(viewer: Viewer) -> Response {
    guarded(&viewer, |account| {
        Some(page(&viewer, account, &Wrong::default()))
    })
}

fn page(viewer: &Viewer, account: &Account, wrong: &Wrong) -> Markup {
    let refused = refusal(viewer, account, &Command::close_account());
    let content = html! {
        (layout::summary(wrong))
        dl {
            dt { "Account" } dd { (layout::shown(account.id())) }
            dt { "Version" } dd { (account.version()) ", of " (layout::time(account.changed_at())) }
            dt { "Groups" }
            dd {
                (account.groups().count()) " of at most " (account.group_limit().get())
                ", as the application sets it."
            }
            dt { "Owners" } dd { ul.plain { @for owner in account.owners() { li { (layout::shown(owner)) } } } }
        }
        section {
            h2 { "Close the account" }
            p { "Nobody can do anything in it then. It is never opened again; its history stays until it is erased." }
            form method="post" action="/settings" {
                (layout::hidden(viewer))
                (layout::text_field("To close it, type its id", "close", "", "", wrong))
                (layout::button("Close the account", refused.as_deref()))
            }
        }
    };
    layout::page(viewer, "Settings", &content)
}

pub(crate) async fn close(PostedByManager(posted): PostedByManager) -> Response {
    let is_meant = posted.fields.get("close") == posted.viewer.account.id().as_str();
    let intent = if is_meant {
        Ok(Intent::new(
            "Close the account",
            vec![Command::close_account()],
            "/settings".to_owned(),
        ))
    } else {
        Err(Wrong::one("close", &"type the account's id to close it"))
    };
    submit(
        posted,
        "/settings".to_owned(),
        intent,
        |posted, account, wrong| page(&posted.viewer, account, wrong),
    )
    .await
}
