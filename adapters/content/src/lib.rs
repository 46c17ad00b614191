//! draft-ietf-mimi-content-08: the common tongue of all adapters.
//!
//! A message is a short CBOR array: who it answers or replaces, when it expires, and one part that may nest
//! others. Everything that refers to a message (a reply, an edit, a receipt, an abuse report) does so by a
//! hash over its exact bytes. Two readers that disagree about the bytes of a message disagree about its name,
//! so this crate is strict twice over: it reads only deterministic CBOR, and it sends nothing that it would
//! not read.
//!
//! - [`decode`] is the single door for bytes. What comes out is a [`Received`]: the content and the bytes it
//!   came from.
//! - [`MimiContent`] and [`NestedPart`] are made by builders and leave by `encode`.
//! - [`MessageId`] and [`FrankingTag`] are computed over exact bytes, never over a re-encoding.
//! - [`check`] says which well-formed messages are nonsense (C2 of the spec pages); [`revise`] says who may
//!   edit or delete (CM12, CM13); [`choose`] says which of several alternatives is shown (G25).
//! - [`ApplicationFraming`] wraps content in rooms that list their media types; [`MessageStatusReport`] is
//!   the receipt format.
//!
//! The crate is pure: no clock, no randomness, no I/O. Salts and times are arguments; URIs are plain strings,
//! since their one canonical form is checked elsewhere.
//!
//! Ledger ids (`CM3`, `CS1`, `G25`) and spec sections (`C1`, `C2`) name the rule that a line enforces.

mod canonical;
mod choice;
mod codec;
mod content;
mod discard;
mod extensions;
mod external;
mod framing;
mod franking;
pub mod limits;
mod markdown;
mod media_type;
mod message_id;
mod part;
mod part_index;
mod revision;
mod status;
mod value;
mod violation;

pub use choice::{Choice, Shown, choose};
pub use content::{Expiration, MimiContent, Received, SALT_BYTES, Salt, decode};
pub use discard::{Arrival, Discard, Franked, StrangeTimestamp, check, closes_reply_loop};
pub use extensions::{
    ExtensionKey, Extensions, ExternalMessageId, ExternalMessageScope, Fraction, SenderTimestamp,
};
pub use external::{AES_128_GCM, Encryption, ExternalFault, SHA_256};
pub use framing::{ApplicationFraming, FramingError, MediaTypeList};
pub use franking::FrankingTag;
pub use markdown::without_html_tags;
pub use media_type::{
    GFM_MIMI, HTML, MESSAGE_STATUS, MIMI_CONTENT, MediaType, MediaTypeError, PLAIN_TEXT, Parameter,
};
pub use message_id::{MessageId, OversizedUri};
pub use part::{
    Cardinality, Disposition, ExternalPart, MultiPart, NestedPart, PartSemantics, SinglePart, UnknownCode,
};
pub use part_index::{CidError, PartIndex};
pub use revision::{Capability, Posted, Revised, Revision, RevisionRefused, author_only, revise};
pub use status::{MessageStatusReport, PerMessageStatus, Status};
pub use value::{Float, Key, Value};
pub use violation::{Rule, Violation};
