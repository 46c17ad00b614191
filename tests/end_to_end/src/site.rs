use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Output;

use crate::{Launch, Port, Process, Scratch, drawbridge};

/// A Drawbridge process with any networks behind it.
///
/// It is set up as an operator would, with the binary's own commands: `init`, `peer add`, `matrix registration`,
/// `serve`.
#[derive(Debug)]
pub struct Site {
    domain: String,
    process: Process,
    ground: Ground,
}

/// A site that is set up but not running.
#[derive(Debug)]
pub struct SitePlan {
    domain: String,
    ground: Ground,
}

/// What a site stands on.
#[derive(Debug)]
struct Ground {
    scratch: Scratch,
    listen: Port,
    operator: Port,
}

impl SitePlan {
    /// A provider in front of the networks of these sections of the configuration.
    #[track_caller]
    pub fn new(domain: &str, networks: &str) -> Self {
        let scratch = Scratch::new(domain);
        let [listen, operator] = std::array::from_fn(|_| Port::claim());
        Launch::new(drawbridge(), scratch.path()).args(["init", domain]).run();
        let written = std::fs::read_to_string(scratch.join("drawbridge.toml")).unwrap_or_default();
        let (settings, _) = written.split_once("[network.").unwrap_or((&written, ""));
        let public = format!("public_host = \"{domain}:{}\"", listen.number());
        let settings = settings
            .replace("0.0.0.0:8443", &listen.address().to_string())
            .replace(&format!("public_host = \"{domain}\""), &public)
            .replace("127.0.0.1:9000", &operator.address().to_string());
        scratch.write("drawbridge.toml", &format!("{settings}\n{networks}"));
        Self { domain: domain.to_owned(), ground: Ground { scratch, listen, operator } }
    }

    /// Lets two sites know each other.
    #[track_caller]
    pub fn introduce(first: &Self, second: &Self) {
        first.knows(second);
        second.knows(first);
    }

    /// Its domain.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// What a homeserver has to be given of it.
    #[track_caller]
    pub fn registration(&self) -> PathBuf {
        let registration = self.ground.launch(&["matrix", "registration"]).run();
        self.ground.scratch.write("registration.yaml", &registration)
    }

    /// Starts it, and waits until it is ready.
    #[track_caller]
    pub fn start(self) -> Site {
        let process = Process::start(&self.domain, self.ground.launch(&["serve"]));
        let mut site = Site { domain: self.domain, process, ground: self.ground };
        site.wait_until_ready();
        site
    }

    #[track_caller]
    fn knows(&self, peer: &Self) {
        let roots = peer.ground.scratch.join("keys/provider-root.pem").display().to_string();
        let connect = peer.ground.listen.address().to_string();
        self.ground.launch(&["peer", "add", &peer.domain, &roots, "--connect", &connect]).run();
    }
}

impl Ground {
    fn launch(&self, args: &[&str]) -> Launch {
        Launch::new(drawbridge(), self.scratch.path()).args(args.iter().copied())
    }
}

impl Site {
    /// Its domain.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Kills the process with −9 and starts it again.
    #[track_caller]
    pub fn kill_and_start_again(&mut self) {
        self.kill();
        self.start_again();
    }

    /// Kills the process with −9.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// The id of its process; none while it does not run.
    pub fn process_id(&self) -> Option<u32> {
        self.process.id()
    }

    /// Asks the process to end, and waits until it has.
    #[track_caller]
    pub fn stop(&mut self) {
        self.process.stop();
    }

    /// Starts the process again, and waits until it is ready.
    #[track_caller]
    pub fn start_again(&mut self) {
        self.process.start_again();
        self.wait_until_ready();
    }

    /// What a command of its operator prints; that it succeeds is asserted.
    #[track_caller]
    pub fn command(&self, args: &[&str]) -> String {
        self.ground.launch(args).run()
    }

    /// How a command of its operator ends, however that is.
    #[track_caller]
    pub fn attempt(&self, args: &[&str]) -> Output {
        let output = self.ground.launch(args).command().output();
        output.unwrap_or_else(|error| panic!("{args:?}: {error}"))
    }

    /// The files of the process, its database and log among them, in which a text can be read.
    #[track_caller]
    pub fn files_that_contain(&self, text: &str) -> Vec<PathBuf> {
        let folder = self.ground.scratch.path();
        let files = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", self.domain));
        let contains = |path: &PathBuf| {
            let bytes = std::fs::read(path).unwrap_or_default();
            bytes.windows(text.len()).any(|window| window == text.as_bytes())
        };
        let files = files.filter_map(Result::ok).map(|file| file.path());
        files.filter(|path| path.is_file()).filter(contains).collect()
    }

    /// The database of the process, to be spoilt while that does not run.
    pub fn database(&self) -> PathBuf {
        self.ground.scratch.join("drawbridge.db")
    }

    /// What the operator reads of it: a page of its operator listener.
    #[track_caller]
    pub fn page(&self, path: &str) -> String {
        let page = page(self.ground.operator.address(), path);
        page.unwrap_or_else(|| panic!("{} does not answer {path}", self.domain))
    }

    /// A figure of its metrics page: the sum over all labels.
    #[track_caller]
    pub fn metric(&self, name: &str) -> f64 {
        sum(&self.page("/metrics"), name)
    }

    /// Waits until a figure has come up to something.
    #[track_caller]
    pub fn wait_for_metric(&mut self, name: &str, at_least: f64) {
        let operator = self.ground.operator.address();
        self.process.wait_until(&format!("{name} is {at_least}"), || {
            page(operator, "/metrics").is_some_and(|page| sum(&page, name) >= at_least)
        });
    }

    #[track_caller]
    fn wait_until_ready(&mut self) {
        let operator = self.ground.operator.address();
        self.process.wait_until("it is ready", || {
            page(operator, "/health/ready").is_some_and(|answer| answer.starts_with("HTTP/1.1 200"))
        });
    }
}

fn page(operator: SocketAddr, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(operator).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: operator\r\nconnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

fn sum(page: &str, name: &str) -> f64 {
    let lines =
        page.lines().filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}
