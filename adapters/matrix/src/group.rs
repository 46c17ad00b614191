//! Conversations of several people: what the gateway does in them, as its bot.

use mimi_adapter::naming::{Bare, escape};
use mimi_adapter::{
    Delivery, GroupMember, GroupProfile, Ingest, NativeBody, NativeEvent, NativeUserId, Operation, Outcome,
    Person, RefusedCode, Role,
};
use ruma::api::client::alias::{create_alias, get_alias};
use ruma::api::client::membership::{join_room_by_id, joined_members};
use ruma::api::client::room::create_room;
use ruma::api::client::state::get_state_event_for_key::v3::StateEventFormat;
use ruma::api::client::state::{get_state_event_for_key, send_state_event};
use ruma::api::error::ErrorKind;
use ruma::events::StateEventType;
use ruma::events::room::member::MembershipState;
use ruma::serde::Raw;
use ruma::{OwnedRoomAliasId, OwnedRoomId, OwnedUserId, RoomAliasId, RoomId, UserId};
use serde_json::{Value, json};

use crate::direct::membership;
use crate::homeserver::{Acting, CallFault};
use crate::limits::ALIAS_BYTES_MAX;
use crate::power::{level, role_of};
use crate::puppet::user_id;
use crate::session::{Link, room_of};

/// Members above this make a room a conversation of several people, whatever it is called.
const TWO: usize = 2;

/// The room version from which on those who made a room stand above all power levels.
const VERSION_WITH_CREATORS: u32 = 12;

impl Link {
    /// Makes a room of the bot's own, or finds the one that this very operation made before.
    pub(crate) async fn open_group(
        &self,
        delivery: &Delivery,
        profile: &GroupProfile,
        invite: &[NativeUserId],
    ) -> Result<Outcome, Outcome> {
        let bot = self.ensured(self.bot.clone()).await?;
        let alias = self.alias_of(delivery)?;
        let room = match self.find(&alias).await? {
            Some(room) => room,
            None => self.make(&alias, profile).await?,
        };
        for user in invite {
            let user = user_id(user)?;
            if membership(&self.homeserver, &room, &bot, &user).await?.is_none() {
                self.set_membership(&room, &user, "invite").await?;
            }
        }
        Ok(Outcome::done_in(room.as_str().into()))
    }

    /// Does an operation in a room of several people.
    pub(crate) async fn in_group(&self, delivery: &Delivery) -> Result<Outcome, Outcome> {
        let room = room_of(delivery)?;
        match &delivery.operation {
            Operation::Invite { user } => self.invite(&room, &user_id(user)?).await,
            Operation::Enter { user } => {
                let puppet = self.puppet(user).await?;
                self.bring(&room, &puppet).await
            }
            Operation::Remove { person } => self.put_out(&room, person, "leave").await,
            Operation::Ban { person } => self.put_out(&room, person, "ban").await,
            Operation::Unban { person } => self.unban(&room, person).await,
            Operation::SetRole { person, role } => self.give(&room, person, *role).await,
            Operation::Rename(name) => self.set(&room, "m.room.name", "name", name.as_deref()).await,
            Operation::SetTopic(topic) => self.set(&room, "m.room.topic", "topic", topic.as_deref()).await,
            _ => {
                Err(Outcome::refused(RefusedCode::Malformed, "not an operation in a room of several people"))
            }
        }
    }

    /// After a puppet came into a room: if several people are in it, the bot comes too, and the host hears who they are.
    ///
    /// The caller holds the order of events, so that what happens meanwhile is told behind it.
    pub(crate) async fn tell_members(&self, delivery: &Delivery, puppet: &UserId) -> Result<(), Outcome> {
        let room = room_of(delivery)?;
        if self.is_direct(&room, puppet).await? {
            return Ok(());
        }
        let request = joined_members::v3::Request::new(room.clone());
        let joined = self.homeserver.call(request, Acting::OnDevice(puppet)).await?.joined;
        let others = joined.keys().filter(|user| !self.names.is_ours(user)).count();
        let name = self.state(&room, puppet, "m.room.name", "").await?;
        if others < TWO && name.is_none() {
            return Ok(());
        }
        self.bring_bot(&room, puppet).await?;
        let levels = self.state(&room, puppet, "m.room.power_levels", "").await?.unwrap_or_default();
        let creators = self.creators(&room, puppet).await?;
        let member = |(user, member): (OwnedUserId, joined_members::v3::RoomMember)| GroupMember {
            role: if creators.contains(&user) { Role::Owner } else { role_of(&levels, user.as_str()) },
            user: user.as_str().into(),
            display_name: member.display_name,
        };
        let members = joined.into_iter().filter(|(user, _)| *user != self.bot).map(member).collect();
        let event = NativeEvent {
            lane: room.as_str().into(),
            id: format!("members-{}", delivery.op_id).as_str().into(),
            nonce: None,
            from: puppet.as_str().into(),
            display_name: None,
            at_ms: 0,
            body: NativeBody::Members(members),
        };
        let told = self.host.ingest(Ingest { events: vec![event] }).await;
        told.map_err(|fault| Outcome::Broken { why: fault.to_string() })
    }

