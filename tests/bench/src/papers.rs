//! What the two providers of a run prove themselves with: certificates and keys for mutual TLS, in PEM files.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mimi_transport::{PeerTls, PeeringAuthority, Peers, ProviderCertificate, read_roots};
use mimi_uri::Domain;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use crate::fault::Outcome;

/// The provider whose server is measured.
pub(crate) const HUB: &str = "a.example";

/// The provider that sends, and is notified.
pub(crate) const FOLLOWER: &str = "b.example";

/// How the hub says that it is that provider.
pub(crate) const FROM_HUB: &str = "mimi@a.example";

/// How it says that it is that provider (PM3, PM4).
pub(crate) const FROM_FOLLOWER: &str = "mimi@b.example";

/// HTTP/2 and nothing else, as between providers.
const ALPN: &[u8] = b"h2";

/// The directory with the papers of both.
#[derive(Debug, Clone)]
pub(crate) struct Papers(PathBuf);

impl Papers {
    /// The papers in a directory.
    pub(crate) fn at(directory: &Path) -> Self {
        Self(directory.to_owned())
    }

    /// Makes papers for both, as at peering.
    pub(crate) fn issue(&self) -> Outcome<()> {
        for name in [HUB, FOLLOWER] {
            let papers = PeeringAuthority::generate(&Domain::parse(name)?)?;
            fs::write(self.root_file(name), papers.root)?;
            fs::write(self.chain_file(name), papers.chain)?;
            fs::write(self.key_file(name), papers.key)?;
        }
        Ok(())
    }

    /// What the product proves itself with.
    pub(crate) fn certificate(&self, domain: &str) -> Outcome<ProviderCertificate> {
        Ok(ProviderCertificate::read(&self.chain_file(domain), &self.key_file(domain))?)
    }

    /// A provider as a peer of the product, at a port of this machine.
    pub(crate) fn peer(&self, domain: &str, port: Option<u16>) -> Outcome<Peers> {
        let connect = port.map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        let roots = read_roots(&fs::read(self.root_file(domain))?)?;
        Ok(Peers::new(vec![PeerTls { domain: Domain::parse(domain)?, roots, connect }])?)
    }

    /// Mutual TLS as the server of `domain`, for `peer` alone.
    pub(crate) fn server(&self, domain: &str, peer: &str) -> Outcome<Arc<ServerConfig>> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier =
            WebPkiClientVerifier::builder_with_provider(self.roots(peer)?, Arc::clone(&provider)).build()?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])?
            .with_client_cert_verifier(verifier)
            .with_single_cert(self.chain(domain)?, self.key(domain)?)?;
        config.alpn_protocols = vec![ALPN.to_vec()];
        Ok(Arc::new(config))
    }

    /// Mutual TLS as a client of `domain`, towards `peer` alone.
    pub(crate) fn client(&self, domain: &str, peer: &str) -> Outcome<Arc<ClientConfig>> {
        let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&TLS13])?
            .with_root_certificates(self.roots(peer)?)
            .with_client_auth_cert(self.chain(domain)?, self.key(domain)?)?;
        config.alpn_protocols = vec![ALPN.to_vec()];
        Ok(Arc::new(config))
    }

    /// The file of a provider's root certificate.
    fn root_file(&self, domain: &str) -> PathBuf {
        self.0.join(format!("{domain}.root.pem"))
    }

    /// The file of a provider's certificate chain.
    fn chain_file(&self, domain: &str) -> PathBuf {
        self.0.join(format!("{domain}.chain.pem"))
    }

    /// The file of a provider's private key.
    fn key_file(&self, domain: &str) -> PathBuf {
        self.0.join(format!("{domain}.key.pem"))
    }

    fn roots(&self, domain: &str) -> Outcome<Arc<RootCertStore>> {
        let mut roots = RootCertStore::empty();
        for root in CertificateDer::pem_file_iter(self.root_file(domain))? {
            roots.add(root?)?;
        }
        Ok(Arc::new(roots))
    }

    fn chain(&self, domain: &str) -> Outcome<Vec<CertificateDer<'static>>> {
        Ok(CertificateDer::pem_file_iter(self.chain_file(domain))?.collect::<Result<_, _>>()?)
    }

    fn key(&self, domain: &str) -> Outcome<PrivateKeyDer<'static>> {
        Ok(PrivateKeyDer::from_pem_file(self.key_file(domain))?)
    }
}
