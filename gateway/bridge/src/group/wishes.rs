//! Rows that say how a room should be.

use mimi_adapter::NativeEventId;
use mimi_client::vault::Purpose;
use mimi_store::{Row, RowChange};
use mimi_uri::{RoomUri, UserUri};

use crate::bridge::Core;
use crate::fault::Fault;
use crate::limits::WISHES_READ_MAX;
use crate::rows::{self, Key, LinkId, Target, WISH, Wish};

/// What a wish is about: a person, or the title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Subject {
    User(UserUri),
    Title,
}

/// A wish as it was found.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) subject: Subject,
    pub(crate) row: Row,
}

/// What happened natively that makes for a wish.
pub(crate) struct Cause<'a> {
    pub(crate) by: UserUri,
    pub(crate) link: &'a LinkId,
    pub(crate) event: &'a NativeEventId,
    pub(crate) is_kick: bool,
}

impl Subject {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::User(user) => user.as_str(),
            Self::Title => "title",
        }
    }

    fn read(name: &[u8]) -> Option<Self> {
        match name {
            b"title" => Some(Self::Title),
            user => Some(Self::User(UserUri::parse(std::str::from_utf8(user).ok()?).ok()?)),
        }
    }
}

impl Core {
    /// The change that wishes for something, on top of what was wished for before.
    pub(crate) async fn wish(
        &self,
        room: &RoomUri,
        subject: &Subject,
        target: Target,
        cause: &Cause<'_>,
    ) -> Result<RowChange, Fault> {
        let key = wish_key(room, subject);
        let now = self.clock.now().0;
        let mut wish = Wish {
            target,
            is_kick: cause.is_kick,
            by: cause.by.clone(),
            link: cause.link.clone(),
            event: cause.event.clone(),
            first_ms: now,
            last_ms: now,
        };
        let Some(row) = self.store.row(WISH, &key).await? else {
            return Ok(RowChange::Insert { kind: WISH, bytes: self.sealed_wish(&key, &wish), key });
        };
        let before = self.opened_wish(&row)?;
        wish.first_ms = before.first_ms;
        wish.target = before.target.then(wish.target);
        let bytes = self.sealed_wish(&key, &wish);
        Ok(RowChange::Put { kind: WISH, key, expected: Some(row.version), bytes })
    }

    /// What is wished for in a room, oldest first; of very many, some.
    pub(super) async fn wishes(&self, room: &RoomUri) -> Result<Vec<(Found, Wish)>, Fault> {
        let rows = self.store.rows(WISH, Key::of(room.as_str()).range(), WISHES_READ_MAX).await?;
        let mut wishes = Vec::with_capacity(rows.len());
        for row in rows {
            let wish = self.opened_wish(&row)?;
            let name = row.key.get(Key::of(room.as_str()).and(b"").bytes().len()..).unwrap_or_default();
            let Some(subject) = Subject::read(name) else { continue };
            wishes.push((Found { subject, row }, wish));
        }
        wishes.sort_by_key(|(_, wish)| wish.first_ms);
        Ok(wishes)
    }

    /// Whether the native side has a say about somebody that has not been acted upon.
    pub(super) async fn is_wished(&self, room: &RoomUri, user: &UserUri) -> Result<bool, Fault> {
        let key = wish_key(room, &Subject::User(user.clone()));
        Ok(self.store.row(WISH, &key).await?.is_some())
    }

    /// Whether the native side has a say about the title that has not been acted upon.
    pub(super) async fn is_title_wished(&self, room: &RoomUri) -> Result<bool, Fault> {
        Ok(self.store.row(WISH, &wish_key(room, &Subject::Title)).await?.is_some())
    }

    /// The change that makes a wish another, if nobody else did meanwhile.
    pub(super) fn put_wish(&self, found: &Found, wish: &Wish) -> RowChange {
        let key = found.row.key.clone();
        let bytes = self.sealed_wish(&key, wish);
        RowChange::Put { kind: WISH, key, expected: Some(found.row.version), bytes }
    }

    fn sealed_wish(&self, key: &[u8], wish: &Wish) -> Vec<u8> {
        self.vault.seal(Purpose::RoomState, &wish_seal(key), &rows::encode(wish))
    }

    fn opened_wish(&self, row: &Row) -> Result<Wish, Fault> {
        let plain = self.vault.open(Purpose::RoomState, &wish_seal(&row.key), &row.bytes)?;
        Ok(rows::decode(WISH, &plain)?)
    }
}

impl Found {
    /// Takes the wish away: it is fulfilled, or never will be.
    pub(super) fn gone(&self) -> RowChange {
        RowChange::Delete { kind: WISH, key: self.row.key.clone(), expected: Some(self.row.version) }
    }
}

fn wish_key(room: &RoomUri, subject: &Subject) -> Vec<u8> {
    Key::of(room.as_str()).and(subject.name().as_bytes()).bytes()
}

fn wish_seal(key: &[u8]) -> Vec<u8> {
    [b"wish ", key].concat()
}
