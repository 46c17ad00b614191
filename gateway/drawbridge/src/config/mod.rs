//! The configuration: one TOML file, read strictly, with paths relative to it.

mod reader;
mod template;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use mimi_uri::Domain;
use mimi_wire::Authority;

pub(crate) use reader::{Mistake, Mistakes, Section};
pub(crate) use template::Template;

/// Everything that `drawbridge.toml` says.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// Who we are to other providers.
    pub(crate) provider: ProviderConfig,
    /// Where everything is remembered.
    pub(crate) store: StoreConfig,
    /// Health and metrics.
    pub(crate) operator_listen: SocketAddr,
    /// What strangers may do.
    pub(crate) consent: ConsentDefault,
    /// The providers we speak with.
    pub(crate) peers: Vec<PeerConfig>,
    /// The native networks.
    pub(crate) networks: Vec<NetworkConfig>,
}

/// Who we are to other providers.
#[derive(Debug, Clone)]
pub(crate) struct ProviderConfig {
    pub(crate) domain: Domain,
    pub(crate) listen: SocketAddr,
    /// The host that our directory names, with a port if it is not 443.
    pub(crate) public_host: Authority,
    /// The root that other providers pin; never sent, so here only to be checked and shown.
    pub(crate) root: PathBuf,
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    pub(crate) identity_authority: PathBuf,
    pub(crate) identity_key: PathBuf,
    pub(crate) hub_certificate: PathBuf,
    pub(crate) hub_key: PathBuf,
    pub(crate) instance_key: PathBuf,
}

/// What happens when somebody reaches out to one of our users for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConsentDefault {
    Allow,
    Ask,
    Deny,
}

/// Where everything is remembered.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum StoreConfig {
    /// In a file.
    Sqlite(PathBuf),
    /// In the `PostgreSQL` database of this URL.
    Postgres(String),
}

impl std::fmt::Debug for StoreConfig {
    /// A URL may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => f.debug_tuple("Sqlite").field(path).finish(),
            Self::Postgres(_) => f.debug_tuple("Postgres").finish_non_exhaustive(),
        }
    }
}

/// A provider we speak with.
#[derive(Debug, Clone)]
pub(crate) struct PeerConfig {
    pub(crate) domain: Domain,
    pub(crate) roots: PathBuf,
    /// Where to connect instead of asking the name service; for tests and private networks.
    pub(crate) connect: Option<SocketAddr>,
}

/// A native network.
#[derive(Debug, Clone)]
pub(crate) struct NetworkConfig {
    pub(crate) name: String,
    pub(crate) primary: bool,
    pub(crate) kind: NetworkKind,
}

/// What a network speaks, and what its adapter needs to know.
#[derive(Debug, Clone)]
pub(crate) enum NetworkKind {
    Loopback {
        listen: SocketAddr,
        /// Where it keeps conversations of several people, if it has them.
        groups: Option<PathBuf>,
    },
    Matrix(Box<MatrixNetwork>),
    Xmpp(Box<XmppNetwork>),
}

/// A Matrix homeserver.
#[derive(Debug, Clone)]
pub(crate) struct MatrixNetwork {
    pub(crate) homeserver: String,
    pub(crate) server_name: String,
    pub(crate) listen: SocketAddr,
    /// Where the homeserver reaches us, if not where we listen.
    pub(crate) url: Option<String>,
    pub(crate) tokens: PathBuf,
}

/// An XMPP server.
#[derive(Debug, Clone)]
pub(crate) struct XmppNetwork {
    /// Where it listens for components.
    pub(crate) server: SocketAddr,
    pub(crate) server_name: String,
    /// The domain of ours that it routes to us.
    pub(crate) component: String,
    /// The domain of the server's rooms, if that is not the usual one.
    pub(crate) conference: Option<String>,
    pub(crate) secret: PathBuf,
}

impl Config {
    /// Reads and checks a configuration file.
    pub(crate) fn load(path: &Path) -> Result<Self, Mistakes> {
        let text = std::fs::read_to_string(path).map_err(|fault| Mistake {
            key: path.display().to_string(),
            text: format!("it cannot be read: {fault}; `drawbridge init <domain>` makes one"),
        })?;
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        Self::read(&Section::parse(&text)?, &folder)
    }

