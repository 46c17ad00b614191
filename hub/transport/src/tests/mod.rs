//! Real sockets on the loopback address, real certificates.

mod calls;
mod certificates;
mod forwarder;
mod serving;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use http::{Request, StatusCode};
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use mimi_uri::Domain;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair,
};
use rustls::pki_types::ServerName;
use rustls::sign::SingleCertAndKey;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::certificate::provider;
use crate::{CertificateFault, PeerTls, Peers, ProviderCertificate, serve};

fn domain(text: &str) -> Domain {
    Domain::parse(text).unwrap()
}

/// A certificate authority of which everything is known.
struct Ca {
    certificate: rcgen::Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Ca {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name = named(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { certificate, issuer: Issuer::new(params, key) }
    }

    /// A good certificate for a domain.
    fn issue(&self, name: &str) -> ProviderCertificate {
        self.issue_as(name, |_| ())
    }

    /// A certificate that is good but for one thing.
    fn issue_as(&self, name: &str, spoil: impl FnOnce(&mut CertificateParams)) -> ProviderCertificate {
        let key = KeyPair::generate().unwrap();
        let chain = leaf(name, spoil).signed_by(&key, &self.issuer).unwrap().pem();
        ProviderCertificate::from_pem(chain.as_bytes(), key.serialize_pem().as_bytes()).unwrap()
    }

    /// A peer that this authority vouches for.
    fn peer(&self, name: &str, connect: Option<SocketAddr>) -> PeerTls {
        PeerTls { domain: domain(name), roots: vec![self.certificate.der().clone()], connect }
    }
}

fn named(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}

fn leaf(name: &str, spoil: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    params.distinguished_name = named(name);
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    spoil(&mut params);
    params
}

/// A server that runs until it is stopped.
struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<Infallible>,
    ended: JoinHandle<Result<(), CertificateFault>>,
}

impl Running {
    async fn start(identity: ProviderCertificate, peers: Peers, router: Router) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), identity, peers, router).await
    }

    async fn start_at(
        address: SocketAddr,
        identity: ProviderCertificate,
        peers: Peers,
        router: Router,
    ) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let stopped = async move { drop(stopped.await) };
        let ended = tokio::spawn(serve(listener, identity, peers, router, stopped));
        Self { address, stop, ended }
    }

    async fn stop(self) {
        drop(self.stop);
        self.ended.await.unwrap().unwrap();
    }
}

/// A client of `hub.example` that is not ours, over HTTP/1.1 unless it offers something else.
struct Stranger {
    config: ClientConfig,
}

impl Stranger {
    fn new(hub: &Ca, certificate: Option<&ProviderCertificate>) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(hub.certificate.der().clone()).unwrap();
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let config = match certificate {
            Some(certificate) => {
                config.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(certificate.certified())))
            }
            None => config.with_no_client_auth(),
        };
        Self { config }
    }

    /// A connection to send requests over.
    async fn connect(
        self,
        address: SocketAddr,
    ) -> Result<hyper::client::conn::http1::SendRequest<Empty<Bytes>>, String> {
        let socket = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from("hub.example").unwrap();
        let connector = tokio_rustls::TlsConnector::from(Arc::new(self.config));
        let stream = connector.connect(name, socket).await.map_err(|fault| fault.to_string())?;
        let (sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|f| f.to_string())?;
        tokio::spawn(connection);
        Ok(sender)
    }

    /// The status of an answer to a request, if there is an answer.
    async fn status(self, address: SocketAddr) -> Result<StatusCode, String> {
        let mut sender = self.connect(address).await?;
        let answer = sender.send_request(Request::new(Empty::new())).await;
        answer.map(|answer| answer.status()).map_err(|fault| fault.to_string())
    }
}
