//! Matrix, as an application service of one homeserver.
//!
//! The homeserver pushes what happens in rooms with our puppets as transactions; the listener answers 200 only after
//! the host has them durably, so the homeserver keeps the rest for us. Puppets act through the client API, each with a
//! device of its own: transaction ids belong to a device, so the operation's id as transaction id makes a repeated
//! send one event. Synapse remembers them for 24 hours, over restarts too; beyond that `repeat` asks the room itself.
//!
//! [`MatrixConfig`] and [`registration_yaml`] are the operator's side, [`MatrixNames`] who is who, [`MatrixAdapter`]
//! the adapter. Inside, `listener` and `translate` lead inwards; `session`, `puppet`, `direct`, `post` and `repeat` lead
//! outwards over `homeserver`; `keeper` keeps in touch, and `watch` looks whether there is anybody. `arrival`, with `joining` and `missed`, sees to it that nothing
//! is lost or overtaken while a puppet joins; `sequence` and `probe` that nothing is that the homeserver left out, and
//! `forgotten` that nothing is that it had in memory when it was killed. Rooms with encryption cannot be read yet: what
//! is said there comes in as a gap that says so.

mod adapter;
mod arrival;
mod config;
mod direct;
mod failure;
#[cfg(test)]
mod fake;
mod forgotten;
mod group;
mod homeserver;
mod joining;
mod keeper;
pub mod limits;
mod listener;
mod message;
mod missed;
mod names;
mod post;
mod power;
mod probe;
mod progress;
mod puppet;
mod repeat;
mod sequence;
mod session;
mod translate;
mod watch;

pub use adapter::MatrixAdapter;
pub use config::{InvalidConfig, MatrixConfig, registration_yaml};
pub use names::MatrixNames;
