use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use mimi_client::HostedMint;
use mimi_client::vault::Vault;
use mimi_mls::IdentityAuthority;
use mimi_transport::{CertificateDer, PeerTls, PeeringAuthority, Peers, serve};
use mimi_uri::{Domain, RoomUri, UserUri};
use mimi_wire::{
    Authority, Endpoint, KeyMaterialRequest, KeyMaterialResponse, SubmitMessageRequest,
    SubmitMessageResponse, Timestamp, UpdateRequest, UpdateRoomResponse,
};
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::caller::{Call, Caller, Http, Reply};
use crate::certificates::{CertificateAuthority, Proof, Shown};
use crate::misbehaviour::{Misbehaving, Misbehaviour, Tried};
use crate::sink::Sink;

/// A scripted provider: what it serves is its [`Sink`], what it asks is anything.
pub struct Peer {
    /// Its domain.
    pub domain: Domain,
    /// What it serves.
    pub sink: Sink,
    /// Its identity CA.
    pub authority: Arc<IdentityAuthority>,
    /// A second root that is pinned for it, which signs anything.
    pub certificates: CertificateAuthority,
    address: SocketAddr,
    proof: Proof,
    peers: Peers,
    serving: Option<Serving>,
    misbehaving: Option<Misbehaving>,
    target: Option<(SocketAddr, CertificateDer<'static>)>,
    caller: Mutex<Option<Caller>>,
}

struct Serving {
    stop: CancellationToken,
    ended: JoinHandle<()>,
}

impl Peer {
    /// A provider that serves at once; it knows nobody yet.
    pub(crate) async fn start(domain: Domain, now: Timestamp) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let authority = Arc::new(IdentityAuthority::generate(&domain).unwrap());
        let vault = Vault::new(&[2; 32]);
        let hosts = Arc::new(|_: &UserUri| true);
        let mint = HostedMint::new(hosts, Arc::clone(&authority), vault.clone());
        let own = Authority { host: domain.clone(), port: Some(address.port()) };
        let sink = Sink::new(own, vec![authority.root_der().to_vec()], mint, vault, now);
        let mut peer = Self {
            proof: Proof::of(&PeeringAuthority::generate(&domain).unwrap()),
            domain,
            sink,
            authority,
            certificates: CertificateAuthority::new(),
            address,
            peers: Peers::default(),
            serving: None,
            misbehaving: None,
            target: None,
            caller: Mutex::default(),
        };
        peer.serve(listener);
        peer
    }

    /// What another provider pins of it.
    pub(crate) fn tls(&self) -> PeerTls {
        let roots = vec![self.proof.root.clone(), self.certificates.root()];
        PeerTls { domain: self.domain.clone(), roots, connect: Some(self.address) }
    }

    /// Peers with the server under test.
    pub(crate) fn knows(&mut self, domain: &Domain, address: SocketAddr, root: &CertificateDer<'static>) {
        let tls = PeerTls { domain: domain.clone(), roots: vec![root.clone()], connect: Some(address) };
        self.peers.replace(vec![tls]).unwrap();
        self.target = Some((address, root.clone()));
    }

    /// Stops to serve.
    pub async fn goes_down(&mut self) {
        let Serving { stop, ended } = self.serving.take().unwrap();
        stop.cancel();
        ended.await.unwrap();
    }

    /// Serves again, where it did before.
    pub async fn comes_up(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.serve(listener);
    }

    /// Is not well from now on.
    pub async fn misbehaves(&mut self, how: Misbehaviour) {
        self.goes_down().await;
        let stranger = CertificateAuthority::new().issue(&[self.domain.as_str()], |_| {});
        let shown = if how == Misbehaviour::StrangeCertificate { &stranger } else { &self.proof.shown };
        self.misbehaving = Some(Misbehaving::listen(self.address, shown, how).await);
    }

    /// Waits until it was tried so often while it is not well; every try so far.
    pub async fn tried_times(&self, count: usize) -> Vec<Tried> {
        let mut tried = self.misbehaving.as_ref().unwrap().tried.clone();
        tried.wait_for(|tried| tried.len() >= count).await.unwrap().clone()
    }

    /// Is well again; all connections from before have ended.
    pub async fn behaves(&mut self) {
        self.misbehaving.take().unwrap().end().await;
        self.comes_up().await;
    }

    fn serve(&mut self, listener: TcpListener) {
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let (certificate, peers, router) =
            (self.proof.certificate.clone(), self.peers.clone(), self.sink.router());
        let ended =
            tokio::spawn(async move { serve(listener, certificate, peers, router, stopped).await.unwrap() });
        self.serving = Some(Serving { stop, ended });
    }

    /// The certificate that it shows by right.
    pub fn shown(&self) -> Shown {
        self.proof.shown.clone()
    }

    /// Says something to the server under test, over one long-lived connection.
    pub async fn say(&self, call: &Call) -> Reply {
        let mut kept = self.caller.lock().await;
        let caller = match kept.clone() {
            Some(caller) => caller,
            None => Box::pin(self.connect(Some(&self.shown()))).await.unwrap(),
        };
        *kept = Some(caller.clone());
        drop(kept);
        Box::pin(caller.say(call)).await.unwrap()
    }

    /// A connection to the server under test that shows this certificate, or none; over HTTP/2.
    pub async fn connect(&self, shown: Option<&Shown>) -> Result<Caller, String> {
        let (address, root) = self.target.as_ref().unwrap();
        Caller::connect(*address, root, shown, Http::Two).await
    }

    /// A connection to the server under test over HTTP/1.1.
    pub async fn connect_http1(&self) -> Caller {
        let (address, root) = self.target.as_ref().unwrap();
        Caller::connect(*address, root, Some(&self.shown()), Http::One).await.unwrap()
    }

    /// Lets go of its connection: the server under test was started anew.
    pub async fn hangs_up(&self) {
        *self.caller.lock().await = None;
    }

    /// A proper request of this provider.
    pub fn call(&self, endpoint: Endpoint, value: &str, body: impl Into<Bytes>) -> Call {
        Call::post(self.domain.as_str(), endpoint, value, body)
    }

    /// Posts a body to an endpoint.
    pub async fn post(&self, endpoint: Endpoint, value: &str, body: impl Into<Bytes>) -> Reply {
        self.say(&self.call(endpoint, value, body)).await
    }

    /// Brings a message to a room; the answer must be one.
    pub async fn submit(&self, room: &RoomUri, request: &SubmitMessageRequest) -> SubmitMessageResponse {
        self.post(Endpoint::SubmitMessage, room.as_str(), request.encode()).await.decode()
    }

    /// Brings a handshake to a room; the answer must be one.
    pub async fn update(&self, room: &RoomUri, request: &UpdateRequest) -> UpdateRoomResponse {
        self.post(Endpoint::Update, room.as_str(), request.encode()).await.decode()
    }

    /// Asks for key material; the answer must be one.
    pub async fn key_material(&self, request: &KeyMaterialRequest) -> KeyMaterialResponse {
        self.ask(request).await.decode()
    }

    /// Asks for key material.
    pub async fn ask(&self, request: &KeyMaterialRequest) -> Reply {
        self.post(Endpoint::KeyMaterial, request.target_user.as_str(), request.encode()).await
    }

    /// Tells what happened in a room; the status.
    pub async fn notify(&self, room: &RoomUri, body: impl Into<Bytes>) -> u16 {
        self.post(Endpoint::Notify, room.as_str(), body).await.status
    }
}
