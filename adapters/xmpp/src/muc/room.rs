use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use mimi_adapter::{GroupProfile, OpId, Role};
use xmpp_parsers::jid::BareJid;

use crate::hear::Heard;

/// The rooms in which we are, or are to be.
#[derive(Default)]
pub(crate) struct Rooms {
    rooms: Mutex<HashMap<BareJid, Room>>,
    /// Held by whoever comes into a room, so that two do not both begin to listen.
    pub(crate) entering: tokio::sync::Mutex<()>,
}

/// What was asked of rooms and is told on when it is answered, in the order in which the answers come.
#[derive(Default)]
pub(crate) struct Questions {
    asked: Mutex<HashMap<String, Question>>,
    lookups: Mutex<HashMap<String, Vec<Lookup>>>,
}

/// What is done with an answer.
pub(crate) enum Question {
    /// With it all is known of who belongs to the room.
    Members(BareJid),
    /// It has the room's name.
    Name(BareJid),
}

/// A message of an archive that is searched: its id there, and the ids its sender gave it.
pub(crate) struct Lookup {
    pub(crate) id: String,
    pub(crate) said_as: Vec<String>,
}

/// A room, as its listener sees it.
#[derive(Default)]
pub(crate) struct Room {
    /// Who is there now, by nick.
    pub(crate) occupants: HashMap<String, Occupant>,
    /// Who belongs to the room, there or not.
    pub(crate) affiliated: HashMap<BareJid, Affiliation>,
    /// Those of ours who are there, with their nicks.
    pub(crate) ours: HashMap<BareJid, String>,
    /// Whose copies count.
    pub(crate) listener: Option<BareJid>,
    /// Who was, when we were there last.
    pub(crate) listened: Option<BareJid>,
    /// Of whom it was told that he came.
    pub(crate) told: HashSet<BareJid>,
    /// Set while the archive is read.
    pub(crate) catching_up: Option<CatchingUp>,
    /// The archive's id of the last message that was heard.
    pub(crate) last: Option<String>,
    pub(crate) profile: GroupProfile,
    /// Whether something was said by us since we came in: then nothing older can come up for repetition.
    pub(crate) has_spoken: bool,
    /// Whether it hides who its occupants are.
    pub(crate) hides: bool,
    /// What we are doing there now, so that its echo is known.
    pub(crate) doing: Option<OpId>,
}

/// Reading the archive: until its end is reached, what is said meanwhile waits.
pub(crate) struct CatchingUp {
    pub(crate) query: String,
    pub(crate) held: Vec<Heard>,
}

/// Somebody who is in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Occupant {
    pub(crate) user: Option<BareJid>,
    pub(crate) affiliation: Affiliation,
}

/// What somebody is to a room, for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Affiliation {
    Owner,
    Admin,
    Member,
    None,
    Outcast,
}

impl Affiliation {
    /// As the protocol writes it; what it does not write is nothing.
    pub(crate) fn read(text: Option<&str>) -> Self {
        match text {
            Some("owner") => Self::Owner,
            Some("admin") => Self::Admin,
            Some("member") => Self::Member,
            Some("outcast") => Self::Outcast,
            Some(_) | None => Self::None,
        }
    }

    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Member => "member",
            Self::None => "none",
            Self::Outcast => "outcast",
        }
    }

    /// The one table of roles, inwards.
    pub(crate) fn role(self) -> Role {
        match self {
            Self::Owner => Role::Owner,
            Self::Admin => Role::Moderator,
            Self::Member | Self::None | Self::Outcast => Role::Member,
        }
    }

    /// The one table of roles, outwards.
    pub(crate) fn of(role: Role) -> Self {
        match role {
            Role::Owner => Self::Owner,
            Role::Moderator => Self::Admin,
            Role::Member => Self::Member,
        }
    }

    /// Whether it outlasts a visit: who has one belongs to the room, there or not.
    pub(crate) fn is_lasting(self) -> bool {
        matches!(self, Self::Owner | Self::Admin | Self::Member)
    }
}