    /// Reads every section, so that all that are wrong are told at once.
    pub(crate) fn read(file: &Section, folder: &Path) -> Result<Self, Mistakes> {
        let mut wrong = Mistakes::default();
        wrong.note(file.only(&["provider", "store", "operator", "consent", "peer", "network"]));
        let provider = wrong.note(read_provider(file, folder));
        let store = wrong.note(read_store(file, folder));
        let operator_listen = wrong.note(read_operator(file));
        let consent = wrong.note(read_consent(file));
        let peers = wrong.note(read_peers(file, folder));
        let networks = wrong.note(read_networks(file, folder));
        match (provider, store, operator_listen, consent, peers, networks) {
            (
                Some(provider),
                Some(store),
                Some(operator_listen),
                Some(consent),
                Some(peers),
                Some(networks),
            ) if wrong.is_empty() => Ok(Self { provider, store, operator_listen, consent, peers, networks }),
            _ => Err(wrong),
        }
    }
}

fn read_store(file: &Section, folder: &Path) -> Result<StoreConfig, Mistake> {
    let store = file.required_section("store")?;
    store.only(&["sqlite", "postgres"])?;
    match store.text("postgres")? {
        None => Ok(StoreConfig::Sqlite(folder.join(store.required_text("sqlite", "drawbridge.db")?))),
        Some(_) if store.text("sqlite")?.is_some() => {
            Err(store.mistake("sqlite", "it is there beside store.postgres; keep one of them"))
        }
        Some(url) => Ok(StoreConfig::Postgres(url)),
    }
}

fn read_operator(file: &Section) -> Result<SocketAddr, Mistake> {
    let operator = file.required_section("operator")?;
    operator.only(&["listen"])?;
    operator.required("listen", "127.0.0.1:9000")
}

fn read_provider(file: &Section, folder: &Path) -> Result<ProviderConfig, Mistake> {
    let section = file.required_section("provider")?;
    section.only(&[
        "domain",
        "listen",
        "public_host",
        "root",
        "certificate",
        "key",
        "identity_authority",
        "identity_key",
        "hub_certificate",
        "hub_key",
        "instance_key",
    ])?;
    let domain: Domain = section.required("domain", "a.example")?;
    let public_host = read_public_host(&section, &domain)?;
    let file = |key: &str, name: &str| Ok(folder.join(section.required_text(key, &format!("keys/{name}"))?));
    Ok(ProviderConfig {
        listen: section.required("listen", "0.0.0.0:8443")?,
        public_host,
        root: file("root", "provider-root.pem")?,
        certificate: file("certificate", "provider.pem")?,
        key: file("key", "provider.key")?,
        identity_authority: file("identity_authority", "identity.pem")?,
        identity_key: file("identity_key", "identity.key")?,
        hub_certificate: file("hub_certificate", "hub.pem")?,
        hub_key: file("hub_key", "hub.key")?,
        instance_key: file("instance_key", "instance.key")?,
        domain,
    })
}

/// Peers follow our directory to our own domain and what is below it, nowhere else.
fn read_public_host(section: &Section, domain: &Domain) -> Result<Authority, Mistake> {
    let text = section.text("public_host")?.unwrap_or_else(|| domain.to_string());
    let host = Authority::parse(&text)
        .filter(|public| public.host == *domain || public.host.as_str().ends_with(&format!(".{domain}")));
    let wrong = || format!("\"{text}\" is not {domain} or a host below it; write public_host = \"{domain}\"");
    host.ok_or_else(|| section.mistake("public_host", wrong()))
}

fn read_consent(file: &Section) -> Result<ConsentDefault, Mistake> {
    let Some(section) = file.section("consent")? else { return Ok(ConsentDefault::Allow) };
    section.only(&["default"])?;
    match section.required_text("default", "allow")?.as_str() {
        "allow" => Ok(ConsentDefault::Allow),
        "ask" => Ok(ConsentDefault::Ask),
        "deny" => Ok(ConsentDefault::Deny),
        other => {
            Err(section.mistake("default", format!("\"{other}\" is not a rule; write allow, ask or deny")))
        }
    }
}

