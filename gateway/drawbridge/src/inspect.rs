//! `drawbridge check`: what is fine, and what is wrong, a line each.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::ExitCode;

use mimi_client::vault::Vault;
use mimi_transport::read_roots;

use crate::config::{Config, Mistake, NetworkConfig, NetworkKind, StoreConfig};
use crate::keys::{self, HubIdentity};
use crate::wiring;
use crate::{cli, networks, serve};

/// What was found out about one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Finding {
    /// It is as it should be.
    Fine(String),
    /// It works, and somebody should know.
    Warning(String),
    /// It will not work.
    Wrong(String),
}

impl From<Mistake> for Finding {
    fn from(mistake: Mistake) -> Self {
        Self::Wrong(mistake.to_string())
    }
}

/// Checks everything that can be checked without starting; fails only if something is wrong.
pub(crate) fn run(path: &Path) -> ExitCode {
    let findings = match Config::load(path) {
        Ok(config) => findings(&config),
        Err(mistakes) => mistakes.iter().cloned().map(Finding::from).collect(),
    };
    for finding in &findings {
        match finding {
            Finding::Fine(what) => cli::say(&format!("fine     {what}")),
            Finding::Warning(what) => cli::say(&format!("warning  {what}")),
            Finding::Wrong(what) => cli::say(&format!("wrong    {what}")),
        }
    }
    let wrong = findings.iter().filter(|finding| matches!(finding, Finding::Wrong(_))).count();
    cli::say(&match wrong {
        0 => format!("{} can be served", path.display()),
        1 => format!("{}: 1 mistake", path.display()),
        more => format!("{}: {more} mistakes", path.display()),
    });
    if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn findings(config: &Config) -> Vec<Finding> {
    let provider = &config.provider;
    let mut found = vec![fine(format!("the configuration of {}", provider.domain))];
    found.push(match wiring::certificate(config) {
        Ok(_) => fine(format!("provider.certificate names {} and goes with its key", provider.domain)),
        Err(mistake) => mistake.into(),
    });
    found.push(root(config));
    found.push(match keys::identity_authority(provider) {
        Ok(_) => fine("provider.identity_authority goes with its key"),
        Err(mistake) => mistake.into(),
    });
    found.push(match HubIdentity::load(provider) {
        Ok(_) => fine("provider.hub_certificate goes with its key"),
        Err(mistake) => mistake.into(),
    });
    found.push(match keys::instance_key(provider).map(|key| Vault::new(&key)) {
        Ok(_) => fine("provider.instance_key"),
        Err(mistake) => mistake.into(),
    });
    found.extend(readable_secrets(config));
    found.extend(config.peers.iter().map(|peer| match wiring::peer(peer) {
        Ok(_) => fine(format!("peer {}: its roots read", peer.domain)),
        Err(mistake) => mistake.into(),
    }));
    if config.peers.is_empty() {
        found.push(warning("no peers: nobody can be reached; see `drawbridge peer add`"));
    }
    found.extend(database(config));
    found.extend(natives(config));
    let warnings = mimi_edge_policy::warnings(&wiring::rules(config.consent));
    found.extend(warnings.into_iter().map(|careless| {
        warning(format!("consent.default: {careless} (everybody at a peer reaches everybody here)"))
    }));
    found.extend(doors(config));
    found.push(match serve::self_test() {
        Ok(()) => fine("the self-test of MLS rooms passes"),
        Err(why) => Finding::Wrong(why),
    });
    found
}

/// Whether the database lets us in, and keeps what it promises.
fn database(config: &Config) -> Vec<Finding> {
    let StoreConfig::Postgres(url) = &config.store else { return vec![] };
    let wrong = |why: &dyn std::fmt::Display| vec![Finding::Wrong(format!("store.postgres: {why}"))];
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(fault) => return wrong(&fault),
    };
    match runtime.block_on(mimi_store_postgres::probe(url)) {
        Ok(probe) => {
            let lost = |setting| {
                format!("store.postgres: {setting} is off there: a crash of its machine loses messages")
            };
            let careless = probe.careless.iter().map(|setting| warning(lost(setting)));
            let mut found = vec![fine(format!("store.postgres: PostgreSQL {} lets us in", probe.version))];
            found.extend(careless);
            found
        }
        Err(fault) => wrong(&fault),
    }
}

/// What peers pin must be what vouches for what we show.
fn root(config: &Config) -> Finding {
    let provider = &config.provider;
    let wrong = |why: &dyn std::fmt::Display| {
        Finding::Wrong(format!(
            "provider.root: {}: {why}; it must be the file that init made",
            provider.root.display()
        ))
    };
    let pem = match keys::read_text(&provider.root, "provider.root") {
        Ok(pem) => pem,
        Err(mistake) => return mistake.into(),
    };
    let roots = match read_roots(pem.as_bytes()) {
        Ok(roots) => roots,
        Err(fault) => return wrong(&fault),
    };
    // What is wrong with the certificate itself is told with its own key.
    let Ok(certificate) = wiring::certificate(config) else { return fine("provider.root reads") };
    let vouches =
        certificate.chain().last().is_some_and(|last| roots.iter().any(|root| is_issued_by(last, root)));
    if vouches {
        fine("provider.root vouches for provider.certificate")
    } else {
        wrong(&"it does not vouch for provider.certificate")
    }
}

