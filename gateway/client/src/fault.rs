use mimi_mls::hosted::HostedFault;

/// A hosted room could not do what was asked of it.
#[derive(Debug, thiserror::Error)]
pub enum ClientFault {
    /// The MLS side.
    #[error(transparent)]
    Hosted(#[from] HostedFault),
    /// The user has no client in the room.
    #[error("{0} has no client in the room")]
    NotInTheRoom(String),
    /// The Welcome is not for the room that it came in.
    #[error("the Welcome is for another room")]
    OtherRoom,
    /// The Welcome came without the tree that a joiner needs.
    #[error("the Welcome came without a ratchet tree")]
    NoTree,
    /// A `KeyPackage` is not what was asked for.
    #[error("a KeyPackage does not do: {0}")]
    KeyPackage(String),
    /// The room's state does not read.
    #[error("the room's state does not read: {0}")]
    State(String),
    /// A hub's answer is not what it must be.
    #[error("the hub's answer does not do: {0}")]
    Answer(&'static str),
    /// A request cannot be made.
    #[error("a request cannot be made: {0}")]
    Request(String),
}
