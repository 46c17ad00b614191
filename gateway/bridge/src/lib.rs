//! The gateway between native networks and MIMI rooms.
//!
//! Native events become rows before they are acknowledged (`intake`); what is said in a MIMI room is in the room's
//! log before anybody hears of it. Between the two stand *runs* , each over durable rows and at most one at
//! a time per key:
//!
//! ```text
//!  native network ──► intake ──► inbox rows ──► lane run ──► room (sealed, in flight) ──► hub
//!  native network ◄── link run ◄── outbox rows ◄── room run ◄── room log ◄── hub
//! ```
//!
//! Every step of a run is one commit that takes its cause away and puts its effect there, so a process may die between
//! any two. A room's MLS state is held by whoever has the room's turn (`room`); its row's version is the fence of
//! every seal.
//!
//! A `rows::Link` ties a native direct chat to the MIMI rooms of its two people, a `rows::Group` a native conversation of
//! several people to one room (`group`). MIMI content is the pivot between
//! networks (`translate`); adapters see neither MLS nor these tables.

mod bridge;
mod delivery;
mod desk;
mod fault;
mod group;
mod intake;
mod invitation;
mod lane;
pub mod limits;
mod memory;
mod names;
mod op_id;
mod pair;
mod progress;
mod room;
mod rows;
mod sealing;
mod translate;
mod troubles;
mod wording;

pub use bridge::{Bridge, BridgeParts};
pub use desk::{LetterReport, Letters, QueueKind, QueueReport};
pub use names::Networks;
