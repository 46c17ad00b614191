//! XMPP, as a component (XEP-0114) of one server.
//!
//! The server routes to us whatever is for our domain, once: a component has no stream management. So what comes in is
//! guaranteed from our delivery receipt on (XEP-0184), which leaves only after the host has the message durably; a client
//! that gets none sends again, under the same id, by which the host knows it. Outwards a message is done when the server
//! answers a ping that was sent behind it; one that may have been lost is sent again under the same origin-id (XEP-0359),
//! by which clients know it.
//!
//! [`XmppConfig`] is the operator's side, [`XmppNames`] who is who, [`XmppAdapter`] the adapter. Inside, `stream` is the
//! connection and `keeper` keeps it up; `hear` and `answers` lead inwards, over `intake`, which stores what was heard in
//! its order; `session` and `direct` lead outwards over `line`, where answers find those who wait for them. `muc` is all
//! of this for conversations of several people.

mod adapter;
mod answers;
mod config;
mod direct;
mod event_id;
mod failure;
mod hear;
mod intake;
mod keeper;
pub mod limits;
mod line;
mod link;
mod muc;
mod names;
mod session;
mod stanza;
mod stream;

pub use adapter::XmppAdapter;
pub use config::{InvalidConfig, XmppConfig};
pub use names::XmppNames;
