//! Opening a direct room: found it at our hub, claim the peer's key material, add his client.

use mimi_adapter::{Operation, Speaker};
use mimi_client::direct::Founding;
use mimi_client::{Change, RoomClient};
use mimi_store::{Batch, fail_point};
use mimi_uri::UserUri;
use mimi_wire::{ClientKeyMaterial, ClientMaterial, KeyMaterialResponse, KeyMaterialUserCode};

use super::Followed;
use super::log::Effects;
use crate::bridge::Core;
use crate::delivery::put_link;
use crate::fault::Fault;
use crate::intake::Lane;
use crate::op_id;
use crate::rows::{self, FoundingRow, InFlight, Intent, LinkState, Outgoing, RoomKind, Stage};
use crate::wording;

impl Core {
    /// Takes the steps that are still missing until the peer is a member; each is stored before it is taken.
    pub(super) async fn open(&self, followed: &mut Followed) -> Result<(), Fault> {
        let Some((hosted, id)) = followed.row.links.first().cloned() else { return Ok(()) };
        let Some((link, _)) = self.link(&id).await? else { return Ok(()) };
        if followed.client.is_none() {
            self.found(followed, &hosted, &link.peer).await?;
        }
        self.settle_in_flight(followed).await?;
        if followed.row.stage == Stage::Opening && !followed.client()?.is_active(&link.peer) {
            let request = followed.client()?.key_material_request(&hosted, &link.peer)?;
            followed.row.in_flight =
                Some(InFlight { body: request.encode(), intent: Intent::Claim(link.peer) });
            self.store_room(followed, false, Batch::default()).await?;
            fail_point("claim.in_flight");
            self.settle_in_flight(followed).await?;
        }
        Ok(())
    }

    async fn found(&self, followed: &mut Followed, hosted: &UserUri, peer: &UserUri) -> Result<(), Fault> {
        let founding = Founding {
            room: &followed.room,
            creator: hosted,
            peer,
            agents: &self.agents,
            authority: &self.authority,
            now: self.clock.now(),
        };
        let (client, request) = RoomClient::found(&founding)?;
        followed.client = Some(client);
        followed.row.in_flight =
            Some(InFlight { body: rows::encode(&FoundingRow::of(request)), intent: Intent::Create });
        self.store_room(followed, true, Batch::default()).await?;
        fail_point("founding.in_flight");
        Ok(())
    }

    /// The target's provider answered: add what it gave, or tell the native user why there is no chat.
    pub(super) async fn add_claimed(
        &self,
        followed: &mut Followed,
        peer: &UserUri,
        response: &KeyMaterialResponse,
    ) -> Result<(), Fault> {
        if followed.row.kind == RoomKind::Group {
            return self.add_to_group(followed, peer, response).await;
        }
        let key_packages = key_packages(response);
        if key_packages.is_empty() {
            return self.give_up_opening(followed, refusal(response.user_status)).await;
        }
        self.know_roots(peer.domain()).await?;
        let now = self.clock.now();
        let roots = self.roots.read().await.clone();
        match followed.client()?.commit_add(peer, &key_packages, &roots, now) {
            Ok(update) => {
                followed.row.in_flight = Some(InFlight { body: update.encode(), intent: Intent::Commit });
                self.store_room(followed, true, Batch::default()).await?;
                fail_point("commit.in_flight");
                Ok(())
            }
            Err(fault) => self.give_up_opening(followed, &fault.to_string()).await,
        }
    }

    /// Our commit stands: the room is open, or somebody is gone from it.
    pub(super) async fn after_own_commit(
        &self,
        followed: &mut Followed,
        change: &Change,
    ) -> Result<(), Fault> {
        let opened = followed.row.stage == Stage::Opening;
        followed.row.stage = Stage::Joined;
        let mut effects = Effects::default();
        self.show_change(followed, change, &mut effects).await?;
        self.store_effects(followed, effects).await?;
        if opened {
            tracing::info!(target: "drawbridge::step", who = %followed.room, what = "is open");
            for (_, id) in followed.row.links.clone() {
                if let Some((link, _)) = self.link(&id).await?
                    && let Some(room) = link.native_room
                {
                    self.wake_lane(Lane { adapter: link.adapter, room });
                }
            }
        }
        Ok(())
    }

    /// There will be no chat; the native user hears why.
    pub(super) async fn give_up_opening(&self, followed: &mut Followed, why: &str) -> Result<(), Fault> {
        tracing::info!(room = %followed.room, why, "a room could not be opened");
        if followed.row.kind == RoomKind::Group {
            return self.give_up_group(followed, why).await;
        }
        followed.row.in_flight = None;
        followed.row.stage = Stage::Closed;
        let mut batch = Batch::default();
        for (_, id) in &followed.row.links {
            let Some((mut link, row)) = self.link(id).await? else { continue };
            link.detach(&followed.room);
            if link.rooms.is_empty() {
                link.state = LinkState::Refused;
            }
            let notice = Outgoing {
                op_id: op_id::for_event(id, &followed.room, 0, "refused"),
                speaker: Speaker::Puppet(link.peer.clone()),
                operation: Operation::Notice(wording::refused(&link.peer, why)),
                message: None,
            };
            batch.rows.push(self.enqueue(id, &notice).await?);
            batch.rows.push(put_link(id, &link, &row));
        }
        self.store_room(followed, false, batch).await?;
        for (_, id) in &followed.row.links {
            self.wake_link(id.clone());
        }
        Ok(())
    }
}

/// The KeyPackages that an answer brought.
pub(crate) fn key_packages(response: &KeyMaterialResponse) -> Vec<Vec<u8>> {
    let package = |client: &ClientKeyMaterial| match &client.material {
        ClientMaterial::Success { key_package } => Some(key_package.clone()),
        ClientMaterial::KeyMaterialExhausted | ClientMaterial::NothingCompatible { .. } => None,
    };
    response.clients.iter().filter_map(package).collect()
}

/// What a person is told when the other provider hands out no key material.
pub(crate) fn refusal(status: KeyMaterialUserCode) -> &'static str {
    match status {
        KeyMaterialUserCode::NoConsent | KeyMaterialUserCode::NoConsentForThisRoom => {
            "nobody there has agreed to be reached by you"
        }
        KeyMaterialUserCode::UserUnknown => "nobody there has this name",
        KeyMaterialUserCode::UserDeleted => "this account is gone",
        KeyMaterialUserCode::IncompatibleProtocol | KeyMaterialUserCode::NoCompatibleMaterial => {
            "the other provider speaks no protocol that we share"
        }
        KeyMaterialUserCode::Success | KeyMaterialUserCode::PartialSuccess => {
            "no client can be reached right now"
        }
    }
}
