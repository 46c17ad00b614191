use mimi_adapter::naming::{Bare, escape};
use mimi_adapter::{NativeRoomId, OpId, Outcome, RefusedCode};
use ruma::api::client::alias::{create_alias, get_alias};
use ruma::api::client::room::create_room;
use ruma::api::client::state::{get_state_event_for_key, send_state_event};
use ruma::api::error::ErrorKind;
use ruma::events::StateEventType;
use ruma::events::room::member::{MembershipState, RoomMemberEventContent};
use ruma::{OwnedRoomAliasId, OwnedRoomId, RoomAliasId, RoomId, UserId};
use serde::Deserialize;

use crate::homeserver::{Acting, CallFault, Homeserver};
use crate::limits::ALIAS_BYTES_MAX;

/// A direct chat that a puppet opens.
///
/// Three steps, each of which can be repeated: a room of the puppet alone; an alias made from the operation's id, which
/// only one room can have; the invitation. A crash after the first leaves a room that nobody ever sees. The alias is
/// not made canonical: clients would show it instead of the puppet's name.
pub(crate) struct Opening<'a> {
    pub(crate) homeserver: &'a Homeserver,
    pub(crate) prefix: &'a str,
    pub(crate) op_id: &'a OpId,
    pub(crate) puppet: &'a UserId,
    pub(crate) with: &'a UserId,
}

impl Opening<'_> {
    /// Opens the chat, or finds the one that this operation opened before.
    pub(crate) async fn open(&self) -> Result<NativeRoomId, Outcome> {
        let alias = self.alias()?;
        let room = match self.find(&alias).await? {
            Some(room) => room,
            None => self.make(&alias).await?,
        };
        // Whoever is, or was, there by this operation is not asked twice.
        if membership(self.homeserver, &room, self.puppet, self.with).await?.is_none() {
            self.invite(&room).await?;
        }
        Ok(room.as_str().into())
    }

    fn alias(&self) -> Result<OwnedRoomAliasId, Outcome> {
        let name = escape(self.op_id.as_str(), Bare::STRICT);
        let alias = format!("#{}{name}:{}", self.prefix, self.puppet.server_name());
        let fits = alias.len() <= ALIAS_BYTES_MAX;
        let alias = RoomAliasId::parse(alias).ok().filter(|_| fits);
        alias.ok_or_else(|| {
            Outcome::refused(RefusedCode::Malformed, "the operation's id is too long for an alias")
        })
    }

    async fn find(&self, alias: &RoomAliasId) -> Result<Option<OwnedRoomId>, CallFault> {
        let request = get_alias::v3::Request::new(alias.to_owned());
        match self.homeserver.call(request, Acting::OnDevice(self.puppet)).await {
            Ok(found) => Ok(Some(found.room_id)),
            Err(fault) if fault.is(&ErrorKind::NotFound) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    async fn make(&self, alias: &RoomAliasId) -> Result<OwnedRoomId, CallFault> {
        let acting = Acting::OnDevice(self.puppet);
        let mut request = create_room::v3::Request::new();
        request.is_direct = true;
        request.preset = Some(create_room::v3::RoomPreset::TrustedPrivateChat);
        let room = self.homeserver.call(request, acting).await?.room_id;
        let request = create_alias::v3::Request::new(alias.to_owned(), room.clone());
        self.homeserver.call(request, acting).await?;
        Ok(room)
    }

    /// As a state event: the endpoint for invitations cannot say that the chat is direct.
    async fn invite(&self, room: &RoomId) -> Result<(), CallFault> {
        let mut invitation = RoomMemberEventContent::new(MembershipState::Invite);
        invitation.is_direct = Some(true);
        let request = send_state_event::v3::Request::new(room.to_owned(), self.with, &invitation)
            .map_err(|error| CallFault::Malformed(error.to_string()))?;
        self.homeserver.call(request, Acting::OnDevice(self.puppet)).await.map(drop)
    }
}

/// How `user` stands in the room, as `asking` may see it: `None` if he never was there, or if the one who asks was not.
pub(crate) async fn membership(
    homeserver: &Homeserver,
    room: &RoomId,
    asking: &UserId,
    user: &UserId,
) -> Result<Option<MembershipState>, CallFault> {
    #[derive(Deserialize)]
    struct Member {
        membership: MembershipState,
    }

    let kind = StateEventType::RoomMember;
    let request = get_state_event_for_key::v3::Request::new(room.to_owned(), kind, user.to_string());
    match homeserver.call(request, Acting::OnDevice(asking)).await {
        Ok(found) => serde_json::from_str::<Member>(found.event_or_content.get())
            .map(|member| Some(member.membership))
            .map_err(|error| CallFault::Unreadable(error.to_string())),
        Err(fault) if fault.is(&ErrorKind::NotFound) || fault.is(&ErrorKind::Forbidden) => Ok(None),
        Err(fault) => Err(fault),
    }
}
