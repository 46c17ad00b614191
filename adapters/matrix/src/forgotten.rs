//! What the homeserver forgets to tell.
//!
//! Synapse holds in memory what it is about to tell an application service, and notes at once that it has told it. What
//! waits there when it is killed is never told. But all of it is in its room, so it can be read there:
//!
//! 1. We note until when everything was told, by the homeserver's clock ([`Link::note_told`]), and who of ours is in which
//!    room and can read it ([`Link::note_reader`]).
//! 2. When a session begins, and when the homeserver goes away (`watch` sees it), every room is in doubt from that time on
//!    ([`Link::doubt_rooms`]).
//! 3. A room in doubt is read up to the present before anything that is told of it later is taken ([`Link::recall`]).
//!    Rooms of which nothing more is told are read one by one, at leisure ([`sweep`]).
//!
//! What was told already is known to the host by its event id. Not healed is an invitation that is forgotten: nobody of
//! ours is in its room yet, so it must be said again.

use std::collections::{BTreeMap, BTreeSet};
use std::slice;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mimi_adapter::{Delivery, IngestFault, NativeBody, Operation, Outcome};
use ruma::api::Direction;
use ruma::events::AnyTimelineEvent;
use ruma::serde::Raw;
use ruma::{OwnedRoomId, OwnedUserId, RoomId, UserId};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use crate::arrival::NotTaken;
use crate::homeserver::{Acting, if_allowed};
use crate::limits::{CATCH_UP_TIME_MAX, READERS_PER_ROOM_MAX, SWEEP_PAUSE, SWEEP_RETRY_WAIT, TOLD_MARGIN};
use crate::missed::{Missed, Since, page_request};
use crate::session::{Link, room_of};
use crate::translate::{Translation, translate};

/// Under which key the host keeps until when everything was told; the other keys are rooms, which begin otherwise.
const TOLD: &str = "told until";

/// What is read: all that `translate` knows.
const KINDS: [&str; 6] = [
    "m.room.message",
    "m.room.encrypted",
    "m.room.member",
    "m.room.name",
    "m.room.topic",
    "m.room.power_levels",
];

/// Which rooms there are, and from where each may have to be read.
#[derive(Debug, Default)]
pub(crate) struct Forgotten {
    state: Mutex<State>,
    /// Rings when rooms are in doubt.
    doubted: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// Some of ours who are in each room, and can read it.
    readers: BTreeMap<OwnedRoomId, BTreeSet<OwnedUserId>>,
    /// Before this everything was told, in milliseconds since 1970.
    told_ms: u64,
    /// What of it the host keeps.
    kept_ms: u64,
    doubts: BTreeMap<OwnedRoomId, Doubt>,
    /// How often there was doubt.
    count: u64,
}

/// A room of which something may be forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Doubt {
    /// Before this everything was told.
    told_ms: u64,
    /// All before this place in the room was told, or has been read; none if it is not known yet.
    from: Option<String>,
    /// Which doubt it was: what was read before a later one does not settle that.
    number: u64,
}

impl Forgotten {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes up what the host has kept.
    fn take_up(&self, kept: Vec<(String, String)>) {
        let mut state = self.state();
        for (key, value) in kept {
            if key == TOLD {
                state.told_ms = value.parse().unwrap_or_default();
                state.kept_ms = state.told_ms;
            } else if let Ok(room) = RoomId::parse(&key) {
                let readers = value.split(' ').filter_map(|user| UserId::parse(user).ok()).collect();
                state.readers.insert(room, readers);
            }
        }
    }

    /// The room's readers with one more, if that is news and there are not enough yet.
    fn with_reader(&self, room: &RoomId, user: &UserId) -> Option<String> {
        let mut state = self.state();
        let readers = state.readers.entry(room.to_owned()).or_default();
        let is_new = readers.len() < READERS_PER_ROOM_MAX && readers.insert(user.to_owned());
        is_new.then(|| list(readers))
    }

