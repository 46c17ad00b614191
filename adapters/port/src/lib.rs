//! What an adapter is: the port between one chat network and the gateway.
//!
//! An [`Adapter`] translates and transports, nothing else. It never sees MLS, consent, quotas or the tables that map
//! one side's ids to the other's. It says what it is in a [`Manifest`], how it names people in [`Addresses`], and opens
//! a [`Session`]. From there everything is data:
//!
//! - **inwards** it gives [`NativeEvent`]s to its [`Host`] in [`Ingest`] batches. `ingest` returns after the durable
//!   commit; only then may the adapter acknowledge anything on the native side, so what a crash loses is redelivered;
//! - **outwards** it is handed one [`Delivery`] at a time per native conversation and answers with an [`Outcome`],
//!   typed by what the gateway should do next. An operation keeps its [`OpId`] over retries and restarts; the
//!   [`Guarantees`] in the manifest say what that is worth on this network.
//!
//! Content inwards is MIMI content ([`mimi_content::NestedPart`]), the one pivot there is. Content outwards is
//! [`Prepared`]: the gateway plans the downgrade from the adapter's [`Capabilities`], so an adapter needs no fallback.
//!
//! [`naming`] holds the escaping of hosted users' names, `conformance` the checks every adapter is run through.

mod adapter;
mod address;
mod capability;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod event;
mod group;
mod id;
pub mod limits;
pub mod naming;
mod operation;
mod outcome;
mod part;

pub use adapter::{Adapter, Host, IngestFault, Manifest, OpenFault, Session, SessionStatus};
pub use address::{Addresses, Unnameable};
pub use capability::{Capabilities, Feature, Guarantee, Guarantees};
pub use event::{Ingest, NativeBody, NativeEvent};
pub use group::{GroupMember, GroupProfile, Person, Progress, Receipt, Role};
pub use id::{NativeEventId, NativeRoomId, NativeUserId, OpId};
pub use operation::{Delivery, Operation, Prepared, PuppetProfile, Speaker};
pub use outcome::{Outcome, RefusedCode};
