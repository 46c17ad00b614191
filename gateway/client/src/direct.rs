//! Founding a direct room: two people, fixed for good, each with all rights that a conversation needs.

use std::collections::BTreeMap;

use mimi_mls::hosted::{HostedRoom, NewRoom};
use mimi_mls::{HostedClient, IdentityAuthority, encode_component_list};
use mimi_room_policy::ComponentId;
use mimi_room_policy::template;
use mimi_uri::{RoomUri, UserUri};
use mimi_wire::{CreateRoomRequest, Timestamp};

use crate::fault::ClientFault;
use crate::limits::KEY_PACKAGE_LIFETIME_S;
use crate::mint::client_of;
use crate::room::RoomClient;

/// What our own hub puts into every room: whom members let propose from outside, and who signs franks.
#[derive(Debug, Clone)]
pub struct HubAgents {
    /// The hub as an external sender: its TLS credential and signature key.
    pub external_sender: (Vec<u8>, Vec<u8>),
    /// The `franking_agent` component.
    pub franking_agent: Vec<u8>,
    /// The `content_media_types` component: what everybody in the room can read.
    pub content_media_types: Vec<u8>,
}

/// A direct room that is to be.
pub struct Founding<'a> {
    /// Its URI, of our own domain.
    pub room: &'a RoomUri,
    /// The hosted user who opens it.
    pub creator: &'a UserUri,
    /// Whom he wants to talk to.
    pub peer: &'a UserUri,
    /// What our hub adds.
    pub agents: &'a HubAgents,
    /// Issues the creator's certificate.
    pub authority: &'a IdentityAuthority,
    /// The time.
    pub now: Timestamp,
}

impl RoomClient {
    /// Makes the group with its creator as the only member, and the request that founds the room at our hub.
    pub fn found(founding: &Founding<'_>) -> Result<(Self, CreateRoomRequest), ClientFault> {
        let direct = template::direct(founding.room, founding.creator, founding.peer);
        let new = NewGroup {
            room: founding.room,
            creator: founding.creator,
            components: direct.into_iter().map(|(id, bytes)| (id.0, bytes)).collect(),
            agents: founding.agents,
            authority: founding.authority,
            now: founding.now,
        };
        new.found()
    }
}

/// A group that is to be: what every room of ours has, whatever its template.
pub(crate) struct NewGroup<'a> {
    pub(crate) room: &'a RoomUri,
    pub(crate) creator: &'a UserUri,
    /// The components of its template.
    pub(crate) components: BTreeMap<u16, Vec<u8>>,
    pub(crate) agents: &'a HubAgents,
    pub(crate) authority: &'a IdentityAuthority,
    pub(crate) now: Timestamp,
}

impl NewGroup<'_> {
    /// The group with its creator as the only member, and the request that founds the room at our hub.
    pub(crate) fn found(self) -> Result<(RoomClient, CreateRoomRequest), ClientFault> {
        let client = client_of(self.creator)
            .ok_or_else(|| ClientFault::Request("the user has no client name".to_owned()))?;
        let creator = HostedClient::generate(
            self.authority,
            self.creator,
            &client,
            KEY_PACKAGE_LIFETIME_S,
            self.now.seconds(),
        )
        .map_err(|fault| ClientFault::Request(fault.to_string()))?;
        let room = NewRoom {
            group_id: group_id(self.room),
            components: with_those_of_the_hub(self.components, self.agents),
            external_senders: vec![self.agents.external_sender.clone()],
            creator: &creator,
        };
        let (hosted, founded) = HostedRoom::create(&room)?;
        let request = CreateRoomRequest {
            room: self.room.clone(),
            creator: self.creator.clone(),
            group_info: founded.group_info,
            ratchet_tree: founded.ratchet_tree,
        };
        Ok((RoomClient::of(self.room, hosted), request))
    }
}

/// I11: the group is bound to the room by the room's metadata; its id need only be unique.
fn group_id(room: &RoomUri) -> Vec<u8> {
    format!("mimi://{}/g/{}", room.domain(), room.path()).into_bytes()
}

fn with_those_of_the_hub(mut components: BTreeMap<u16, Vec<u8>>, agents: &HubAgents) -> Vec<(u16, Vec<u8>)> {
    components.insert(ComponentId::FRANKING_AGENT.0, agents.franking_agent.clone());
    components.insert(ComponentId::CONTENT_MEDIA_TYPES.0, agents.content_media_types.clone());
    let used: Vec<u16> = [ComponentId::APP_COMPONENTS.0, ComponentId::FRANK_AAD.0]
        .into_iter()
        .chain(components.keys().copied())
        .collect();
    components.insert(ComponentId::APP_COMPONENTS.0, encode_component_list(&used));
    components.into_iter().collect()
}
