//! The room: a state machine that accepts or refuses.
//!
//! A [`Room`] is one MIMI room at its hub. It is given facts (what the hub knows, who asks, what, and what time it is)
//! and gives a decision: a [`Refusal`] for the peer, or an answer with its [`Effects`], for somebody else to store
//! and deliver. It does no I/O and reads no clock.
//!
//! It holds two things. The *header* is light: epoch, policy, who sits at which leaf, what is pending, who was active
//! in the epochs before. Accepting a message needs nothing else. The *group* is the MLS group, heavy, and stays bytes
//! until the first handshake.
//!
//! * `create`, `update` (with `commit`, `proposal`), `submit`, `key_material`: one file per thing that a room is asked.
//! * `people` says whose leaf is whose; `attribution` turns the proposals of MLS into the actions of the policy, each
//!   with its author, and `mimi-room-policy` decides.
//! * `lanes` says to whom a room is delivered, `franking` stamps what is accepted.
//! * `invariants` are I1–I11 of the specification, checked after every accepted event in debug builds.
//!
//! Ids such as A4, A5, PM11, EM6, I5, G11 are rows of the specification pages, and stand where a rule is enforced and
//! in the tests that show it. **\[I\]** marks our reading of a gap.

mod attribution;
mod create;
mod effects;
mod facts;
mod franking;
mod group;
mod group_info;
mod head;
mod header;
mod invariants;
mod key_material;
mod lanes;
mod leaves;
pub mod limits;
mod logic;
mod past;
mod pending;
mod people;
mod refusal;
mod room;
mod submit;
mod update;

pub use effects::{Audience, Decision, Effects, EventKind, LaneChange, RoomEvent};
pub use facts::{Envelope, FrankingKeys, HubFacts};
pub use logic::PolicyComponents;
pub use refusal::{Fault, Reason, Refusal};
pub use room::{Room, Verdict};
