//! Random commands by random actors, drawn from a handful of ids so that they meet.

use grantbook::{Actor, Command};
use serde_json::{Value, json};

use crate::server::accounts::member;

pub(crate) const MEMBERS: [&str; 8] = [
    "olga",
    "a",
    "b",
    "c",
    "devs",
    "ina\u{301}",
    "it's \"d\", {e}",
    "stranger",
];
pub(crate) const STORES: [&str; 5] = ["dev", "prod", "olga", "'); --", "none"];
const GROUPS: [&str; 4] = ["devs", "it", "olga", "{a,b}"];
const ROLES: [&str; 7] = [
    "store-editor",
    "store-viewer",
    "group-manager",
    "own",
    "wide",
    "more",
    "most",
];
/// Those that are asked for. Custom roles are made of the later ones.
pub(crate) const PERMISSIONS: [&str; 16] = [
    "account.manage_groups",
    "account.manage_groups.x",
    "account.invite_members",
    "account.manage_owners",
    "account.close",
    "store.writer",
    "log.reads",
    "log.read.old.first",
    "store.read",
    "store.write",
    "store.read.titles",
    "store.write.tuples",
    "log.read",
    "log.read.old",
    "log.export",
    "log_read.old",
];

/// Numbers that look random, the same ones each time.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % end
    }

    pub(crate) fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    fn one_of(&mut self, all: &[&'static str]) -> &'static str {
        all[self.below(all.len())]
    }

    /// Up to so many of these, each once.
    fn some_of(&mut self, all: &[&'static str], at_most: usize) -> Vec<&'static str> {
        let mut some: Vec<_> = (0..=self.below(at_most))
            .map(|_| self.one_of(all))
            .collect();
        some.sort_unstable();
        some.dedup();
        some
    }

    /// Who asks for these. What is done for oneself alone is done by anybody.
    pub(crate) fn actor(&mut self, commands: &[Command]) -> Actor {
        let is_own = commands.iter().any(|command| {
            matches!(
                command,
                Command::AcceptInvitation(_) | Command::LeaveAccount(_)
            )
        });
        match self.below(10) {
            _ if is_own => Actor::Member(member(self.one_of(&MEMBERS))),
            0..3 => Actor::System,
            3..7 => Actor::Member(member("olga")),
            _ => Actor::Member(member(self.one_of(&MEMBERS))),
        }
    }

    fn grant(&mut self) -> Value {
        let role = self.one_of(&ROLES);
        let is_of_stores = ["store-editor", "store-viewer", "own", "wide"].contains(&role);
        let scope = if is_of_stores {
            json!({ "stores": self.some_of(&STORES[..4], 3) })
        } else {
            json!("account")
        };
        json!({ "role": role, "scope": scope })
    }

    fn grants(&mut self) -> Value {
        (0..=self.below(3)).map(|_| self.grant()).collect()
    }

    fn permissions(&mut self) -> Vec<&'static str> {
        let begin = if self.one_in(3) { 12 } else { 8 };
        self.some_of(&PERMISSIONS[begin..], 3)
    }

    /// A command, well formed; it may yet be refused. One in 2,100 closes the account.
    pub(crate) fn command(&mut self, now: u64) -> Command {
        let (member, store, group) = (
            self.one_of(&MEMBERS[..7]),
            self.one_of(&STORES[..4]),
            self.one_of(&GROUPS),
        );
        let role = self.one_of(&ROLES[3..]);
        let members = self.some_of(&MEMBERS[..7], 3);
        let expires = self.one_in(2).then_some(now + 5);
        let name = format!("Name {}", self.below(8));
        let command = match self.below(42) {
            0..2 => {
                json!({ "command": "invite-member", "member": member, "as_owner": self.one_in(3),
                "expires": expires })
            }
            2..4 => json!({ "command": "accept-invitation" }),
            4 => json!({ "command": "cancel-invitation", "member": member }),
            5..8 => json!({ "command": "add-members", "members": members }),
            8 => json!({ "command": "remove-members", "members": [member] }),
            9 => json!({ "command": "leave-account" }),
            10..12 => json!({ "command": "suspend-member", "member": member }),
            12..15 => json!({ "command": "reinstate-member", "member": member }),
            15 => json!({ "command": "grant-ownership", "member": member }),
            16 => json!({ "command": "revoke-ownership", "member": member }),
            17..20 => json!({ "command": "create-store", "store": store }),
            20 => json!({ "command": "delete-store", "store": store }),
            21..24 => json!({ "command": "create-group", "group": group, "name": name,
                "grants": self.grants() }),
            24..26 => json!({ "command": "edit-group", "group": group, "grants": self.grants() }),
            26 => json!({ "command": "edit-group", "group": group, "name": name }),
            27 => json!({ "command": "delete-group", "group": group }),
            28..31 => json!({ "command": "add-to-group", "group": group, "members": members }),
            31 => json!({ "command": "remove-from-group", "group": group, "members": members }),
            32 => json!({ "command": "set-group-members", "group": group, "members": members }),
            33 => {
                let role = self.one_of(&ROLES);
                json!({ "command": "revoke-role", "group": group, "role": role })
            }
            34 => {
                let (role, stores) = (self.one_of(&ROLES[..2]), self.some_of(&STORES[..4], 2));
                json!({ "command": "revoke-role", "group": group, "role": role, "stores": stores })
            }
            35 => json!({ "command": "define-role", "role": role, "name": role,
                "level": if self.one_in(2) { "store" } else { "account" },
                "permissions": self.permissions() }),
            36 => json!({ "command": "change-role", "role": role,
                "permissions": self.permissions() }),
            37 if self.one_in(3) => json!({ "command": "change-role", "role": role, "name": name }),
            37 => json!({ "command": "delete-role", "role": role }),
            38 if self.one_in(50) => json!({ "command": "close-account" }),
            38 => json!({ "command": "change-group-limit", "limit": 4 + self.below(9) }),
            _ => {
                let grant = self.grant();
                json!({ "command": "grant-role", "group": group, "role": grant["role"],
                    "scope": grant["scope"] })
            }
        };
        serde_json::from_value(command).expect("a command")
    }
}
