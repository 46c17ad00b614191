//! A native user opens a direct chat by inviting a puppet.

use mimi_adapter::{NativeUserId, Operation, PuppetProfile, Speaker};
use mimi_edge_policy::{Outcome, PeerFunction, Request, Seconds, evaluate};
use mimi_store::{Batch, Next, Row, RowChange, fail_point};
use mimi_uri::UserUri;

use crate::bridge::Core;
use crate::delivery::put_link;
use crate::fault::Fault;
use crate::intake::Lane;
use crate::lane::Incoming;
use crate::op_id;
use crate::pair::Pair;
use crate::rows::{self, LINK, LINK_ROOM, Link, LinkId, LinkState, Origin, Outgoing, RoomRow};
use crate::wording;

impl Core {
    /// The invitation leads to a link, or to the one that the two have already.
    pub(crate) async fn direct_invite(
        &self,
        incoming: &Incoming,
        puppet: &NativeUserId,
    ) -> Result<Next, Fault> {
        let Some((hosted, peer)) = self.two_people(incoming, puppet) else {
            tracing::info!(adapter = %incoming.lane.adapter, "an invitation between people whom we do not know");
            return self.drop_event(incoming).await;
        };
        let pair = self.pair(&hosted, &peer).await?;
        match pair.linked(&[LinkState::Active]) {
            Some((id, link, row)) => self.follow_to_new_room(&id, (link, row), incoming).await,
            None => self.link_anew(incoming, &pair, (hosted, peer)).await,
        }
    }

    /// The two people of a direct chat: the native user as one of ours, and the person behind the puppet.
    fn two_people(&self, incoming: &Incoming, puppet: &NativeUserId) -> Option<(UserUri, UserUri)> {
        let hosted = self.networks.hosted(&incoming.lane.adapter, &incoming.event.from)?;
        Some((hosted, self.networks.addresses(&incoming.lane.adapter)?.behind_puppet(puppet)?))
    }

    /// May our user reach out to this person at all? Nobody can have said yes or no yet, so the rules decide.
    fn admit(&self, hosted: &UserUri, peer: &UserUri) -> bool {
        let function = PeerFunction::DirectText;
        let request = Request { peer: peer.domain(), function, requester: hosted, target: peer, room: None };
        let verdict = evaluate(&request, &self.rules, &[], Seconds(self.clock.now().seconds()));
        tracing::debug!(peer = %peer.domain(), ?verdict, "a first contact was judged");
        verdict.outcome == Outcome::Allow
    }

    /// A link of its own, and a room to go with it if the rules allow.
    async fn link_anew(
        &self,
        incoming: &Incoming,
        pair: &Pair,
        (hosted, peer): (UserUri, UserUri),
    ) -> Result<Next, Fault> {
        let id = LinkId(self.vault.name("link", &[pair.key(), incoming.event.id.as_str().as_bytes()]));
        let mut link = opened_by_invitation(incoming, &hosted, &peer);
        let mut operations = vec![
            Operation::EnsurePuppet(PuppetProfile {
                user: peer.clone(),
                display_name: Some(wording::name(&peer, None)),
            }),
            Operation::AcceptInvite { puppet: peer.clone() },
        ];
        let room = self.networks.room_for(&self.vault.name("room", &[id.0.as_bytes()]));
        let mut changes = vec![incoming.done(), link_room(&id, &incoming.lane)];
        if self.admit(&hosted, &peer) {
            link.attach(&room);
            changes.push(self.put_room(&room, &RoomRow::opening(hosted, id.clone()), None));
        } else {
            link.state = LinkState::Refused;
            operations.push(Operation::Notice(wording::consent_needed(&peer)));
        }
        for operation in operations {
            changes.push(self.enqueue(&id, &about_puppet(&id, incoming, &peer, operation)).await?);
        }
        let (link_key, bytes) = (id.0.clone().into_bytes(), rows::encode(&link));
        changes.push(RowChange::Insert { kind: LINK, key: link_key, bytes });
        changes.push(pair.put(&id));
        self.store.record(Batch { rows: changes, ..Batch::default() }).await?;
        fail_point("link.stored");
        tracing::debug!(target: "drawbridge::step", who = %link.hosted, what = "opens a direct chat", with = %link.peer);
        self.wake_link(id);
        self.wake_room(room);
        Ok(Next::Again)
    }

    /// The same two people, in a new native conversation: the newest one counts.
    async fn follow_to_new_room(
        &self,
        id: &LinkId,
        (mut link, row): (Link, Row),
        incoming: &Incoming,
    ) -> Result<Next, Fault> {
        link.native_room = Some(incoming.lane.room.clone());
        let accept = Operation::AcceptInvite { puppet: link.peer.clone() };
        let ensure = PuppetProfile { user: link.peer.clone(), display_name: None };
        let mut changes = vec![incoming.done(), put_link(id, &link, &row), link_room(id, &incoming.lane)];
        for operation in [Operation::EnsurePuppet(ensure), accept] {
            changes.push(self.enqueue(id, &about_puppet(id, incoming, &link.peer, operation)).await?);
        }
        self.store.record(Batch { rows: changes, ..Batch::default() }).await?;
        self.wake_link(id.clone());
        Ok(Next::Again)
    }
}

fn opened_by_invitation(incoming: &Incoming, hosted: &UserUri, peer: &UserUri) -> Link {
    Link {
        adapter: incoming.lane.adapter.clone(),
        hosted: hosted.clone(),
        native_user: incoming.event.from.clone(),
        peer: peer.clone(),
        native_room: Some(incoming.lane.room.clone()),
        asked_to_open: false,
        origin: Origin::Native,
        rooms: vec![],
        posting: None,
        state: LinkState::Active,
    }
}

fn about_puppet(id: &LinkId, incoming: &Incoming, peer: &UserUri, operation: Operation) -> Outgoing {
    let op_id = op_id::for_native(id, incoming.event.id.as_str(), operation.name());
    Outgoing { op_id, speaker: Speaker::Puppet(peer.clone()), operation, message: None }
}

fn link_room(id: &LinkId, lane: &Lane) -> RowChange {
    RowChange::Put { kind: LINK_ROOM, key: lane.key().bytes(), expected: None, bytes: rows::encode(id) }
}
