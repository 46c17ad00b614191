//! Coming into a room by a Welcome: the first hosted user brings the group, the next only their leaf.

use std::collections::BTreeSet;

use mimi_adapter::{NativeUserId, Operation, PuppetProfile, Speaker};
use mimi_client::RoomClient;
use mimi_client::mint::open_secret;
use mimi_mls::KeyPackageRef;
use mimi_store::{Batch, EventKind, EventRow, KeyPackageRow, RowChange, fail_point};
use mimi_uri::{RoomUri, UserUri};
use mimi_wire::FanoutMessage;

use super::Followed;
use crate::bridge::Core;
use crate::delivery::{opening_key, put_link};
use crate::fault::Fault;
use crate::op_id;
use crate::rows::{self, LINK, Link, LinkId, LinkState, OPENING, Origin, Outgoing, RoomRow, Stage};
use crate::wording;

/// A hosted user who was welcomed, with the opened secret of the `KeyPackage` that was used.
struct Welcomed {
    user: UserUri,
    /// Who claimed the `KeyPackage`: the one whom the chat is with.
    requester: UserUri,
    reference: KeyPackageRef,
    secret: Vec<u8>,
}

impl Core {
    /// Looks for a Welcome of ours in the log of a room that we do not follow yet.
    pub(super) async fn try_join(&self, room: &RoomUri, held: &mut Option<Followed>) -> Result<bool, Fault> {
        let mut followed = Followed::new(room, RoomRow::at(Stage::Joined), None);
        loop {
            let events = self.next_events(&followed, followed.row.position).await?;
            if events.is_empty() {
                return Ok(false);
            }
            for event in events {
                followed.row.position = event.seq.0;
                if event.kind == EventKind::Welcome && self.join(&mut followed, &event).await? {
                    *held = Some(followed);
                    return Ok(true);
                }
            }
        }
    }

    async fn join(&self, followed: &mut Followed, event: &EventRow) -> Result<bool, Fault> {
        let message = FanoutMessage::decode(&event.bytes).map_err(|fault| Fault::Group(fault.to_string()))?;
        let welcomed = self.welcomed(&followed.room, &message).await?;
        if welcomed.is_empty() {
            return Ok(false);
        }
        let secrets: Vec<Vec<u8>> = welcomed.iter().map(|welcomed| welcomed.secret.clone()).collect();
        match RoomClient::join(&followed.room, &message, &secrets) {
            Ok(client) => followed.client = Some(client),
            Err(fault) => return Ok(refuse_welcome(followed, &fault.to_string())),
        }
        if !self.prove(followed).await?.is_empty() {
            return Ok(refuse_welcome(followed, "nobody vouches for a member of the room"));
        }
        let mut batch = Batch::default();
        let is_fixed = followed.client()?.is_fixed();
        for one in &welcomed {
            if is_fixed && !is_direct_chat(followed.client()?, one) {
                return Ok(refuse_welcome(followed, "it is no direct chat with the one who asked for it"));
            }
            if !is_fixed && !self.has_groups(&one.user) {
                return Ok(refuse_welcome(
                    followed,
                    "the user's network has no conversations of several people",
                ));
            }
            self.link_welcomed(followed, one, is_fixed, &mut batch).await?;
        }
        batch.used_key_packages = welcomed.iter().map(|one| one.reference.clone()).collect();
        fail_point("welcome.read");
        self.store_room(followed, true, batch).await?;
        fail_point("welcome.joined");
        for (user, link) in &followed.row.links {
            tracing::debug!(target: "drawbridge::step", who = %user, what = "joins", room = %followed.room);
            self.wake_link(link.clone());
        }
        Ok(true)
    }

    /// A Welcome in a room that we follow already: another hosted user came in, and only his leaf is new.
    pub(super) async fn welcome_another(
        &self,
        followed: &mut Followed,
        message: &FanoutMessage,
        batch: &mut Batch,
    ) -> Result<bool, Fault> {
        let welcomed = self.welcomed(&followed.room, message).await?;
        for one in &welcomed {
            if !followed.client()?.add_hosted(&one.secret)? {
                tracing::warn!(room = %followed.room, user = %one.user, "a welcomed user has no leaf in the room");
                continue;
            }
            let is_fixed = followed.client()?.is_fixed();
            if is_fixed && !is_direct_chat(followed.client()?, one) {
                continue;
            }
            self.link_welcomed(followed, one, is_fixed, batch).await?;
            batch.used_key_packages.push(one.reference.clone());
        }
        Ok(!welcomed.is_empty())
    }

