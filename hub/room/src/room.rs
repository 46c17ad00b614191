use mimi_uri::{Domain, RoomUri};
use mimi_wire::{RequestHash, Timestamp, UpdateRequest, UpdateRoomResponse};

use crate::effects::Decision;
use crate::facts::HubFacts;
use crate::group::Group;
use crate::head::Head;
use crate::header::Header;
use crate::refusal::{Fault, Refusal};
use crate::update;

/// A room at its hub.
///
/// Its owner holds it by value, asks it one thing after the other, and stores what follows. A room that has faulted, or
/// whose decision could not be stored, is dropped and loaded again.
pub struct Room {
    pub(crate) header: Header,
    pub(crate) group: Group,
    pub(crate) head: Head,
}

/// What a room says to a request: an answer with its effects, or no.
pub type Verdict<A> = Result<Decision<A>, Refusal>;

impl Room {
    /// The room that [`header_bytes`](Self::header_bytes) and [`group_bytes`](Self::group_bytes) were taken of; the
    /// group is not looked at before the first handshake. Tell it then where its log stands ([`advance`](Self::advance)).
    pub fn load(uri: RoomUri, header: &[u8], group: Vec<u8>) -> Result<Self, Fault> {
        let header = Header::decode(uri, header)?;
        let head = Head { seq: 0, timestamp: header.founded.at };
        Ok(Self { header, group: Group::Stored(group), head })
    }

    /// The log stands at this event; it never goes back.
    pub fn advance(&mut self, seq: u64, timestamp: Timestamp) {
        self.head.seq = self.head.seq.max(seq);
        self.head.timestamp = self.head.timestamp.max(timestamp);
    }

    /// When the room was founded, if it was by this request.
    pub fn founded_by(&self, request: &RequestHash) -> Option<Timestamp> {
        (self.header.founded.by == *request).then_some(self.header.founded.at)
    }

    /// The room's name.
    pub fn uri(&self) -> &RoomUri {
        &self.header.uri
    }

    /// The room's epoch.
    pub fn epoch(&self) -> mimi_mls::Epoch {
        self.header.epoch
    }

    /// The light part, versioned.
    pub fn header_bytes(&self) -> Vec<u8> {
        self.header.encode()
    }

    /// The MLS group, versioned.
    pub fn group_bytes(&self) -> Vec<u8> {
        self.group.bytes()
    }

    /// Decides whether a commit or proposals enter the room (A4).
    pub fn update(
        &mut self,
        hub: &HubFacts,
        provider: &Domain,
        request: &UpdateRequest,
        now: Timestamp,
    ) -> Result<Verdict<UpdateRoomResponse>, Fault> {
        update::update(self, &update::Asked { hub, provider, now }, &request.bundle)
    }
}

impl std::fmt::Debug for Room {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Room")
            .field("uri", &self.header.uri)
            .field("epoch", &self.header.epoch)
            .field("head", &self.head)
            .finish_non_exhaustive()
    }
}
