//! Well-formed nonsense: messages to log and drop (C2).
//!
//! What cannot be told from the octets alone is told by the caller. That the sender is a member of the group,
//! MLS has proven before anything gets here. References to unknown messages, unknown dispositions, media
//! types and languages are no nonsense: a message may be older than our membership, or newer than our code.

use thiserror::Error;

use crate::content::{Expiration, Received};
use crate::external::SHA_256;
use crate::franking::FrankingTag;
use crate::limits::{EXPIRY_DISTANCE_S_MAX, FIRST_SYNTAX_MS, REPLY_CHAIN_MAX, TIMESTAMP_AHEAD_MS_MAX};
use crate::message_id::MessageId;
use crate::violation::Violation;

/// What is known about a message besides its octets.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// The user URI in the sender's credential.
    pub sender_uri: &'a str,
    /// The room it arrived in.
    pub room_uri: &'a str,
    /// When the hub accepted it, in milliseconds since 1970 (CM15).
    pub accepted_ms: u64,
    /// Our own clock, in milliseconds since 1970.
    pub now_ms: u64,
    /// When the room began, in milliseconds since 1970.
    pub room_created_ms: u64,
    /// The largest message that local policy takes, in octets.
    pub bytes_max: usize,
    /// A message with this id is here already.
    pub is_duplicate: bool,
    /// The sender's commitment, if it made one.
    pub franked: Option<Franked<'a>>,
}

/// A franking tag and what it should commit to.
#[derive(Clone, Copy, Debug)]
pub struct Franked<'a> {
    /// The tag that travelled in the authenticated data.
    pub tag: FrankingTag,
    /// The application data, with its framing if the room frames.
    pub application_data: &'a [u8],
}

/// Why a message is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Discard {
    /// It is no message, or is too long, too deep or of unknown semantics.
    #[error("malformed: {0}")]
    Malformed(#[from] Violation),
    /// A message with its id was there before; the first one stays.
    #[error("a message with this id is here already")]
    Duplicate,
    /// It refers to an id made by a hash algorithm that nobody uses.
    #[error("an id by unknown hash algorithm {0}")]
    UnknownHash(u8),
    /// Its expiry lies more than a year from its acceptance.
    #[error("an expiry more than a year off")]
    Expiry,
    /// Larger than local policy takes.
    #[error("larger than policy permits")]
    TooLarge,
    /// It names another sender than its credential, or none although it is franked.
    #[error("the named sender is not the authenticated one")]
    SenderMismatch,
    /// It names another room than it came in, or none although it is franked.
    #[error("the named room is not the one it came in")]
    RoomMismatch,
    /// Its franking tag commits to something else (A6): the sender could deny what it said.
    #[error("the franking tag does not commit to the message")]
    FrankingTag,
}

/// A hub's timestamp that nobody can have accepted a message at.
///
/// The draft would drop such messages. We flag them: a wrong clock, ours or the hub's, must not lose what
/// people wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum StrangeTimestamp {
    /// More than a few minutes ahead of us.
    #[error("accepted in the future")]
    Ahead,
    /// Before the room began.
    #[error("accepted before its room began")]
    BeforeRoom,
    /// Before the format existed.
    #[error("accepted before its format existed")]
    BeforeFormat,
}

impl Arrival<'_> {
    /// What is odd about the hub's timestamp, if anything.
    pub fn strange_timestamp(&self) -> Option<StrangeTimestamp> {
        if self.accepted_ms > self.now_ms.saturating_add(TIMESTAMP_AHEAD_MS_MAX) {
            Some(StrangeTimestamp::Ahead)
        } else if self.accepted_ms < FIRST_SYNTAX_MS {
            Some(StrangeTimestamp::BeforeFormat)
        } else if self.accepted_ms < self.room_created_ms {
            Some(StrangeTimestamp::BeforeRoom)
        } else {
            None
        }
    }
}

/// Applies the rules of C2 that [`decode`](crate::decode) cannot.
///
/// The verdict depends on the hub's timestamp and not on our clock, so a replayed log is judged as it was the
/// first time.
pub fn check(received: &Received, arrival: &Arrival<'_>) -> Result<(), Discard> {
    if arrival.is_duplicate {
        return Err(Discard::Duplicate);
    }
    if received.bytes().len() > arrival.bytes_max {
        return Err(Discard::TooLarge);
    }
    let content = received.content();
    for id in content.replaces.iter().chain(&content.in_reply_to) {
        // Draft, General handling: "where the first octet of the message ID is an unknown hash algorithm".
        if id.hash_algorithm() != SHA_256 {
            return Err(Discard::UnknownHash(id.hash_algorithm()));
        }
    }
    if content.expires.is_some_and(|expires| is_absurd(expires, arrival.accepted_ms / 1000)) {
        return Err(Discard::Expiry);
    }
    check_names(received, arrival)?;
    match arrival.franked {
        Some(franked) if !franked.tag.commits_to(&content.salt, franked.application_data) => {
            Err(Discard::FrankingTag)
        }
        Some(_) | None => Ok(()),
    }
}

/// Extensions 1 and 2 agree with the authenticated sender and room. A6: a franked message has both, or its
/// frank says nothing about who said it where.
fn check_names(received: &Received, arrival: &Arrival<'_>) -> Result<(), Discard> {
    let is_bound = |named: Option<&str>, proven: &str| match named {
        Some(named) => named == proven,
        None => arrival.franked.is_none(),
    };
    let extensions = &received.content().extensions;
    if !is_bound(extensions.sender_uri(), arrival.sender_uri) {
        return Err(Discard::SenderMismatch);
    }
    if !is_bound(extensions.room_uri(), arrival.room_uri) {
        return Err(Discard::RoomMismatch);
    }
    Ok(())
}

/// CM14: whether a message `id` that answers `in_reply_to` would close a loop of replies.
///
/// `answered_by` tells which message a known message answers. A chain beyond [`REPLY_CHAIN_MAX`] counts as a
/// loop.
pub fn closes_reply_loop(
    id: MessageId,
    in_reply_to: Option<MessageId>,
    answered_by: impl Fn(&MessageId) -> Option<MessageId>,
) -> bool {
    let mut next = in_reply_to;
    for _ in 0..REPLY_CHAIN_MAX {
        match next {
            None => return false,
            Some(ancestor) if ancestor == id => return true,
            Some(ancestor) => next = answered_by(&ancestor),
        }
    }
    next.is_some()
}

fn is_absurd(expires: Expiration, accepted_s: u64) -> bool {
    let distance = match expires {
        Expiration::AfterReading { seconds } => u64::from(seconds),
        Expiration::At { unix_s } => accepted_s.abs_diff(u64::from(unix_s)),
    };
    distance > EXPIRY_DISTANCE_S_MAX
}
