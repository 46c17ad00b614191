use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use bytes::Bytes;
use http::StatusCode;
use http::header::{LOCATION, RETRY_AFTER};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use mimi_wire::{Authority, DIRECTORY_PATH, Directory, Endpoint};
use rcgen::{ExtendedKeyUsagePurpose, date_time_ymd};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::forwarder::Forwarder;
use super::serving::identity_router;
use super::{Ca, Running, domain};
use crate::{Answer, CertificateFault, Outbound, PeerTls, Peers, ProviderCertificate, TransportFault};

const ROOM: &str = "mimi://hub.example/r/club";

/// A provider `a.example` that calls `hub.example`.
struct World {
    hub: Ca,
    a: Ca,
    directories: Arc<AtomicUsize>,
}

impl World {
    fn new() -> Self {
        Self { hub: Ca::new("hub"), a: Ca::new("A"), directories: Arc::default() }
    }

    /// The router, and a directory that leads to it.
    fn with_directory(&self, router: Router) -> Router {
        let authority = Authority::parse("hub.example:8443").unwrap();
        let json = Directory::publish(&authority, &Endpoint::ALL).to_json();
        let count = Arc::clone(&self.directories);
        router.route(
            DIRECTORY_PATH,
            get(move || async move {
                count.fetch_add(1, Ordering::SeqCst);
                json
            }),
        )
    }

    async fn serve(&self, router: Router) -> Running {
        let peers = Peers::new(vec![self.a.peer("a.example", None)]).unwrap();
        Running::start(self.hub.issue("hub.example"), peers, self.with_directory(router)).await
    }

    fn outbound(&self, address: std::net::SocketAddr) -> Outbound {
        let peers = Peers::new(vec![self.hub.peer("hub.example", Some(address))]).unwrap();
        Outbound::new(&self.a.issue("a.example"), domain("a.example"), peers).unwrap()
    }
}

async fn send(outbound: &Outbound) -> Result<Answer, TransportFault> {
    outbound.send(&domain("hub.example"), Endpoint::Notify, ROOM, Bytes::from_static(b"body")).await
}

async fn fault(outbound: &Outbound) -> String {
    send(outbound).await.unwrap_err().to_string()
}

/// What a request looks like to the server.
async fn described(request: Request) -> impl IntoResponse {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1024).await.unwrap();
    let header = |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let told = format!(
        "{} {} {:?} from {:?} host {:?} authority {:?} type {:?}: {}",
        parts.method,
        parts.uri.path(),
        parts.version,
        header("from"),
        header("host"),
        parts.uri.authority().map(ToString::to_string),
        header("content-type"),
        String::from_utf8_lossy(&body),
    );
    (StatusCode::CREATED, [(RETRY_AFTER, "7")], told)
}

#[tokio::test]
async fn pm1_a_request_names_both_providers_and_its_answer_comes_back() {
    let world = World::new();
    let server = world.serve(Router::new().fallback(described)).await;
    let outbound = world.outbound(server.address);

    let answer = send(&outbound).await.unwrap();

    assert_eq!(answer.status, StatusCode::CREATED);
    assert_eq!(answer.retry_after, Some(Duration::from_secs(7)));
    assert_eq!(
        answer.body,
        "POST /v1/notify/mimi%3A%2F%2Fhub.example%2Fr%2Fclub HTTP/2.0 from Some(\"mimi@a.example\") host None \
         authority Some(\"hub.example:8443\") type Some(\"application/octet-stream\"): body"
    );
    let fetched = outbound.fetch(&domain("hub.example"), Endpoint::IdentityRoots).await.unwrap();
    assert_eq!(
        fetched.body,
        "GET /v1/identityRoots HTTP/2.0 from Some(\"mimi@a.example\") host None authority \
         Some(\"hub.example:8443\") type None: "
    );
    drop(outbound);
    server.stop().await;
}

#[tokio::test]
async fn our_own_server_believes_our_own_client() {
    let world = World::new();
    let server = world.serve(identity_router()).await;
    let outbound = world.outbound(server.address);

    let answer = send(&outbound).await.unwrap();

    assert_eq!(answer.body, "a.example over HTTP/2.0");
    drop(outbound);
    server.stop().await;
}

/// A peer that has never heard of HTTP/2.
async fn serve_http1(identity: ProviderCertificate, peers: Peers, router: Router) -> std::net::SocketAddr {
    let mut tls = crate::serve::tls(&identity, peers).unwrap();
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(tls));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let stream = acceptor.accept(socket).await.unwrap();
            let service = TowerToHyperService::new(router.clone());
            tokio::spawn(
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
            );
        }
    });
    address
}

