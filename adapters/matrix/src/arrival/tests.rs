use std::sync::Arc;

use mimi_adapter::conformance::RecordingHost;
use mimi_adapter::{NativeBody, RefusedCode};
use mimi_content::NestedPart;
use ruma::user_id;
use serde_json::{Value, json};

use super::*;
use crate::fake::{ALICE, FakeHomeserver, PUPPET, ROOM, Shared, member, said};
use crate::limits::{JOINING_MAX, MISSED_PAGES_MAX, PAGE_EVENTS_MAX};
use crate::{MatrixAdapter, MatrixConfig};

/// Said while the puppet was invited; it has joined since.
fn joined() -> FakeHomeserver {
    let timeline = vec![
        said("$0", "not for newcomers"),
        member("$invitation", ALICE, "invite", None),
        said("$1", "one"),
        member("$again", ALICE, "invite", Some(("$invitation", "invite"))),
        said("$2", "two"),
        member("$join", PUPPET, "join", Some(("$again", "invite"))),
        said("$3", "three"),
        member("$name", PUPPET, "join", Some(("$join", "join"))),
    ];
    FakeHomeserver { newest: Some(timeline.len() - 1), timeline, ..FakeHomeserver::default() }
}

fn marked(homeserver: FakeHomeserver) -> FakeHomeserver {
    FakeHomeserver { kept: Some(json!({ "rooms": { ROOM: [PUPPET] } })), ..homeserver }
}

async fn linked(homeserver: FakeHomeserver) -> (Arc<Link>, Arc<RecordingHost>, Shared) {
    let (address, homeserver) = homeserver.start().await;
    let config = MatrixConfig::new(&format!("http://{address}"), "a.example", ([127, 0, 0, 1], 0).into())
        .with_tokens("ours", "theirs");
    let host = Arc::new(RecordingHost::new());
    let link = MatrixAdapter::new(config).unwrap().link(Arc::<RecordingHost>::clone(&host));
    (link, host, homeserver)
}

async fn come(link: &Link) -> Result<Outcome, Outcome> {
    link.come(user_id!("@_mimi_bob=40b.example:a.example"), &RoomId::parse(ROOM).unwrap()).await
}

async fn take(link: &Link, event: &Value) -> Result<(), NotTaken> {
    link.take("1", &[Raw::from_json_string(event.to_string()).unwrap()]).await
}

fn bodies(host: &RecordingHost) -> Vec<NativeBody> {
    host.events().into_iter().map(|event| event.body).collect()
}

fn posts(texts: &[&str]) -> Vec<NativeBody> {
    texts.iter().map(|text| NativeBody::Post(NestedPart::plain(text))).collect()
}

#[tokio::test]
async fn a_puppet_is_marked_before_it_joins_and_until_all_since_its_invitation_is_stored() {
    let (link, host, homeserver) = linked(joined()).await;

    assert_eq!(come(&link).await, Ok(Outcome::done()));

    assert_eq!(bodies(&host), posts(&["one", "two", "three"]));
    let homeserver = homeserver.lock().unwrap();
    let order: Vec<_> =
        homeserver.asked.iter().filter(|what| ["keep", "join", "messages"].contains(what)).collect();
    assert_eq!(order, [&"keep", &"join", &"messages", &"messages", &"keep"]);
    assert_eq!(homeserver.kept, Some(json!({ "rooms": {} })));
}

#[tokio::test]
async fn a_transaction_of_a_room_marked_before_a_crash_waits_for_what_was_missed() {
    let (link, host, homeserver) = linked(marked(joined())).await;

    take(&link, &said("$3", "three")).await.unwrap();

    assert_eq!(bodies(&host), posts(&["one", "two", "three"]));
    assert_eq!(homeserver.lock().unwrap().kept, Some(json!({ "rooms": {} })));
}

#[tokio::test]
async fn what_cannot_be_fetched_or_stored_is_not_overtaken() {
    let (link, host, homeserver) = linked(marked(joined())).await;
    homeserver.lock().unwrap().is_broken = true;

    let not_fetched = take(&link, &said("$3", "three")).await;
    homeserver.lock().unwrap().is_broken = false;
    host.refuse_next(1);
    let not_stored = take(&link, &said("$3", "three")).await;

    assert!(matches!(not_fetched, Err(NotTaken::Call(_))), "{not_fetched:?}");
    assert!(matches!(not_stored, Err(NotTaken::Ingest(_))), "{not_stored:?}");
    assert_eq!(bodies(&host), []);
    assert_eq!(homeserver.lock().unwrap().kept, Some(json!({ "rooms": { ROOM: [PUPPET] } })));
}

