//! The MLS client machine of the hosted users: push and pull, no network.
//!
//! One [`RoomClient`] per room and gateway speaks for all hosted users in it. It turns wishes (say this, add him, leave)
//! into requests for the hub and the room's log into [`Reading`]s; storing and sending is its caller's work, and every
//! request may be stored before it is sent. Application data stays opaque: the client commits to it (franking) and
//! carries it, and knows nothing of what it says.
//!
//! [`HostedMint`] makes `KeyPackages` when they are claimed; [`vault`] seals what is at rest.

pub mod direct;
mod fault;
mod franking;
mod group;
pub mod limits;
pub mod mint;
mod reading;
mod rejoining;
mod room;
pub mod vault;

pub use direct::HubAgents;
pub use fault::ClientFault;
pub use group::{GroupFounding, OwnLeaf, Step, Title, own_leaf};
pub use mint::HostedMint;
pub use reading::{Change, Listing, MessageRead, Reading};
pub use rejoining::Rejoining;
pub use room::RoomClient;
