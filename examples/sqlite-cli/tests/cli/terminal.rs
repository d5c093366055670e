//! The program as a process.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A folder with a file `access.db`, in which account `acme` is open with owner `olga`.
pub(crate) struct Terminal {
    folder: TempDir,
}

/// What the program said, and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) code: i32,
}

impl Terminal {
    pub(crate) fn new() -> Self {
        let terminal = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let said = terminal.types(&["open", "access.db", "acme", "olga"], "");
        assert_eq!(said.out, "opened account `acme` with owner `olga`\n");
        assert_eq!((said.err.as_str(), said.code), ("", 0));
        terminal
    }

    /// The program with these arguments, and this on its standard input.
    pub(crate) fn types(&self, args: &[&str], input: &str) -> Said {
        let mut child = Command::new(env!("CARGO_BIN_EXE_grantbook-sqlite"))
            .args(args)
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // It need not read what it is given.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        Said {
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
            code: output.status.code().unwrap(),
        }
    }

    pub(crate) fn runs(&self, commands: &str) -> Said {
        self.types(&["run", "access.db", "acme", "--as", "olga"], commands)
    }

    pub(crate) fn imports(&self, csv: &str) -> Said {
        self.types(&["import", "access.db", "acme", "-"], csv)
    }

    /// The kinds of event that have happened.
    pub(crate) fn kinds(&self) -> Vec<String> {
        let history = self.types(&["history", "access.db", "acme", "--json"], "");
        let kind = |line: &str| -> String {
            let record: serde_json::Value = serde_json::from_str(line).unwrap();
            record["event"]["kind"].as_str().unwrap().to_owned()
        };
        history.out.lines().map(kind).collect()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}