    /// Which of our hosted users a Welcome is for: those whose `KeyPackage` was claimed for this very room.
    async fn welcomed(&self, room: &RoomUri, message: &FanoutMessage) -> Result<Vec<Welcomed>, Fault> {
        let mut welcomed = Vec::new();
        let references: BTreeSet<KeyPackageRef> =
            message.message().welcome_references().into_iter().collect();
        for reference in references {
            let Some(row) = self.store.key_package(&reference).await? else { continue };
            if row.room != *room {
                tracing::warn!(%room, claimed_for = %row.room, "a KeyPackage was used for another room than it was claimed for");
                continue;
            }
            let KeyPackageRow { user, requester, secret, .. } = row;
            let secret = open_secret(&self.vault, &reference, &secret)?;
            welcomed.push(Welcomed { user, requester, reference, secret });
        }
        Ok(welcomed)
    }

    async fn link_welcomed(
        &self,
        followed: &mut Followed,
        one: &Welcomed,
        is_fixed: bool,
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        if is_fixed {
            return self.link_hosted(followed, one, batch).await;
        }
        self.link_to_group(followed, &one.user, batch).await
    }

    /// Shows the room to a hosted user: in the chat he has with the other participant, or in a new one.
    async fn link_hosted(
        &self,
        followed: &mut Followed,
        Welcomed { user: hosted, requester: peer, .. }: &Welcomed,
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        let pair = self.pair(hosted, peer).await?;
        // A chat that the native network refused to open is none: it gets another attempt, under a new link.
        let linked = pair
            .linked(&[LinkState::Active, LinkState::Refused])
            .filter(|(_, link, _)| link.state == LinkState::Active || link.native_room.is_some());
        if let Some((id, mut link, row)) = linked {
            link.attach(&followed.room);
            link.state = LinkState::Active;
            batch.rows.push(put_link(&id, &link, &row));
            followed.row.links.push((hosted.clone(), id));
            return Ok(());
        }
        let Some((adapter, native_user)) = self.networks.native(hosted) else { return Ok(()) };
        let id = LinkId(self.vault.name(
            "link",
            &[
                hosted.as_str().as_bytes(),
                followed.room.as_str().as_bytes(),
                &followed.row.position.to_be_bytes(),
            ],
        ));
        let link = Link {
            adapter,
            hosted: hosted.clone(),
            native_user: native_user.clone(),
            peer: peer.clone(),
            native_room: None,
            asked_to_open: false,
            origin: Origin::Mimi,
            rooms: vec![followed.room.clone()],
            posting: Some(followed.room.clone()),
            state: LinkState::Active,
        };
        batch.rows.push(RowChange::Insert {
            kind: LINK,
            key: id.0.clone().into_bytes(),
            bytes: rows::encode(&link),
        });
        batch.rows.push(pair.put(&id));
        let opening = RowChange::Put {
            kind: OPENING,
            key: opening_key(&id, &link),
            expected: None,
            bytes: rows::encode(&id),
        };
        batch.rows.push(opening);
        self.open_native(followed, &id, (peer, &native_user), batch).await?;
        followed.row.links.push((hosted.clone(), id));
        Ok(())
    }

    async fn open_native(
        &self,
        followed: &Followed,
        id: &LinkId,
        (peer, with): (&UserUri, &NativeUserId),
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        let profile = PuppetProfile { user: peer.clone(), display_name: Some(wording::name(peer, None)) };
        let open = Operation::OpenDirect { puppet: peer.clone(), with: with.clone() };
        for (kind, operation) in [("puppet", Operation::EnsurePuppet(profile)), ("open", open)] {
            let outgoing = Outgoing {
                op_id: op_id::for_event(id, &followed.room, 0, kind),
                speaker: Speaker::Puppet(peer.clone()),
                operation,
                message: None,
            };
            batch.rows.push(self.enqueue(id, &outgoing).await?);
        }
        Ok(())
    }
}

/// A direct room has its two people and nobody else, and the other one is who claimed our user's `KeyPackage` (G8).
fn is_direct_chat(client: &RoomClient, welcomed: &Welcomed) -> bool {
    let mut two = [&welcomed.user, &welcomed.requester];
    two.sort();
    let mut participants = client.participants();
    participants.sort();
    participants.iter().eq(two)
}

fn refuse_welcome(followed: &mut Followed, why: &str) -> bool {
    tracing::warn!(room = %followed.room, why, "a Welcome was not accepted");
    metrics::counter!("welcomes_refused_total").increment(1);
    followed.client = None;
    false
}
