use std::{
    fs::{self, File, OpenOptions},
    os::unix::{
        fs::{PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Instant,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    Scratch,
    limits::{GLANCE, LOG_LINES_SHOWN, PATIENCE},
    process::last_lines,
};

/// Where Debian has the programs, a folder for each version.
const VERSIONS: &str = "/usr/lib/postgresql";

/// Where other systems have them.
const PLACES: [&str; 2] = ["/usr/local/bin", "/usr/bin"];

/// Whom the server runs as where the test is root: it refuses to be root itself.
const NOBODY: u32 = 65_534;

/// A private `PostgreSQL` server on a socket of its own, with `fsync` on.
///
/// It has no port and no passwords: who can reach its directory is let in.
#[derive(Debug)]
pub struct Postgres {
    // Dropped in this order: the server, then what it stands on.
    server: Option<Child>,
    scratch: Scratch,
}

impl Postgres {
    /// Makes a cluster and starts its server.
    #[track_caller]
    pub fn start() -> Self {
        let scratch = Scratch::new("postgres");
        let mut postgres = Self { server: None, scratch };
        postgres.copy_template();
        postgres.start_again();
        postgres
    }

    /// The URL of a database that is made with the cluster.
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// Makes another database and returns its URL.
    #[track_caller]
    pub fn database(&self, name: &str) -> String {
        self.query(&format!("CREATE DATABASE {name}"));
        self.url_of(name)
    }

    /// Makes a database that is as another one is now, to which nobody is connected, and returns its URL.
    #[track_caller]
    pub fn copy(&self, template: &str, name: &str) -> String {
        self.query(&format!("CREATE DATABASE {name} TEMPLATE {template}"));
        self.url_of(name)
    }

    fn url_of(&self, name: &str) -> String {
        format!("postgres://drawbridge@localhost/{name}?host={}", self.scratch.path().display())
    }

    /// What psql prints for a statement, in the database of [`url`](Self::url).
    #[track_caller]
    pub fn query(&self, statement: &str) -> String {
        let output = self
            .program("psql")
            .args(["-U", "drawbridge", "-d", "postgres", "-v", "ON_ERROR_STOP=1", "-tAc", statement, "-h"])
            .arg(self.scratch.path())
            .output();
        let output = output.unwrap_or_else(|error| panic!("psql: {error}"));
        assert!(output.status.success(), "{statement}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// The server's process.
    pub fn id(&self) -> Option<u32> {
        self.server.as_ref().map(Child::id)
    }

    /// Ends the server as a crash would: without a last checkpoint, its clients cut off.
    #[track_caller]
    pub fn crash(&mut self) {
        self.end(Signal::QUIT);
    }

    /// Starts the server after [`crash`](Self::crash), and waits until it lets clients in.
    #[track_caller]
    pub fn start_again(&mut self) {
        assert!(self.server.is_none(), "the server runs already");
        let log = OpenOptions::new().create(true).append(true).open(self.log());
        let log = log.unwrap_or_else(|error| panic!("{}: {error}", self.log().display()));
        let errors = log.try_clone().unwrap_or_else(|error| panic!("{}: {error}", self.log().display()));
        let spawned = self
            .program("postgres")
            .arg("-D")
            .arg(self.scratch.join("data"))
            .arg("-k")
            .arg(self.scratch.path())
            .args(["-c", "listen_addresses=", "-c", "fsync=on", "-c", "max_connections=100"])
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .spawn();
        self.server = Some(spawned.unwrap_or_else(|error| panic!("postgres: {error}")));
        self.wait_until_ready();
    }

    #[track_caller]
    fn wait_until_ready(&mut self) {
        let started = Instant::now();
        loop {
            let ready = self
                .program("pg_isready")
                .args(["-q", "-U", "drawbridge", "-d", "postgres", "-h"])
                .arg(self.scratch.path())
                .status();
            if ready.is_ok_and(|status| status.success()) {
                return;
            }
            let ended = self.server.as_mut().is_none_or(|server| !matches!(server.try_wait(), Ok(None)));
            assert!(!ended, "PostgreSQL ended: {}", self.last_words());
            assert!(started.elapsed() < PATIENCE, "PostgreSQL is not ready: {}", self.last_words());
            thread::park_timeout(GLANCE);
        }
    }

    /// A cluster is made once for this machine and copied for each test: making one takes a second.
    #[track_caller]
    fn copy_template(&self) {
        let folder = self.scratch.path();
        let (user, group) = owner();
        give(folder, user, group);
        let name =
            format!("drawbridge-postgres-{}-{user}", programs().display().to_string().replace('/', "-"));
        let template = std::env::temp_dir().join(name);
        let lock = File::create(template.with_extension("lock"));
        let lock = lock.unwrap_or_else(|error| panic!("{}: {error}", template.display()));
        lock.lock().unwrap_or_else(|error| panic!("{}: {error}", template.display()));
        if !template.join("whole").exists() {
            fs::remove_dir_all(&template).ok();
            fs::create_dir(&template).unwrap_or_else(|error| panic!("{}: {error}", template.display()));
            give(&template, user, group);
            let args = ["-U", "drawbridge", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "-D"];
            succeed(self.program("initdb").args(args).arg(template.join("data")));
            File::create(template.join("whole"))
                .unwrap_or_else(|error| panic!("{}: {error}", template.display()));
        }
        drop(lock);
        succeed(self.program("cp").arg("-R").arg(template.join("data")).arg(self.scratch.join("data")));
    }

    /// A program of the server's, to be run as its user.
    fn program(&self, name: &str) -> Command {
        let path = if name == "cp" { PathBuf::from(name) } else { programs().join(name) };
        let mut command = Command::new(path);
        command.current_dir(self.scratch.path()).env("LC_ALL", "C");
        if rustix::process::geteuid().is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }

    fn end(&mut self, signal: Signal) {
        if let Some(mut server) = self.server.take() {
            // Both fail only for a server that has already ended, which is what was wanted.
            kill_process(Pid::from_child(&server), signal).ok();
            server.wait().ok();
        }
    }

    fn log(&self) -> PathBuf {
        self.scratch.join("postgres.log")
    }

    fn last_words(&self) -> String {
        last_lines(&fs::read_to_string(self.log()).unwrap_or_default(), LOG_LINES_SHOWN)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.end(Signal::QUIT);
        if thread::panicking() {
            eprintln!("--- PostgreSQL\n{}", self.last_words());
        }
    }
}

fn owner() -> (u32, u32) {
    let (user, group) = (rustix::process::geteuid(), rustix::process::getegid());
    if user.is_root() { (NOBODY, NOBODY) } else { (user.as_raw(), group.as_raw()) }
}

#[track_caller]
fn give(folder: &Path, user: u32, group: u32) {
    let given = chown(folder, Some(user), Some(group))
        .and_then(|()| fs::set_permissions(folder, fs::Permissions::from_mode(0o700)));
    given.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
}

#[track_caller]
fn succeed(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Where the programs are: in the folder that `DRAWBRIDGE_TEST_POSTGRES` names, or where systems have them.
#[track_caller]
fn programs() -> PathBuf {
    let named = std::env::var_os("DRAWBRIDGE_TEST_POSTGRES").map(PathBuf::from);
    let versions = fs::read_dir(VERSIONS).into_iter().flatten().filter_map(Result::ok);
    let mut places: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    places.sort();
    let places = named.into_iter().chain(places).chain(PLACES.map(PathBuf::from));
    let mut found = places.filter(|place| place.join("initdb").exists());
    found.next().unwrap_or_else(|| panic!("PostgreSQL is not here; `cargo xtask servers` installs it"))
}
