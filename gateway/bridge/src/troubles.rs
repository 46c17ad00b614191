//! Why what waits waits: told by the runs, forgotten with the process, for the next one finds out again.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use mimi_uri::RoomUri;

use crate::intake::Lane;
use crate::rows::LinkId;

/// A queue that runs work off.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Queue {
    /// What a native conversation said.
    Lane(Lane),
    /// What a room's hub has to be asked, and what its log says.
    Room(RoomUri),
    /// What is to be done on the native side of a link.
    Link(LinkId),
    /// What a native user is to be shown of his posts.
    Showing(LinkId),
    /// What the other side of a link is to be told of theirs.
    Report(LinkId),
}

/// What is in a queue's way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// What happened the last time it was tried.
    pub(crate) why: String,
    /// Since when nothing got through, in milliseconds since 1970.
    pub(crate) since_ms: u64,
    /// How often it was tried since.
    pub(crate) tries: u32,
    /// Whether the last try may have been done all the same.
    pub(crate) is_unsure: bool,
}

/// The troubles of all queues that have one.
#[derive(Default)]
pub(crate) struct Troubles(Mutex<HashMap<Queue, Trouble>>);

impl Troubles {
    /// A try failed.
    pub(crate) fn note(&self, queue: Queue, why: &str, is_unsure: bool, now_ms: u64) {
        let mut all = self.all();
        let trouble = all.entry(queue).or_insert_with(|| Trouble {
            why: String::new(),
            since_ms: now_ms,
            tries: 0,
            is_unsure,
        });
        why.clone_into(&mut trouble.why);
        trouble.tries = trouble.tries.saturating_add(1);
        // Once in doubt, always: a later try that failed for certain does not undo the earlier one.
        trouble.is_unsure |= is_unsure;
    }

    /// Something got through.
    pub(crate) fn clear(&self, queue: &Queue) -> Option<Trouble> {
        self.all().remove(queue)
    }

    /// What is in the way of this queue.
    pub(crate) fn of(&self, queue: &Queue) -> Option<Trouble> {
        self.all().get(queue).cloned()
    }

    /// The rooms that have a trouble.
    pub(crate) fn rooms(&self) -> Vec<(RoomUri, Trouble)> {
        let all = self.all();
        let rooms = all.iter().filter_map(|(queue, trouble)| match queue {
            Queue::Room(room) => Some((room.clone(), trouble.clone())),
            Queue::Lane(_) | Queue::Link(_) | Queue::Showing(_) | Queue::Report(_) => None,
        });
        rooms.collect()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Queue, Trouble>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trouble_keeps_its_beginning_its_doubt_and_its_newest_reason() {
        let (troubles, queue) = (Troubles::default(), Queue::Link(LinkId("l".to_owned())));

        troubles.note(queue.clone(), "no answer", true, 5);
        troubles.note(queue.clone(), "refused", false, 9);

        let trouble = Trouble { why: "refused".to_owned(), since_ms: 5, tries: 2, is_unsure: true };
        assert_eq!(troubles.clear(&queue), Some(trouble));
        assert_eq!(troubles.of(&queue), None);
    }
}
