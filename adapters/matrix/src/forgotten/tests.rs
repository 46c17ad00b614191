use mimi_adapter::conformance::RecordingHost;
use mimi_adapter::{Host, SessionStatus};
use mimi_content::NestedPart;
use ruma::{room_id, user_id};
use serde_json::Value;

use super::*;
use crate::fake::{ALICE, FakeHomeserver, PUPPET, ROOM, Shared, later, member, said};
use crate::{MatrixAdapter, MatrixConfig};

/// Minute by minute: a puppet joins, and then three things are said.
fn spoken_in() -> FakeHomeserver {
    let join = member("$join", PUPPET, "join", None);
    let timeline = [join, said("$1", "$1"), said("$2", "$2"), said("$3", "$3")];
    let timeline = (1..).zip(timeline).map(|(minute, event)| later(minute, event)).collect();
    FakeHomeserver { timeline, newest: Some(0), ..FakeHomeserver::default() }
}

/// A link that remembers a room with a puppet, and that all was told of these first minutes.
async fn linked_after(minutes: u64, homeserver: FakeHomeserver) -> (Arc<Link>, Arc<RecordingHost>, Shared) {
    let (address, homeserver) = homeserver.start().await;
    let config = MatrixConfig::new(&format!("http://{address}"), "a.example", ([127, 0, 0, 1], 0).into())
        .with_tokens("ours", "theirs");
    let host = Arc::new(RecordingHost::new());
    host.keep(TOLD, Some(&(minutes * 60_000 + 1).to_string())).await.unwrap();
    host.keep(ROOM, Some(PUPPET)).await.unwrap();
    let link = MatrixAdapter::new(config).unwrap().link(Arc::<RecordingHost>::clone(&host));
    link.remember().await.unwrap();
    (link, host, homeserver)
}

/// All was told until the first thing was said; that is told again, for its page is read that begins before.
async fn linked(homeserver: FakeHomeserver) -> (Arc<Link>, Arc<RecordingHost>, Shared) {
    linked_after(2, homeserver).await
}

async fn take(link: &Link, event: &Value) -> Result<(), NotTaken> {
    link.take("1", &[Raw::from_json_string(event.to_string()).unwrap()]).await
}

fn heard(host: &RecordingHost) -> Vec<NativeBody> {
    host.events().into_iter().map(|event| event.body).collect()
}

fn posts(texts: &[&str]) -> Vec<NativeBody> {
    texts.iter().map(|text| NativeBody::Post(NestedPart::plain(text))).collect()
}

fn times_read(homeserver: &Shared) -> usize {
    homeserver.lock().unwrap().asked.iter().filter(|what| **what == "messages").count()
}

#[tokio::test]
async fn what_was_forgotten_comes_before_what_is_told_next_and_is_read_once() {
    let (link, host, homeserver) = linked(spoken_in()).await;

    take(&link, &said("$4", "$4")).await.unwrap();
    let read = times_read(&homeserver);
    take(&link, &said("$5", "$5")).await.unwrap();

    assert_eq!(heard(&host), posts(&["$1", "$2", "$3", "$4", "$5"]));
    assert_eq!(times_read(&homeserver), read);
}

#[tokio::test]
async fn what_cannot_be_read_or_stored_is_not_overtaken() {
    let (link, host, homeserver) = linked(spoken_in()).await;
    homeserver.lock().unwrap().is_broken = true;

    let not_read = take(&link, &said("$4", "$4")).await;
    homeserver.lock().unwrap().is_broken = false;
    host.refuse_next(1);
    let not_stored = take(&link, &said("$4", "$4")).await;

    assert!(matches!(not_read, Err(NotTaken::Call(_))), "{not_read:?}");
    assert!(matches!(not_stored, Err(NotTaken::Ingest(_))), "{not_stored:?}");
    assert_eq!(heard(&host), []);
    take(&link, &said("$4", "$4")).await.unwrap();
    assert_eq!(heard(&host), posts(&["$1", "$2", "$3", "$4"]));
}

#[tokio::test]
async fn a_room_of_which_nothing_more_is_told_is_read_by_the_sweep() {
    let (link, host, _) = linked(spoken_in()).await;
    let sweeping = tokio::spawn(sweep(Arc::clone(&link)));

    host.event(|event| event.body == NativeBody::Post(NestedPart::plain("$3"))).await;

    assert_eq!(heard(&host), posts(&["$1", "$2", "$3"]));
    sweeping.abort();
}

#[tokio::test]
async fn an_invitation_is_left_to_the_homeserver_and_what_cannot_be_read_is_set_aside() {
    let mut homeserver = spoken_in();
    homeserver.timeline[2] = later(3, member("$2", ALICE, "invite", None));
    homeserver.timeline[3] = later(4, serde_json::json!({ "type": "m.room.message", "event_id": "$3" }));
    let (link, host, _) = linked(homeserver).await;

    take(&link, &said("$4", "$4")).await.unwrap();

    assert_eq!(heard(&host), posts(&["$1", "$4"]));
    host.reported(&SessionStatus::SetAside {
        why: "event $3 (m.room.message) in ? cannot be read".to_owned(),
    })
    .await;
}

