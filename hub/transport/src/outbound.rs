use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, FROM};
use http::uri::Scheme;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use mimi_uri::Domain;
use mimi_wire::limits::DIRECTORY_LENGTH_MAX;
use mimi_wire::{Authority, DIRECTORY_PATH, Directory, Endpoint, Link as Address};
use tokio::time::{Instant, timeout};

use crate::answer::{Answer, retry_after};
use crate::certificate::{CertificateFault, ProviderCertificate};
use crate::dial::{Destination, Dialer};
use crate::directory_cache::DirectoryCache;
use crate::limits::{ANSWER_DEADLINE, HOSTS_MAX};
use crate::link::Link;
use crate::network::{Network, Tcp};
use crate::peers::{KnownPeer, Peers};
use crate::transport_fault::TransportFault;

/// The way to other providers. Clones share their connections.
#[derive(Clone)]
pub struct Outbound(Arc<Inner>);

struct Inner {
    network: Arc<dyn Network>,
    identity: ProviderCertificate,
    own_domain: Domain,
    from: HeaderValue,
    peers: Peers,
    links: Mutex<HashMap<Domain, Arc<PeerLinks>>>,
}

/// All that we keep of one peer, for as long as it is the same peer.
struct PeerLinks {
    peer: Arc<KnownPeer>,
    dialer: Arc<Dialer>,
    directory: tokio::sync::Mutex<DirectoryCache>,
    links: Mutex<HashMap<Destination, Arc<Link>>>,
}

impl Outbound {
    /// The way to these peers for a provider, whose certificate must be its own and valid now.
    pub fn new(
        identity: &ProviderCertificate,
        own_domain: Domain,
        peers: Peers,
    ) -> Result<Self, CertificateFault> {
        Self::through(Arc::new(Tcp), identity, own_domain, peers)
    }

    /// The same, through another network than TCP.
    pub fn through(
        network: Arc<dyn Network>,
        identity: &ProviderCertificate,
        own_domain: Domain,
        peers: Peers,
    ) -> Result<Self, CertificateFault> {
        identity.check(&own_domain, SystemTime::now())?;
        let from = HeaderValue::from_str(&format!("mimi@{own_domain}"))
            .map_err(|fault| CertificateFault::Malformed(fault.to_string()))?;
        let identity = identity.clone();
        Ok(Self(Arc::new(Inner { network, identity, own_domain, from, peers, links: Mutex::default() })))
    }

    /// Posts a body to a peer's endpoint; `value` is what the last segment of its path names.
    pub async fn send(
        &self,
        peer: &Domain,
        endpoint: Endpoint,
        value: &str,
        body: Bytes,
    ) -> Result<Answer, TransportFault> {
        let call = Call { endpoint, method: Method::POST, value, body };
        self.within_deadline(peer, call).await
    }

    /// Gets a peer's endpoint that takes no value.
    pub async fn fetch(&self, peer: &Domain, endpoint: Endpoint) -> Result<Answer, TransportFault> {
        let call = Call { endpoint, method: Method::GET, value: "", body: Bytes::new() };
        self.within_deadline(peer, call).await
    }

    async fn within_deadline(&self, peer: &Domain, call: Call<'_>) -> Result<Answer, TransportFault> {
        let too_slow = |_| TransportFault::TooSlow { peer: peer.clone() };
        let links = self.links(peer)?;
        let response = timeout(ANSWER_DEADLINE, links.call(call, &self.0.from)).await.map_err(too_slow)??;
        let retry_after = retry_after(response.headers(), SystemTime::now());
        Ok(Answer { status: response.status(), retry_after, body: response.into_body() })
    }

    /// What we keep of a peer; begun anew when the peer is not as it was.
    fn links(&self, domain: &Domain) -> Result<Arc<PeerLinks>, TransportFault> {
        let peers = self.0.peers.now();
        let mut links = self.0.links.lock().unwrap_or_else(PoisonError::into_inner);
        links.retain(|_, links| peers.iter().any(|peer| Arc::ptr_eq(peer, &links.peer)));
        if let Some(links) = links.get(domain) {
            return Ok(Arc::clone(links));
        }
        let peer = peers.find(domain).ok_or_else(|| TransportFault::NoPeer(domain.clone()))?;
        let new =
            Arc::new(PeerLinks::new(&self.0, peer).map_err(|fault| TransportFault::Unreachable {
                peer: domain.clone(),
                why: fault.to_string(),
            })?);
        links.insert(domain.clone(), Arc::clone(&new));
        Ok(new)
    }
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound").field("own_domain", &self.0.own_domain).finish_non_exhaustive()
    }
}

/// What to ask of a peer.
struct Call<'a> {
    endpoint: Endpoint,
    method: Method,
    value: &'a str,
    body: Bytes,
}

