//! What is done with a room and its people.

use mimi_adapter::{
    Addresses, Delivery, GroupProfile, NativeUserId, OpId, Operation, Outcome, Person, RefusedCode,
};
use mimi_uri::UserUri;
use xmpp_parsers::jid::BareJid;
use xmpp_parsers::message::Message;

use super::iq;
use super::room::Affiliation;
use crate::event_id::hashed;
use crate::failure;
use crate::link::Link;
use crate::names::on_device;
use crate::stanza::ping;

impl Link {
    /// Does an operation in or on a room.
    pub(crate) async fn act_in_room(&self, delivery: &Delivery, room: &BareJid) -> Result<Outcome, Outcome> {
        self.rooms.known(room, |state| state.doing = Some(delivery.op_id.clone()));
        let outcome = self.do_in_room(delivery, room).await;
        self.rooms.with(room, |state| state.doing = None);
        outcome
    }

    async fn do_in_room(&self, delivery: &Delivery, room: &BareJid) -> Result<Outcome, Outcome> {
        match &delivery.operation {
            Operation::AcceptInvite { puppet } => self.enter(room, puppet).await,
            Operation::Enter { user } => self.enter(room, user).await,
            Operation::Leave { user } => self.leave_room(room, user).await,
            Operation::Invite { user } => self.invite(room, user).await,
            Operation::Remove { person } => self.stand(room, person, Affiliation::None).await,
            Operation::Ban { person } => self.stand(room, person, Affiliation::Outcast).await,
            Operation::Unban { person } => self.stand(room, person, Affiliation::None).await,
            Operation::SetRole { person, role } => self.stand(room, person, Affiliation::of(*role)).await,
            Operation::Rename(name) => {
                self.rooms.known(room, |state| state.profile.name.clone_from(name));
                self.set_up(room, &[("muc#roomconfig_roomname", name.as_deref().unwrap_or_default())])
                    .await?;
                Ok(Outcome::done())
            }
            Operation::SetTopic(topic) => self.set_topic(delivery, room, topic.as_deref()).await,
            Operation::Post(prepared) => self.say_in_room(delivery, room, &prepared.plain).await,
            Operation::Notice(text) => self.say_in_room(delivery, room, text).await,
            // That a message has come through a room is seen by its reflection; a room has no more signs.
            Operation::ShowProgress { .. } => Ok(Outcome::done()),
            Operation::EnsurePuppet(_) | Operation::OpenDirect { .. } | Operation::OpenGroup { .. } => {
                Err(Outcome::refused(RefusedCode::Malformed, "this is not done in a room"))
            }
        }
    }

    /// Makes a room that the gateway owns, or finds the one that this very operation made before.
    pub(crate) async fn open_group(
        &self,
        op_id: &OpId,
        group: &GroupProfile,
        invite: &[NativeUserId],
    ) -> Result<Outcome, Outcome> {
        let room = format!("mimi-{}@{}", hashed(op_id.as_str()), self.names.conference());
        let room =
            BareJid::new(&room).map_err(|why| Outcome::refused(RefusedCode::Malformed, why.to_string()))?;
        let service = self.names.service();
        self.rooms.known(&room, |state| state.profile = group.clone());
        self.rooms.known(&room, |state| state.listener = Some(service.clone()));
        self.come_in_alone(&room, &service).await?;
        let settings = [
            ("muc#roomconfig_roomname", group.name.as_deref().unwrap_or_default()),
            ("muc#roomconfig_persistentroom", "1"),
            ("muc#roomconfig_membersonly", "1"),
            ("muc#roomconfig_publicroom", "0"),
            ("muc#roomconfig_whois", "anyone"),
            ("muc#roomconfig_enablearchiving", "1"),
            ("mam", "1"),
        ];
        self.set_up(&room, &settings).await?;
        self.begin_to_listen(&room, &service).await?;
        for user in invite {
            self.invite(&room, user).await?;
        }
        if let Some(topic) = &group.topic {
            let mut subject = Message::groupchat(Some(room.clone().into()));
            subject.from = Some(on_device(&service));
            subject.subjects.insert(xmpp_parsers::message::Lang::new(), topic.clone());
            self.line.send(subject).await?;
        }
        Ok(Outcome::done_in(room.as_str().into()))
    }