#[tokio::test]
async fn a_room_without_a_mark_is_not_asked() {
    let (link, host, homeserver) = linked(joined()).await;

    take(&link, &said("$4", "four")).await.unwrap();
    take(&link, &said("$4", "four")).await.unwrap();

    assert_eq!(bodies(&host), posts(&["four"]));
    assert_eq!(homeserver.lock().unwrap().asked, ["register", "device", "kept"]);
}

#[tokio::test]
async fn the_mark_of_a_puppet_that_is_not_there_yet_stays() {
    let (link, host, homeserver) = linked(marked(FakeHomeserver { newest: None, ..joined() })).await;

    take(&link, &said("$3", "three")).await.unwrap();

    assert_eq!(bodies(&host), posts(&["three"]));
    assert_eq!(homeserver.lock().unwrap().kept, Some(json!({ "rooms": { ROOM: [PUPPET] } })));
}

#[tokio::test]
async fn a_puppet_that_is_not_let_in_leaves_no_mark() {
    let (link, _, homeserver) = linked(FakeHomeserver { is_closed: true, ..joined() }).await;

    let refused = come(&link).await;

    assert!(matches!(refused, Err(Outcome::Refused { code: RefusedCode::NotAllowed, .. })), "{refused:?}");
    assert_eq!(homeserver.lock().unwrap().kept, Some(json!({ "rooms": {} })));
}

#[tokio::test]
async fn a_puppet_that_leaves_takes_its_mark_along() {
    let (link, _, homeserver) = linked(marked(joined())).await;

    let left = link.leave(user_id!("@_mimi_bob=40b.example:a.example"), &RoomId::parse(ROOM).unwrap()).await;

    assert_eq!(left, Ok(Outcome::done()));
    assert_eq!(homeserver.lock().unwrap().kept, Some(json!({ "rooms": {} })));
}

#[tokio::test]
async fn an_invitation_that_is_hidden_is_a_gap_at_the_join() {
    let mut homeserver = joined();
    homeserver.timeline.remove(3);
    homeserver.newest = Some(homeserver.timeline.len() - 1);
    let (link, host, _) = linked(homeserver).await;

    come(&link).await.unwrap();

    let events = host.events();
    assert!(matches!(events[0].body, NativeBody::Gap { .. }));
    assert_eq!(events[0].id.as_str(), "$join");
    assert_eq!(bodies(&host)[1..], posts(&["three"]));
}

#[tokio::test]
async fn more_than_can_be_fetched_ends_in_a_gap() {
    let count = MISSED_PAGES_MAX * usize::try_from(PAGE_EVENTS_MAX).unwrap();
    let mut homeserver = joined();
    let flood = (0..count).map(|n| said(&format!("$flood{n}"), "x"));
    homeserver.timeline.splice(2..2, flood);
    homeserver.newest = Some(homeserver.timeline.len() - 1);
    let (link, host, homeserver) = linked(homeserver).await;

    come(&link).await.unwrap();

    let events = host.events();
    assert_eq!(events.len(), count + 1);
    assert!(matches!(events[count].body, NativeBody::Gap { .. }));
    assert_eq!(homeserver.lock().unwrap().kept, Some(json!({ "rooms": {} })));
}

#[tokio::test]
async fn too_many_puppets_at_once_wait() {
    let rooms: serde_json::Map<_, _> =
        (0..JOINING_MAX).map(|n| (format!("!{n}:a.example"), json!([PUPPET]))).collect();
    let (link, ..) = linked(FakeHomeserver { kept: Some(json!({ "rooms": rooms })), ..joined() }).await;

    assert!(matches!(come(&link).await, Err(Outcome::RetryAfter { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_transaction_does_not_wait_for_ever() {
    let (link, host, _) = linked(joined()).await;
    let _held = link.joining.order.lock().await;

    let late = take(&link, &said("$3", "three")).await;

    assert!(matches!(late, Err(NotTaken::TooSlow)), "{late:?}");
    assert_eq!(bodies(&host), []);
}
