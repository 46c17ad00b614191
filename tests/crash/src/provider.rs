use std::fs::{self, OpenOptions};
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use end_to_end::{Launch, Port, Postgres, Scratch, drawbridge};
use mimi_store::FAIL_POINT_FILE;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::Broke;
use crate::disk::Disk;
use crate::limits::{PATIENCE, READY_GLANCE};

/// The file, in a provider's directory, that says where it dies.
const WISH: &str = "dies-at";

/// What a provider remembers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Store {
    /// A file of its own.
    Sqlite,
    /// A database of its own, on a server that both share and that lives on.
    Postgres,
}

/// A Drawbridge process with its directory: set up as an operator would, and to be killed.
#[derive(Debug)]
pub struct Provider {
    domain: &'static str,
    child: Option<Child>,
    ports: Ports,
    /// The disk on which its store is, if that is not the machine's.
    disk: Option<Disk>,
    /// What else it finds in its environment.
    env: Vec<(&'static str, String)>,
    bytes_lost: u64,
    scratch: Scratch,
    /// The server that has its database, if it has one.
    _server: Option<Arc<Postgres>>,
}

/// Where it listens: for other providers, for its operator, for its own network.
#[derive(Debug)]
struct Ports {
    listen: Port,
    operator: Port,
    chat: Port,
}

impl Provider {
    /// Makes two that know each other; neither runs yet.
    pub fn two(domains: [&'static str; 2], store: Store) -> [Self; 2] {
        let server = match store {
            Store::Sqlite => None,
            Store::Postgres => Some(Arc::new(Postgres::start())),
        };
        let two = domains.map(|domain| Self::new(domain, server.clone()));
        two[0].knows(&two[1]);
        two[1].knows(&two[0]);
        two
    }

    fn new(domain: &'static str, server: Option<Arc<Postgres>>) -> Self {
        let ports = Ports { listen: Port::claim(), operator: Port::claim(), chat: Port::claim() };
        let provider = Self {
            domain,
            child: None,
            ports,
            disk: None,
            env: vec![],
            bytes_lost: 0,
            scratch: Scratch::new(domain),
            _server: server.clone(),
        };
        provider.launch(&["init", domain]).run();
        let written = fs::read_to_string(provider.scratch.join("drawbridge.toml")).unwrap_or_default();
        let mut config = provider.ports.configure(&written);
        if let Some(server) = server {
            let url = server.database(&domain.replace('.', "_"));
            config = config.replace("sqlite = \"drawbridge.db\"", &format!("postgres = \"{url}\""));
        }
        provider.scratch.write("drawbridge.toml", &config);
        provider
    }

    fn knows(&self, peer: &Self) {
        let roots = peer.scratch.join("keys/provider-root.pem").display().to_string();
        let connect = peer.ports.listen.address().to_string();
        self.launch(&["peer", "add", peer.domain, &roots, "--connect", &connect]).run();
    }

    fn launch(&self, args: &[&str]) -> Launch {
        Launch::new(drawbridge(), self.scratch.path()).args(args.iter().copied())
    }

    /// Its domain.
    pub fn domain(&self) -> &'static str {
        self.domain
    }

    /// Where its own network is.
    pub fn chat(&self) -> SocketAddr {
        self.ports.chat.address()
    }

    /// Keeps its directory, for somebody to look into.
    pub fn keep(&mut self) -> &Path {
        self.scratch.keep()
    }

    /// Has it die when it passes a point for the `nth` time from now on, also in its next life.
    pub fn dies_at(&self, point: &str, nth: u32) -> Result<(), Broke> {
        self.wish(&format!("{point} {nth}"))
    }

    /// Has it live on.
    pub fn lives(&self) -> Result<(), Broke> {
        self.wish("")
    }

    /// Written aside and renamed: it is read at any moment.
    fn wish(&self, wish: &str) -> Result<(), Broke> {
        let (aside, file) = (self.scratch.join("dies-at.new"), self.scratch.join(WISH));
        fs::write(&aside, wish)
            .and_then(|()| fs::rename(&aside, &file))
            .map_err(|fault| format!("{}: {fault}", file.display()))
    }

    /// Puts its store on a disk that keeps only what was synced.
    pub fn stands_on(&mut self, disk: Disk) {
        self.disk = Some(disk);
    }

    /// Has it find this in its environment from the next start on.
    pub fn finds(&mut self, name: &'static str, value: &str) {
        self.env.push((name, value.to_owned()));
    }

