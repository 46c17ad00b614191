use mimi_mls::MlsDecodeError;
use mimi_uri::InvalidUri;

/// Why bytes are not the struct that was expected.
///
/// To a peer every one of them is the same rejection (400); the text is for the log and for the peer's engineers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes end inside the struct.
    #[error("the bytes end inside the struct")]
    Truncated,
    /// Bytes follow where the struct has ended.
    #[error("{0} bytes follow the struct")]
    TrailingBytes(usize),
    /// A vector's length is not written in its shortest form, or in the invalid eight-byte form.
    #[error("a vector's length is not minimally encoded")]
    LengthNotMinimal,
    /// A boolean, or the head of an optional, that is neither 0 nor 1.
    #[error("{0} is not a boolean")]
    NotABool(u8),
    /// An enumeration has no such code.
    #[error("{of} has no code {value}")]
    UnknownCode {
        /// The enumeration, as the draft names it.
        of: &'static str,
        /// The code.
        value: u8,
    },
    /// A credential type whose structure is not known here.
    #[error("credential type {0} is not supported")]
    UnsupportedCredential(u16),
    /// Longer than such a field may be.
    #[error("{of} is longer than {max} bytes")]
    TooLong {
        /// The field, as the draft names it.
        of: &'static str,
        /// Its limit in bytes.
        max: usize,
    },
    /// More entries than such a list may have.
    #[error("{of} has more than {max} entries")]
    TooMany {
        /// The field, as the draft names it.
        of: &'static str,
        /// Its limit in entries.
        max: usize,
    },
    /// A list without entries where the draft demands one.
    #[error("{of} is empty")]
    Empty {
        /// The field, as the draft names it.
        of: &'static str,
    },
    /// Entries where the draft demands none.
    #[error("{of} is not empty")]
    NotEmpty {
        /// The field, as the draft names it.
        of: &'static str,
    },
    /// Entries that are not strictly ascending.
    #[error("{of} is not strictly ascending")]
    NotAscending {
        /// The field, as the draft names it.
        of: &'static str,
    },
    /// Not UTF-8, or a text with NUL in it.
    #[error("{of} is not a text")]
    NotText {
        /// The field, as the draft names it.
        of: &'static str,
    },
    /// Not an https URL.
    #[error("{of} is not an https URL")]
    NotHttps {
        /// The field, as the draft names it.
        of: &'static str,
    },
    /// Not a canonical identifier of the class that belongs there (G4).
    #[error("{of}: {why}")]
    Uri {
        /// The field, as the draft names it.
        of: &'static str,
        /// What is wrong with it.
        why: InvalidUri,
    },
    /// Not an `MLSMessage`.
    #[error("{0}")]
    Mls(#[from] MlsDecodeError),
    /// An `MLSMessage` of a kind that does not belong there.
    #[error("{of} is not {expected}")]
    WrongMessage {
        /// The field, as the draft names it.
        of: &'static str,
        /// What belongs there.
        expected: &'static str,
    },
}