fn read_peers(file: &Section, folder: &Path) -> Result<Vec<PeerConfig>, Mistake> {
    let mut peers: Vec<PeerConfig> = Vec::new();
    for section in file.sections("peer")? {
        section.only(&["domain", "roots", "connect"])?;
        let domain: Domain = section.required("domain", "b.example")?;
        if peers.iter().any(|peer| peer.domain == domain) {
            return Err(section.mistake("domain", format!("{domain} is listed twice; keep one of them")));
        }
        peers.push(PeerConfig {
            roots: folder.join(section.required_text("roots", "peers/b.example.pem")?),
            connect: section.parsed("connect", "192.0.2.7:8443")?,
            domain,
        });
    }
    Ok(peers)
}

fn read_networks(file: &Section, folder: &Path) -> Result<Vec<NetworkConfig>, Mistake> {
    let Some(section) = file.section("network")? else { return Ok(vec![]) };
    let mut networks = Vec::new();
    for name in section.names() {
        let network = section.required_section(&name)?;
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()) {
            return Err(
                section.mistake(&name, "the name of a network has lower-case letters and digits only")
            );
        }
        let primary = network.flag("primary")?.unwrap_or(false);
        networks.push(NetworkConfig { kind: read_network(&network, folder)?, name, primary });
    }
    if networks.iter().filter(|network| network.primary).count() > 1 {
        return Err(Mistake {
            key: "network".to_owned(),
            text: "two networks are primary; only one can give its users the plain names".to_owned(),
        });
    }
    Ok(networks)
}

