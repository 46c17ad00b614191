//! A native conversation gets a room: one of its people invites a puppet.

use mimi_adapter::{GroupProfile, NativeUserId, Operation, Speaker};
use mimi_client::{GroupFounding, RoomClient, Title};
use mimi_edge_policy::{Outcome, PeerFunction, Request, Seconds, evaluate};
use mimi_store::{Batch, Next, RowChange};
use mimi_uri::UserUri;

use super::members::put_member;
use super::wishes::{Cause, Subject};
use super::{Person, by_service};
use crate::bridge::Core;
use crate::fault::Fault;
use crate::lane::Incoming;
use crate::op_id;
use crate::room::{Effects, Followed};
use crate::rows::{
    self, FoundingRow, Group, GroupState, InFlight, Intent, LINK_ROOM, LinkId, Member, Origin, Outgoing,
    Presence, RoomRow, Stage, Target,
};
use crate::wording;

impl Core {
    /// The first puppet is invited: a link, a room that the service participant is to found, and the puppet's user in it.
    pub(crate) async fn found_group(
        &self,
        incoming: &Incoming,
        puppet: &NativeUserId,
        profile: &GroupProfile,
    ) -> Result<Next, Fault> {
        let (lane, event) = (&incoming.lane, &incoming.event);
        let inviter = self.networks.hosted(&lane.adapter, &event.from);
        let guest = self.person(&lane.adapter, puppet).filter(|person| !person.is_native);
        let (Some(inviter), Some(Person { user: peer, .. })) = (inviter, guest) else {
            tracing::info!(adapter = %lane.adapter, "an invitation between people whom we do not know");
            return self.drop_event(incoming).await;
        };
        let id = LinkId(self.vault.name("group", &[&lane.key().bytes(), event.id.as_str().as_bytes()]));
        let room = self.networks.room_for(&self.vault.name("room", &[id.0.as_bytes()]));
        let mut group = Group {
            adapter: lane.adapter.clone(),
            native_room: Some(lane.room.clone()),
            room: room.clone(),
            origin: Origin::Native,
            state: GroupState::Active,
            name: profile.name.clone(),
            topic: profile.topic.clone(),
        };
        let mut batch = Batch { rows: vec![incoming.done()], ..Batch::default() };
        self.bring_puppet(&id, incoming, &peer, &mut batch).await?;
        if self.admits_to_group(&inviter, &peer) {
            let member = Member { presence: Presence::In, ..Member::default() };
            batch.rows.push(put_member(&id, puppet, &member));
            batch.rows.push(self.put_room(
                &room,
                &RoomRow::opening_group(self.networks.service(), id.clone()),
                None,
            ));
            let cause = Cause { by: inviter.clone(), link: &id, event: &event.id, is_kick: false };
            let target = Target::In { role: None, leaf: true };
            batch.rows.push(self.wish(&room, &Subject::User(peer.clone()), target, &cause).await?);
        } else {
            group.state = GroupState::Ended;
            self.turn_away(&id, incoming, &peer, &mut batch).await?;
        }
        batch.rows.push(self.put_group(&id, &group, None));
        let key = lane.key().bytes();
        let bytes = rows::encode(&id);
        batch.rows.push(RowChange::Put { kind: LINK_ROOM, key, expected: None, bytes });
        self.store.record(batch).await?;
        tracing::debug!(target: "drawbridge::step", who = %inviter, what = "opens a group", with = %peer);
        self.wake_link(id);
        self.wake_room(room);
        Ok(Next::Again)
    }

    /// May our user bring this person into a group at all? Nobody can have said yes or no yet, so the rules decide.
    fn admits_to_group(&self, inviter: &UserUri, peer: &UserUri) -> bool {
        let function = PeerFunction::GroupText;
        let request = Request { peer: peer.domain(), function, requester: inviter, target: peer, room: None };
        let verdict = evaluate(&request, &self.rules, &[], Seconds(self.clock.now().seconds()));
        verdict.outcome == Outcome::Allow
    }

    async fn turn_away(
        &self,
        id: &LinkId,
        incoming: &Incoming,
        peer: &UserUri,
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        let notice = Operation::Notice(wording::consent_needed(peer));
        let leave = Operation::Leave { user: peer.clone() };
        for (kind, operation) in [("notice", notice), ("leave", leave)] {
            let outgoing = Outgoing {
                op_id: op_id::for_native(id, incoming.event.id.as_str(), kind),
                speaker: Speaker::Puppet(peer.clone()),
                operation,
                message: None,
            };
            batch.rows.push(self.enqueue(id, &outgoing).await?);
        }
        Ok(())
    }

    /// Founds the room of a group link; each step is stored before it is taken.
    pub(crate) async fn open_group(&self, followed: &mut Followed) -> Result<(), Fault> {
        let Some((service, id)) = followed.row.links.first().cloned() else { return Ok(()) };
        let Some((group, _)) = self.group(&id).await? else { return Ok(()) };
        if followed.client.is_none() {
            let title =
                Title { name: group.name.unwrap_or_default(), topic: group.topic.unwrap_or_default() };
            let founding = GroupFounding {
                room: &followed.room,
                service: &service,
                title: &title,
                agents: &self.agents,
                authority: &self.authority,
                now: self.clock.now(),
            };
            let (client, request) = RoomClient::found_group(&founding)?;
            followed.client = Some(client);
            let body = rows::encode(&FoundingRow::of(request));
            followed.row.in_flight = Some(InFlight { body, intent: Intent::Create });
            self.store_room(followed, true, Batch::default()).await?;
        }
        self.settle_in_flight(followed).await?;
        if followed.row.stage == Stage::Opening {
            followed.row.stage = Stage::Joined;
            self.store_room(followed, false, Batch::default()).await?;
            self.wake_lanes(followed).await?;
        }
        Ok(())
    }

    /// There will be no room for the conversation; its people hear why.
    pub(crate) async fn give_up_group(&self, followed: &mut Followed, why: &str) -> Result<(), Fault> {
        followed.row.in_flight = None;
        followed.row.stage = Stage::Closed;
        let mut effects = Effects::default();
        for (_, id) in followed.row.links.clone() {
            let Some((mut group, row)) = self.group(&id).await? else { continue };
            group.state = GroupState::Ended;
            let op_id = op_id::for_event(&id, &followed.room, 0, "refused");
            let notice = by_service(op_id, Operation::Notice(wording::not_opened(why)));
            effects.batch.rows.push(self.enqueue(&id, &notice).await?);
            effects.batch.rows.push(self.put_group(&id, &group, Some(row.version)));
            effects.links.push(id);
        }
        self.store_effects(followed, effects).await
    }

    /// Wakes the lanes whose events wait for the room to be as they need it.
    pub(super) async fn wake_lanes(&self, followed: &Followed) -> Result<(), Fault> {
        for (_, id) in &followed.row.links {
            if let Some((group, _)) = self.group(id).await?
                && let Some(room) = group.native_room
            {
                self.wake_lane(crate::intake::Lane { adapter: group.adapter, room });
            }
        }
        Ok(())
    }
}
