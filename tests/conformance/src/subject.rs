use std::net::SocketAddr;
use std::sync::Arc;

use mimi_client::HostedMint;
use mimi_client::mint::open_secret;
use mimi_client::vault::Vault;
use mimi_edge_policy::{DefaultRule, Rule, Rules};
use mimi_mls::hub::ExternalSender;
use mimi_mls::{IdentityAuthority, IdentityRoots, KeyPackageRef, SigningKey};
use mimi_room::{Envelope, FrankingKeys, HubFacts};
use mimi_server::{Server, ServerParts};
use mimi_store::Store;
use mimi_transport::{CertificateDer, Outbound, PeerTls, PeeringAuthority, Peers, serve};
use mimi_uri::{Domain, RoomUri, UserUri};
use mimi_wire::{
    Authority, Clock, Hub, HubKey, SubmitMessageRequest, SubmitMessageResponse, UpdateRequest,
    UpdateRoomResponse,
};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::certificates::Proof;
use crate::ledger::Ledger;
use crate::set_clock::SetClock;
use crate::world::{domain, user};

/// The server under test, `a.example`.
///
/// It hosts every user whose name does not begin with `nobody`, and lets nobody reach `mimi://a.example/u/blocked`.
pub struct Subject {
    /// Its domain.
    pub domain: Domain,
    /// What it remembers.
    pub ledger: Arc<Ledger>,
    /// What its hub knows and signs with.
    pub facts: HubFacts,
    /// Its identity CA.
    pub authority: Arc<IdentityAuthority>,
    vault: Vault,
    proof: Proof,
    peers: Vec<PeerTls>,
    clock: Arc<SetClock>,
    address: SocketAddr,
    running: Option<Running>,
}

struct Running {
    server: Server,
    stop: CancellationToken,
    parts: [JoinHandle<()>; 2],
}

impl Subject {
    pub(crate) async fn start(peers: Vec<PeerTls>, clock: &Arc<SetClock>) -> Self {
        let own = domain("a.example");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let authority = Arc::new(IdentityAuthority::generate(&own).unwrap());
        let mut subject = Self {
            domain: own.clone(),
            ledger: Arc::default(),
            facts: facts(&authority),
            authority: Arc::clone(&authority),
            vault: Vault::new(&[1; 32]),
            proof: Proof::of(&PeeringAuthority::generate(&own).unwrap()),
            peers,
            clock: Arc::clone(clock),
            address: listener.local_addr().unwrap(),
            running: None,
        };
        subject.runs(listener);
        subject
    }

    /// Stops, and starts again as another process would: over the same store, remembering nothing else.
    pub(crate) async fn restarts(&mut self) {
        let Running { stop, parts, .. } = self.running.take().unwrap();
        stop.cancel();
        for part in parts {
            part.await.unwrap();
        }
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.runs(listener);
    }

    fn runs(&mut self, listener: TcpListener) {
        let peers = Peers::new(self.peers.clone()).unwrap();
        let certificate = self.proof.certificate.clone();
        let server = Server::new(self.parts(&peers));
        let (endpoints, stop) = (server.endpoints(), CancellationToken::new());
        let stopped = stop.clone().cancelled_owned();
        let serving =
            tokio::spawn(
                async move { serve(listener, certificate, peers, endpoints, stopped).await.unwrap() },
            );
        let (delivering, until) = (server.clone(), stop.clone());
        let delivering = tokio::spawn(async move { delivering.run(until).await.unwrap() });
        self.running = Some(Running { server, stop, parts: [serving, delivering] });
    }

    fn parts(&self, peers: &Peers) -> ServerParts {
        let hosts = Arc::new(|user: &UserUri| !user.path().starts_with("nobody"));
        let blocked =
            Rule { peer: None, function: None, user: Some(user("blocked@a")), rule: DefaultRule::Deny };
        let outbound = Outbound::new(&self.proof.certificate, self.domain.clone(), peers.clone()).unwrap();
        ServerParts {
            domain: self.domain.clone(),
            authority: Authority { host: self.domain.clone(), port: None },
            store: Arc::clone(&self.ledger) as Arc<dyn Store>,
            outbound,
            mint: Arc::new(HostedMint::new(hosts, Arc::clone(&self.authority), self.vault.clone())),
            facts: self.facts.clone(),
            identity_roots: vec![self.authority.root_der().to_vec()],
            rules: Rules { rules: vec![blocked], otherwise: DefaultRule::Allow },
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
        }
    }

    /// The server itself, as its operator has it.
    pub fn server(&self) -> &Server {
        &self.running.as_ref().unwrap().server
    }

    /// The way in for its own users.
    pub fn hub(&self) -> Arc<dyn Hub> {
        self.running.as_ref().unwrap().server.hub()
    }

    /// A message of one of its own users; the answer must be one.
    pub async fn submit(&self, room: &RoomUri, request: &SubmitMessageRequest) -> SubmitMessageResponse {
        self.hub().submit_message(room, request).await.unwrap()
    }

    /// A handshake of one of its own users; the answer must be one.
    pub async fn update(&self, room: &RoomUri, request: &UpdateRequest) -> UpdateRoomResponse {
        self.hub().update(room, request).await.unwrap()
    }

    /// The secret of a `KeyPackage` that it handed out.
    pub async fn secret(&self, reference: &KeyPackageRef) -> Vec<u8> {
        let row = self.ledger.key_package(reference).await.unwrap().unwrap();
        open_secret(&self.vault, reference, &row.secret).unwrap()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn root(&self) -> &CertificateDer<'static> {
        &self.proof.root
    }
}

/// What the hub has and knows: itself, and its own identity CA.
fn facts(authority: &IdentityAuthority) -> HubFacts {
    let own = authority.domain();
    let mut roots = IdentityRoots::default();
    roots.insert(own, authority.root_der().to_vec()).unwrap();
    let signing_key = SigningKey::from_bytes(&[7; 32]).unwrap();
    // A basic credential: the hub's name.
    let credential = [&[0, 1, 9][..], own.as_str().as_bytes()].concat();
    let agent = [&[32], signing_key.public().as_slice(), &credential].concat();
    let external_sender = ExternalSender { credential, signature_key: signing_key.public() };
    let franking = FrankingKeys { hub_key: HubKey::new(&[9; 32]), signing_key, agent };
    HubFacts { domain: own.clone(), roots, franking, external_sender, envelope: Envelope::default() }
}
