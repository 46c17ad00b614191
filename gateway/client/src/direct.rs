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
        let client = client_of(founding.creator)
            .ok_or_else(|| ClientFault::Request("the user has no client name".to_owned()))?;
        let creator = HostedClient::generate(
            founding.authority,
            founding.creator,
            &client,
            KEY_PACKAGE_LIFETIME_S,
            founding.now.seconds(),
        )
        .map_err(|fault| ClientFault::Request(fault.to_string()))?;
        let room = NewRoom {
            group_id: group_id(founding.room),
            components: components(founding),
            external_senders: vec![founding.agents.external_sender.clone()],
            creator: &creator,
        };
        let (hosted, founded) = HostedRoom::create(&room)?;
        let request = CreateRoomRequest {
            room: founding.room.clone(),
            creator: founding.creator.clone(),
            group_info: founded.group_info,
            ratchet_tree: founded.ratchet_tree,
        };
        Ok((Self::of(founding.room, hosted), request))
    }
}

/// I11: the group is bound to the room by the room's metadata; its id need only be unique.
fn group_id(room: &RoomUri) -> Vec<u8> {
    format!("mimi://{}/g/{}", room.domain(), room.path()).into_bytes()
}

fn components(founding: &Founding<'_>) -> Vec<(u16, Vec<u8>)> {
    let direct = template::direct(founding.room, founding.creator, founding.peer);
    let mut components: BTreeMap<u16, Vec<u8>> =
        direct.into_iter().map(|(id, bytes)| (id.0, bytes)).collect();
    components.insert(ComponentId::FRANKING_AGENT.0, founding.agents.franking_agent.clone());
    components.insert(ComponentId::CONTENT_MEDIA_TYPES.0, founding.agents.content_media_types.clone());
    let used: Vec<u16> = [ComponentId::APP_COMPONENTS.0, ComponentId::FRANK_AAD.0]
        .into_iter()
        .chain(components.keys().copied())
        .collect();
    components.insert(ComponentId::APP_COMPONENTS.0, encode_component_list(&used));
    components.into_iter().collect()
}
