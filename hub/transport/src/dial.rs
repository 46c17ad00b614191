use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use mimi_uri::Domain;
use rustls::client::Resumption;
use rustls::pki_types::ServerName;
use rustls::sign::SingleCertAndKey;
use rustls::{CertificateError, ClientConfig};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::certificate::{CertificateFault, ProviderCertificate, provider};
use crate::limits::{CONNECT_DEADLINE, HANDSHAKE_DEADLINE};
use crate::network::{Network, Stream, Target};
use crate::peers::KnownPeer;
use crate::serve::{HTTP1, HTTP2};
use crate::transport_fault::TransportFault;

/// Where to call a peer: a host that its directory names, or its own domain.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Destination {
    pub(crate) host: Domain,
    pub(crate) port: u16,
}

/// Calls one peer.
pub(crate) struct Dialer {
    peer: Domain,
    connect: Option<SocketAddr>,
    network: Arc<dyn Network>,
    tls: TlsConnector,
}

impl Dialer {
    /// A dialer that shows our certificate and believes only the roots pinned for this peer.
    pub(crate) fn new(
        network: Arc<dyn Network>,
        identity: &ProviderCertificate,
        peer: &KnownPeer,
    ) -> Result<Self, CertificateFault> {
        let mut config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(|fault| CertificateFault::Key(fault.to_string()))?
            .with_root_certificates(Arc::clone(&peer.roots))
            .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity.certified())));
        config.alpn_protocols = vec![HTTP2.to_vec(), HTTP1.to_vec()];
        config.resumption = Resumption::disabled();
        let tls = TlsConnector::from(Arc::new(config));
        Ok(Self { peer: peer.tls.domain.clone(), connect: peer.tls.connect, network, tls })
    }

    /// Connects to the peer, which proves that it is the host and vouched for by the peer's roots.
    pub(crate) async fn dial(&self, to: &Destination) -> Result<TlsStream<Box<dyn Stream>>, TransportFault> {
        let unreachable = |why: String| TransportFault::Unreachable { peer: self.peer.clone(), why };
        let target = match self.connect {
            Some(address) => Target::Address(address),
            None => Target::Host(to.host.as_str(), to.port),
        };
        let socket = timeout(CONNECT_DEADLINE, self.network.connect(target))
            .await
            .map_err(|_| unreachable(format!("{} does not take the connection", to.host)))?
            .map_err(|fault| unreachable(fault.to_string()))?;
        let name = ServerName::try_from(to.host.as_str().to_owned())
            .map_err(|fault| unreachable(fault.to_string()))?;
        timeout(HANDSHAKE_DEADLINE, self.tls.connect(name, socket))
            .await
            .map_err(|_| unreachable("the TLS handshake takes too long".to_owned()))?
            .map_err(|fault| self.handshake_fault(to, &fault))
    }

    fn handshake_fault(&self, to: &Destination, fault: &io::Error) -> TransportFault {
        let peer = self.peer.clone();
        let inner = fault.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        match inner {
            Some(rustls::Error::InvalidCertificate(why)) => {
                TransportFault::Unproven { peer, why: certificate_text(why, to) }
            }
            Some(rustls::Error::AlertReceived(alert)) => {
                TransportFault::Refused { peer, why: format!("alert {alert:?}") }
            }
            Some(_) | None => TransportFault::Unreachable { peer, why: told(fault) },
        }
    }
}

fn certificate_text(why: &CertificateError, to: &Destination) -> String {
    match why {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "its certificate is not signed by a root that is pinned for it".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!("its certificate does not name {}", to.host)
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "its certificate has expired".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet".to_owned()
        }
        other => other.to_string(),
    }
}

/// An error with all that caused it.
pub(crate) fn told(fault: &dyn Error) -> String {
    let mut text = fault.to_string();
    let mut source = fault.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
