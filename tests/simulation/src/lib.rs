//! One seed, one schedule: several providers, a network that fails, and what must hold all the same.
//!
//! A seed means a world (`plan`): three to five machines, people with chats between them, and what goes wrong when. Each
//! machine (`provider`) runs the product's server and gateway, whole, with real TLS and real MLS, on a clock and a
//! network that turmoil simulates (`clock`, `network`). What outlives a crash is its disk (`disk`), a store in memory
//! that commits as a real one does, and its native network (`native`), whose people say things and remember what they
//! were shown.
//!
//! [`run`] lets the world live until nothing goes wrong any more and everything has come to rest, and then holds what
//! people were shown against what people said, and every follower's log against the hub's (`check`). What happened is a
//! trace; two runs of one seed have the same, though no two ciphertexts are alike.

#![expect(
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    reason = "a world that cannot be made is a failed test"
)]

mod campaign;
mod check;
mod clock;
mod dice;
mod disk;
mod liar;
mod limits;
mod mutant;
mod native;
mod network;
mod papers;
mod plan;
mod provider;
mod run;
mod trace;

pub use campaign::{Campaign, campaign};
pub use check::Violation;
pub use mutant::Mutant;
pub use run::{Outcome, run, run_with};
