//! What both directions share.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use mimi_adapter::{Addresses, Host, NativeRoomId, NativeUserId};
use mimi_uri::UserUri;
use xmpp_parsers::jid::Jid;

use crate::limits::{DISPLAY_NAME_CHARS_MAX, KNOWN_MAX};
use crate::line::Line;
use crate::muc::{Questions, Rooms};
use crate::{XmppConfig, XmppNames, stanza};

/// What both directions share.
pub(crate) struct Link {
    pub(crate) config: XmppConfig,
    pub(crate) names: XmppNames,
    pub(crate) line: Line,
    pub(crate) host: Arc<dyn Host>,
    pub(crate) open: OpenChats,
    pub(crate) called: Called,
    pub(crate) rooms: Rooms,
    pub(crate) questions: Questions,
}

/// The direct chats of which the host has heard since we started: what is said in any other opens it. With each the
/// device from which the user spoke last.
#[derive(Debug, Default)]
pub(crate) struct OpenChats(Mutex<HashMap<NativeRoomId, Option<Jid>>>);

impl OpenChats {
    /// Notes that a chat is open; `false` if it was known.
    pub(crate) fn open(&self, room: &NativeRoomId) -> bool {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= KNOWN_MAX {
            open.clear();
        }
        match open.entry(room.clone()) {
            Entry::Occupied(_) => false,
            Entry::Vacant(new) => {
                new.insert(None);
                true
            }
        }
    }

    /// Notes where the user of an open chat speaks from.
    pub(crate) fn spoken_from(&self, room: &NativeRoomId, device: &Jid) {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = open.get_mut(room) {
            *last = Some(device.clone());
        }
    }

    /// Where the user of a chat spoke from last.
    pub(crate) fn device(&self, room: &NativeRoomId) -> Option<Jid> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(room).cloned().flatten()
    }

    /// Notes that one of the two has left.
    pub(crate) fn close(&self, room: &NativeRoomId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(room);
    }
}

/// What puppets are called.
#[derive(Debug, Default)]
pub(crate) struct Called(Mutex<HashMap<UserUri, String>>);

impl Called {
    pub(crate) fn note(&self, user: &UserUri, name: &str) {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if names.len() >= KNOWN_MAX {
            names.clear();
        }
        let name: String = stanza::shown(name).chars().take(DISPLAY_NAME_CHARS_MAX).collect();
        names.insert(user.clone(), name);
    }

    /// What the puppet of this user is called, or what it would be called until we are told.
    pub(crate) fn name(&self, user: &UserUri) -> String {
        let names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        names.get(user).cloned().unwrap_or_else(|| format!("{} ({})", user.path(), user.domain()))
    }
}

impl Link {
    /// What a puppet is called.
    pub(crate) fn name_of(&self, puppet: &NativeUserId) -> Option<String> {
        self.names.behind_puppet(puppet).map(|user| self.called.name(&user))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chat_is_new_until_it_is_opened_and_again_after_it_was_left() {
        let (chats, room) = (OpenChats::default(), NativeRoomId::from("a b"));

        assert!(chats.open(&room) && !chats.open(&room));
        chats.close(&room);
        assert!(chats.open(&room));
    }

    #[test]
    fn a_puppet_is_called_as_we_are_told_or_after_its_address() {
        let (called, bob) = (Called::default(), UserUri::parse("mimi://b.example/u/bob").unwrap());

        assert_eq!(called.name(&bob), "bob (b.example)");
        called.note(&bob, "Bob \u{0}B.");
        assert_eq!(called.name(&bob), "Bob \u{fffd}B.");
    }
}
