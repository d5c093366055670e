//! A page on which one person reviews who has access.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::account::Account;
use crate::catalog::Catalog;
use crate::questions::finding::Finding;
use crate::questions::matrix::MatrixStatus;
use crate::render::escape::html;
use crate::render::page_parts::{Page, counted, thousands};
use crate::render::page_rows::Section;
use crate::time::Timestamp;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

impl Account {
    /// Returns one HTML page on which a person can review who has access: what [`review`](Account::review) finds by this
    /// time, then the rows of the [matrix](Account::matrix), each folded to a line, whoever differs first; then groups,
    /// stores and a list of all members, all linked with each other.
    ///
    /// The page needs nothing else: no server, no image, no font. Everything on it is readable without its script, and
    /// can be filtered by group, store and level; the script adds the filter by member and a count of what is shown. Its
    /// `Content-Security-Policy` names the digests of its own style and script, and allows nothing else, so a page is
    /// safe to open whatever the ids on it hold. If you serve it, send the same policy as a header or none.
    ///
    /// ```
    /// # use grantbook::*;
    /// # let now = Timestamp::from_millis(0);
    /// # let (account, _) = Account::open(
    /// #     AccountId::parse("acme")?, MemberId::parse("olga")?, GroupLimit::default(), now);
    /// let page = account.to_html("Access at Acme", now);
    /// assert!(page.starts_with("<!DOCTYPE html>") && page.contains("olga"));
    /// # Ok::<(), ParseError>(())
    /// ```
    #[must_use]
    pub fn to_html(&self, title: &str, now: Timestamp) -> String {
        self.page(title, &self.review(now), now)
    }

    /// The same, with what [`review_with`](Account::review_with) finds by the catalog of your application.
    #[must_use]
    pub fn to_html_with(&self, title: &str, now: Timestamp, catalog: &Catalog) -> String {
        self.page(title, &self.review_with(now, catalog), now)
    }

    fn page(&self, title: &str, findings: &[Finding], now: Timestamp) -> String {
        let matrix = self.matrix();
        let page = Page::new(self, &matrix, now);
        let style = format!("{STYLE}{}", filters_without_script(&page));
        let title = html(title);
        let mut text = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src '{}'; \
             script-src '{}'; base-uri 'none'; form-action 'none'\">\n\
             <title>{title}</title>\n<style>{style}</style>\n</head>\n<body>\n\
             <a class=\"skip\" href=\"#rows\">Skip to who has access</a>\n<header>\n<h1>{title}</h1>\n",
            digest(&style),
            digest(SCRIPT),
        );
        page.write_head(&mut text, findings.len());
        let sections = [
            ("findings", "Findings"),
            ("rows", "Who has access"),
            ("groups", "Groups"),
            ("stores", "Stores"),
            ("members", "Members"),
        ];
        text += "<nav aria-label=\"On this page\"><ul>";
        for (anchor, title) in sections {
            let _ = write!(text, "<li><a href=\"#{anchor}\">{title}</a></li>");
        }
        text += "</ul></nav>\n</header>\n<main>\n";
        for (anchor, title) in sections {
            let _ = write!(
                text,
                "<section id=\"part-{anchor}\" aria-labelledby=\"{anchor}\">\n<h2 id=\"{anchor}\">{title}</h2>\n"
            );
            page.write_part(&mut text, anchor, findings);
            text += "</section>\n";
        }
        let _ = write!(
            text,
            "</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n"
        );
        text
    }
}