#[tokio::test]
async fn a_room_that_nobody_of_ours_is_in_is_forgotten() {
    let (link, host, homeserver) = linked(spoken_in()).await;
    let (room, puppet) = (room_id!("!r:a.example"), user_id!("@_mimi_bob=40b.example:a.example"));

    link.forget_reader(room, puppet).await;
    take(&link, &said("$4", "$4")).await.unwrap();

    assert_eq!(heard(&host), posts(&["$4"]));
    assert_eq!(times_read(&homeserver), 0);
    assert!(host.kept().await.unwrap().iter().all(|(key, _)| key == TOLD));
}

#[tokio::test]
async fn a_puppet_that_is_removed_reads_no_more() {
    let (link, host, _) = linked(spoken_in()).await;
    let removed = later(5, member("$gone", ALICE, "leave", Some(("$join", "join"))));

    take(&link, &removed).await.unwrap();

    assert!(host.kept().await.unwrap().iter().all(|(key, _)| key == TOLD));
}

#[tokio::test]
async fn a_room_in_which_nothing_was_said_since_is_asked_once() {
    let (link, host, homeserver) = linked_after(4, spoken_in()).await;

    take(&link, &later(5, said("$4", "$4"))).await.unwrap();

    assert_eq!(heard(&host), posts(&["$4"]));
    assert_eq!(times_read(&homeserver), 1);
}

#[tokio::test]
async fn what_was_said_before_a_puppet_came_is_not_for_it() {
    let mut homeserver = spoken_in();
    homeserver.timeline.insert(0, later(1, said("$0", "not for newcomers")));
    homeserver.newest = Some(1);
    let (link, host, _) = linked_after(0, homeserver).await;

    take(&link, &later(5, said("$4", "$4"))).await.unwrap();

    assert_eq!(heard(&host), posts(&["$1", "$2", "$3", "$4"]));
}

#[tokio::test]
async fn until_when_everything_was_told_is_kept_once_no_room_is_in_doubt() {
    let (link, host, _) = linked(spoken_in()).await;
    let told = async || host.kept().await.unwrap().into_iter().find(|(key, _)| key == TOLD).unwrap().1;
    let event = |minute| Raw::from_json_string(later(minute, said("$4", "$4")).to_string()).unwrap();
    let minute = millis(TOLD_MARGIN);

    link.note_told(&[event(9)]).await;
    assert_eq!(told().await, (2 * minute + 1).to_string(), "in doubt");
    take(&link, &said("$4", "$4")).await.unwrap();
    link.note_told(&[event(9), event(8)]).await;
    assert_eq!(told().await, (8 * minute).to_string());
}

#[test]
fn all_that_is_a_minute_older_was_told_and_a_clock_that_is_ahead_is_not_believed() {
    let mut state = State::default();
    let minute = millis(TOLD_MARGIN);

    assert_eq!(state.note_told(minute / 2), None);
    assert_eq!(state.note_told(2 * minute), Some(minute));
    assert_eq!(state.note_told(3 * minute - 1), None, "not kept each time");
    assert_eq!(state.told_ms, 2 * minute - 1);
    assert_eq!(state.note_told(minute), None, "something old was told late");
    assert_eq!(state.told_ms, 2 * minute - 1);
    assert!(state.note_told(u64::MAX).unwrap() <= now_ms() - minute);
}

#[test]
fn what_was_read_before_a_doubt_does_not_settle_it() {
    let (forgotten, room) = (Forgotten::default(), room_id!("!r:a.example"));
    let doubt = |number| Doubt { told_ms: 1, from: None, number };
    let set = |number| forgotten.state().doubts.insert(room.to_owned(), doubt(number));

    set(1);
    set(2);
    forgotten.has_read(room, &doubt(1), None);
    assert_eq!(forgotten.doubt(room), Some(doubt(2)));
    forgotten.has_read(room, &doubt(2), Some("5".to_owned()));
    assert_eq!(forgotten.doubt(room), Some(Doubt { from: Some("5".to_owned()), ..doubt(2) }));
}

#[test]
fn rooms_in_doubt_take_turns() {
    let forgotten = Forgotten::default();
    let rooms = ["!1:a.example", "!2:a.example"].map(|room| RoomId::parse(room).unwrap());
    let doubt = Doubt { told_ms: 1, from: None, number: 1 };
    forgotten.state().doubts.extend(rooms.clone().map(|room| (room, doubt.clone())));

    let first = forgotten.doubtful_after(None);
    let second = forgotten.doubtful_after(first.as_ref());
    let third = forgotten.doubtful_after(second.as_ref());

    assert_eq!([first, second, third], [0, 1, 0].map(|n: usize| Some(rooms[n].clone())));
}
