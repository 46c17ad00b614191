use std::path::PathBuf;

use serde_json::{Value, json};

use crate::{Launch, Port, Process, Scratch, servers::test_python};

/// What a homeserver is to be.
#[derive(Clone, Debug, Default)]
pub struct SynapsePlan {
    /// The domain of its users, `a.example`.
    pub server_name: String,
    /// Registration files of application services.
    pub appservices: Vec<PathBuf>,
}

impl SynapsePlan {
    /// A homeserver for the users of `server_name`, without application services.
    pub fn named(server_name: &str) -> Self {
        Self { server_name: server_name.to_owned(), appservices: Vec::new() }
    }

    /// With one more application service.
    #[must_use]
    pub fn with_appservice(mut self, registration: impl Into<PathBuf>) -> Self {
        self.appservices.push(registration.into());
        self
    }
}

/// A private Matrix homeserver (Synapse on `SQLite`, without federation) on a port and in a directory of its own.
#[derive(Debug)]
pub struct Synapse {
    server_name: String,
    // Dropped in this order: the program, then what it stands on.
    process: Process,
    port: Port,
    scratch: Scratch,
}

impl Synapse {
    /// Starts one and waits until it answers.
    #[track_caller]
    pub fn start(plan: SynapsePlan) -> Self {
        Self::start_on(Port::claim(), plan)
    }

    /// Starts one on a port that was claimed before, for those who had to write its address down first.
    #[track_caller]
    pub fn start_on(port: Port, plan: SynapsePlan) -> Self {
        let scratch = Scratch::new(&plan.server_name);
        scratch.write("log.yaml", &log_config().to_string());
        // YAML reads JSON.
        scratch.write("homeserver.yaml", &config(&plan, &port, &scratch).to_string());
        let launch = Launch::new(test_python(), scratch.path()).args([
            "-m",
            "synapse.app.homeserver",
            "-c",
            "homeserver.yaml",
        ]);
        let mut process = Process::start("synapse", launch);
        process.wait_until_answering(&port);
        Self { server_name: plan.server_name, process, port, scratch }
    }

    /// The domain of its users.
    pub fn server_name(&self) -> &str {
        &self.server_name
    }

    /// Where its client API is.
    pub fn url(&self) -> String {
        format!("http://{}", self.port.address())
    }

    /// The full id of a user of its, `@name:server_name`.
    pub fn user(&self, name: &str) -> String {
        format!("@{name}:{}", self.server_name)
    }

    /// Its directory.
    pub fn scratch(&self) -> &Scratch {
        &self.scratch
    }

    /// Asks it to end and waits until it has; its data stays.
    #[track_caller]
    pub fn stop(&mut self) {
        self.process.stop();
    }

    /// Ends it as a power cut would; its data stays.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again with the same data on the same port, and waits until it answers.
    #[track_caller]
    pub fn start_again(&mut self) {
        self.process.start_again();
        self.process.wait_until_answering(&self.port);
    }

    /// Stops it and starts it again.
    #[track_caller]
    pub fn restart(&mut self) {
        self.stop();
        self.start_again();
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        self.process.log()
    }
}

fn config(plan: &SynapsePlan, port: &Port, scratch: &Scratch) -> Value {
    let mut config = json!({
        "server_name": plan.server_name,
        "public_baseurl": format!("http://{}/", port.address()),
        "pid_file": scratch.join("synapse.pid"),
        "listeners": [{
            "bind_addresses": ["127.0.0.1"], "port": port.number(), "type": "http", "tls": false,
            "resources": [{ "names": ["client"], "compress": false }],
        }],
        "database": { "name": "sqlite3", "args": { "database": scratch.join("homeserver.db") } },
        "log_config": scratch.join("log.yaml"),
        "media_store_path": scratch.join("media"),
        "signing_key_path": scratch.join("signing.key"),
        "app_service_config_files": plan.appservices,
        // The bytes of a signature nobody checks: without federation the key only has to exist.
        "signing_key": "ed25519 a_test AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        "macaroon_secret_key": "on loopback only",
        "form_secret": "on loopback only",
        "enable_registration": true,
        "enable_registration_without_verification": true,
        "bcrypt_rounds": 4,
        "report_stats": false,
        "trusted_key_servers": [],
        "suppress_key_server_warning": true,
        "federation_domain_whitelist": [],
        "url_preview_enabled": false,
        "presence": { "enabled": false },
    });
    if let (Value::Object(config), Value::Object(limits)) = (&mut config, rate_limits()) {
        config.extend(limits);
    }
    config
}

/// No homeserver limit may shape a test: a limit of ours would look as if it held.
fn rate_limits() -> Value {
    let free = json!({ "per_second": 100_000, "burst_count": 100_000 });
    json!({
        "rc_message": free,
        "rc_registration": free,
        "rc_login": { "address": free, "account": free, "failed_attempts": free },
        "rc_admin_redaction": free,
        "rc_joins": { "local": free, "remote": free },
        "rc_joins_per_room": free,
        "rc_invites": { "per_room": free, "per_user": free, "per_issuer": free },
        "rc_room_creation": free,
        "rc_media_create": free,
        "rc_presence": { "per_user": free },
        "rc_reports": free,
        "rc_user_directory": free,
    })
}

fn log_config() -> Value {
    json!({
        "version": 1,
        "formatters": { "line": { "format": "%(asctime)s %(levelname)s %(name)s %(message)s" } },
        "handlers": { "out": { "class": "logging.StreamHandler", "formatter": "line" } },
        "root": { "level": "INFO", "handlers": ["out"] },
    })
}
