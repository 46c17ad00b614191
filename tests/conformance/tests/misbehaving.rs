//! A follower that is not well: it gets everything once it is, and the other one notices nothing.
//!
//! Each test is one way not to be well. A thousand messages are said meanwhile in a room with people at both followers.

#![expect(clippy::unwrap_used, clippy::large_futures, reason = "these are tests")]

use conformance::{Misbehaviour, Peer, Tried, World};
use mimi_uri::RoomUri;
use mimi_wire::{FanoutEvent, FanoutMessage};

/// What is said while the follower is not well.
const MESSAGES: usize = 1000;

/// How often it is tried before it heals, where a try does not take until a deadline.
const TRIES: usize = 3;

/// The messages of a room that a follower took, in their order.
fn messages(peer: &Peer, room: &RoomUri) -> Vec<FanoutMessage> {
    let taken = peer.sink.taken(room).into_iter();
    taken.filter(|event| matches!(event.event, FanoutEvent::Application { .. })).collect()
}

/// Lets one follower misbehave under load until it was tried so often, and heal.
async fn all_arrives(how: Misbehaviour, enough: usize) -> Vec<Tried> {
    let mut world = World::new().await;
    let mut chat = world.chat_of_three().await;
    world.b.misbehaves(how).await;

    for n in 0..MESSAGES {
        let request = chat.alice.says(&n.to_string());
        world.a.submit(&chat.uri, &request).await;
    }
    world.a.ledger.delivered(&world.c.domain).await;
    let healthy = messages(&world.c, &chat.uri);
    let nothing = messages(&world.b, &chat.uri);
    let tried = world.b.tried_times(enough).await;
    world.b.behaves().await;
    world.a.ledger.settled().await;

    let logged = world.a.ledger.log(&chat.uri).await;
    let logged = logged.iter().map(|event| FanoutMessage::decode(&event.bytes).unwrap());
    let said: Vec<_> =
        logged.filter(|event| matches!(event.event, FanoutEvent::Application { .. })).collect();
    assert_eq!(said.len(), MESSAGES);
    assert!(healthy == said, "the healthy follower had everything while the other one was not well");
    assert!(nothing.is_empty(), "the other one had nothing");
    assert!(messages(&world.b, &chat.uri) == said, "it got everything, once and in order, when it was well");
    tried
}

/// How long whoever tried waited, in parts of what he was asked to wait.
fn obedience(tried: &[Tried]) -> Vec<f64> {
    let pairs = tried.windows(2).filter_map(|pair| Some((pair[0], pair[1].at, pair[0].not_before?)));
    pairs
        .map(|(before, at, not_before)| {
            (at - before.at).as_secs_f64() / (not_before - before.at).as_secs_f64()
        })
        .collect()
}

#[tokio::test]
async fn everything_arrives_at_a_follower_that_answers_429_with_seconds_to_wait() {
    let tried = all_arrives(Misbehaviour::RetryAfter(4), TRIES).await;

    let waited = obedience(&tried);
    println!("waited {waited:.3?} of what was asked");
    assert!(waited.len() >= 2 && waited.iter().all(|part| (0.999..2.0).contains(part)), "{waited:?}");
}

#[tokio::test]
async fn everything_arrives_at_a_follower_that_answers_503_with_a_date_to_wait_for() {
    let tried = all_arrives(Misbehaviour::RetryAtDate(5), TRIES).await;

    let waited = obedience(&tried);
    println!("waited {waited:.3?} of what was asked");
    assert!(waited.len() >= 2 && waited.iter().all(|part| (0.999..2.0).contains(part)), "{waited:?}");
}

#[tokio::test]
async fn everything_arrives_at_a_follower_that_answers_503_without_a_word() {
    all_arrives(Misbehaviour::Status(503), TRIES).await;
}

#[tokio::test]
async fn everything_arrives_at_a_follower_that_answers_500() {
    all_arrives(Misbehaviour::Status(500), TRIES).await;
}

#[tokio::test]
async fn everything_arrives_at_a_follower_that_sends_us_elsewhere() {
    all_arrives(Misbehaviour::Status(302), TRIES).await;
}

#[tokio::test]
async fn everything_arrives_at_a_follower_that_resets_the_connection() {
    all_arrives(Misbehaviour::Resets, TRIES).await;
}

#[tokio::test]
async fn everything_arrives_at_a_follower_that_ends_within_the_header_of_its_answer() {
    all_arrives(Misbehaviour::EndsWithinHeader, TRIES).await;
}

#[tokio::test]
async fn everything_arrives_at_a_follower_that_ends_within_the_body_of_its_answer() {
    all_arrives(Misbehaviour::EndsWithinBody, TRIES).await;
}

#[tokio::test]
async fn everything_arrives_at_a_follower_that_answers_garbage() {
    all_arrives(Misbehaviour::Garbage, TRIES).await;
}

#[tokio::test]
async fn everything_arrives_at_a_follower_that_never_answers() {
    all_arrives(Misbehaviour::Hangs, 1).await;
}

#[tokio::test]
async fn everything_arrives_at_a_follower_that_answers_a_byte_at_a_time() {
    all_arrives(Misbehaviour::Trickles, 1).await;
}

#[tokio::test]
async fn everything_arrives_at_a_follower_that_goes_away() {
    all_arrives(Misbehaviour::GoesAway, TRIES).await;
}

#[tokio::test]
async fn everything_arrives_at_a_follower_that_shows_the_certificate_of_a_stranger() {
    all_arrives(Misbehaviour::StrangeCertificate, TRIES).await;
}

#[tokio::test]
async fn everything_arrives_at_a_follower_that_does_not_speak_tls() {
    all_arrives(Misbehaviour::NoTls, TRIES).await;
}
