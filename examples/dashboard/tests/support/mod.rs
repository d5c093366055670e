//! The service with its demonstration account, and a browser without scripts.

#![allow(dead_code)] // each test takes what it needs

use std::fmt::Write;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use grantbook_dashboard::App;
use tempfile::TempDir;
use tower::ServiceExt;

pub(crate) struct Service {
    pub(crate) app: App,
    _folder: Option<TempDir>,
}

impl Service {
    pub(crate) async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("dashboard.db");
        let app = App::open(file.to_str().unwrap(), "").await.unwrap();
        Self {
            app,
            _folder: Some(folder),
        }
    }

    pub(crate) fn over(app: App) -> Self {
        Self { app, _folder: None }
    }

    pub(crate) async fn as_member(&self, member: &str) -> Browser {
        let browser = Browser {
            router: self.app.clone().router(),
            cookie: String::new(),
        };
        let page = browser.post("/sign-in", &[("member", member)]).await;
        assert_eq!(page.status, 303, "{}", page.text);
        let cookie = page.headers["set-cookie"].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Browser { cookie, ..browser }
    }
}

pub(crate) struct Browser {
    pub(crate) router: Router,
    pub(crate) cookie: String,
}

#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Page {
    #[track_caller]
    pub(crate) fn says(&self, text: &str) {
        assert!(
            self.text.contains(text),
            "no {text:?} in {} {}",
            self.status,
            self.text
        );
    }

    #[track_caller]
    pub(crate) fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }

    /// Where it leads, apart from what that page says of the change that was made.
    pub(crate) fn leads_to(&self) -> &str {
        let place = self.headers["location"].to_str().unwrap();
        let mut saved = ["?saved=", "&saved="].into_iter();
        let at = saved.find_map(|saved| place.find(saved));
        at.map_or(place, |at| &place[..at])
    }

    /// The values of hidden fields of this name.
    pub(crate) fn hidden(&self, name: &str) -> Vec<String> {
        let field = format!("name=\"{name}\" value=\"");
        let found = self.text.split(&field).skip(1);
        found
            .map(|rest| unescaped(rest.split('"').next().unwrap()))
            .collect()
    }
}

fn unescaped(text: &str) -> String {
    text.replace("&quot;", "\"")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

pub(crate) fn encoded(fields: &[(&str, &str)]) -> String {
    let mut body = String::new();
    for (name, value) in fields {
        if !body.is_empty() {
            body.push('&');
        }
        body += name;
        body.push('=');
        for byte in value.bytes() {
            write!(body, "%{byte:02X}").unwrap();
        }
    }
    body
}

impl Browser {
    pub(crate) async fn send(&self, request: Request<Body>) -> Page {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        Page {
            status,
            headers,
            text: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Page {
        let request = Request::get(path).header("cookie", &self.cookie);
        self.send(request.body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let request = Request::post(path)
            .header("cookie", &self.cookie)
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(encoded(fields))).unwrap())
            .await
    }

    /// Sends a form of this page, with the hidden fields that it has there.
    pub(crate) async fn submit(&self, from: &str, to: &str, fields: &[(&str, &str)]) -> Page {
        let page = self.get(from).await;
        self.submit_from(&page, to, fields).await
    }

    /// The same, of a page that was opened before.
    pub(crate) async fn submit_from(&self, page: &Page, to: &str, fields: &[(&str, &str)]) -> Page {
        let (tokens, keys) = (page.hidden("token"), page.hidden("key"));
        let mut all = vec![
            ("token", tokens.last().unwrap().as_str()),
            ("key", keys.last().unwrap().as_str()),
        ];
        let revision = page.hidden("revision");
        all.extend(
            revision
                .first()
                .map(|revision| ("revision", revision.as_str())),
        );
        all.extend_from_slice(fields);
        self.post(to, &all).await
    }

    /// The same, and confirms what it gives.
    pub(crate) async fn submit_and_confirm(
        &self,
        from: &str,
        to: &str,
        fields: &[(&str, &str)],
    ) -> Page {
        let asked = self.submit(from, to, fields).await;
        asked.is(200).says("This gives people access");
        let names = [
            "key",
            "revision",
            "name",
            "description",
            "grant",
            "note",
            "add",
            "member",
            "action",
            "confirmed",
        ];
        let mut sent = vec![("token", asked.hidden("token").remove(0))];
        for name in names {
            sent.extend(asked.hidden(name).into_iter().map(|value| (name, value)));
        }
        let sent: Vec<(&str, &str)> = sent
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        self.post(to, &sent).await
    }
}