    /// Whether a puppet that has come was invited into a direct chat.
    async fn is_direct(&self, room: &RoomId, puppet: &UserId) -> Result<bool, CallFault> {
        let event = self.state_event(room, puppet, StateEventType::RoomMember, puppet.as_str()).await?;
        Ok(event["unsigned"]["prev_content"]["is_direct"] == true)
    }

    /// Those whose power no level says: from room version 12 on, whoever made the room.
    async fn creators(&self, room: &RoomId, asking: &UserId) -> Result<Vec<OwnedUserId>, CallFault> {
        let event = self.state_event(room, asking, StateEventType::RoomCreate, "").await?;
        let version = event["content"]["room_version"].as_str().and_then(|version| version.parse().ok());
        if version.is_none_or(|version: u32| version < VERSION_WITH_CREATORS) {
            return Ok(Vec::new());
        }
        let more = event["content"]["additional_creators"].as_array().into_iter().flatten();
        let all = more.chain([&event["sender"]]).filter_map(Value::as_str);
        Ok(all.filter_map(|user| UserId::parse(user).ok()).collect())
    }

    /// A state event whole, not just its content.
    async fn state_event(
        &self,
        room: &RoomId,
        asking: &UserId,
        kind: StateEventType,
        key: &str,
    ) -> Result<Value, CallFault> {
        let mut request = get_state_event_for_key::v3::Request::new(room.to_owned(), kind, key.to_owned());
        request.format = StateEventFormat::Event;
        let found = self.homeserver.call(request, Acting::OnDevice(asking)).await?;
        serde_json::from_str(found.event_or_content.get())
            .map_err(|error| CallFault::Unreadable(error.to_string()))
    }

    /// The bot acts where a puppet may not; where it is not let in, what only it could do is refused later.
    async fn bring_bot(&self, room: &RoomId, puppet: &UserId) -> Result<(), Outcome> {
        let bot = self.ensured(self.bot.clone()).await?;
        if membership(&self.homeserver, room, puppet, &bot).await? == Some(MembershipState::Join) {
            return Ok(());
        }
        let invited =
            self.put_state(room, puppet, ("m.room.member", bot.as_str()), &invitation("invite")).await;
        if let Err(fault) = invited {
            tracing::info!(%room, %fault, "the bot is not invited");
        }
        let request = join_room_by_id::v3::Request::new(room.to_owned());
        match self.homeserver.call(request, Acting::OnDevice(&bot)).await {
            Ok(_) => Ok(()),
            Err(fault) => match Outcome::from(fault) {
                Outcome::Refused { .. } => Ok(()),
                outcome => Err(outcome),
            },
        }
    }

    async fn invite(&self, room: &RoomId, user: &UserId) -> Result<Outcome, Outcome> {
        let bot = self.ensured(self.bot.clone()).await?;
        match membership(&self.homeserver, room, &bot, user).await? {
            Some(MembershipState::Join | MembershipState::Invite) => Ok(Outcome::done()),
            _ => self.set_membership(room, user, "invite").await.map(|()| Outcome::done()),
        }
    }

    async fn bring(&self, room: &RoomId, puppet: &UserId) -> Result<Outcome, Outcome> {
        let bot = self.ensured(self.bot.clone()).await?;
        match membership(&self.homeserver, room, &bot, puppet).await? {
            Some(MembershipState::Join) => return Ok(Outcome::done()),
            Some(MembershipState::Invite) => {}
            _ => self.set_membership(room, puppet, "invite").await?,
        }
        let request = join_room_by_id::v3::Request::new(room.to_owned());
        self.homeserver.call(request, Acting::OnDevice(puppet)).await?;
        Ok(Outcome::done())
    }

    async fn put_out(&self, room: &RoomId, person: &Person, how: &str) -> Result<Outcome, Outcome> {
        let (user, bot) = (self.user_of(person).await?, self.ensured(self.bot.clone()).await?);
        let now = membership(&self.homeserver, room, &bot, &user).await?;
        let is_done = match now {
            Some(MembershipState::Ban) => true,
            Some(MembershipState::Leave) | None => how == "leave",
            _ => false,
        };
        if !is_done {
            self.set_membership(room, &user, how).await?;
        }
        Ok(Outcome::done())
    }

    async fn unban(&self, room: &RoomId, person: &Person) -> Result<Outcome, Outcome> {
        let (user, bot) = (self.user_of(person).await?, self.ensured(self.bot.clone()).await?);
        if membership(&self.homeserver, room, &bot, &user).await? == Some(MembershipState::Ban) {
            self.set_membership(room, &user, "leave").await?;
        }
        Ok(Outcome::done())
    }

