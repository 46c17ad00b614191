//! Conversations of several people.
//!
//! A [`Group`](crate::rows::Group) ties one native conversation to one MIMI room. Between the two lie
//!
//! - `member` rows: who is there natively, puppets too, as it is or will be once the outbox is empty;
//! - `wish` rows: how the room should be because of what happened natively, one for each person and one for the title.
//!
//! ```text
//!  native events ──► lane run ──► member, wish ──► room run: steps, one commit of one actor ──► hub
//!  native network ◄── outbox ◄── room run: what differs from the member rows ◄── room log
//! ```
//!
//! A wish says how things should *be*, so what happens twice, or back and forth, comes to one step or to none. Wishes are
//! collected before they are acted upon (`due`), unless somebody waits for them; who acts is whoever brought it about, if
//! he has a client here and may, else the service participant. A change of the room becomes an operation only where
//! the native side is not so already: so what was brought about natively does not come back as an operation.

mod delivery;
mod due;
mod events;
mod founding;
mod joining;
mod members;
mod post;
mod reconcile;
mod show;
mod steps;
mod table;
mod wishes;

use mimi_adapter::{NativeUserId, OpId, Operation, Speaker};
use mimi_client::vault::Purpose;
use mimi_store::{Row, RowChange, RowVersion};
use mimi_uri::UserUri;

use crate::bridge::Core;
use crate::fault::Fault;
use crate::intake::Lane;
use crate::rows::{self, GROUP, Group, LINK_ROOM, LinkId, Outgoing};

/// A user whom a native event is about.
pub(crate) struct Person {
    pub(crate) user: UserUri,
    /// Whether he lives on the network of the event, and is no puppet there.
    pub(crate) is_native: bool,
}

impl Core {
    pub(crate) async fn group(&self, id: &LinkId) -> Result<Option<(Group, Row)>, Fault> {
        let Some(row) = self.store.row(GROUP, id.0.as_bytes()).await? else { return Ok(None) };
        let plain = self.vault.open(Purpose::RoomState, &group_seal(id), &row.bytes)?;
        Ok(Some((rows::decode(GROUP, &plain)?, row)))
    }

    pub(crate) async fn group_of_lane(&self, lane: &Lane) -> Result<Option<(LinkId, Group, Row)>, Fault> {
        let Some(row) = self.store.row(LINK_ROOM, &lane.key().bytes()).await? else { return Ok(None) };
        let id: LinkId = rows::decode(LINK_ROOM, &row.bytes)?;
        Ok(self.group(&id).await?.map(|(group, row)| (id, group, row)))
    }

    /// The change that stores a group link, if nobody else changed it meanwhile.
    pub(crate) fn put_group(&self, id: &LinkId, group: &Group, version: Option<RowVersion>) -> RowChange {
        let bytes = self.vault.seal(Purpose::RoomState, &group_seal(id), &rows::encode(group));
        let key = id.0.clone().into_bytes();
        match version {
            Some(version) => RowChange::Put { kind: GROUP, key, expected: Some(version), bytes },
            None => RowChange::Insert { kind: GROUP, key, bytes },
        }
    }

    /// Who a native user is in MIMI; none for users of other servers of the network.
    pub(crate) fn person(&self, adapter: &str, user: &NativeUserId) -> Option<Person> {
        if let Some(user) = self.networks.hosted(adapter, user) {
            return Some(Person { user, is_native: true });
        }
        let user = self.networks.addresses(adapter)?.behind_puppet(user)?;
        Some(Person { user, is_native: false })
    }

    /// How somebody is called on a network, as himself or as a puppet; and whether as himself.
    pub(crate) fn native_name(&self, adapter: &str, user: &UserUri) -> Option<(NativeUserId, bool)> {
        match self.networks.native(user) {
            Some((network, native)) if network == adapter => Some((native, true)),
            _ => Some((self.networks.addresses(adapter)?.puppet(user).ok()?, false)),
        }
    }
}

/// An operation of the gateway itself.
pub(crate) fn by_service(op_id: OpId, operation: Operation) -> Outgoing {
    Outgoing { op_id, speaker: Speaker::Service, operation, message: None }
}

fn group_seal(id: &LinkId) -> Vec<u8> {
    [b"group ", id.0.as_bytes()].concat()
}
