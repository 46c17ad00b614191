//! The configuration that `drawbridge init` writes: complete, commented, ready to start.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};

use mimi_uri::Domain;

/// A commented configuration for a provider.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    domain: Domain,
    /// Where other providers reach us.
    pub(crate) listen: SocketAddr,
    /// Where health and metrics are.
    pub(crate) operator: SocketAddr,
    /// Where the miniature chat network is.
    pub(crate) chat: SocketAddr,
}

impl Template {
    /// The usual one: open to other providers, closed to everybody else.
    pub(crate) fn new(domain: &Domain) -> Self {
        Self {
            domain: domain.clone(),
            listen: (Ipv4Addr::UNSPECIFIED, 8443).into(),
            operator: (Ipv4Addr::LOCALHOST, 9000).into(),
            chat: (Ipv4Addr::LOCALHOST, 7000).into(),
        }
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { domain, listen, operator, chat } = self;
        write!(
            f,
            r#"# Drawbridge, provider {domain}. Paths are relative to this file. `drawbridge check` tells what is wrong with it.

[provider]
# The domain whose users and rooms these are: mimi://{domain}/…
domain = "{domain}"
# Where other providers reach us, over HTTPS with certificates on both sides. They call {domain} at port 443 first;
# forward it here as plain TCP, for TLS ends at us.
listen = "{listen}"
# The same, as others see it: the host in all addresses of our directory, with its port if that is not 443.
public_host = "{domain}"
# Proves to other providers that we are {domain}. They pin the root: give it to them, for `drawbridge peer add`.
root = "keys/provider-root.pem"
certificate = "keys/provider.pem"
key = "keys/provider.key"
# Vouches for our users' MLS clients.
identity_authority = "keys/identity.pem"
identity_key = "keys/identity.key"
# Signs what our hub says in the rooms that it hosts.
hub_certificate = "keys/hub.pem"
hub_key = "keys/hub.key"
# Seals what is in the database. Back it up with the database, and keep it apart from it.
instance_key = "keys/instance.key"

[store]
sqlite = "drawbridge.db"          # or postgres = "postgres://…": see docs/operating/postgresql.md

[operator]
# /health/live, /health/ready, /metrics, and what `drawbridge lane` and `letter` ask; for you, not for the world.
listen = "{operator}"

[consent]
# When somebody elsewhere reaches out to one of our users for the first time: allow, ask or deny.
default = "allow"

# The providers we speak with; nobody else is let in. `drawbridge peer add` writes these.
# [[peer]]
# domain = "b.example"
# roots = "peers/b.example.pem"
# connect = "192.0.2.7:8443"      # instead of asking the name service, for tests and private networks

# The networks behind us. The users of the primary one have the plain names: mimi://{domain}/u/alice
[network.chat]
kind = "loopback"                 # a miniature chat on one port of this machine, to try things out
primary = true
listen = "{chat}"
# groups = "chat.groups"          # a file for conversations of several people; without it there are none

# [network.matrix]
# kind = "matrix"
# primary = true
# homeserver = "http://127.0.0.1:8008"
# server_name = "{domain}"
# listen = "127.0.0.1:9009"       # where the homeserver reaches us; see `drawbridge matrix registration`
# url = "http://127.0.0.1:9009"   # the same, as the homeserver sees it
# tokens = "keys/matrix.toml"

# [network.xmpp]
# kind = "xmpp"
# server = "127.0.0.1:5347"       # where the XMPP server listens for components
# server_name = "{domain}"
# component = "mimi.{domain}"     # the domain that the server routes to us
# secret = "keys/xmpp.secret"
"#
        )
    }
}
