use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};

use mimi_uri::Domain;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;

use crate::certificate::{CertificateFault, provider};

/// One provider that we peer with: who it is, and what proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerTls {
    /// Its domain.
    pub domain: Domain,
    /// The roots pinned for it; they vouch for this domain and no other.
    pub roots: Vec<CertificateDer<'static>>,
    /// Where it is, instead of where the resolver says.
    pub connect: Option<SocketAddr>,
}

/// All providers that we peer with; none unless named. Clones share one list, which may be replaced at any time.
#[derive(Debug, Clone, Default)]
pub struct Peers(Arc<RwLock<Arc<PeerList>>>);

/// The peers at one moment.
#[derive(Debug, Default)]
pub(crate) struct PeerList {
    peers: Vec<Arc<KnownPeer>>,
}

/// A peer whose roots were read.
#[derive(Debug)]
pub(crate) struct KnownPeer {
    pub(crate) tls: PeerTls,
    /// What its servers are verified against.
    pub(crate) roots: Arc<RootCertStore>,
    /// Verifies chains of its clients against its roots; names are not its business.
    pub(crate) clients: Arc<dyn ClientCertVerifier>,
}

impl Peers {
    /// These peers.
    pub fn new(peers: Vec<PeerTls>) -> Result<Self, CertificateFault> {
        let list = Self::default();
        list.replace(peers)?;
        Ok(list)
    }

    /// These peers from now on, on connections that are open, too; all of them, or none if one cannot be used.
    ///
    /// Connections to peers that stay as they were are kept.
    pub fn replace(&self, peers: Vec<PeerTls>) -> Result<(), CertificateFault> {
        let before = self.now();
        let known = peers.into_iter().map(|tls| match before.find(&tls.domain) {
            Some(known) if known.tls == tls => Ok(known),
            Some(_) | None => KnownPeer::new(tls).map(Arc::new),
        });
        let list = PeerList { peers: known.collect::<Result<_, _>>()? };
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(list);
        Ok(())
    }

    /// The domains of all peers.
    pub fn domains(&self) -> Vec<Domain> {
        self.now().iter().map(|known| known.tls.domain.clone()).collect()
    }

    pub(crate) fn now(&self) -> Arc<PeerList> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl PeerList {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<KnownPeer>> {
        self.peers.iter()
    }

    pub(crate) fn find(&self, domain: &Domain) -> Option<Arc<KnownPeer>> {
        self.iter().find(|known| known.tls.domain == *domain).cloned()
    }
}

impl KnownPeer {
    fn new(tls: PeerTls) -> Result<Self, CertificateFault> {
        let mut roots = RootCertStore::empty();
        for root in &tls.roots {
            roots.add(root.clone()).map_err(|fault| CertificateFault::Malformed(fault.to_string()))?;
        }
        if roots.is_empty() {
            return Err(CertificateFault::NoCertificate);
        }
        let roots = Arc::new(roots);
        let clients = WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), provider())
            .build()
            .map_err(|fault| CertificateFault::Malformed(fault.to_string()))?;
        Ok(Self { tls, roots, clients })
    }
}