    /// The room's readers without one, if he was one; nobody is left if he was the last.
    fn without_reader(&self, room: &RoomId, user: &UserId) -> Option<String> {
        let mut state = self.state();
        let readers = state.readers.get_mut(room)?;
        if !readers.remove(user) {
            return None;
        }
        let left = list(readers);
        if left.is_empty() {
            state.readers.remove(room);
            state.doubts.remove(room);
        }
        Some(left)
    }

    fn reader(&self, room: &RoomId) -> Option<OwnedUserId> {
        self.state().readers.get(room)?.first().cloned()
    }

    fn doubt(&self, room: &RoomId) -> Option<Doubt> {
        self.state().doubts.get(room).cloned()
    }

    /// Notes that a room was read up to a place, or to the present, unless it was doubted again meanwhile.
    fn has_read(&self, room: &RoomId, doubt: &Doubt, up_to: Option<String>) {
        let mut state = self.state();
        if state.doubts.get(room) != Some(doubt) {
            return;
        }
        match up_to {
            from @ Some(_) => state.doubts.insert(room.to_owned(), Doubt { from, ..doubt.clone() }),
            None => state.doubts.remove(room),
        };
    }

    /// The room in doubt after another, round and round.
    fn doubtful_after(&self, room: Option<&OwnedRoomId>) -> Option<OwnedRoomId> {
        let state = self.state();
        let mut after = state.doubts.keys().skip_while(|one| room.is_some_and(|room| *one <= room));
        after.next().or_else(|| state.doubts.keys().next()).cloned()
    }
}

impl State {
    /// Something was told that happened then; the time to be kept, if it is another one by now.
    fn note_told(&mut self, at_ms: u64) -> Option<u64> {
        if !self.doubts.is_empty() {
            return None;
        }
        let margin_ms = millis(TOLD_MARGIN);
        // What a clock that is ahead says is not believed.
        let told_ms = at_ms.min(now_ms()).saturating_sub(margin_ms);
        self.told_ms = self.told_ms.max(told_ms);
        if self.told_ms < self.kept_ms.saturating_add(margin_ms) {
            return None;
        }
        self.kept_ms = self.told_ms;
        Some(self.kept_ms)
    }
}

impl Link {
    /// Finds again what the host has kept, and doubts: the homeserver may have gone away while nobody looked.
    pub(crate) async fn remember(&self) -> Result<(), IngestFault> {
        self.forgotten.take_up(self.host.kept().await?);
        self.doubt_rooms();
        Ok(())
    }

    /// Something may be forgotten in any room.
    pub(crate) fn doubt_rooms(&self) {
        let mut state = self.forgotten.state();
        state.count += 1;
        let doubt = Doubt { told_ms: state.told_ms, from: None, number: state.count };
        let rooms: Vec<_> = state.readers.keys().cloned().collect();
        state.doubts.extend(rooms.into_iter().map(|room| (room, doubt.clone())));
        drop(state);
        self.forgotten.doubted.notify_one();
    }

    /// Notes that these were told, and all that is older.
    pub(crate) async fn note_told(&self, events: &[Raw<AnyTimelineEvent>]) {
        let Some(newest) = events.iter().filter_map(time_ms).max() else { return };
        let told = self.forgotten.state().note_told(newest);
        if let Some(told) = told
            && let Err(fault) = self.host.keep(TOLD, Some(&told.to_string())).await
        {
            // An earlier time serves as well: there is only more to read.
            tracing::warn!(%fault, "until when everything was told is not kept");
        }
    }

    /// Notes whom an operation has shown to be in a room, before it is done.
    pub(crate) async fn note_reader(&self, delivery: &Delivery, outcome: &Outcome) -> Result<(), Outcome> {
        let Outcome::Done { room: made, .. } = outcome else { return Ok(()) };
        let user = match &delivery.operation {
            Operation::OpenDirect { puppet: user, .. }
            | Operation::AcceptInvite { puppet: user }
            | Operation::Enter { user } => self.puppet(user).await?,
            Operation::OpenGroup { .. } => self.bot.clone(),
            Operation::Post(_) | Operation::Notice(_) => self.speaker(delivery).await?,
            _ => return Ok(()),
        };
        let room = match made.as_ref().and_then(|room| RoomId::parse(room.as_str()).ok()) {
            Some(room) => room,
            None => room_of(delivery)?,
        };
        let Some(readers) = self.forgotten.with_reader(&room, &user) else { return Ok(()) };
        let kept = self.host.keep(room.as_str(), Some(&readers)).await;
        if let Err(fault) = kept {
            self.forgotten.without_reader(&room, &user);
            return Err(Outcome::Broken { why: fault.to_string() });
        }
        Ok(())
    }

