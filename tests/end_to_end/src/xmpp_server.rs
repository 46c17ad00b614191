use std::path::{Path, PathBuf};

use serde_json::json;

use crate::{Launch, Port, Process, Scratch};

/// Which server it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XmppSoftware {
    /// Prosody, on plain files.
    Prosody,
    /// ejabberd, on Mnesia.
    Ejabberd,
}

/// The secret of the component: there is nothing to steal on loopback.
const SECRET: &str = "component secret";

/// A private XMPP server with a place for one component and with conferences, on ports and in a directory of its own;
/// without other servers to speak with.
#[derive(Debug)]
pub struct XmppServer {
    domain: String,
    // Dropped in this order: the program, then what it stands on.
    process: Process,
    clients: Port,
    components: Port,
    scratch: Scratch,
}

impl XmppServer {
    /// Starts one for the users of `domain` and waits until it answers.
    #[track_caller]
    pub fn start(software: XmppSoftware, domain: &str) -> Self {
        Self::start_on(Port::claim(), software, domain)
    }

    /// Starts one whose port for components was claimed before, for those who had to write it down first.
    #[track_caller]
    pub fn start_on(components: Port, software: XmppSoftware, domain: &str) -> Self {
        let (clients, scratch) = (Port::claim(), Scratch::new(domain));
        let launch = match software {
            XmppSoftware::Prosody => prosody(&scratch, domain, &clients, &components),
            XmppSoftware::Ejabberd => ejabberd(&scratch, domain, &clients, &components),
        };
        let process = Process::start("xmpp", launch);
        let mut server = Self { domain: domain.to_owned(), process, clients, components, scratch };
        server.wait_until_answering();
        server
    }

    /// The domain of its users.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The domain of the component.
    pub fn component(&self) -> String {
        component_of(&self.domain)
    }

    /// The secret of the component.
    pub fn secret(&self) -> &'static str {
        SECRET
    }

    /// A file with the secret of the component, for an operator's configuration.
    #[track_caller]
    pub fn secret_file(&self) -> PathBuf {
        self.scratch.write("component.secret", SECRET)
    }

    /// Where components connect.
    pub fn components(&self) -> &Port {
        &self.components
    }

    /// Where people connect.
    pub fn clients(&self) -> &Port {
        &self.clients
    }

    /// Stops it in peace, and starts it again.
    #[track_caller]
    pub fn restart(&mut self) {
        self.stop();
        self.start_again();
    }

    /// Stops it in peace.
    #[track_caller]
    pub fn stop(&mut self) {
        self.process.stop();
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it after it was stopped.
    #[track_caller]
    pub fn start_again(&mut self) {
        self.process.start_again();
        self.wait_until_answering();
    }

    #[track_caller]
    fn wait_until_answering(&mut self) {
        self.process.wait_until_answering(&self.clients);
        self.process.wait_until_answering(&self.components);
    }
}

/// The component of the server of `domain`.
pub(crate) fn component_of(domain: &str) -> String {
    format!("mimi.{domain}")
}

fn prosody(scratch: &Scratch, domain: &str, clients: &Port, components: &Port) -> Launch {
    let (path, component) = (scratch.path().display(), component_of(domain));
    let (clients, components) = (clients.number(), components.number());
    let config = format!(
        r#"run_as_root = true
pidfile = "{path}/prosody.pid"
data_path = "{path}/data"
log = {{ info = "*console" }}
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {clients} }}
c2s_direct_tls_ports = {{}}
component_interfaces = {{ "127.0.0.1" }}
component_ports = {{ {components} }}
modules_enabled = {{ "roster", "saslauth", "disco", "ping", "register", "smacks" }}
modules_disabled = {{ "s2s" }}
allow_registration = true
allow_unencrypted_plain_auth = true
c2s_require_encryption = false
authentication = "internal_plain"
storage = "internal"
limits = {{}}
VirtualHost "{domain}"
Component "conference.{domain}" "muc"
  modules_enabled = {{ "muc_mam" }}
  restrict_room_creation = false
Component "{component}"
  component_secret = "{SECRET}"
"#
    );
    let config = scratch.write("prosody.cfg.lua", &config);
    // Never `prosody --version`: that starts a server, too.
    Launch::new("prosody", scratch.path()).arg("-F").arg("--config").arg(config)
}

/// ejabberd without its control script, thus without a node name: so it needs no Erlang port mapper, which would listen
/// to the whole network.
fn ejabberd(scratch: &Scratch, domain: &str, clients: &Port, components: &Port) -> Launch {
    let mut hosts = serde_json::Map::new();
    hosts.insert(component_of(domain), json!({ "password": SECRET }));
    let config = json!({
        "hosts": [domain],
        "loglevel": "info",
        "listen": [
            { "port": clients.number(), "ip": "127.0.0.1", "module": "ejabberd_c2s", "starttls": false },
            { "port": components.number(), "ip": "127.0.0.1", "module": "ejabberd_service", "hosts": hosts },
        ],
        "auth_method": ["internal"],
        "registration_timeout": "infinity",
        "modules": {
            "mod_disco": {},
            "mod_roster": {},
            "mod_offline": {},
            "mod_ping": {},
            "mod_stream_mgmt": {},
            "mod_register": { "ip_access": "all" },
            "mod_mam": { "db_type": "mnesia", "default": "always" },
            "mod_muc": {
                "host": format!("conference.{domain}"), "access": "all", "access_create": "all",
                "access_mam": "all", "default_room_options": { "mam": true },
            },
        },
    });
    // YAML reads JSON.
    let config = scratch.write("ejabberd.yml", &config.to_string());
    let path = scratch.path().display();
    Launch::new("erl", scratch.path())
        .env("EJABBERD_CONFIG_PATH", &config)
        .env("EJABBERD_LOG_PATH", scratch.join("ejabberd.log"))
        .env("ERL_LIBS", erlang_libraries())
        .args(["-noinput", "-mnesia", "dir"])
        .arg(format!("\"{path}/mnesia\""))
        .args(["-s", "ejabberd"])
}

/// Where Debian puts Erlang libraries besides Erlang's own: below the machine's kind.
fn erlang_libraries() -> String {
    let kind = format!("/usr/lib/{}-linux-gnu", std::env::consts::ARCH);
    if Path::new(&kind).exists() { kind } else { "/usr/lib".to_owned() }
}