    /// Starts it, and waits until it is ready; how long that took. It may die before, if it is wished so: then none.
    pub async fn start(&mut self) -> Result<Option<Duration>, Broke> {
        let log = OpenOptions::new().create(true).append(true).open(self.scratch.join("log"));
        let log = log.map_err(|fault| format!("the log of {}: {fault}", self.domain))?;
        let mut command = Command::from(self.launch(&["serve"]).command());
        let level = std::env::var("RUST_LOG").unwrap_or_else(|_| "warn".to_owned());
        command.env("RUST_LOG", level).env(FAIL_POINT_FILE, self.scratch.join(WISH));
        command.envs(self.env.iter().map(|(name, value)| (name, value))).kill_on_drop(true);
        if let Some(disk) = &self.disk {
            disk.keeps(self.scratch.path())?;
            command.envs(disk.env());
        }
        let started = Instant::now();
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        self.child = Some(spawned.map_err(|fault| format!("{} does not start: {fault}", self.domain))?);
        let ready = timeout(PATIENCE, self.ready()).await;
        let ready = ready.map_err(|_| format!("{} is not ready within {PATIENCE:?}", self.domain))??;
        Ok(ready.then(|| started.elapsed()))
    }

    /// Waits until it is ready, or dead.
    async fn ready(&mut self) -> Result<bool, Broke> {
        while !is_ready(self.ports.operator.address()).await {
            if self.is_dead()? {
                return Ok(false);
            }
            sleep(READY_GLANCE).await;
        }
        Ok(true)
    }

    fn is_dead(&mut self) -> Result<bool, Broke> {
        let Some(child) = &mut self.child else { return Ok(true) };
        match child.try_wait() {
            Ok(None) => Ok(false),
            Ok(Some(status)) if status.signal() == Some(SIGKILL) => Ok(true),
            other => Err(format!("{} ended by itself: {other:?}", self.domain)),
        }
    }

    /// Ends it as a power cut would.
    pub async fn kill(&mut self) -> Result<(), Broke> {
        if let Some(child) = &mut self.child {
            // Fails only for one that is dead.
            child.start_kill().ok();
        }
        self.died().await
    }

    /// Waits until it was killed, by whomever.
    pub async fn died(&mut self) -> Result<(), Broke> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        let ended = timeout(PATIENCE, child.wait()).await;
        match ended {
            Ok(Ok(status)) if status.signal() == Some(SIGKILL) => self.loses_power(),
            Ok(other) => Err(format!("{} ended by itself: {other:?}", self.domain)),
            Err(_) => {
                let wish = fs::read_to_string(self.scratch.join(WISH)).unwrap_or_default();
                Err(format!("{} did not die at “{wish}”", self.domain))
            }
        }
    }

    /// Its disk, if it is one of ours, keeps only what was synced.
    fn loses_power(&mut self) -> Result<(), Broke> {
        let Some(disk) = &self.disk else { return Ok(()) };
        self.bytes_lost += disk.loses(self.scratch.path())?;
        if disk.was_used() {
            Ok(())
        } else {
            Err(format!("{} does not run on the disk it was given", self.domain))
        }
    }

    /// How much its disk has lost in all power cuts.
    pub fn bytes_lost(&self) -> u64 {
        self.bytes_lost
    }

    /// Asks it to end, and waits until it has.
    pub async fn stop(&mut self) -> Result<(), Broke> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        let id = child.id().map(|id| id.to_string()).unwrap_or_default();
        let told = Command::new("kill").args(["-TERM", &id]).status().await;
        told.map_err(|fault| format!("kill: {fault}"))?;
        let ended = timeout(PATIENCE, child.wait()).await;
        ended.map(drop).map_err(|_| format!("{} does not stop", self.domain))
    }
}

/// The signal of a kill −9.
const SIGKILL: i32 = 9;

impl Ports {
    /// The configuration that `init` wrote, with our ports.
    fn configure(&self, written: &str) -> String {
        written
            .replace("0.0.0.0:8443", &self.listen.address().to_string())
            .replace("127.0.0.1:9000", &self.operator.address().to_string())
            .replace("127.0.0.1:7000", &self.chat.address().to_string())
    }
}

/// What the operator's page of readiness says.
async fn is_ready(operator: SocketAddr) -> bool {
    let asked = async {
        let mut stream = TcpStream::connect(operator).await?;
        stream
            .write_all(b"GET /health/ready HTTP/1.1\r\nhost: operator\r\nconnection: close\r\n\r\n")
            .await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        std::io::Result::Ok(answer)
    };
    asked.await.is_ok_and(|answer| answer.starts_with(b"HTTP/1.1 200"))
}
