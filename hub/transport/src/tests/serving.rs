use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::routing::get;
use http::StatusCode;
use http::header::{FROM, HOST};
use http_body_util::{BodyExt, Empty};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::{Ca, Running, Stranger, domain};
use crate::limits::CONNECTIONS_PER_ADDRESS_MAX;
use crate::{Peer, Peers, check_request_identity};

/// Answers 200 to who is who he says he is, 403 to others.
async fn identity(request: Request) -> (StatusCode, String) {
    let peer = request.extensions().get::<Peer>().unwrap();
    let authority = request.uri().authority().map(http::uri::Authority::as_str);
    match check_request_identity(request.headers(), authority, peer, &[domain("hub.example")]) {
        Ok(source) => (StatusCode::OK, format!("{source} over {:?}", request.version())),
        Err(mismatch) => (StatusCode::FORBIDDEN, mismatch.to_string()),
    }
}

pub(super) fn identity_router() -> Router {
    Router::new().fallback(identity)
}

fn request(from: &[&str], host: &str) -> http::Request<Empty<bytes::Bytes>> {
    let mut request = http::Request::builder().uri("/x").header(HOST, host);
    for from in from {
        request = request.header(FROM, *from);
    }
    request.body(Empty::new()).unwrap()
}

#[tokio::test]
async fn g1_from_host_and_certificate_must_agree() {
    let (hub, a, b) = (Ca::new("hub"), Ca::new("A"), Ca::new("B"));
    let peers = Peers::new(vec![a.peer("a.example", None), b.peer("b.example", None)]).unwrap();
    let server = Running::start(hub.issue("hub.example"), peers, identity_router()).await;
    let mut sender = Stranger::new(&hub, Some(&a.issue("a.example"))).connect(server.address).await.unwrap();
    let cases: [(&[&str], &str, StatusCode, &str); 6] = [
        (&["mimi@a.example"], "hub.example:8443", StatusCode::OK, "a.example over HTTP/1.1"),
        (
            &["mimi@b.example"],
            "hub.example",
            StatusCode::FORBIDDEN,
            "the certificate does not prove b.example",
        ),
        (
            &["mimi@a.example", "mimi@a.example"],
            "hub.example",
            StatusCode::FORBIDDEN,
            "a request has exactly one From, not 2",
        ),
        (&[], "hub.example", StatusCode::FORBIDDEN, "a request has exactly one From, not 0"),
        (
            &["alice@a.example"],
            "hub.example",
            StatusCode::FORBIDDEN,
            "From is mimi@ and the provider's domain, and nothing else",
        ),
        (&["mimi@a.example"], "a.example", StatusCode::FORBIDDEN, "a.example is not served here"),
    ];

    for (from, host, status, text) in cases {
        sender.ready().await.unwrap();
        let answer = sender.send_request(request(from, host)).await.unwrap();
        assert_eq!(answer.status(), status, "{from:?} {host}");
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), text);
    }
    drop(sender);
    server.stop().await;
}

#[tokio::test]
async fn a_peer_that_is_removed_is_nobody_on_the_connection_that_it_has() {
    let (hub, a) = (Ca::new("hub"), Ca::new("A"));
    let peers = Peers::new(vec![a.peer("a.example", None)]).unwrap();
    let server = Running::start(hub.issue("hub.example"), peers.clone(), identity_router()).await;
    let mut sender = Stranger::new(&hub, Some(&a.issue("a.example"))).connect(server.address).await.unwrap();
    let ours = || request(&["mimi@a.example"], "hub.example");

    let before = sender.send_request(ours()).await.unwrap().status();
    peers.replace(vec![]).unwrap();
    sender.ready().await.unwrap();
    let after = sender.send_request(ours()).await.unwrap().status();

    assert_eq!((before, after), (StatusCode::OK, StatusCode::FORBIDDEN));
    drop(sender);
    server.stop().await;
}

#[tokio::test]
async fn requests_under_way_are_answered_when_the_server_stops() {
    let (hub, a) = (Ca::new("hub"), Ca::new("A"));
    let peers = Peers::new(vec![a.peer("a.example", None)]).unwrap();
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (started, wait) = (Arc::clone(&begun), Arc::clone(&go_on));
    let slow = move || async move {
        started.notify_one();
        wait.notified().await;
        "done"
    };
    let server = Running::start(hub.issue("hub.example"), peers, Router::new().route("/x", get(slow))).await;
    let mut sender = Stranger::new(&hub, Some(&a.issue("a.example"))).connect(server.address).await.unwrap();
    let address = server.address;

    let asked = tokio::spawn(sender.send_request(request(&[], "hub.example")));
    begun.notified().await;
    let stopping = tokio::spawn(server.stop());
    while TcpStream::connect(address).await.is_ok() {}
    go_on.notify_one();

    assert_eq!(asked.await.unwrap().unwrap().status(), StatusCode::OK);
    drop(sender);
    stopping.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn g33_who_does_not_begin_a_handshake_is_hung_up_on() {
    let hub = Ca::new("hub");
    let server = Running::start(hub.issue("hub.example"), Peers::default(), Router::new()).await;
    let mut silent = TcpStream::connect(server.address).await.unwrap();

    assert_eq!(silent.read(&mut [0]).await.unwrap(), 0);
    server.stop().await;
}

#[tokio::test]
async fn g33_an_address_with_too_many_connections_gets_no_more() {
    let hub = Ca::new("hub");
    let server = Running::start(hub.issue("hub.example"), Peers::default(), Router::new()).await;
    let mut held = Vec::new();
    for _ in 0..CONNECTIONS_PER_ADDRESS_MAX {
        held.push(TcpStream::connect(server.address).await.unwrap());
    }

    let mut one_more = TcpStream::connect(server.address).await.unwrap();

    assert_eq!(one_more.read(&mut [0]).await.unwrap(), 0);
    server.stop().await;
}
