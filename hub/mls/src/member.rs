use crate::ids::LeafIndex;

/// A member of a group as its tree shows him.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// His place.
    pub leaf: LeafIndex,
    /// His TLS `Credential`.
    pub credential: Vec<u8>,
    /// His signature key.
    pub signature_key: Vec<u8>,
}
