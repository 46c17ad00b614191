//! Conversations of several people (XEP-0045).
//!
//! The gateway's own user sits in every room and listens; puppets come in when they speak. What reaches us several
//! times, once for each of ours who is there, is taken from the listener's copies alone. Who speaks is known by the
//! addresses that the room shows, so rooms that hide them are left again.
//!
//! A room tells what it told while we were away from its archive (XEP-0313): after each coming in, from the last message
//! that the host has, which the host keeps for us. The archive also tells whether an operation that is repeated was
//! heard before.

mod act;
mod archive;
mod enter;
mod hear;
mod iq;
mod presence;
mod room;
mod say;

pub(crate) use room::{Questions, Rooms};
