//! The two provider processes: this same program, as `serve`.

use std::fs::File;
use std::io::Write;
use std::process::Stdio;

use mimi_uri::Domain;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, Command};
use tokio::time::timeout;

use super::Broke;
use super::journal::Journal;
use super::limits::{START_TIME_MAX, STOP_TIME_MAX};
use super::stage::{Place, Stage};

/// What the providers log: every step, and every fault of those who meet the network.
const LOGGED: &str = "info,drawbridge::step=debug,mimi_server=debug,mimi_bridge=debug";

/// Both processes.
pub(super) struct Providers {
    a: Process,
    b: Process,
}

struct Process {
    domain: Domain,
    child: Child,
    /// It runs as long as this is held, even if we are killed.
    leash: Option<ChildStdin>,
}

impl Providers {
    /// Starts both.
    pub(super) fn start(stage: &Stage, journal: &Journal) -> Result<Self, Broke> {
        Ok(Self { a: Process::start(&stage.a, journal)?, b: Process::start(&stage.b, journal)? })
    }

    /// Waits until both are ready, or one of them is no more.
    pub(super) async fn ready(&mut self, journal: &Journal) -> Result<(), Broke> {
        let ended = tokio::select! {
            ready = timeout(START_TIME_MAX, journal.both_ready()) => {
                let why = || journal.last_fault().unwrap_or_else(|| "they logged no fault".to_owned());
                return ready.map_err(|_| {
                    format!("the providers were not ready within {} s.\n{}", START_TIME_MAX.as_secs(), why())
                });
            }
            ended = self.ended() => ended,
        };
        let words = journal.last_words(&ended).unwrap_or_else(|| "it said nothing".to_owned());
        Err(format!("{ended} did not start.\n{words}"))
    }

    /// Waits until one of them has ended, and says which.
    pub(super) async fn ended(&mut self) -> Domain {
        tokio::select! {
            _ = self.a.child.wait() => self.a.domain.clone(),
            _ = self.b.child.wait() => self.b.domain.clone(),
        }
    }

    /// Stops b.example in the middle of everything.
    pub(super) async fn stop_b(&mut self) {
        self.b.stop().await;
    }

    /// Stops both, gracefully if they let us.
    pub(super) async fn stop(&mut self) {
        tokio::join!(self.a.stop(), self.b.stop());
    }
}

impl Process {
    fn start(place: &Place, journal: &Journal) -> Result<Self, Broke> {
        let unstartable = |fault: std::io::Error| format!("{} cannot be started: {fault}", place.domain);
        let program = std::env::current_exe().map_err(unstartable)?;
        let mut child = Command::new(program)
            .arg("--config")
            .arg(place.config())
            .args(["serve", "--log", "json", "--until-stdin-ends"])
            .env("RUST_LOG", LOGGED)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(unstartable)?;
        let file = File::create(place.folder.join("drawbridge.log")).map_err(unstartable)?;
        if let Some(log) = child.stderr.take() {
            tokio::spawn(read(log, file, place.domain.clone(), journal.clone()));
        }
        Ok(Self { domain: place.domain.clone(), leash: child.stdin.take(), child })
    }

    /// Lets it go, and waits until it has gone; a process that does not go is killed.
    async fn stop(&mut self) {
        self.leash = None;
        if timeout(STOP_TIME_MAX, self.child.wait()).await.is_err() {
            // Fails only if it has gone meanwhile.
            drop(self.child.kill().await);
        }
    }
}

/// Reads a provider's log into a file and into the journal.
async fn read(log: ChildStderr, mut file: File, domain: Domain, journal: Journal) {
    let mut lines = BufReader::new(log).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        // A full disk must not silence the demo.
        drop(writeln!(file, "{line}"));
        journal.take(&domain, &line);
    }
}
