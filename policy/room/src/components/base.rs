use mimi_uri::RoomUri;
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

use crate::codec::{Consistent, doors};
use crate::{ComponentId, DecodeError};

/// What kind of room it is (`base_room_policy`); an update replaces it.
#[expect(clippy::struct_excessive_bools, reason = "the draft's structure has them")]
#[derive(Debug, Clone, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct BaseRoomPolicy {
    /// The participants are fixed at creation: a direct chat.
    #[tls_codec(with = "crate::codec::boolean")]
    pub fixed_membership: bool,
    /// The participants are a strict subset of another room's (the draft's spelling).
    #[tls_codec(with = "crate::codec::boolean")]
    pub parent_dependant: bool,
    /// That other room, exactly if there is one.
    pub parent_room: Vec<ParentRoom>,
    /// A user may have several clients in the group.
    #[tls_codec(with = "crate::codec::boolean")]
    pub multi_device: bool,
    /// Most leaves of the group.
    pub max_clients: Option<u32>,
    /// Most participants, the banned not counted.
    pub max_users: Option<u32>,
    /// Clients may use pseudonymous credentials.
    #[tls_codec(with = "crate::codec::boolean")]
    pub pseudonyms_allowed: bool,
    /// The room outlives its group.
    #[tls_codec(with = "crate::codec::boolean")]
    pub persistent_room: bool,
    /// The room can be found by searching.
    #[tls_codec(with = "crate::codec::boolean")]
    pub discoverable: bool,
    /// The policy components that are present (R16).
    pub policy_component_ids: Vec<u16>,
}

impl BaseRoomPolicy {
    /// The room whose participants bound this one's.
    pub fn parent(&self) -> Option<&RoomUri> {
        self.parent_room.first().map(|parent| &parent.0)
    }

    /// Whether it names the component among the present ones.
    pub fn lists(&self, component: ComponentId) -> bool {
        self.policy_component_ids.contains(&component.0)
    }
}

impl Consistent for BaseRoomPolicy {
    /// R8: there is a parent exactly if the room depends on one.
    fn check(&self) -> Result<(), DecodeError> {
        if self.parent_room.len() == usize::from(self.parent_dependant) {
            Ok(())
        } else {
            Err(DecodeError::Invalid("a room has a parent exactly if it depends on one"))
        }
    }
}

doors!(BaseRoomPolicy);

/// The `parent_room` of a [`BaseRoomPolicy`].
#[derive(Debug, Clone, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct ParentRoom(#[tls_codec(with = "crate::codec::room_uri")] pub RoomUri);
