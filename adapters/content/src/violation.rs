//! What was wrong with the bytes, and where.

use thiserror::Error;

/// A rule of the format that a message breaks, and the offset of the item that breaks it.
///
/// The same type answers for both directions: [`decode`](crate::decode) returns it for what others sent, and
/// `encode` for what we would have sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{rule} (at octet {at})")]
pub struct Violation {
    /// The rule that is broken.
    pub rule: Rule,
    /// Offset into the message of the offending item.
    pub at: usize,
}

/// The rules of C1, one variant each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Rule {
    /// An item announces more than the message holds.
    #[error("the message ends within an item")]
    Truncated,
    /// Something follows the message.
    #[error("octets follow the message")]
    TrailingBytes,
    /// Not CBOR at all (RFC 8949, section 3): reserved head, or a simple value in the wrong form.
    #[error("not well-formed CBOR")]
    Malformed,
    /// CM3: lengths are definite.
    #[error("indefinite length")]
    IndefiniteLength,
    /// CM3: integers, lengths and tags are as short as can be.
    #[error("a longer head than needed")]
    NotShortest,
    /// CM3: bignums that fit an integer are integers, and have no leading zeros.
    #[error("a bignum that is not in its preferred form")]
    BignumNotPreferred,
    /// CM4: floats are as short as can be.
    #[error("a longer float than needed")]
    FloatNotShortest,
    /// CM4: the only NaN is f97e00.
    #[error("a NaN other than the quiet half")]
    NanNotCanonical,
    /// CM5: text is UTF-8.
    #[error("text that is not UTF-8")]
    NotUtf8,
    /// CM3: map keys ascend by their encoded octets.
    #[error("map keys out of order")]
    UnsortedKeys,
    /// CM2: map keys occur once.
    #[error("a map key that occurs twice")]
    DuplicateKey,
    /// CM2: keys are integers or text, in nested maps also byte strings.
    #[error("a map key of a type that is not permitted")]
    KeyType,
    /// CM2: integer keys fit a double without loss.
    #[error("an integer key beyond 53 bits")]
    KeyRange,
    /// CM2: text keys of the extensions map have 1 to 255 octets.
    #[error("a text key that is empty or longer than 255 octets")]
    KeyLength,
    /// Extension key 0 is reserved.
    #[error("the reserved extension key 0")]
    ReservedKey,
    /// Extensions 1 and 2 are text.
    #[error("a sender or room URI that is not text")]
    UriNotText,
    /// CM7: extensions nest at most 4 levels.
    #[error("extensions deeper than 4 levels")]
    ExtensionsTooDeep,
    /// Our bound on the extensions map.
    #[error("extensions longer than 64 KiB")]
    ExtensionsTooLong,
    /// CM6: parts nest at most 4 levels.
    #[error("parts deeper than 4 levels")]
    PartsTooDeep,
    /// C2: at most 1024 parts.
    #[error("more than 1024 parts")]
    TooManyParts,
    /// A multi part has at least two parts.
    #[error("a multi part with fewer than two parts")]
    TooFewParts,
    /// The CDDL has another type here.
    #[error("another type than the schema has here")]
    WrongType,
    /// The CDDL has an array of another length here.
    #[error("an array of another length than the schema has here")]
    WrongArrayLength,
    /// The CDDL has a narrower integer here.
    #[error("an integer beyond its field")]
    OutOfRange,
    /// CM1: the salt has 16 octets.
    #[error("a salt that is not 16 octets")]
    SaltLength,
    /// A message id has 32 octets.
    #[error("a message id that is not 32 octets")]
    MessageIdLength,
    /// C2: a topic id has at most 4096 octets.
    #[error("a topic id longer than 4096 octets")]
    TopicTooLong,
    /// Cardinalities are 0 to 3.
    #[error("an unknown cardinality")]
    UnknownCardinality,
    /// C2: part semantics are 0 to 2.
    #[error("unknown part semantics")]
    UnknownPartSemantics,
    /// Without encryption an external part has no key, nonce or additional data.
    #[error("a key, nonce or aad without an encryption algorithm")]
    KeyWithoutEncryption,
    /// Our bound on status reports.
    #[error("more than 1024 statuses")]
    TooManyStatuses,
}
