use mimi_adapter::conformance::RecordingHost;
use mimi_adapter::{NativeBody, SessionStatus};
use mimi_content::NestedPart;
use tower::ServiceExt;

use super::*;
use crate::fake::FakeHomeserver;
use crate::{MatrixAdapter, MatrixConfig};

/// A listener, and its host.
async fn listener() -> (Router, Arc<RecordingHost>, Arc<Link>) {
    let (homeserver, _) = FakeHomeserver::default().start().await;
    listener_of(&format!("http://{homeserver}"))
}

fn listener_of(homeserver: &str) -> (Router, Arc<RecordingHost>, Arc<Link>) {
    let config =
        MatrixConfig::new(homeserver, "a.example", ([127, 0, 0, 1], 0).into()).with_tokens("ours", "theirs");
    let host = Arc::new(RecordingHost::new());
    let link = MatrixAdapter::new(config).unwrap().link(Arc::<RecordingHost>::clone(&host));
    (router(Arc::clone(&link)), host, link)
}

fn request(method: &str, path: &str, token: Option<&str>, body: String) -> Request {
    let request = Request::builder().method(method).uri(format!("/_matrix/app/v1/{path}"));
    let request = match token {
        Some(token) => request.header("Authorization", format!("Bearer {token}")),
        None => request,
    };
    request.body(body.into()).unwrap()
}

async fn status(router: &Router, request: Request) -> u16 {
    router.clone().oneshot(request).await.unwrap().status().as_u16()
}

fn hello(txn: &str) -> Request {
    let body = r#"{ "events": [{
        "type": "m.room.message", "sender": "@alice:a.example", "room_id": "!r:a.example", "event_id": "$1",
        "origin_server_ts": 1, "content": { "msgtype": "m.text", "body": "hi" }
    }, "poison"], "de.sorunome.msc2409.to_device": 7 }"#;
    request("PUT", &format!("transactions/{txn}"), Some("theirs"), body.to_owned())
}

#[tokio::test]
async fn only_the_homeserver_is_heard() {
    let (router, host, _) = listener().await;
    for (token, answer) in [(None, 401), (Some("ours"), 403), (Some("their"), 403), (Some("theirs"), 200)] {
        let ping = request("POST", "ping", token, "{}".to_owned());
        assert_eq!(status(&router, ping).await, answer, "{token:?}");
    }
    assert_eq!(host.events(), []);
}

#[tokio::test]
async fn a_transaction_is_acknowledged_when_it_is_stored() {
    let (router, host, _) = listener().await;

    let answer = status(&router, hello("1")).await;

    assert_eq!(answer, 200);
    assert_eq!(host.events()[0].body, NativeBody::Post(NestedPart::plain("hi")));
    host.reported(&SessionStatus::SetAside { why: "event ? (?) in ? cannot be read".to_owned() }).await;
}

#[tokio::test]
async fn a_transaction_that_is_not_stored_is_not_acknowledged_and_raises_doubt() {
    let (router, host, link) = listener().await;
    host.refuse_next(1);

    let first = status(&router, hello("1")).await;
    link.doubt.notified().await;
    let second = status(&router, hello("1")).await;
    let third = status(&router, hello("1")).await;

    assert_eq!([first, second, third], [500, 200, 200]);
    assert_eq!(host.events().len(), 1);
}

#[tokio::test]
async fn a_transaction_that_says_nothing_to_us_is_acknowledged_without_being_stored() {
    let (router, host, _) = listener().await;
    host.refuse_next(1);
    let nothing = request("PUT", "transactions/1", Some("theirs"), r#"{ "events": [] }"#.to_owned());

    assert_eq!(status(&router, nothing).await, 200);
    assert_eq!(host.refused(), 0);
}

#[tokio::test]
async fn what_is_no_transaction_is_refused() {
    let (router, _, _) = listener().await;
    let broken = request("PUT", "transactions/1", Some("theirs"), "{".to_owned());
    let endless = request("PUT", "transactions/1", Some("theirs"), " ".repeat(TRANSACTION_BYTES_MAX + 1));

    assert_eq!(status(&router, broken).await, 400);
    assert_eq!(status(&router, endless).await, 413);
}

#[tokio::test]
async fn what_is_no_puppet_does_not_exist_and_a_puppet_is_made_before_it_does() {
    let (router, _, _) = listener_of("http://127.0.0.1:1");
    let ask = |path: &str| request("GET", path, Some("theirs"), String::new());

    assert_eq!(status(&router, ask("users/@_mimi_x:a.example")).await, 404);
    assert_eq!(status(&router, ask("rooms/%23_mimi_x:a.example")).await, 404);
    // The homeserver is away, so the puppet cannot be made.
    assert_eq!(status(&router, ask("users/@_mimi_bob=40b.example:a.example")).await, 500);
}

fn saying(txn: &str, id: &str) -> Request {
    let body = format!(
        r#"{{ "events": [{{
        "type": "m.room.message", "sender": "@alice:a.example", "room_id": "!r:a.example", "event_id": "{id}",
        "origin_server_ts": 1, "content": {{ "msgtype": "m.text", "body": "{id}" }}
    }}] }}"#
    );
    request("PUT", &format!("transactions/{txn}"), Some("theirs"), body)
}

#[tokio::test]
async fn what_comes_after_a_transaction_that_was_left_out_waits_for_it() {
    let (router, host, link) = listener().await;

    let mut answers = Vec::new();
    for (txn, id) in [("1", "$1"), ("3", "$3"), ("2", "$2"), ("3", "$3"), ("4", "$4")] {
        answers.push(status(&router, saying(txn, id)).await);
    }

    assert_eq!(answers, [200, 500, 200, 200, 200]);
    link.doubt.notified().await;
    assert_eq!(told(&host), ["$1", "$2", "$3", "$4"]);
}

#[tokio::test]
async fn what_comes_again_after_a_jump_is_taken() {
    let (router, host, _) = listener().await;

    let mut answers = Vec::new();
    for (txn, id) in [("1", "$1"), ("7", "$7"), ("7", "$7"), ("8", "$8")] {
        answers.push(status(&router, saying(txn, id)).await);
    }

    assert_eq!(answers, [200, 500, 200, 200]);
    assert_eq!(told(&host), ["$1", "$7", "$8"]);
}

#[tokio::test]
async fn a_number_borne_by_two_transactions_loses_neither() {
    let (router, host, _) = listener().await;

    let answers = [status(&router, saying("1", "$old")).await, status(&router, saying("1", "$new")).await];

    assert_eq!(answers, [200, 200]);
    assert_eq!(told(&host), ["$old", "$new"]);
}

fn told(host: &RecordingHost) -> Vec<String> {
    host.events().iter().map(|event| event.id.to_string()).collect()
}