#[tokio::test]
async fn a_peer_without_http2_is_spoken_to_over_http1_on_few_connections() {
    let world = World::new();
    let peers = Peers::new(vec![world.a.peer("a.example", None)]).unwrap();
    let router = world.with_directory(Router::new().fallback(described));
    let address = serve_http1(world.hub.issue("hub.example"), peers, router).await;
    let forwarder = Forwarder::to(address).await;
    let outbound = world.outbound(forwarder.address);

    let answer = send(&outbound).await.unwrap();
    assert_eq!(
        answer.body,
        "POST /v1/notify/mimi%3A%2F%2Fhub.example%2Fr%2Fclub HTTP/1.1 from Some(\"mimi@a.example\") host \
         Some(\"hub.example:8443\") authority None type Some(\"application/octet-stream\"): body"
    );
    send(&outbound).await.unwrap();
    assert_eq!(forwarder.connections(), 2, "one where the directory is, one where it leads");

    let all = at_once(&outbound, 50).await;
    assert!(all.iter().all(|answer| answer.as_ref().is_ok_and(|answer| answer.status.is_success())));
    assert!(forwarder.connections() <= 1 + crate::limits::HTTP1_CONNECTIONS_MAX);
}

async fn at_once(outbound: &Outbound, count: usize) -> Vec<Result<Answer, TransportFault>> {
    let mut calls = JoinSet::new();
    for _ in 0..count {
        let outbound = outbound.clone();
        calls.spawn(async move { send(&outbound).await });
    }
    calls.join_all().await
}

#[tokio::test]
async fn requests_at_the_same_time_share_one_directory_and_one_connection() {
    let world = World::new();
    let server = world.serve(Router::new().fallback(described)).await;
    let forwarder = Forwarder::to(server.address).await;
    let outbound = world.outbound(forwarder.address);

    let all = at_once(&outbound, 100).await;
    send(&outbound).await.unwrap();

    assert!(all.iter().all(Result::is_ok));
    assert_eq!(forwarder.connections(), 2, "one where the directory is, one where it leads");
    assert_eq!(world.directories.load(Ordering::SeqCst), 1);
    drop(outbound);
    server.stop().await;
}

#[tokio::test]
async fn a_request_after_the_peer_restarted_is_answered() {
    let world = World::new();
    let server = world.serve(Router::new().fallback(described)).await;
    let (address, outbound) = (server.address, world.outbound(server.address));
    send(&outbound).await.unwrap();

    server.stop().await;
    let down = send(&outbound).await;
    let peers = Peers::new(vec![world.a.peer("a.example", None)]).unwrap();
    let router = world.with_directory(Router::new().fallback(described));
    let server = Running::start_at(address, world.hub.issue("hub.example"), peers, router).await;
    let up = send(&outbound).await;

    assert!(matches!(down, Err(TransportFault::Unreachable { .. })), "{down:?}");
    assert_eq!(up.unwrap().status, StatusCode::CREATED);
    drop(outbound);
    server.stop().await;
}

#[tokio::test]
async fn a_request_whose_connection_dies_before_the_answer_is_sent_once_more() {
    let world = World::new();
    let server = world.serve(Router::new().fallback(described)).await;
    let forwarder = Forwarder::to(server.address).await;
    let outbound = world.outbound(forwarder.address);
    send(&outbound).await.unwrap();

    forwarder.cut_once();
    let answer = send(&outbound).await;

    assert_eq!(answer.unwrap().status, StatusCode::CREATED);
    assert_eq!(forwarder.connections(), 3);
    drop(outbound);
    server.stop().await;
}

