use std::sync::{Arc, Mutex, PoisonError};

use mimi_uri::Domain;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use tokio::time::Instant;

use crate::certificate::{dns_names, is_for_clients, parse, provider};
use crate::limits::PROOF_AGE_MAX;
use crate::peer::Peer;
use crate::peers::{PeerList, Peers};

/// Why a client certificate proves no peer of ours; for the log, never for the other side.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum Unproven {
    #[error("the certificate does not read")]
    Unreadable,
    #[error("the certificate is not for clients")]
    NotForClients,
    #[error("none of the certificate's names is a peer's: {0:?}")]
    NoPeer(Vec<String>),
    #[error("{0}'s pinned roots do not vouch for the certificate: {1}")]
    NotVouchedFor(Domain, Error),
}

impl PeerList {
    /// The domains that a client certificate proves: peers that it names in a dNSName and whose own roots vouch for it.
    ///
    /// Neither the common name nor a wildcard names anybody; roots pinned for one peer prove nothing about another.
    pub(crate) fn prove(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<Vec<Domain>, Unproven> {
        let certificate = parse(leaf).map_err(|_| Unproven::Unreadable)?;
        if !is_for_clients(&certificate) {
            return Err(Unproven::NotForClients);
        }
        let names = dns_names(&certificate);
        let mut proven = Vec::new();
        let mut why = Unproven::NoPeer(names.iter().map(|&name| name.to_owned()).collect());
        for known in self.iter().filter(|known| names.contains(&known.tls.domain.as_str())) {
            match known.clients.verify_client_cert(leaf, intermediates, now) {
                Ok(_) => proven.push(known.tls.domain.clone()),
                Err(fault) => why = Unproven::NotVouchedFor(known.tls.domain.clone(), fault),
            }
        }
        if proven.is_empty() { Err(why) } else { Ok(proven) }
    }
}

/// Demands a client certificate that proves a peer of ours, as the list of peers is at that moment.
#[derive(Debug)]
pub(crate) struct PeerVerifier {
    peers: Peers,
    provider: Arc<CryptoProvider>,
}

impl PeerVerifier {
    pub(crate) fn new(peers: Peers) -> Self {
        Self { peers, provider: provider() }
    }
}

impl ClientCertVerifier for PeerVerifier {
    /// None: they would tell anybody who asks who our peers are.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        match self.peers.now().prove(end_entity, intermediates, now) {
            Ok(_) => Ok(ClientCertVerified::assertion()),
            Err(why) => {
                tracing::info!(%why, "a client certificate is refused");
                // One alert for all reasons (access_denied): a prober learns nothing from it.
                Err(CertificateError::ApplicationVerificationFailure.into())
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// What a connection's certificate proves, followed for as long as the connection lives.
#[derive(Debug)]
pub(crate) struct ConnectionProof {
    peers: Peers,
    chain: Vec<CertificateDer<'static>>,
    last: Mutex<Option<Proven>>,
}

#[derive(Debug)]
struct Proven {
    peers: Arc<PeerList>,
    at: Instant,
    peer: Peer,
}

impl ConnectionProof {
    pub(crate) fn new(peers: Peers, chain: Vec<CertificateDer<'static>>) -> Self {
        Self { peers, chain, last: Mutex::new(None) }
    }

    /// Who is at the other end now: a peer that was removed meanwhile, or whose certificate expired, is nobody.
    pub(crate) fn peer(&self) -> Peer {
        let peers = self.peers.now();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(proven) = &*last
            && Arc::ptr_eq(&proven.peers, &peers)
            && proven.at.elapsed() < PROOF_AGE_MAX
        {
            return proven.peer.clone();
        }
        let domains = match self.chain.split_first() {
            Some((leaf, intermediates)) => {
                peers.prove(leaf, intermediates, UnixTime::now()).unwrap_or_default()
            }
            None => Vec::new(),
        };
        let peer = Peer::new(domains);
        *last = Some(Proven { peers, at: Instant::now(), peer: peer.clone() });
        peer
    }
}
