//! What must hold when all is over.

use std::fmt;

use mimi_store::{Audience, EventLimit, EventRow, RoomRole, Seq, Store};
use mimi_uri::UserUri;

use crate::native::Shown;
use crate::plan::LIAR;
use crate::run::World;

/// A promise that was not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// Something that was said was not shown to the other.
    Lost(String),
    /// Something was shown more than once.
    Doubled(String),
    /// Something was shown before what was said before it.
    Reordered(String),
    /// Something was shown as somebody else's, or to somebody else, or nobody said it.
    Misattributed(String),
    /// A follower's log is not what the hub's log says.
    LogsDiffer(String),
    /// A lane, an inbox or an outbox does not come to an end.
    NotAtRest(String),
    /// Somebody was told that his message was not accepted.
    ToldOff(String),
    /// A machine failed.
    Broke(String),
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, text) = match self {
            Self::Lost(text) => ("lost", text),
            Self::Doubled(text) => ("doubled", text),
            Self::Reordered(text) => ("reordered", text),
            Self::Misattributed(text) => ("misattributed", text),
            Self::LogsDiffer(text) => ("logs differ", text),
            Self::NotAtRest(text) => ("not at rest", text),
            Self::ToldOff(text) => ("told off", text),
            Self::Broke(text) => ("broke", text),
        };
        write!(f, "{what}: {text}")
    }
}

/// All that is wrong with a world that came to rest.
pub(crate) async fn violations(world: &World) -> Vec<Violation> {
    let mut found = messages(world);
    found.extend(logs(world).await);
    found
}

/// What people said against what people were shown. For a liar's people nothing is promised but that nobody is shown what
/// they did not say, or what they said twice.
fn messages(world: &World) -> Vec<Violation> {
    let mut found = Vec::new();
    for to in world.people().filter(|to| is_honest(&to.uri)) {
        let all: Vec<Shown> = to.native().shown().into_iter().filter(|shown| shown.to == to.name).collect();
        for from in world.people().filter(|from| from.uri != to.uri) {
            let said: Vec<String> = from
                .native()
                .said()
                .into_iter()
                .filter(|said| said.by == from.name && said.to == to.uri)
                .map(|said| said.text)
                .collect();
            let shown = all.iter().filter(|shown| shown.by.as_ref() == Some(&from.uri));
            let shown: Vec<String> = shown.map(|shown| shown.text.clone()).collect();
            let mut differences = compared(&from.uri, &to.uri, &said, &shown);
            if !is_honest(&from.uri) {
                differences.retain(|it| matches!(it, Violation::Doubled(_) | Violation::Misattributed(_)));
            }
            found.extend(differences);
        }
        let of_nobody =
            all.iter().filter(|shown| !world.people().any(|it| Some(&it.uri) == shown.by.as_ref()));
        found
            .extend(of_nobody.map(|it| Violation::Misattributed(format!("{:?} is of {:?}", it.text, it.by))));
    }
    for machine in world.machines.iter().filter(|machine| machine.liar.is_none()) {
        let notices = machine.native.notices().into_iter();
        let notices = notices.filter(|(with, _)| with.as_ref().is_none_or(is_honest));
        found.extend(notices.map(|(_, text)| Violation::ToldOff(text)));
        let unsaid = machine.native.unsaid().into_iter().filter(|(to, _)| is_honest(to));
        found.extend(unsaid.map(|(_, text)| Violation::Lost(text)));
        let untaken = machine.native.said().into_iter().filter(|said| !said.is_taken);
        found.extend(untaken.map(|said| Violation::NotAtRest(format!("{} was never taken", said.text))));
    }
    found
}

/// Whether somebody's provider keeps its word.
pub(crate) fn is_honest(user: &UserUri) -> bool {
    user.domain().as_str() != LIAR
}

/// What one said to the other against what the other was shown of him.
fn compared(from: &UserUri, to: &UserUri, said: &[String], shown: &[String]) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut last = None;
    for (at, text) in shown.iter().enumerate() {
        let Some(place) = said.iter().position(|it| it == text) else {
            found.push(Violation::Misattributed(format!("{to} was shown {text:?} as from {from}")));
            continue;
        };
        if shown[..at].contains(text) {
            found.push(Violation::Doubled(format!("{text:?} to {to}")));
        } else if last.is_some_and(|last| place < last) {
            found.push(Violation::Reordered(format!("{text:?} to {to}")));
        }
        last = last.max(Some(place));
    }
    let missing = said.iter().filter(|text| !shown.contains(text));
    found.extend(missing.map(|text| Violation::Lost(format!("{text:?} to {to}"))));
    found
}

/// Every follower's log against the hub's, for the intervals that it is entitled to.
async fn logs(world: &World) -> Vec<Violation> {
    let mut found = Vec::new();
    for hub in world.machines.iter().filter(|machine| machine.liar.is_none()) {
        let store = hub.disk.look();
        for lane in store.lanes().await.unwrap_or_default().into_iter().filter(|it| it.peer.as_str() != LIAR)
        {
            let what = format!("{} for {}", lane.room, lane.peer);
            let log = log(store.as_ref(), &lane.room).await;
            let entitled: Vec<&EventRow> = log
                .iter()
                .filter(|event| event.seq >= lane.from && lane.to.is_none_or(|to| event.seq < to))
                .filter(|event| match &event.audience {
                    Audience::Everyone => true,
                    Audience::Only(provider) => *provider == lane.peer,
                })
                .collect();
            if entitled.last().is_some_and(|last| lane.position <= last.seq) {
                found.push(Violation::NotAtRest(format!("the lane of {what}")));
            }
            let follower = world.machines.iter().find(|machine| machine.domain == lane.peer.as_str());
            let Some(follower) = follower else { continue };
            let theirs = self::log(follower.disk.look().as_ref(), &lane.room).await;
            if !entitled.iter().map(|event| &event.bytes).eq(theirs.iter().map(|event| &event.bytes)) {
                let (ours, theirs) = (entitled.len(), theirs.len());
                found
                    .push(Violation::LogsDiffer(format!("{what}: {ours} events at the hub, {theirs} there")));
            }
        }
        let rooms = store.rooms(Some(RoomRole::Hub)).await.unwrap_or_default();
        for room in rooms {
            let log = log(store.as_ref(), &room).await;
            if log
                .windows(2)
                .any(|two| two[1].timestamp <= two[0].timestamp && two[1].seq.0 > two[0].seq.0 + 1)
            {
                found.push(Violation::LogsDiffer(format!("{room}: timestamps do not grow")));
            }
        }
    }
    found
}

async fn log(store: &dyn Store, room: &mimi_uri::RoomUri) -> Vec<EventRow> {
    let all = EventLimit { count: usize::MAX, bytes: usize::MAX };
    store.events(room, Seq::FIRST, all).await.unwrap_or_default()
}