impl PeerLinks {
    fn new(ours: &Inner, peer: Arc<KnownPeer>) -> Result<Self, CertificateFault> {
        let dialer = Arc::new(Dialer::new(Arc::clone(&ours.network), &ours.identity, &peer)?);
        Ok(Self { peer, dialer, directory: tokio::sync::Mutex::default(), links: Mutex::default() })
    }

    /// Finds the endpoint and asks it.
    async fn call(&self, call: Call<'_>, from: &HeaderValue) -> Result<Response<Bytes>, TransportFault> {
        let asked = Instant::now();
        let found = self.directory(from, asked).await?.link(call.endpoint, call.value);
        let address = found.map_err(|why| TransportFault::NoEndpoint {
            peer: self.peer.tls.domain.clone(),
            endpoint: call.endpoint.name(),
            why,
        })?;
        let request = self.request(call.method, &address, from, call.body)?;
        let answer = self.link(&address).exchange(&request, call.endpoint.answer_length_max(), asked).await;
        if leads_nowhere(&answer) {
            self.directory.lock().await.forget(Instant::now());
        }
        answer
    }

    /// The peer's directory: one fetches it, the others wait for it.
    async fn directory(&self, from: &HeaderValue, asked: Instant) -> Result<Directory, TransportFault> {
        let mut cache = self.directory.lock().await;
        if let Some(directory) = cache.fresh(Instant::now()) {
            return Ok(directory);
        }
        let answer = self.fetch_directory(from, asked).await?;
        let peer = self.peer.tls.domain.clone();
        if answer.status() != StatusCode::OK {
            return Err(TransportFault::NoDirectory { peer, status: answer.status().as_u16() });
        }
        let directory = Directory::parse(answer.body(), &peer, &[])
            .map_err(|why| TransportFault::Directory { peer: peer.clone(), why })?;
        cache.keep(directory.clone(), answer.headers(), Instant::now());
        Ok(directory)
    }

    /// A0 \[I\]: from the provider's own domain, whose certificate so proves where the endpoints are.
    async fn fetch_directory(
        &self,
        from: &HeaderValue,
        asked: Instant,
    ) -> Result<Response<Bytes>, TransportFault> {
        let authority = Authority { host: self.peer.tls.domain.clone(), port: None };
        let address = Address { authority, path: DIRECTORY_PATH.to_owned() };
        let request = self.request(Method::GET, &address, from, Bytes::new())?;
        self.link(&address).exchange(&request, DIRECTORY_LENGTH_MAX, asked).await
    }

    /// Whatever host the directory names, the request's Host stays the provider's domain (PM2: "the target provider is
    /// indicated using a Host header"), with the port that is called.
    fn request(
        &self,
        method: Method,
        address: &Address,
        from: &HeaderValue,
        body: Bytes,
    ) -> Result<Request<Bytes>, TransportFault> {
        let peer = &self.peer.tls.domain;
        let named = Authority { host: peer.clone(), port: address.authority.port }.to_string();
        let uri =
            Uri::builder().scheme(Scheme::HTTPS).authority(named).path_and_query(&*address.path).build();
        let mut request = Request::new(body);
        *request.uri_mut() = uri.map_err(|why| TransportFault::Unreachable {
            peer: peer.clone(),
            why: format!("{}: {why}", address.path),
        })?;
        if method == Method::POST {
            let octets = HeaderValue::from_static("application/octet-stream");
            request.headers_mut().insert(CONTENT_TYPE, octets);
        }
        *request.method_mut() = method;
        request.headers_mut().insert(FROM, from.clone());
        Ok(request)
    }

    /// The connection to where an address is; its host has no way to be an IP address (G4).
    fn link(&self, address: &Address) -> Arc<Link> {
        let authority = &address.authority;
        let to = Destination { host: authority.host.clone(), port: authority.port.unwrap_or(HTTPS_PORT) };
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        // A peer that moves its endpoints about does not make us keep all the places where they were.
        if links.len() >= HOSTS_MAX && !links.contains_key(&to) {
            links.clear();
        }
        let link = || Link::new(self.peer.tls.domain.clone(), to.clone(), Arc::clone(&self.dialer));
        Arc::clone(links.entry(to.clone()).or_insert_with(|| Arc::new(link())))
    }
}

const HTTPS_PORT: u16 = 443;

/// Whether the directory may be to blame: nothing is where it says.
fn leads_nowhere(answer: &Result<Response<Bytes>, TransportFault>) -> bool {
    match answer {
        Ok(answer) => matches!(
            answer.status(),
            StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::MISDIRECTED_REQUEST
        ),
        Err(fault) => {
            matches!(fault, TransportFault::Unreachable { .. } | TransportFault::Unproven { .. })
        }
    }
}
