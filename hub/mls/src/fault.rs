//! Our own failures, as opposed to what a peer did wrong.

/// Something failed here: the crypto provider, a storage blob, a library. The peer is not to blame.
///
/// After a fault of an operation that changes an object, drop the object and load it again: openmls' merges are not
/// atomic.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MlsFault {
    /// Stored bytes are not what this version, or an earlier one, wrote.
    #[error("stored {0} does not decode")]
    Stored(&'static str),
    /// A library refused what should have worked.
    #[error("internal: {0}")]
    Internal(String),
}

impl MlsFault {
    pub(crate) fn internal(why: impl std::fmt::Display) -> Self {
        Self::Internal(why.to_string())
    }
}