    async fn set_up(&self, room: &BareJid, settings: &[(&str, &str)]) -> Result<(), Outcome> {
        let service = self.names.service();
        self.be_there(room, &service).await?;
        let form = self.line.ask(iq::get(&service, room, iq::settings())).await?;
        let form = form.map_err(|no| failure::of_room(&no))?;
        let answer = form.and_then(|form| iq::settings_of(&form, settings));
        let answer =
            answer.ok_or_else(|| Outcome::refused(RefusedCode::NotAllowed, "the room has no settings"))?;
        self.line.ask(iq::set(&service, room, answer)).await?.map_err(|no| failure::of_room(&no))?;
        Ok(())
    }

    async fn enter(&self, room: &BareJid, user: &UserUri) -> Result<Outcome, Outcome> {
        let puppet = self.puppet(user)?;
        match self.be_there(room, &puppet).await {
            Err(Outcome::Refused { code: RefusedCode::NotAllowed, .. }) => {
                // Only members may come in: make him one, if we may.
                self.affiliate(room, &puppet, Affiliation::Member).await?;
                self.be_there(room, &puppet).await?;
            }
            there => there?,
        }
        Ok(Outcome::done())
    }

    async fn leave_room(&self, room: &BareJid, user: &UserUri) -> Result<Outcome, Outcome> {
        let puppet = self.puppet(user)?;
        self.go(room, &puppet).await?;
        let is_lasting =
            self.rooms.with(room, |state| state.affiliated.get(&puppet).is_some_and(|it| it.is_lasting()));
        if is_lasting == Some(true) {
            // A room that is not ours keeps him on its list.
            drop(self.affiliate(room, &puppet, Affiliation::None).await);
        }
        self.line.prove(ping(&puppet, &BareJid::from_parts(None, room.domain()))).await?;
        Ok(Outcome::done())
    }

    async fn invite(&self, room: &BareJid, user: &NativeUserId) -> Result<Outcome, Outcome> {
        let unknown = || Outcome::refused(RefusedCode::UnknownUser, format!("{user} is nobody here"));
        let jid = BareJid::new(user.as_str()).map_err(|_| unknown())?;
        self.names.localpart(user).ok_or_else(unknown)?;
        let service = self.names.service();
        self.be_there(room, &service).await?;
        let is_in =
            self.rooms.with(room, |state| state.affiliated.get(&jid).is_some_and(|it| it.is_lasting()));
        if is_in != Some(true) {
            self.affiliate(room, &jid, Affiliation::Member).await?;
        }
        let mut message = Message::normal(Some(room.clone().into()));
        message.from = Some(on_device(&service));
        message.payloads.push(iq::invitation(&jid));
        self.line.send(message).await?;
        self.line.prove(ping(&service, &BareJid::from_parts(None, room.domain()))).await?;
        Ok(Outcome::done())
    }

    /// Gives somebody another standing; who has none any more is shown the door.
    async fn stand(
        &self,
        room: &BareJid,
        person: &Person,
        standing: Affiliation,
    ) -> Result<Outcome, Outcome> {
        let user = match person {
            Person::Native(user) => BareJid::new(user.as_str())
                .map_err(|why| Outcome::refused(RefusedCode::UnknownUser, format!("{user}: {why}")))?,
            Person::Puppet(user) => self.puppet(user)?,
        };
        self.affiliate(room, &user, standing).await?;
        let nick = self.rooms.with(room, |state| {
            let of_him = |(nick, one): (&String, &super::room::Occupant)| {
                (one.user.as_ref() == Some(&user)).then(|| nick.clone())
            };
            state.occupants.iter().find_map(of_him)
        });
        if let (Affiliation::None, Some(Some(nick))) = (standing, nick) {
            // Who was on the list of a members-only room is out already, and the nick is nobody's.
            drop(self.line.ask(iq::set(&self.names.service(), room, iq::kick(&nick))).await?);
        }
        Ok(Outcome::done())
    }

    async fn affiliate(&self, room: &BareJid, user: &BareJid, standing: Affiliation) -> Result<(), Outcome> {
        let service = self.names.service();
        self.be_there(room, &service).await?;
        let answer = self.line.ask(iq::set(&service, room, iq::affiliate(user, standing))).await?;
        answer.map_err(|no| failure::of_room(&no))?;
        self.rooms.with(room, |state| state.affiliated.insert(user.clone(), standing));
        Ok(())
    }
}
