//! The container: what a message is to other messages, and the part it carries.

use crate::canonical::Reader;
use crate::codec::octets;
use crate::extensions::{ExtensionKey, Extensions};
use crate::message_id::{MessageId, OversizedUri};
use crate::part::{Cardinality, Disposition, NestedPart};
use crate::violation::Violation;

/// Octets of a salt (CM1).
pub const SALT_BYTES: usize = 16;

/// Unguessable octets that make a message's id, and its franking tag, say nothing about its content (CM1).
///
/// Whoever makes a message draws it at random, or derives it from a secret.
pub type Salt = [u8; SALT_BYTES];

/// A message of draft-ietf-mimi-content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MimiContent {
    /// Unguessable octets, new for every message.
    pub salt: Salt,
    /// The *first* version of the message that this one edits or retracts.
    pub replaces: Option<MessageId>,
    /// Messages with the same topic belong together; empty is no topic.
    pub topic_id: Vec<u8>,
    /// When the sender wishes the message gone.
    pub expires: Option<Expiration>,
    /// The exact version of the message that this one answers (CS2: the newest when it was sent).
    pub in_reply_to: Option<MessageId>,
    /// Further fields, known and unknown.
    pub extensions: Extensions,
    /// The body.
    pub nested_part: NestedPart,
}

/// A hint when a message should disappear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiration {
    /// So many seconds after it was read.
    AfterReading {
        /// Seconds.
        seconds: u32,
    },
    /// At a fixed time.
    At {
        /// Seconds since 1970.
        unix_s: u32,
    },
}

/// A message as it came: its content, and the octets that its id is a hash of.
///
/// Invariant: the octets decode to the content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    content: MimiContent,
    bytes: Vec<u8>,
}

/// Reads a message: the single door for octets from outside.
///
/// All of `bytes` must be one message in deterministic CBOR (CM3). Never panics, and allocates in proportion
/// to what was sent.
pub fn decode(bytes: &[u8]) -> Result<Received, Violation> {
    let mut reader = Reader::new(bytes);
    let content = MimiContent::read(&mut reader)?;
    reader.finish()?;
    Ok(Received { content, bytes: bytes.to_vec() })
}

impl Received {
    /// What the message says.
    pub fn content(&self) -> &MimiContent {
        &self.content
    }

    /// The message exactly as it came.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The message's id, from the URIs of its authenticated sender and room.
    pub fn message_id(&self, sender_uri: &str, room_uri: &str) -> Result<MessageId, OversizedUri> {
        MessageId::derive(sender_uri, room_uri, &self.bytes, &self.content.salt)
    }

    /// The content, without its octets.
    pub fn into_content(self) -> MimiContent {
        self.content
    }

    /// The octets, without the content.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

impl MimiContent {
    /// A message that is a body and nothing else.
    pub fn new(salt: Salt, nested_part: NestedPart) -> Self {
        Self {
            salt,
            replaces: None,
            topic_id: Vec::new(),
            expires: None,
            in_reply_to: None,
            extensions: Extensions::default(),
            nested_part,
        }
    }

    /// A plain text message.
    pub fn text(salt: Salt, text: &str) -> Self {
        Self::new(salt, NestedPart::plain(text))
    }

    /// A message in GFM-MIMI Markdown; see [`without_html_tags`](crate::without_html_tags) for text of
    /// others.
    pub fn markdown(salt: Salt, markdown: &str) -> Self {
        Self::new(salt, NestedPart::markdown(markdown))
    }

    /// A retraction of `first`: a delete, or, where `first` is a reaction, an unlike.
    pub fn retraction(salt: Salt, first: MessageId, disposition: Disposition) -> Self {
        Self::new(salt, NestedPart::null(disposition)).replacing(first)
    }

    /// Names sender and room inside the message (extensions 1 and 2), as franking needs it.
    #[must_use]
    pub fn between(mut self, sender_uri: &str, room_uri: &str) -> Self {
        self.extensions.insert(ExtensionKey::SENDER_URI, sender_uri.into());
        self.extensions.insert(ExtensionKey::ROOM_URI, room_uri.into());
        self
    }

    /// Makes this an answer to that version of a message.
    #[must_use]
    pub fn replying_to(mut self, id: MessageId) -> Self {
        self.in_reply_to = Some(id);
        self
    }

    /// Makes this a new version of the message whose first version is `first`.
    #[must_use]
    pub fn replacing(mut self, first: MessageId) -> Self {
        self.replaces = Some(first);
        self
    }

    /// Puts this into a topic.
    #[must_use]
    pub fn in_topic(mut self, topic_id: &[u8]) -> Self {
        self.topic_id = topic_id.to_vec();
        self
    }

    /// Lets this expire.
    #[must_use]
    pub fn expiring(mut self, expires: Expiration) -> Self {
        self.expires = Some(expires);
        self
    }

    /// The deterministic encoding.
    ///
    /// What is written is read back before it is given out: a message that breaks a rule (too many parts, a
    /// single alternative, a reserved key) is a violation here, at home, and not at every receiver.
    pub fn encode(&self) -> Result<Vec<u8>, Violation> {
        let bytes = octets(|sink| self.write(sink));
        decode(&bytes).map(Received::into_bytes)
    }

    /// Whether this retracts another message: it replaces one, and its body is empty.
    pub fn is_retraction(&self) -> bool {
        self.replaces.is_some() && self.nested_part.cardinality == Cardinality::Null
    }
}

impl TryFrom<&MimiContent> for Received {
    type Error = Violation;

    /// The message as its receivers will have it.
    fn try_from(content: &MimiContent) -> Result<Self, Violation> {
        decode(&octets(|sink| content.write(sink)))
    }
}
