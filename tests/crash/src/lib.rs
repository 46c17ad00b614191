//! Two providers that are killed again and again, while people talk.
//!
//! Both are Drawbridge processes with certificates on both sides, a store and a miniature chat network of their own.
//! [`People`] talk in several direct chats, in both directions. A round of a [`Plan`] kills one of the two providers: at
//! a named [point](schedule), or at a random moment; starts it again; and waits until everything that was acknowledged
//! to its sender was heard. The [`Book`] compares what the clients of one side saw acknowledged with what the clients of
//! the other side heard: nothing lost, doubled, reordered or misattributed. It knows nothing of what is stored.
//!
//! ```text
//! cargo xtask crash --rounds 2000 --seed 7
//! ```
//!
//! The seed decides who dies, where, and how often a point is passed before. What else happens at that moment is up to
//! the machine.

mod book;
mod chat;
mod disk;
pub mod limits;
mod people;
mod provider;
mod report;
mod rounds;
pub mod schedule;
mod seed;

pub use book::{Book, Line};
pub use chat::{Chat, Person};
pub use disk::Disk;
pub use people::People;
pub use provider::{Provider, Store};
pub use report::Report;
pub use rounds::{Plan, Tell};
pub use seed::Seed;

/// Why a run could not go on, in plain words.
pub type Broke = String;