    /// Somebody of ours is in a room no more.
    pub(crate) async fn forget_reader(&self, room: &RoomId, user: &UserId) {
        let Some(left) = self.forgotten.without_reader(room, user) else { return };
        if let Err(fault) =
            self.host.keep(room.as_str(), Some(left.as_str()).filter(|left| !left.is_empty())).await
        {
            tracing::debug!(%room, %fault, "who reads a room is not kept");
        }
    }

    /// Reads a room in doubt, and hands what it says to the host. The caller holds the order of events.
    pub(crate) async fn recall(&self, room: &RoomId) -> Result<(), NotTaken> {
        while let Some(doubt) = self.forgotten.doubt(room) {
            let Some(reader) = self.forgotten.reader(room) else {
                self.forgotten.has_read(room, &doubt, None);
                return Ok(());
            };
            let Some(from) = &doubt.from else {
                match (Missed { link: self, room, puppet: &reader }).since(doubt.told_ms, &KINDS).await? {
                    Since::Nothing => self.forgotten.has_read(room, &doubt, None),
                    Since::Place(place) => self.forgotten.has_read(room, &doubt, Some(place)),
                    Since::Outside => self.forget_reader(room, &reader).await,
                }
                continue;
            };
            let request = page_request(room, Direction::Forward, Some(from.clone()), &KINDS);
            let page = self.homeserver.call(request, Acting::OnDevice(&reader)).await;
            let Some(page) = if_allowed(page)? else {
                self.forget_reader(room, &reader).await;
                continue;
            };
            self.hand_over(self.recalled(&page.chunk)).await?;
            self.forgotten.has_read(room, &doubt, page.end.filter(|end| end != from));
        }
        Ok(())
    }

    /// What events of a room say. An invitation is told with more than its room has.
    fn recalled(&self, events: &[Raw<AnyTimelineEvent>]) -> Translation {
        let is_invitation = |body: &NativeBody| {
            matches!(body, NativeBody::DirectInvite { .. } | NativeBody::GroupInvite { .. })
        };
        let mut all = Translation::default();
        for raw in events {
            let one = translate(&self.names, slice::from_ref(raw));
            all.events.extend(one.events.into_iter().filter(|event| !is_invitation(&event.body)));
            all.set_aside.extend(one.set_aside);
        }
        all
    }

    async fn recall_quietly(&self, room: &RoomId) -> Result<(), NotTaken> {
        let recalled = timeout(CATCH_UP_TIME_MAX, async {
            let _one_at_a_time = self.joining.order.lock().await;
            self.recall(room).await
        });
        recalled.await.unwrap_or(Err(NotTaken::TooSlow))
    }
}

/// Reads all rooms in doubt, one after the other, whenever there are some.
pub(crate) async fn sweep(link: Arc<Link>) {
    let mut last = None;
    loop {
        let Some(room) = link.forgotten.doubtful_after(last.as_ref()) else {
            link.forgotten.doubted.notified().await;
            continue;
        };
        match link.recall_quietly(&room).await {
            Ok(()) => sleep(SWEEP_PAUSE).await,
            Err(fault) => {
                tracing::debug!(%room, %fault, "a room is not read yet");
                sleep(SWEEP_RETRY_WAIT).await;
            }
        }
        last = Some(room);
    }
}

/// When an event happened, as it says itself.
pub(crate) fn time_ms(event: &Raw<AnyTimelineEvent>) -> Option<u64> {
    event.get_field("origin_server_ts").ok()?
}

fn now_ms() -> u64 {
    millis(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn list(users: &BTreeSet<OwnedUserId>) -> String {
    users.iter().map(|user| user.as_str()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
