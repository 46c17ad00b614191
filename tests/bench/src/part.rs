//! The parts of a run: this program again, each as a process of its own.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::fault::Outcome;
use crate::founding::MESSAGES;
use crate::report::say;

/// What a server says once it listens, before its port.
const READY: &str = "ready ";

/// A part that runs, and ends at the latest when this is dropped: it lives as long as its standard input is open.
pub(crate) struct Running {
    child: Child,
    said: BufReader<ChildStdout>,
}

impl Running {
    /// Starts this program under a name of its own, with arguments.
    pub(crate) fn start<A: AsRef<OsStr>>(name: &str, args: &[A]) -> Outcome<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(name).args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let said = child.stdout.take().ok_or("a part has no standard output")?;
        Ok(Self { child, said: BufReader::new(said) })
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it listens; its port.
    pub(crate) fn port(&mut self) -> Outcome<u16> {
        let mut line = String::new();
        self.said.read_line(&mut line)?;
        let port = line.trim_end().strip_prefix(READY).ok_or("a server of the run did not come up")?;
        Ok(port.parse()?)
    }

    /// Waits for the next thing that it says.
    pub(crate) fn told(&mut self) -> Outcome<String> {
        let mut line = String::new();
        match self.said.read_line(&mut line)? {
            0 => Err("a part of the run ended early".into()),
            _ => Ok(line),
        }
    }

    /// Waits for its end; what it said. That it went well is part of it.
    pub(crate) fn finish(mut self) -> Outcome<String> {
        let mut said = String::new();
        self.said.read_to_string(&mut said)?;
        drop(self.child.stdin.take());
        let status = self.child.wait()?;
        if status.success() {
            Ok(said)
        } else {
            Err(format!("a part of the run ended with {status}: {said}").into())
        }
    }

    /// Ends it; what it said last.
    pub(crate) fn stop(mut self) -> Outcome<String> {
        drop(self.child.stdin.take());
        self.finish()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().ok();
    }
}

/// Copies what was founded, but for the requests, to where a turn works on it.
pub(crate) fn copy_founded(founded: &Path, to: &Path) -> Outcome<()> {
    for file in fs::read_dir(founded)? {
        let file = file?;
        if file.file_name() != MESSAGES {
            fs::copy(file.path(), to.join(file.file_name()))?;
        }
    }
    Ok(())
}

/// As a part: says that it listens.
pub(crate) fn ready(port: u16) {
    say(&format!("{READY}{port}"));
}

/// As a part: waits until whoever started it wants no more of it.
pub(crate) async fn no_longer_wanted() {
    let waiting = tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
    waiting.await.ok();
}