fn read_network(section: &Section, folder: &Path) -> Result<NetworkKind, Mistake> {
    match section.required_text("kind", "matrix")?.as_str() {
        "loopback" => {
            section.only(&["kind", "primary", "listen", "groups"])?;
            let listen: SocketAddr = section.required("listen", "127.0.0.1:7000")?;
            if !listen.ip().is_loopback() {
                return Err(
                    section.mistake("listen", "this network has no passwords; it must listen on 127.0.0.1")
                );
            }
            let groups = section.text("groups")?.map(|file| folder.join(file));
            Ok(NetworkKind::Loopback { listen, groups })
        }
        "matrix" => {
            section.only(&["kind", "primary", "homeserver", "server_name", "listen", "url", "tokens"])?;
            let listen: SocketAddr = section.required("listen", "127.0.0.1:9009")?;
            Ok(NetworkKind::Matrix(Box::new(MatrixNetwork {
                homeserver: section.required_text("homeserver", "http://127.0.0.1:8008")?,
                server_name: section.required_text("server_name", "a.example")?,
                url: section.text("url")?,
                tokens: folder.join(section.required_text("tokens", "keys/matrix.toml")?),
                listen,
            })))
        }
        "xmpp" => {
            section.only(&[
                "kind",
                "primary",
                "server",
                "server_name",
                "component",
                "conference",
                "secret",
            ])?;
            Ok(NetworkKind::Xmpp(Box::new(XmppNetwork {
                server: section.required("server", "127.0.0.1:5347")?,
                server_name: section.required_text("server_name", "a.example")?,
                component: section.required_text("component", "mimi.a.example")?,
                conference: section.text("conference")?,
                secret: folder.join(section.required_text("secret", "keys/xmpp.secret")?),
            })))
        }
        other => {
            let text = format!("\"{other}\" is not a network; write loopback, matrix or xmpp");
            Err(section.mistake("kind", text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, String> {
        Config::read(&Section::parse(text).unwrap(), Path::new("/etc/drawbridge"))
            .map_err(|mistakes| mistakes.to_string())
    }

    fn template() -> String {
        Template::new(&Domain::parse("a.example").unwrap()).to_string()
    }

    #[test]
    fn the_template_that_init_writes_is_a_configuration() {
        let config = read(&template()).unwrap();

        assert_eq!(config.provider.domain.as_str(), "a.example");
        assert_eq!(config.store, StoreConfig::Sqlite("/etc/drawbridge/drawbridge.db".into()));
        assert_eq!(config.networks[0].name, "chat");
        assert!(config.networks[0].primary);
    }

    #[test]
    fn mistakes_are_told_in_one_line() {
        let cases = [
            (
                "domain = \"a.example\"",
                "domain = \"A.example\"",
                "provider.domain: \"A.example\" does not do: a domain is written in lower-case A-labels, without port \
                 or trailing dot; write domain = \"a.example\"",
            ),
            (
                "public_host = \"a.example\"",
                "public_host = \"https://a.example\"",
                "provider.public_host: \"https://a.example\" is not a.example or a host below it; write public_host = \
                 \"a.example\"",
            ),
            (
                "default = \"allow\"",
                "default = \"maybe\"",
                "consent.default: \"maybe\" is not a rule; write allow, ask or deny",
            ),
            (
                "kind = \"loopback\"",
                "kind = \"carrier-pigeon\"",
                "network.chat.kind: \"carrier-pigeon\" is not a network; write loopback, matrix or xmpp",
            ),
            (
                "listen = \"127.0.0.1:7000\"",
                "listen = \"0.0.0.0:7000\"",
                "network.chat.listen: this network has no passwords; it must listen on 127.0.0.1",
            ),
            (
                "sqlite = \"drawbridge.db\"",
                "",
                "store.sqlite: it is missing; write sqlite = \"drawbridge.db\"",
            ),
        ];

        for (right, wrong, told) in cases {
            let text = template().replacen(right, wrong, 1);
            assert_eq!(read(&text).unwrap_err(), told);
        }
    }

    #[test]
    fn all_sections_that_are_wrong_are_told_at_once() {
        let text = template().replacen("[store]", "[stores]", 1).replacen("\"allow\"", "\"maybe\"", 1);

        assert_eq!(
            read(&text).unwrap_err(),
            "stores: there is no such key; here can be: provider, store, operator, consent, peer, network\n\
             store: it is missing: write a section [store]\n\
             consent.default: \"maybe\" is not a rule; write allow, ask or deny"
        );
    }

    #[test]
    fn what_is_missing_of_an_xmpp_server_is_told() {
        let whole = "[network.xmpp]\nkind = \"xmpp\"\nserver = \"127.0.0.1:5347\"\nserver_name = \"a.example\"\n\
                     component = \"mimi.a.example\"\nsecret = \"keys/xmpp.secret\"\n";
        let told = |line: &str| read(&format!("{}\n{}", template(), whole.replacen(line, "", 1))).err();

        assert_eq!(told("no such line"), None);
        assert_eq!(
            told("server = \"127.0.0.1:5347\"\n").as_deref(),
            Some("network.xmpp.server: it is missing; write server = \"127.0.0.1:5347\"")
        );
        assert_eq!(
            told("component = \"mimi.a.example\"\n").as_deref(),
            Some("network.xmpp.component: it is missing; write component = \"mimi.a.example\"")
        );
    }

    #[test]
    fn a_store_is_a_file_or_a_database_and_not_both() {
        let with = |store: &str| read(&template().replacen("sqlite = \"drawbridge.db\"", store, 1));
        let url = "postgres = \"postgres://localhost/drawbridge\"";

        let database = with(url).unwrap().store;
        let both = with(&format!("{url}\nsqlite = \"drawbridge.db\"")).unwrap_err();

        assert_eq!(database, StoreConfig::Postgres("postgres://localhost/drawbridge".into()));
        assert_eq!(both, "store.sqlite: it is there beside store.postgres; keep one of them");
    }

    #[test]
    fn a_peer_listed_twice_is_refused() {
        let peer = "[[peer]]\ndomain = \"b.example\"\nroots = \"b.pem\"\n";

        let mistake = read(&format!("{}\n{peer}{peer}", template())).unwrap_err();

        assert_eq!(mistake, "peer[1].domain: b.example is listed twice; keep one of them");
    }
}
