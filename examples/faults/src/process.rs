//! A worker process, as the judge holds it.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

/// Guards against hanging only: longer than any database takes to come back.
const PATIENCE: Duration = Duration::from_secs(120);

/// A worker that was started; it is killed when this is dropped.
pub(crate) struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Process {
    /// Starts it.
    pub(crate) fn start(mut worker: Command) -> Self {
        let mut child = worker
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the worker starts");
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().expect("it is piped");
        let (sender, lines) = mpsc::channel();
        // What was said before it was killed counts, so it is read to its end.
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            stdin,
            lines,
        }
    }

    /// Sends a line.
    pub(crate) fn tell(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("it is open until the end");
        writeln!(stdin, "{line}")
            .and_then(|()| stdin.flush())
            .expect("the worker listens");
    }

    /// Its next line.
    pub(crate) fn line(&self) -> String {
        self.lines
            .recv_timeout(PATIENCE)
            .expect("the worker says something")
    }

    /// What it has said and was not asked for yet.
    pub(crate) fn heard(&self) -> impl Iterator<Item = String> {
        self.lines.try_iter()
    }

    /// Kills it, with the signal that cannot be caught, and gives what it had still said.
    pub(crate) fn kill(mut self) -> Vec<String> {
        self.child.kill().expect("it is ours");
        self.child.wait().expect("it ends");
        self.rest()
    }

    /// Waits until it has ended, as it should, and gives what it had still said.
    pub(crate) fn finish(mut self) -> Vec<String> {
        drop(self.stdin.take());
        let rest = self.rest();
        let status = self.child.wait().expect("it ends");
        assert!(status.success(), "a worker failed: {status}");
        rest
    }

    fn rest(&self) -> Vec<String> {
        self.lines.iter().collect()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
