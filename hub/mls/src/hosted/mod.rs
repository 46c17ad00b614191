//! Hosted rooms: one MLS state per room, however many of its members we host.
//!
//! The naive gateway keeps one MLS group object per hosted user; with a thousand of them in a room of a thousand, every
//! commit costs seconds and every state gigabytes. But all secrets of an epoch are common to all members. What is a
//! leaf's own is little: its signature key, its place, its ratchet, and private keys that only matter for reading
//! commits. So a room has one **reader**, a group object at one hosted leaf; the epoch's secrets are captured from its
//! storage right after each epoch change; and everybody else gets
//!
//! - a leaf sender: application messages sealed as that leaf, 36 bytes of state;
//! - public proposals as that leaf, signed and tagged by hand;
//! - commits as that leaf, through a copy of the reader's state that believes to be that leaf (see `overlay`);
//! - one opener for all, which reads every application message once, echoes of our own like anybody's.
//!
//! Who commits with a path knows all keys of that path, and becomes the reader; the reader before it is put away cold as
//! second reader. When a reader is removed, another hosted leaf takes over if its keys are known, else the second reader
//! after replaying what it missed; if both fail, one hosted user comes back by external commit and reads for all.
//!
//! Rules that the owner of a [`HostedRoom`] must keep:
//!
//! - One owner per room. Messages are processed in the hub's order.
//! - The generation of a [`Sealed`] message is made durable by compare-and-set **before** it is sent, and told to the
//!   room after [`HostedRoom::load`]. A nonce must never be used twice.
//! - Snapshots are secret: whoever has one can speak as every hosted leaf. That is no new trust, for the gateway holds
//!   all those keys anyway, but it is one place.
//! - A hosted leaf's own keys are renewed only when it commits with a path; the room's secrets, whenever anybody does.

mod commit;
mod difference;
mod epoch;
mod faults;
mod found;
mod framing;
mod keys;
mod limits;
mod logic;
mod opener;
mod overlay;
mod plain;
mod process;
mod ratchet;
mod reader;
mod resync;
mod room;
mod roster;
mod second;
mod secret;
mod self_test;
mod sender;
mod sender_data;
mod snapshot;
mod speak;
mod summary;
mod takeover;

#[cfg(test)]
mod tests;

pub use commit::{CommitPlan, OwnCommit};
pub use faults::{HostedFault, ProcessFault};
pub use found::{Founding, NewRoom};
pub use resync::PresentEpoch;
pub use room::HostedRoom;
pub use self_test::{SelfTestFault, self_test};
pub use speak::Sealed;
pub use summary::{
    Application, CommitSummary, HandshakeSender, Ignored, Processed, ProposalSummary, ReaderFate,
};