#[tokio::test]
async fn g1_a_server_that_does_not_prove_the_peer_is_told_nothing() {
    let world = World::new();
    let swapped = Ca::new("hub").issue("hub.example");
    let other_name = world.hub.issue("other.example");
    let common_name = world.hub.issue_as("hub.example", |params| params.subject_alt_names.clear());
    let expired = world.hub.issue_as("hub.example", |p| p.not_after = date_time_ymd(2020, 1, 1));
    let early = world.hub.issue_as("hub.example", |p| p.not_before = date_time_ymd(2090, 1, 1));
    let other_peers = world.a.issue("hub.example");
    let for_clients = world.hub.issue_as("hub.example", |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    });
    let unsigned =
        "hub.example did not prove who it is: its certificate is not signed by a root that is pinned for it";
    let unnamed = "hub.example did not prove who it is: its certificate does not name hub.example";
    let cases = [
        (swapped, unsigned),
        (other_peers, unsigned),
        (other_name, unnamed),
        (common_name, unnamed),
        (expired, "hub.example did not prove who it is: its certificate has expired"),
        (early, "hub.example did not prove who it is: its certificate is not valid yet"),
        (
            for_clients,
            "hub.example did not prove who it is: certificate does not allow extended key usage for server \
             authentication, allows client authentication",
        ),
    ];

    for (identity, text) in cases {
        let peers = Peers::new(vec![world.a.peer("a.example", None)]).unwrap();
        let server = Running::start(identity, peers, world.with_directory(Router::new())).await;

        assert_eq!(fault(&world.outbound(server.address)).await, text);
        server.stop().await;
    }
    assert_eq!(world.directories.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_peer_that_does_not_know_us_is_named_as_the_one_who_hung_up() {
    let world = World::new();
    let server = Running::start(world.hub.issue("hub.example"), Peers::default(), Router::new()).await;

    let refused = send(&world.outbound(server.address)).await;

    assert!(matches!(refused, Err(TransportFault::Refused { .. })), "{refused:?}");
    server.stop().await;
}

#[tokio::test]
async fn only_peers_are_called_and_a_peer_that_changes_is_called_anew() {
    let world = World::new();
    let server = world.serve(Router::new().fallback(described)).await;
    let peers = Peers::default();
    let outbound = Outbound::new(&world.a.issue("a.example"), domain("a.example"), peers.clone()).unwrap();
    let known = world.hub.peer("hub.example", Some(server.address));
    let repinned = PeerTls { roots: world.a.peer("hub.example", None).roots, ..known.clone() };

    let before = fault(&outbound).await;
    peers.replace(vec![known]).unwrap();
    let then = send(&outbound).await;
    peers.replace(vec![repinned]).unwrap();
    let after = send(&outbound).await;

    assert_eq!(before, "hub.example is no peer of ours");
    assert_eq!(then.unwrap().status, StatusCode::CREATED);
    assert!(matches!(after, Err(TransportFault::Unproven { .. })), "{after:?}");
    server.stop().await;
}

#[tokio::test]
async fn g21_a_directory_that_leads_to_an_address_or_elsewhere_is_not_followed() {
    let cases = [
        (r#"{"notify": "https://127.0.0.1/n"}"#, "its URL has no plain host name"),
        (r#"{"notify": "https://b.example/n"}"#, "its URL is on b.example, which is not the provider's"),
        (r#"{"notify": "http://hub.example/n"}"#, "its URL is not https"),
        ("{}", "the directory does not offer it"),
    ];

    for (json, why) in cases {
        let world = World::new();
        let peers = Peers::new(vec![world.a.peer("a.example", None)]).unwrap();
        let router = Router::new().route(DIRECTORY_PATH, get(move || async move { json }));
        let server = Running::start(world.hub.issue("hub.example"), peers, router).await;
        let outbound = world.outbound(server.address);

        assert_eq!(fault(&outbound).await, format!("notify of hub.example cannot be called: {why}"));
        drop(outbound);
        server.stop().await;
    }
}

#[tokio::test]
async fn a_peer_without_a_directory_cannot_be_asked() {
    let world = World::new();
    let peers = Peers::new(vec![world.a.peer("a.example", None)]).unwrap();
    let server = Running::start(world.hub.issue("hub.example"), peers, Router::new()).await;
    let outbound = world.outbound(server.address);

    assert_eq!(fault(&outbound).await, "hub.example answered 404 when asked for its directory");
    drop(outbound);
    server.stop().await;
}

#[tokio::test]
async fn g5_an_answer_beyond_its_measure_is_not_read() {
    let world = World::new();
    let max = Endpoint::Notify.answer_length_max();
    let large = Router::new().fallback(move || async move { vec![0; max + 1] });
    let server = world.serve(large).await;
    let outbound = world.outbound(server.address);

    assert_eq!(fault(&outbound).await, format!("the answer of hub.example has more than {max} bytes"));
    drop(outbound);
    server.stop().await;
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_followed() {
    let world = World::new();
    let heard = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&heard);
    let elsewhere = move |_: HeaderMap| async move {
        count.fetch_add(1, Ordering::SeqCst);
        (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, "https://hub.example/else")])
    };
    let router = Router::new().route("/v1/notify/{room}", post(elsewhere.clone())).fallback(elsewhere);
    let server = world.serve(router).await;
    let outbound = world.outbound(server.address);

    let answer = send(&outbound).await.unwrap();

    assert_eq!(answer.status, StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(heard.load(Ordering::SeqCst), 1);
    drop(outbound);
    server.stop().await;
}

#[test]
fn nobody_calls_with_a_certificate_that_is_not_his() {
    let a = Ca::new("A");

    let outbound = Outbound::new(&a.issue("b.example"), domain("a.example"), Peers::default());

    assert_eq!(outbound.unwrap_err(), CertificateFault::NameMissing(domain("a.example")));
}