impl Page<'_> {
    /// The account in numbers, each a link to what it counts, if there is any of it.
    fn write_head(&self, text: &mut String, findings: usize) {
        let account = self.account;
        let closed = if account.is_closed() {
            " The account is closed: nobody may do anything."
        } else {
            ""
        };
        let _ = write!(
            text,
            "<p>Account {}, version {}, reviewed {}. {}, {}, {}.{closed}</p>\n<ul class=\"tiles\">",
            html(account.id()),
            account.version(),
            self.now.day(),
            counted(account.member_count(), "member"),
            counted(self.groups.len(), "group"),
            counted(self.stores.len(), "store"),
        );
        let count = |statuses: &[MatrixStatus]| -> usize {
            let rows = self.matrix.rows.iter();
            let rows = rows.filter(|row| statuses.contains(&row.status));
            rows.map(|row| row.count).sum()
        };
        let in_section = |section| -> (usize, usize) {
            let rows = self.matrix.rows.iter();
            let rows = rows.filter(|row| Section::of(row) == section);
            rows.fold((0, 0), |(count, members), row| {
                (count + 1, members + row.count)
            })
        };
        let (_, powerful) = in_section(Section::AccountPower);
        let (_, few) = in_section(Section::FewEquals);
        let (kinds, many) = in_section(Section::ManyEquals);
        let to_come = count(&[MatrixStatus::SuspendedOwner, MatrixStatus::InvitedAsOwner]);
        let suspended = count(&[MatrixStatus::Suspended, MatrixStatus::SuspendedOwner]);
        let invited = count(&[MatrixStatus::Invited, MatrixStatus::InvitedAsOwner]);
        let (_, without) = in_section(Section::NoAccess);
        let owners = count(&[MatrixStatus::Owner]);
        let of = |count: usize, one: &'static str, many: &'static str| {
            if count == 1 { one } else { many }.to_owned()
        };
        let tiles = [
            ("findings", findings, of(findings, "finding", "findings")),
            (
                "owners",
                owners,
                of(owners, "account owner", "account owners"),
            ),
            (
                "owners",
                to_come,
                of(
                    to_come,
                    "owner suspended or invited",
                    "owners suspended or invited",
                ),
            ),
            (
                "account-power",
                powerful,
                "with power at the account".to_owned(),
            ),
            ("few", few, "whose access few share".to_owned()),
            (
                "many",
                many,
                format!("whose access many share, in {}", counted(kinds, "row")),
            ),
            (
                "no-access",
                without,
                format!("without access ({suspended} suspended, {invited} invited)"),
            ),
        ];
        for (anchor, count, what) in tiles {
            let told = format!("<b>{}</b> {what}", thousands(count));
            // What is counted has a section of its own, if there is any of it.
            let _ = if count == 0 && anchor != "findings" {
                write!(text, "<li><span>{told}</span></li>")
            } else {
                write!(text, "<li><a href=\"#{anchor}\">{told}</a></li>")
            };
        }
        *text += "</ul>\n";
    }

    fn write_part(&self, text: &mut String, anchor: &str, findings: &[Finding]) {
        match anchor {
            "findings" => self.write_findings(text, findings),
            "rows" => {
                self.write_filter(text);
                self.write_rows(text);
            }
            "groups" => self.write_groups(text),
            "stores" => self.write_stores(text),
            _ => self.write_members_list(text),
        }
    }

    fn write_filter(&self, text: &mut String) {
        *text += "<p>One line for all who have the same access. Unfold it to see who they are, and what they may do \
                  where. The strip shows the stores in the order of ids: \
                  <b class=\"o\">owner</b> <b class=\"e\">editor</b> <b class=\"v\">viewer</b> \
                  <b class=\"c\">custom</b> (something else), + and more than that.</p>\n\
                  <form id=\"filter\" role=\"search\" aria-label=\"Filter members\">\n\
                  <label class=\"by-script\">Member <input id=\"member\" type=\"search\" autocomplete=\"off\"></label>\n\
                  <label>Group <select id=\"group\"><option value=\"\">any</option>";
        for (id, number) in &self.groups {
            let name = self.group_name(id);
            let _ = write!(text, "<option value=\"{number}\">{name}</option>");
        }
        *text +=
            "</select></label>\n<label>Store <select id=\"store\"><option value=\"\">any</option>";
        for (number, store) in self.matrix.stores.iter().enumerate() {
            let _ = write!(text, "<option value=\"{number}\">{}</option>", html(store));
        }
        *text +=
            "</select></label>\n<label>Level <select id=\"level\"><option value=\"\">any</option>";
        for (value, level) in LEVELS {
            let _ = write!(text, "<option value=\"{value}\">{level}</option>");
        }
        *text += "</select></label>\n<button type=\"reset\">Show all</button>\n\
                  <button type=\"button\" id=\"unfold\" class=\"by-script\">Unfold all</button>\n\
                  <p id=\"found\" role=\"status\"></p>\n</form>\n";
    }
}

const LEVELS: [(&str, &str); 4] = [
    ("o", "owner"),
    ("e", "editor"),
    ("v", "viewer"),
    ("c", "custom"),
];

/// The filter where there is no script: what is chosen hides the rows that do not have it. What is chosen is looked for in
/// the filter alone: looked for in the whole page, for each row, it made printing take minutes.
fn filters_without_script(page: &Page<'_>) -> String {
    let mut style = String::new();
    let mut hide = |list: &str, value: &str, rows: &str| {
        let _ = writeln!(
            style,
            "html:not(.js) #filter:has(#{list} [value=\"{value}\"]:checked) ~ .rows .kind:not({rows}){{display:none}}"
        );
    };
    for number in page.groups.values() {
        hide(
            "group",
            &number.to_string(),
            &format!("[data-g~=\"{number}\"]"),
        );
    }
    for number in 0..page.matrix.stores.len() {
        let levels = ["e", "v", "c"].map(|level| format!("[data-{level}~=\"{number}\"],"));
        hide(
            "store",
            &number.to_string(),
            &format!("{}[data-o]", levels.concat()),
        );
    }
    for (level, _) in LEVELS {
        hide("level", level, &format!("[data-{level}]"));
    }
    style
}

/// How a `Content-Security-Policy` names a style or a script.
fn digest(text: &str) -> String {
    let mut encoded = "sha256-".to_owned();
    for chunk in Sha256::digest(text.as_bytes()).chunks(3) {
        let bytes = chunk
            .iter()
            .fold(0, |bytes: u32, byte| bytes << 8 | u32::from(*byte));
        let bits = chunk.len() * 8;
        let sixes = bits.div_ceil(6);
        let bytes = bytes << (sixes * 6 - bits);
        for six in (0..sixes).rev() {
            encoded.push(base64(bytes >> (six * 6) & 63));
        }
        encoded += &"=".repeat(4 - sixes);
    }
    encoded
}

fn base64(six: u32) -> char {
    let (first, offset) = match six {
        0..=25 => ('A', six),
        26..=51 => ('a', six - 26),
        52..=61 => ('0', six - 52),
        62 => ('+', 0),
        _ => ('/', 0),
    };
    char::from_u32(u32::from(first) + offset).unwrap_or('=')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As others calculate them.
    #[test]
    fn a_digest_is_written_as_policies_are() {
        assert_eq!(
            digest(""),
            "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
        );
        assert_eq!(
            digest("abc"),
            "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="
        );
    }
}
