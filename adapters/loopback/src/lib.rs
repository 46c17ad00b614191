//! A miniature chat network on one TCP port, for the demo and the tests.
//!
//! It is honest where it matters: what a user says is answered `ok` only after the host has it durably, and what a user
//! is told counts as delivered only after his client has said so. Of direct chats it keeps nothing: an unanswered line is said again by
//! whoever said it, under the same id.
//!
//! The network speaks one JSON object a line. A client says ([`Said`]):
//!
//! ```json
//! {"login": "alice", "name": "Alice"}
//! {"open": "bob@b.example", "id": "c1"}
//! {"say": "hi", "room": "alice+bob@b.example", "id": "m1"}
//! {"name": "Alice W.", "id": "n1"}
//! {"leave": "alice+bob@b.example", "id": "l1"}
//! {"read": "<op>", "room": "alice+bob@b.example", "id": "r1"}
//! {"block": "bob@b.example", "id": "b1"}
//! {"unblock": "bob@b.example", "id": "u1"}
//! {"ack": 1}
//! ```
//!
//! and is told ([`Told`]):
//!
//! ```json
//! {"ok": "c1", "room": "alice+bob@b.example"}
//! {"error": "not stored", "id": "m1"}
//! {"n": 1, "event": "message", "room": "alice+bob@b.example", "from": "bob@b.example", "text": "hi", "op": "…"}
//! {"n": 2, "event": "progress", "room": "alice+bob@b.example", "about": "m1", "progress": "accepted", "op": "…"}
//! ```
//!
//! Ids are the client's own, and a line said again under its id is the same line. `n` is what the client acknowledges;
//! `op` is the same when something is told again, so the client can drop what it has. What a blocked puppet says is
//! refused, as networks do; how far a line of one's own has come is told as it becomes known. Every conversation is a direct
//! chat of one user and one puppet, and its name says which. [`LoopbackClient`] is such a client.
//!
//! Where the network keeps a file of them, there are also conversations of several people ([`GroupSaid`]): their names
//! begin with `#`, users come and go as they like unless they are banned, and a puppet comes when it is invited.
//!
//! ```json
//! {"group": "Tea", "people": ["dave"], "id": "g1"}
//! {"invite": "bob@b.example", "room": "#alice/g1", "id": "i1"}
//! {"kick": "dave", "room": "#alice/g1", "id": "k1"}
//! {"give": "moderator", "to": "bob@b.example", "room": "#alice/g1", "id": "r1"}
//! ```

mod adapter;
mod client;
mod connection;
mod group_connection;
mod group_line;
mod group_session;
mod groups;
pub mod limits;
mod line;
mod names;
mod network;

pub use adapter::{InvalidListener, LoopbackAdapter};
pub use client::LoopbackClient;
pub use group_line::GroupSaid;
pub use line::{Event, EventKind, Said, Told};
pub use names::LoopbackNames;
