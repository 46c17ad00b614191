//! What must be remembered.
//!
//! Rooms decide, the store remembers. [`Store`] has three verbs, each of them one durable and atomic commit:
//!
//! - [`decide`](Store::decide): what a room decided: its events, lanes, routes and, if it changed, its state;
//! - [`claim`](Store::claim): `KeyPackages` handed out, exactly once per request;
//! - [`record`](Store::record): everything else: rows of the bridge and the server, progress of lanes, used keys;
//!
//! and plain reads. A verb returns after its commit, so what it acknowledged survives a kill -9; a verb that
//! returns [`StoreFault::Conflict`] stored nothing. Calls that wait at the same time share one transaction, so
//! durability costs one fsync per group, not one per message.
//!
//! | table | written by | deleted by |
//! |---|---|---|
//! | room | `decide` | nobody |
//! | event (the room log) | `decide` | nobody yet: retention |
//! | lane | `decide` opens and closes, `record` moves | the commit with which a closed lane is delivered |
//! | route | `decide` | nobody |
//! | tree | `decide` | the `decide` that stores a later one, see [`limits::TREES_KEPT`] |
//! | key package | `claim` | `record`, when it was used; nobody yet if it never is |
//! | answer | `claim` | the next `claim` after it expired |
//! | row | `record` | `record` |
//! | lease | `lease` | `lease`, when it was given up or ran out |
//!
//! What works off rows does so in [`Runs`]: at most one per key, found again after a restart.
//! A store that writes in groups takes them from [`Verbs`]. [`MemoryStore`] is the store of simulations; the module `contract` holds the tests that every store passes.

mod claim;
#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod decide;
mod fail_point;
mod lease;
pub mod limits;
mod memory;
mod record;
mod rows;
mod runs;
mod store;
mod verbs;

pub use claim::{Claim, Claimed, NewKeyPackage};
pub use decide::{Audience, Decide, EventKind, LaneChange, NewEvent, RoomRole, RoomState, RoomVersion, Seq};
pub use fail_point::{FAIL_POINT_FILE, fail_point};
pub use lease::{Holder, Lease, LeaseKey, LeaseRow, LeaseTable};
pub use memory::{InjectedFault, MemoryStore};
pub use record::{Batch, LaneProgress, RowChange, RowKind, RowVersion};
pub use rows::{EventLimit, EventRow, Head, KeyPackageRow, KeyRange, LaneRow, RoomRow, Row};
pub use runs::{Next, Runs};
pub use store::{Store, StoreFault};
pub use verbs::{Stored, Verb, VerbGroup, VerbGroups, Verbs};
