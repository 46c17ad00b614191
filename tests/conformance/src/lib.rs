//! A world in which the drafts can be held against a running server.
//!
//! [`World`] has three providers on the loopback address, each with its own roots, all over mutual TLS:
//!
//! - [`Subject`], `a.example`: the server under test, over a store in memory that keeps a [`Ledger`] of all it stored;
//! - two [`Peer`]s, `b.example` and `c.example`: scripted providers. Each has a [`Sink`] that serves what a follower
//!   serves, does as it is told and remembers what it heard, and a [`Caller`] that may say anything at all.
//!
//! The people are real: a [`Member`] is a hosted MLS client; a [`Chat`] is a room of Alice at `a.example` and Bob at
//! `b.example`, hosted by `a.example`, as the protocol itself made it. [`ForeignRoom`] is the other way round.
//!
//! ```no_run
//! # async fn example() {
//! use conformance::World;
//!
//! let world = World::new().await;
//! let mut chat = world.direct_chat().await;
//! let request = chat.bob.says("hi");
//! let answer = world.b.submit(&chat.uri, &request).await;
//! # }
//! ```
//!
//! Nothing waits for a guessed time: what is waited for is an entry of the ledger or a request at a sink.

#![expect(
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    reason = "a world that does not hold is a failed test"
)]

mod caller;
mod certificates;
mod chat;
mod foreign_room;
mod ledger;
mod member;
mod misbehaviour;
mod peer;
mod set_clock;
mod sink;
mod subject;
mod time;
mod world;

pub use caller::{Call, Caller, Reply};
pub use certificates::{CertificateAuthority, Shown};
pub use chat::Chat;
pub use foreign_room::ForeignRoom;
pub use ledger::Ledger;
pub use member::{Member, TAG, list_update};
pub use misbehaviour::{Misbehaviour, Tried};
pub use peer::Peer;
pub use set_clock::SetClock;
pub use sink::{Notified, Sink, SinkAnswer};
pub use subject::Subject;
pub use time::StandingTime;
pub use world::{World, domain, user};