    async fn give(&self, room: &RoomId, person: &Person, role: Role) -> Result<Outcome, Outcome> {
        let (user, bot) = (self.user_of(person).await?, self.ensured(self.bot.clone()).await?);
        let mut levels =
            self.state(room, &bot, "m.room.power_levels", "").await?.unwrap_or_else(|| json!({}));
        if self.creators(room, &bot).await?.contains(&user) {
            return Err(Outcome::refused(RefusedCode::NotAllowed, "who made a room keeps his power"));
        }
        if role_of(&levels, user.as_str()) != role {
            if !levels["users"].is_object() {
                levels["users"] = json!({});
            }
            levels["users"][user.as_str()] = level(role).into();
            self.put_state(room, &bot, ("m.room.power_levels", ""), &levels).await?;
        }
        Ok(Outcome::done())
    }

    async fn set(
        &self,
        room: &RoomId,
        kind: &str,
        field: &str,
        text: Option<&str>,
    ) -> Result<Outcome, Outcome> {
        let bot = self.ensured(self.bot.clone()).await?;
        let now = self.state(room, &bot, kind, "").await?.unwrap_or_default();
        let text = text.unwrap_or_default();
        if now[field].as_str().unwrap_or_default() != text {
            self.put_state(room, &bot, (kind, ""), &json!({ field: text })).await?;
        }
        Ok(Outcome::done())
    }

    async fn user_of(&self, person: &Person) -> Result<OwnedUserId, Outcome> {
        match person {
            Person::Native(user) => user_id(user),
            Person::Puppet(user) => self.puppet(user).await,
        }
    }

    async fn set_membership(&self, room: &RoomId, user: &UserId, how: &str) -> Result<(), Outcome> {
        let kind = ("m.room.member", user.as_str());
        Ok(self.put_state(room, &self.bot, kind, &invitation(how)).await?)
    }

    async fn put_state(
        &self,
        room: &RoomId,
        acting: &UserId,
        (kind, key): (&str, &str),
        content: &Value,
    ) -> Result<(), CallFault> {
        let malformed = |error: serde_json::Error| CallFault::Malformed(error.to_string());
        let body = Raw::new(content).map_err(malformed)?.cast_unchecked();
        let kind = StateEventType::from(kind);
        let request = send_state_event::v3::Request::new_raw(room.to_owned(), kind, key.to_owned(), body);
        self.homeserver.call(request, Acting::OnDevice(acting)).await.map(drop)
    }

    async fn state(
        &self,
        room: &RoomId,
        asking: &UserId,
        kind: &str,
        key: &str,
    ) -> Result<Option<Value>, CallFault> {
        let kind = StateEventType::from(kind);
        let request = get_state_event_for_key::v3::Request::new(room.to_owned(), kind, key.to_owned());
        match self.homeserver.call(request, Acting::OnDevice(asking)).await {
            Ok(found) => serde_json::from_str(found.event_or_content.get())
                .map(Some)
                .map_err(|error| CallFault::Unreadable(error.to_string())),
            Err(fault) if fault.is(&ErrorKind::NotFound) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    fn alias_of(&self, delivery: &Delivery) -> Result<OwnedRoomAliasId, Outcome> {
        let name = escape(delivery.op_id.as_str(), Bare::STRICT);
        let alias = format!("#{}{name}:{}", self.prefix, self.bot.server_name());
        let fits = alias.len() <= ALIAS_BYTES_MAX;
        let alias = RoomAliasId::parse(alias).ok().filter(|_| fits);
        alias.ok_or_else(|| {
            Outcome::refused(RefusedCode::Malformed, "the operation's id is too long for an alias")
        })
    }

    async fn find(&self, alias: &RoomAliasId) -> Result<Option<OwnedRoomId>, CallFault> {
        let request = get_alias::v3::Request::new(alias.to_owned());
        match self.homeserver.call(request, Acting::OnDevice(&self.bot)).await {
            Ok(found) => Ok(Some(found.room_id)),
            Err(fault) if fault.is(&ErrorKind::NotFound) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// A room of the bot alone, then the alias: a crash between the two leaves a room that nobody ever sees.
    async fn make(&self, alias: &RoomAliasId, profile: &GroupProfile) -> Result<OwnedRoomId, CallFault> {
        let acting = Acting::OnDevice(&self.bot);
        let mut request = create_room::v3::Request::new();
        request.preset = Some(create_room::v3::RoomPreset::PrivateChat);
        request.name.clone_from(&profile.name);
        request.topic.clone_from(&profile.topic);
        let room = self.homeserver.call(request, acting).await?.room_id;
        let request = create_alias::v3::Request::new(alias.to_owned(), room.clone());
        self.homeserver.call(request, acting).await?;
        Ok(room)
    }
}

fn invitation(membership: &str) -> Value {
    json!({ "membership": membership })
}