impl Rooms {
    fn lock(&self) -> MutexGuard<'_, HashMap<BareJid, Room>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with a room that is known.
    pub(crate) fn with<T>(&self, room: &BareJid, act: impl FnOnce(&mut Room) -> T) -> Option<T> {
        self.lock().get_mut(room).map(act)
    }

    /// Does something with a room, from now on known.
    pub(crate) fn known<T>(&self, room: &BareJid, act: impl FnOnce(&mut Room) -> T) -> T {
        act(self.lock().entry(room.clone()).or_default())
    }

    /// Forgets a room.
    pub(crate) fn forget(&self, room: &BareJid) {
        self.lock().remove(room);
    }

    /// What is kept of a room over our own restarts: who listens there, and what he heard last.
    pub(crate) fn note(state: &Room) -> String {
        let listener = state.listener.as_ref().map_or("", |listener| listener.as_str());
        format!("{listener} {}", state.last.as_deref().unwrap_or_default())
    }

    /// Takes up what was kept of a room.
    pub(crate) fn take_up(&self, room: &str, note: &str) {
        let (Ok(room), Some((listener, last))) = (BareJid::new(room), note.split_once(' ')) else { return };
        self.known(&room, |state| {
            state.last = Some(last.to_owned());
            state.listened = BareJid::new(listener).ok();
        });
    }

    /// All rooms.
    pub(crate) fn all(&self) -> Vec<BareJid> {
        self.lock().keys().cloned().collect()
    }

    /// The connection is gone, and with it every presence.
    pub(crate) fn away(&self) {
        for room in self.lock().values_mut() {
            let (last, told) = (room.last.take(), std::mem::take(&mut room.told));
            let profile = std::mem::take(&mut room.profile);
            let listened = room.listener.take().or(room.listened.take());
            *room = Room { listened, told, last, profile, ..Room::default() };
        }
    }
}

impl Questions {
    /// Notes what is to be done with the answer to a request.
    pub(crate) fn ask(&self, id: &str, question: Question) {
        lock(&self.asked).insert(id.to_owned(), question);
    }

    /// What is to be done with an answer.
    pub(crate) fn answered(&self, id: &str) -> Option<Question> {
        lock(&self.asked).remove(id)
    }

    /// Begins to collect what a search finds.
    pub(crate) fn look_up(&self, query: &str) {
        lock(&self.lookups).insert(query.to_owned(), vec![]);
    }

    /// Takes what a search found; `false` if it is none.
    pub(crate) fn found(&self, query: &str, found: impl FnOnce() -> Lookup) -> bool {
        lock(&self.lookups).get_mut(query).map(|all| all.push(found())).is_some()
    }

    /// Ends a search.
    pub(crate) fn looked_up(&self, query: &str) -> Vec<Lookup> {
        lock(&self.lookups).remove(query).unwrap_or_default()
    }

    /// The connection is gone, and with it every answer.
    pub(crate) fn away(&self) {
        lock(&self.asked).clear();
        lock(&self.lookups).clear();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_given_is_the_role_that_is_heard() {
        for role in [Role::Member, Role::Moderator, Role::Owner] {
            let affiliation = Affiliation::of(role);
            assert_eq!(affiliation.role(), role);
            assert_eq!(Affiliation::read(Some(affiliation.text())), affiliation);
            assert!(affiliation.is_lasting());
        }
        assert_eq!(Affiliation::read(Some("nonsense")), Affiliation::None);
    }

    #[test]
    fn without_a_connection_nobody_is_anywhere_but_what_was_heard_is_known() {
        let (rooms, jid) = (Rooms::default(), BareJid::new("r@c.example").unwrap());
        rooms.known(&jid, |room| {
            room.last = Some("7".to_owned());
            room.ours.insert(BareJid::new("a@b").unwrap(), "A".to_owned());
        });

        rooms.away();

        assert_eq!(
            rooms.with(&jid, |room| (room.last.clone(), room.ours.len())),
            Some((Some("7".to_owned()), 0))
        );
    }
}
