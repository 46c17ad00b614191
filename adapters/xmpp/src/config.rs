use std::fmt;
use std::net::SocketAddr;

use mimi_adapter::naming::Namespace;
use xmpp_parsers::jid::BareJid;

/// How the adapter and its server find and know each other.
#[derive(Clone)]
pub struct XmppConfig {
    /// Where the server listens for components (XEP-0114): `127.0.0.1:5347`.
    pub server: SocketAddr,
    /// The domain of the server's users.
    pub server_name: String,
    /// The component's own domain, below which all puppets live: `mimi.a.example`.
    pub component: String,
    /// The domain of the server's rooms: `conference.a.example`.
    pub conference: String,
    /// The secret by which the server knows us.
    pub secret: String,
    /// Where this network's users live among our hosted users.
    pub namespace: Namespace,
}

impl XmppConfig {
    /// A configuration in which the server's users keep their names ([`Namespace::Primary`]).
    pub fn new(server: SocketAddr, server_name: &str, component: &str, secret: &str) -> Self {
        Self {
            server,
            server_name: server_name.to_owned(),
            component: component.to_owned(),
            conference: format!("conference.{server_name}"),
            secret: secret.to_owned(),
            namespace: Namespace::Primary,
        }
    }

    pub(crate) fn check(&self) -> Result<Checked, InvalidConfig> {
        let server_name = domain(&self.server_name).ok_or(InvalidConfig::ServerName)?;
        let component = domain(&self.component).ok_or(InvalidConfig::Component)?;
        if component == server_name {
            return Err(InvalidConfig::Component);
        }
        let conference = domain(&self.conference).ok_or(InvalidConfig::Conference)?;
        if conference == server_name || conference == component {
            return Err(InvalidConfig::Conference);
        }
        if self.secret.is_empty() {
            return Err(InvalidConfig::Secret);
        }
        Ok(Checked { server_name, component, conference })
    }
}

/// A domain in its one spelling.
fn domain(text: &str) -> Option<BareJid> {
    let jid = BareJid::new(text).ok().filter(|jid| jid.node().is_none())?;
    (jid.as_str() == text).then_some(jid)
}

/// The parts of a configuration that are more than text.
#[derive(Debug, Clone)]
pub(crate) struct Checked {
    pub(crate) server_name: BareJid,
    pub(crate) component: BareJid,
    pub(crate) conference: BareJid,
}

impl fmt::Debug for XmppConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("XmppConfig")
            .field("server", &self.server)
            .field("server_name", &self.server_name)
            .field("component", &self.component)
            .field("conference", &self.conference)
            .field("namespace", &self.namespace)
            .finish_non_exhaustive()
    }
}

/// Why a configuration cannot work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidConfig {
    /// Not a domain.
    #[error("server_name is not a domain, in lower case and without a user")]
    ServerName,
    /// Not a domain of its own.
    #[error("component is not a domain of its own, in lower case; it is not server_name")]
    Component,
    /// Not a domain of its own.
    #[error("conference is not the domain of the server's rooms, in lower case")]
    Conference,
    /// Nothing to prove ourselves with.
    #[error("the secret of the component is empty")]
    Secret,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_that_cannot_work_is_told_why() {
        let check = |server_name, component, secret| {
            XmppConfig::new(([127, 0, 0, 1], 5347).into(), server_name, component, secret).check().err()
        };

        assert_eq!(check("a.example", "mimi.a.example", "s"), None);
        assert_eq!(check("bob@a.example", "mimi.a.example", "s"), Some(InvalidConfig::ServerName));
        assert_eq!(check("A.example", "mimi.a.example", "s"), Some(InvalidConfig::ServerName));
        assert_eq!(check("a.example", "a.example", "s"), Some(InvalidConfig::Component));
        assert_eq!(check("a.example", "mimi.a.example/x", "s"), Some(InvalidConfig::Component));
        assert_eq!(check("a.example", "mimi.a.example", ""), Some(InvalidConfig::Secret));
    }

    #[test]
    fn the_secret_is_not_shown() {
        let config = XmppConfig::new(([127, 0, 0, 1], 1).into(), "a.example", "mimi.a.example", "hush");

        assert!(!format!("{config:?}").contains("hush"));
    }
}
