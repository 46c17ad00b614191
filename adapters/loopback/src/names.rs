use mimi_adapter::naming::{Bare, Namespace, escape, unescape};
use mimi_adapter::{Addresses, NativeRoomId, NativeUserId, Unnameable};
use mimi_uri::UserUri;

use crate::limits::{PUPPET_BYTES_MAX, USER_BYTES_MAX};

/// Who is who between the loopback network and MIMI.
///
/// A user is a word of `a-z`, `0-9`, `.`, `_` and `-`. The puppet of `mimi://b.example/u/bob` is `bob@b.example`.
#[derive(Debug, Clone)]
pub struct LoopbackNames {
    namespace: Namespace,
}

impl LoopbackNames {
    /// The names of a network whose users live in `namespace`.
    pub fn new(namespace: Namespace) -> Self {
        Self { namespace }
    }

    pub(crate) fn is_user(name: &str) -> bool {
        !name.is_empty()
            && name.len() <= USER_BYTES_MAX
            && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'))
    }

    /// The conversation of a user and a puppet; there is exactly one.
    pub(crate) fn room(user: &str, puppet: &NativeUserId) -> NativeRoomId {
        format!("{user}+{puppet}").into()
    }

    /// The user and the puppet of a conversation.
    pub(crate) fn of_room(&self, room: &str) -> Option<(String, NativeUserId)> {
        let (user, puppet) = room.split_once('+')?;
        let puppet = NativeUserId::from(puppet);
        self.behind_puppet(&puppet).filter(|_| Self::is_user(user)).map(|_| (user.to_owned(), puppet))
    }
}

impl Addresses for LoopbackNames {
    fn localpart(&self, user: &NativeUserId) -> Option<String> {
        Self::is_user(user.as_str()).then(|| self.namespace.localpart(user.as_str()))?
    }

    fn native(&self, localpart: &str) -> Option<NativeUserId> {
        self.namespace.native(localpart).filter(|user| Self::is_user(user)).map(NativeUserId::from)
    }

    fn puppet(&self, user: &UserUri) -> Result<NativeUserId, Unnameable> {
        let name = format!("{}@{}", escape(user.path(), Bare::DOTTED), user.domain());
        if name.len() > PUPPET_BYTES_MAX {
            return Err(Unnameable::TooLong { length: name.len(), length_max: PUPPET_BYTES_MAX });
        }
        Ok(name.into())
    }

    fn behind_puppet(&self, id: &NativeUserId) -> Option<UserUri> {
        let (name, domain) = id.as_str().split_once('@').filter(|_| id.as_str().len() <= PUPPET_BYTES_MAX)?;
        let path = unescape(name, Bare::DOTTED)?;
        UserUri::parse(&format!("mimi://{domain}/u/{path}")).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mimi_uri::Domain;
    use proptest::prelude::*;

    fn names() -> LoopbackNames {
        LoopbackNames::new(Namespace::Primary)
    }

    #[test]
    fn people_are_called_as_they_would_expect() {
        let bob = UserUri::parse("mimi://b.example/u/bob").unwrap();

        assert_eq!(names().localpart(&"alice".into()).as_deref(), Some("alice"));
        assert_eq!(names().puppet(&bob).unwrap().as_str(), "bob@b.example");
        assert_eq!(names().behind_puppet(&"bob@b.example".into()), Some(bob));
        assert_eq!(names().localpart(&"bob@b.example".into()), None);
    }

    #[test]
    fn a_room_is_named_after_the_two_in_it_and_nothing_else_is_a_room() {
        let room = LoopbackNames::room("alice", &"bob@b.example".into());

        assert_eq!(room.as_str(), "alice+bob@b.example");
        assert_eq!(names().of_room(room.as_str()), Some(("alice".into(), "bob@b.example".into())));
        for room in ["alice", "alice+bob", "+bob@b.example", "Alice+bob@b.example", "alice+Bob@b.example"] {
            assert_eq!(names().of_room(room), None, "{room}");
        }
    }

    #[test]
    fn a_name_that_is_too_long_is_nobodys() {
        let long = UserUri::parse(&format!("mimi://b.example/u/{}", "a".repeat(600))).unwrap();

        assert_eq!(
            names().puppet(&long),
            Err(Unnameable::TooLong { length: 610, length_max: PUPPET_BYTES_MAX })
        );
        assert_eq!(names().localpart(&"a".repeat(65).into()), None);
    }

    proptest! {
        #[test]
        fn every_puppet_leads_back_to_its_user(path in "[^\\p{Cc}]{1,30}") {
            prop_assume!(path != "." && path != "..");
            let uri = UserUri::new(&Domain::parse("b.example").unwrap(), &[&path]).unwrap();

            let puppet = names().puppet(&uri).unwrap();

            prop_assert_eq!(names().behind_puppet(&puppet), Some(uri));
        }

        #[test]
        fn a_puppet_has_one_name(name in "[a-cA=0-9._-]{1,12}") {
            let puppet = NativeUserId::from(format!("{name}@b.example"));

            if let Some(uri) = names().behind_puppet(&puppet) {
                prop_assert_eq!(names().puppet(&uri), Ok(puppet));
            }
        }

        #[test]
        fn every_user_leads_back_to_his_name(user in "[a-z0-9._-]{1,64}") {
            let localpart = names().localpart(&user.as_str().into()).unwrap();

            prop_assert_eq!(names().native(&localpart), Some(user.into()));
        }
    }
}