fn is_issued_by(certificate: &[u8], root: &[u8]) -> bool {
    let parsed = x509_parser::parse_x509_certificate(certificate);
    let (Ok((_, certificate)), Ok((_, root))) = (parsed, x509_parser::parse_x509_certificate(root)) else {
        return false;
    };
    certificate.issuer().as_raw() == root.subject().as_raw()
        && certificate.verify_signature(Some(root.public_key())).is_ok()
}

/// Secrets that others on this machine can read.
fn readable_secrets(config: &Config) -> Vec<Finding> {
    let provider = &config.provider;
    let mut secrets = vec![
        ("provider.key".to_owned(), &provider.key),
        ("provider.identity_key".to_owned(), &provider.identity_key),
        ("provider.hub_key".to_owned(), &provider.hub_key),
        ("provider.instance_key".to_owned(), &provider.instance_key),
    ];
    for network in &config.networks {
        match &network.kind {
            NetworkKind::Matrix(matrix) => {
                secrets.push((format!("network.{}.tokens", network.name), &matrix.tokens));
            }
            NetworkKind::Xmpp(xmpp) => {
                secrets.push((format!("network.{}.secret", network.name), &xmpp.secret));
            }
            NetworkKind::Loopback { .. } => {}
        }
    }
    let readable = secrets.into_iter().filter(|(_, path)| path.exists() && !keys::is_private(path));
    readable
        .map(|(key, path)| {
            Finding::Wrong(format!("{key}: others can read it; run chmod 600 {}", path.display()))
        })
        .collect()
}

fn natives(config: &Config) -> Vec<Finding> {
    if config.networks.is_empty() {
        return vec![warning("no network: nobody lives here; write a section [network.chat]")];
    }
    match networks::adapters(config) {
        Ok(adapters) => {
            let titles = adapters.iter().map(|(name, adapter)| {
                let manifest = adapter.manifest();
                fine(format!("network.{name}: {}", manifest.title))
            });
            titles.chain(config.networks.iter().filter_map(in_the_clear)).collect()
        }
        Err(mistake) => vec![mistake.into()],
    }
}

/// A connection to an XMPP server has no encryption of its own.
fn in_the_clear(network: &NetworkConfig) -> Option<Finding> {
    let NetworkKind::Xmpp(xmpp) = &network.kind else { return None };
    let far = (!xmpp.server.ip().is_loopback()).then_some(xmpp.server)?;
    Some(warning(format!(
        "network.{}.server: {far} is not this machine, and components speak without encryption; lead it through a \
         tunnel",
        network.name
    )))
}

/// Whether the addresses are free: a provider that runs has them itself, so that is no mistake.
fn doors(config: &Config) -> Vec<Finding> {
    let mut doors = vec![
        ("provider.listen".to_owned(), config.provider.listen),
        ("operator.listen".to_owned(), config.operator_listen),
    ];
    for network in &config.networks {
        let listen = match &network.kind {
            NetworkKind::Loopback { listen, .. } => *listen,
            NetworkKind::Matrix(matrix) => matrix.listen,
            // We go to the server, it does not come to us.
            NetworkKind::Xmpp(_) => continue,
        };
        doors.push((format!("network.{}.listen", network.name), listen));
    }
    doors.iter().enumerate().map(|(at, (key, address))| door(key, *address, &doors[..at])).collect()
}

fn door(key: &str, address: SocketAddr, before: &[(String, SocketAddr)]) -> Finding {
    if let Some((other, _)) = before.iter().find(|(_, taken)| *taken == address) {
        return Finding::Wrong(format!("{key}: {address} is {other}, too; write another address"));
    }
    match TcpListener::bind(address) {
        Ok(_) => fine(format!("{key}: {address} is free")),
        Err(fault) if fault.kind() == std::io::ErrorKind::AddrInUse => {
            warning(format!("{key}: {address} is in use; fine if drawbridge runs already"))
        }
        Err(fault) => {
            Finding::Wrong(format!("{key}: {address} cannot be listened on: {fault}; write another address"))
        }
    }
}

fn fine(what: impl Into<String>) -> Finding {
    Finding::Fine(what.into())
}

