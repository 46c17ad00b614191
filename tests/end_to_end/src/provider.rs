use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;

use crate::{Launch, Port, Process, Scratch, Synapse, SynapsePlan, drawbridge, network};

/// A whole provider: one Drawbridge process in front of a homeserver of its own.
///
/// It is set up as an operator would, with the binary's own commands: `init`, `peer add`, `matrix registration`,
/// `serve`.
#[derive(Debug)]
pub struct Provider {
    domain: String,
    // Dropped in this order: our process, its homeserver, then what both stand on.
    process: Process,
    synapse: Synapse,
    operator: Port,
    _ports: [Port; 2],
    scratch: Scratch,
}

/// A provider that is set up but not running.
struct Prepared {
    domain: String,
    scratch: Scratch,
    listen: Port,
    operator: Port,
    appservice: Port,
    homeserver: Port,
}

impl Provider {
    /// Starts two providers that know each other.
    #[track_caller]
    pub fn start_two(first: &str, second: &str) -> (Self, Self) {
        let (first, second) = (Prepared::new(first), Prepared::new(second));
        first.knows(&second);
        second.knows(&first);
        (first.start(), second.start())
    }

    /// Its homeserver.
    pub fn synapse(&self) -> &Synapse {
        &self.synapse
    }

    /// Its homeserver, to be stopped and started.
    pub fn synapse_mut(&mut self) -> &mut Synapse {
        &mut self.synapse
    }

    /// How somebody elsewhere is called on its homeserver.
    pub fn puppet(&self, name: &str, domain: &str) -> String {
        format!("@_mimi_{name}=40{domain}:{}", self.domain)
    }

    /// Kills the Drawbridge process with −9 and starts it again.
    #[track_caller]
    pub fn kill_and_start_again(&mut self) {
        self.process.kill();
        self.start_again();
    }

    /// Kills the Drawbridge process with −9.
    #[track_caller]
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts the Drawbridge process again, and waits until it is ready.
    #[track_caller]
    pub fn start_again(&mut self) {
        self.process.start_again();
        self.wait_until_ready();
    }

    /// The files of the Drawbridge process, its database and log among them, in which a text can be read.
    #[track_caller]
    pub fn files_that_contain(&self, text: &str) -> Vec<PathBuf> {
        let files =
            std::fs::read_dir(self.scratch.path()).unwrap_or_else(|error| panic!("{}: {error}", self.domain));
        let contains = |path: &PathBuf| {
            let bytes = std::fs::read(path).unwrap_or_default();
            bytes.windows(text.len()).any(|window| window == text.as_bytes())
        };
        files
            .filter_map(Result::ok)
            .map(|file| file.path())
            .filter(|path| path.is_file())
            .filter(contains)
            .collect()
    }

    /// The database of the Drawbridge process, to be spoilt while that does not run.
    pub fn database(&self) -> PathBuf {
        self.scratch.join("drawbridge.db")
    }

    /// What the operator reads of it: a page of its operator listener.
    #[track_caller]
    pub fn page(&self, path: &str) -> String {
        page(&self.operator, path).unwrap_or_else(|| panic!("{} does not answer {path}", self.domain))
    }

    #[track_caller]
    fn wait_until_ready(&mut self) {
        let operator = &self.operator;
        self.process.wait_until("it is ready", || {
            page(operator, "/health/ready").is_some_and(|answer| answer.starts_with("HTTP/1.1 200"))
        });
    }
}

impl Prepared {
    #[track_caller]
    fn new(domain: &str) -> Self {
        let scratch = Scratch::new(domain);
        let [listen, operator, appservice, homeserver] = std::array::from_fn(|_| Port::claim());
        let prepared = Self { domain: domain.to_owned(), scratch, listen, operator, appservice, homeserver };
        prepared.launch(&["init", domain]).run();
        let written = std::fs::read_to_string(prepared.scratch.join("drawbridge.toml")).unwrap_or_default();
        prepared.scratch.write("drawbridge.toml", &prepared.config(&written));
        prepared
    }

    fn launch(&self, args: &[&str]) -> Launch {
        Launch::new(drawbridge(), self.scratch.path()).args(args.iter().copied())
    }

    /// The configuration that `init` wrote, with our ports, and Matrix in place of the loopback network.
    fn config(&self, written: &str) -> String {
        let Self { domain, listen, operator, appservice, homeserver, .. } = self;
        let (settings, _) = written.split_once("[network.").unwrap_or((written, ""));
        let settings = settings
            .replace("0.0.0.0:8443", &listen.address().to_string())
            .replace(
                &format!("public_host = \"{domain}\""),
                &format!("public_host = \"{domain}:{}\"", listen.number()),
            )
            .replace("127.0.0.1:9000", &operator.address().to_string());
        format!("{settings}\n{}", network::matrix(domain, homeserver, appservice))
    }

    #[track_caller]
    fn knows(&self, peer: &Self) {
        let roots = peer.scratch.join("keys/provider-root.pem");
        let roots = roots.display().to_string();
        let connect = peer.listen.address().to_string();
        self.launch(&["peer", "add", &peer.domain, &roots, "--connect", &connect]).run();
    }

    #[track_caller]
    fn start(self) -> Provider {
        let registration =
            self.scratch.write("registration.yaml", &self.launch(&["matrix", "registration"]).run());
        let plan = SynapsePlan::named(&self.domain).with_appservice(registration);
        let launch = self.launch(&["serve"]);
        let Self { domain, scratch, listen, operator, appservice, homeserver } = self;
        let synapse = Synapse::start_on(homeserver, plan);
        let process = Process::start(&domain, launch);
        let ports = [listen, appservice];
        let mut provider = Provider { domain, process, synapse, operator, _ports: ports, scratch };
        provider.wait_until_ready();
        provider
    }
}

fn page(port: &Port, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(port.address()).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: operator\r\nconnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}
