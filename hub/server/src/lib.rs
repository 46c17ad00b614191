//! The MIMI server: hub for the rooms it hosts, follower for rooms elsewhere.
//!
//! Each endpoint is a file under `endpoint`, named as the draft names it. A request is parsed and its provider proven
//! at the door (`extract`); a room's `owner` decides in order and answers after the commit; `lanes` bring every
//! follower the room's log; what hubs notify us of goes through the follower's `inbox` into the same kind of log.
//! The gateway beside us reaches hubs through the port [`mimi_wire::Hub`], our own included (`local`).
//!
//! The server never opens a message: it depends on no crate that could.

mod answer;
mod answers;
mod calls;
mod checks;
mod clock;
mod desk;
mod effects;
mod endpoint;
mod extract;
mod failure;
mod gate;
mod inbox;
mod lanes;
pub mod limits;
mod local;
mod owner;
mod roots;
mod server;
mod signed;

pub use desk::{LaneReport, SetAside};
pub use endpoint::Endpoints;
pub use server::{Server, ServerParts};