fn warning(what: impl Into<String>) -> Finding {
    Finding::Warning(what.into())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use mimi_uri::Domain;

    use super::*;
    use crate::config::Template;
    use crate::init;

    struct Made {
        folder: tempfile::TempDir,
    }

    impl Made {
        fn new() -> Self {
            let made = Self { folder: tempfile::tempdir().unwrap() };
            let domain = Domain::parse("a.example").unwrap();
            init::make(&made.path("drawbridge.toml"), &domain, &Template::new(&domain)).unwrap();
            made
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn wrong(&self) -> Vec<String> {
            let findings = findings(&Config::load(&self.path("drawbridge.toml")).unwrap());
            let wrong = findings.into_iter().filter_map(|finding| match finding {
                Finding::Wrong(what) => Some(what.replace(&self.folder.path().display().to_string(), "")),
                Finding::Fine(_) | Finding::Warning(_) => None,
            });
            wrong.collect()
        }
    }

    #[test]
    fn what_init_made_can_be_served_with_two_warnings() {
        let made = Made::new();

        let findings = findings(&Config::load(&made.path("drawbridge.toml")).unwrap());

        assert_eq!(made.wrong(), [""; 0]);
        assert!(findings.contains(&warning(
            "consent.default: everybody may reach everybody: no rule is set, and the default is allow \
             (everybody at a peer reaches everybody here)"
        )));
        assert!(findings.contains(&warning("no peers: nobody can be reached; see `drawbridge peer add`")));
    }

    #[test]
    fn keys_that_do_not_belong_together_are_told() {
        let (made, other) = (Made::new(), Made::new());
        for name in ["provider.key", "identity.key", "hub.key", "provider-root.pem"] {
            fs::copy(other.path("keys").join(name), made.path("keys").join(name)).unwrap();
        }

        let keys: Vec<String> =
            made.wrong().iter().map(|line| line.split(": ").next().unwrap().to_owned()).collect();

        assert_eq!(keys, ["provider.certificate", "provider.identity_key", "provider.hub_key"]);
    }

    #[test]
    fn a_root_that_does_not_vouch_for_the_certificate_is_told() {
        let (made, other) = (Made::new(), Made::new());
        fs::copy(other.path("keys/provider-root.pem"), made.path("keys/provider-root.pem")).unwrap();

        assert_eq!(
            made.wrong(),
            [
                "provider.root: /keys/provider-root.pem: it does not vouch for provider.certificate; it must be the file \
              that init made"
            ]
        );
    }

    #[test]
    fn a_certificate_of_another_domain_is_told() {
        let made = Made::new();
        let text = fs::read_to_string(made.path("drawbridge.toml")).unwrap();
        fs::write(made.path("drawbridge.toml"), text.replace("\"a.example\"", "\"c.example\"")).unwrap();

        let wrong = made.wrong();

        assert_eq!(wrong.len(), 2, "{wrong:?}");
        assert!(
            wrong[0].starts_with("provider.certificate: the certificate does not name c.example "),
            "{wrong:?}"
        );
        assert!(wrong[1].starts_with("provider.hub_certificate: it does not name c.example; "), "{wrong:?}");
    }

    #[test]
    fn a_secret_that_others_can_read_and_a_file_that_is_not_there_are_told() {
        use std::os::unix::fs::PermissionsExt;
        let made = Made::new();
        fs::set_permissions(made.path("keys/identity.key"), fs::Permissions::from_mode(0o644)).unwrap();
        fs::remove_file(made.path("keys/instance.key")).unwrap();

        let wrong = made.wrong();

        assert_eq!(wrong.len(), 2, "{wrong:?}");
        assert!(
            wrong[0].starts_with("provider.instance_key: /keys/instance.key cannot be read: "),
            "{wrong:?}"
        );
        assert_eq!(wrong[1], "provider.identity_key: others can read it; run chmod 600 /keys/identity.key");
    }

    #[test]
    fn what_is_wrong_with_an_xmpp_network_is_told_with_its_key() {
        let made = Made::new();
        let text = fs::read_to_string(made.path("drawbridge.toml")).unwrap();
        let xmpp = "[network.xmpp]\nkind = \"xmpp\"\nserver = \"192.0.2.7:5347\"\nserver_name = \"a.example\"\n\
                    component = \"mimi.a.example\"\nsecret = \"keys/xmpp.secret\"\n";
        fs::write(made.path("drawbridge.toml"), format!("{text}\n{xmpp}")).unwrap();

        let in_order = findings(&Config::load(&made.path("drawbridge.toml")).unwrap());
        fs::write(made.path("keys/xmpp.secret"), "").unwrap();
        let without_secret = made.wrong();
        fs::write(made.path("keys/xmpp.secret"), "secret\n").unwrap();
        fs::write(made.path("drawbridge.toml"), format!("{text}\n{}", xmpp.replace("mimi.a", "a"))).unwrap();

        assert!(in_order.contains(&fine("network.xmpp: XMPP")));
        assert!(in_order.contains(&warning(
            "network.xmpp.server: 192.0.2.7:5347 is not this machine, and components speak without encryption; lead \
             it through a tunnel"
        )));
        assert_eq!(
            without_secret,
            ["network.xmpp.secret: /keys/xmpp.secret has not exactly one line, the secret"]
        );
        assert_eq!(
            made.wrong(),
            ["network.xmpp: component is not a domain of its own, in lower case; it is not server_name"]
        );
    }

    #[test]
    fn an_address_given_twice_is_told() {
        let made = Made::new();
        let text = fs::read_to_string(made.path("drawbridge.toml")).unwrap();
        fs::write(made.path("drawbridge.toml"), text.replace("127.0.0.1:9000", "127.0.0.1:7000")).unwrap();

        assert_eq!(
            made.wrong(),
            ["network.chat.listen: 127.0.0.1:7000 is operator.listen, too; write another address"]
        );
    }
}
