use mimi_adapter::{NativeEventId, NativeRoomId, Role};
use mimi_uri::{RoomUri, UserUri};
use serde::{Deserialize, Serialize};

use super::{LinkId, Origin};

/// A native conversation of several people, tied to one MIMI room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Group {
    /// The adapter instance that speaks to the native side.
    pub(crate) adapter: String,
    /// The native conversation; none until it has been opened.
    pub(crate) native_room: Option<NativeRoomId>,
    /// The room.
    pub(crate) room: RoomUri,
    /// Which side began.
    pub(crate) origin: Origin,
    /// Whether anything is carried.
    pub(crate) state: GroupState,
    /// What the native side shows as its name, or will once all operations are done.
    pub(crate) name: Option<String>,
    /// What it shows as its topic.
    pub(crate) topic: Option<String>,
}

/// Where a group link is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum GroupState {
    /// It carries messages, or will as soon as its room is open.
    Active,
    /// None of our people is in the room any more, or it could not be opened.
    Ended,
}

/// Somebody in a native conversation, native or puppet: how it stands there, or will once all operations are done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Member {
    /// Whether he is there.
    pub(crate) presence: Presence,
    /// What he may do.
    pub(crate) role: Role,
    /// Why the room does not take him, if it does not: he is told when he speaks.
    pub(crate) refused: Option<String>,
}

/// Whether somebody is in a native conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Presence {
    In,
    Invited,
    Out,
    Banned,
}

impl Default for Member {
    fn default() -> Self {
        Self { presence: Presence::Out, role: Role::Member, refused: None }
    }
}

/// How something in a room should be, as the native side has it; what is missing until then is derived anew from the
/// room as it stands whenever it is acted upon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Wish {
    /// What should be.
    pub(crate) target: Target,
    /// Whether somebody else made the user go.
    pub(crate) is_kick: bool,
    /// Who brought it about.
    pub(crate) by: UserUri,
    /// Where.
    pub(crate) link: LinkId,
    /// The native event that said so; operations that answer it are named after it.
    pub(crate) event: NativeEventId,
    /// When it first came up, in milliseconds since 1970.
    pub(crate) first_ms: u64,
    /// When it last changed.
    pub(crate) last_ms: u64,
}

/// What should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Target {
    /// The user is on the list.
    In {
        /// In this role, if the native side knows one.
        role: Option<Role>,
        /// With a client: he has something to say, or lives at another provider.
        leaf: bool,
    },
    /// If the user is on the list, then in this role.
    Role(Role),
    /// The user is not on the list, unless banned.
    Out,
    /// The user is banned.
    Banned,
    /// The user is not banned.
    Unbanned,
    /// The room presents itself so, as far as it is said.
    Title {
        /// The name; empty is none.
        name: Option<String>,
        /// The topic; empty is none.
        topic: Option<String>,
    },
}

impl Target {
    /// What should be when `newer` comes up before this has been brought about.
    pub(crate) fn then(self, newer: Self) -> Self {
        match (self, newer) {
            (Self::In { role: older, leaf: had }, Self::In { role, leaf }) => {
                Self::In { role: role.or(older), leaf: leaf || had }
            }
            (Self::In { leaf, .. }, Self::Role(role)) => Self::In { role: Some(role), leaf },
            (Self::Role(older), Self::In { role, leaf }) => Self::In { role: role.or(Some(older)), leaf },
            // Who was thrown out and is not there has no role to change.
            (gone @ (Self::Out | Self::Banned), Self::Role(_)) => gone,
            (Self::Title { name: old_name, topic: old_topic }, Self::Title { name, topic }) => {
                Self::Title { name: name.or(old_name), topic: topic.or(old_topic) }
            }
            (_, newer) => newer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTED: Target = Target::In { role: None, leaf: false };

    #[test]
    fn a_quit_and_a_return_come_to_being_there() {
        assert_eq!(Target::Out.then(LISTED), LISTED);
        assert_eq!(LISTED.then(Target::Out).then(LISTED), LISTED);
    }

    #[test]
    fn a_first_word_keeps_the_role_and_later_events_keep_the_leaf() {
        let moderator = Some(Role::Moderator);
        let speaks = Target::In { role: None, leaf: true };

        assert_eq!(
            Target::In { role: moderator, leaf: false }.then(speaks.clone()),
            Target::In { role: moderator, leaf: true }
        );
        assert_eq!(speaks.clone().then(LISTED), speaks);
        assert_eq!(
            LISTED.then(Target::Role(Role::Owner)),
            Target::In { role: Some(Role::Owner), leaf: false }
        );
    }

    #[test]
    fn a_role_does_not_bring_back_who_was_banned() {
        assert_eq!(Target::Banned.then(Target::Role(Role::Member)), Target::Banned);
    }

    #[test]
    fn a_name_and_a_topic_are_one_change() {
        let name = |name: &str| Target::Title { name: Some(name.to_owned()), topic: None };
        let topic = Target::Title { name: None, topic: Some("t".to_owned()) };

        assert_eq!(
            name("a").then(topic).then(name("b")),
            Target::Title { name: Some("b".to_owned()), topic: Some("t".to_owned()) }
        );
    }
}
