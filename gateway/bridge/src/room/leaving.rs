//! Leaving, and committing what others proposed.

use std::time::Duration;

use mimi_store::{Batch, Next, Row};
use mimi_uri::RoomUri;
use mimi_wire::{UpdateRoomResponse, UpdateVerdict};

use super::Followed;
use crate::bridge::Core;
use crate::delivery::put_link;
use crate::fault::Fault;
use crate::lane::Incoming;
use crate::limits::{COMMIT_DELAY_MAX, COMMIT_DELAY_MIN};
use crate::rows::{InFlight, Intent, Link, LinkId, LinkState, Stage};

impl Core {
    /// A native user leaves his direct chat: his client leaves every room of it.
    pub(crate) async fn leave(
        &self,
        id: &LinkId,
        (mut link, row): (Link, Row),
        incoming: &Incoming,
    ) -> Result<Next, Fault> {
        for room in link.rooms.clone() {
            self.propose_leave(&room, &link).await?;
        }
        link.state = LinkState::Left;
        let changes = vec![put_link(id, &link, &row), incoming.done()];
        self.store.record(Batch { rows: changes, ..Batch::default() }).await?;
        Ok(Next::Again)
    }

    async fn propose_leave(&self, room: &RoomUri, link: &Link) -> Result<(), Fault> {
        self.in_turn(room, async |followed| {
            if followed.row.stage != Stage::Joined {
                return Ok(());
            }
            // Proposed anew as often as the room has moved on before the proposal came.
            loop {
                self.settle_in_flight(followed).await?;
                self.follow_log(followed).await?;
                let client = followed.client()?;
                if !client.is_active(&link.hosted) || client.is_leaving(&link.hosted) {
                    return Ok(());
                }
                let update = client.propose_leave(&link.hosted)?;
                followed.row.in_flight =
                    Some(InFlight { body: update.encode(), intent: Intent::Leave(link.hosted.clone()) });
                self.store_room(followed, true, Batch::default()).await?;
                let before = followed.client()?.epoch();
                self.settle_in_flight(followed).await?;
                if followed.client()?.epoch() == before {
                    return Ok(());
                }
            }
        })
        .await?;
        self.wake_room(room.clone());
        Ok(())
    }

    /// Commits pending proposals after a short random delay, unless somebody else was faster.
    pub(super) async fn commit_pending(&self, followed: &mut Followed) -> Result<Next, Fault> {
        let now = self.clock.now();
        if followed.row.stage != Stage::Joined || !followed.client()?.can_commit_pending() {
            return Ok(Next::Rest);
        }
        let epoch = followed.client()?.epoch();
        let delay = self.commit_delay(&followed.room, epoch);
        let at = *followed.commit_at.get_or_insert(now.0 + delay);
        if now.0 < at {
            return Ok(Next::After(Duration::from_millis(at - now.0)));
        }
        let update = followed.client()?.commit_pending()?;
        followed.row.in_flight = Some(InFlight { body: update.encode(), intent: Intent::Commit });
        self.store_room(followed, true, Batch::default()).await?;
        self.settle_in_flight(followed).await?;
        Ok(Next::Again)
    }

    /// An update was not accepted: the log tells what happened instead, and the wish is derived anew from that.
    pub(super) async fn wish_anew(
        &self,
        followed: &mut Followed,
        response: &UpdateRoomResponse,
    ) -> Result<(), Fault> {
        let before = followed.client()?.epoch();
        self.follow_log(followed).await?;
        followed.commit_at = None;
        let moved_on = followed.client()?.epoch() != before;
        match &response.verdict {
            UpdateVerdict::WrongEpoch { .. } if !moved_on => {
                Err(Fault::Unreachable("the room's newest commit has not arrived yet".to_owned()))
            }
            UpdateVerdict::WrongEpoch { .. } => Ok(()),
            UpdateVerdict::NotAllowed | UpdateVerdict::InvalidProposal { .. }
                if followed.row.stage == Stage::Opening =>
            {
                self.give_up_opening(followed, "the room does not allow it").await
            }
            UpdateVerdict::NotAllowed | UpdateVerdict::InvalidProposal { .. } if !moved_on => {
                Err(Fault::Unreachable(format!("the hub refuses an update: {response:?}")))
            }
            UpdateVerdict::NotAllowed
            | UpdateVerdict::InvalidProposal { .. }
            | UpdateVerdict::Success { .. } => Ok(()),
        }
    }

    /// Spread over gateways, for each draws its delays from its own secret; the same again after a restart.
    fn commit_delay(&self, room: &RoomUri, epoch: u64) -> u64 {
        let (min, max) = (COMMIT_DELAY_MIN.as_millis(), COMMIT_DELAY_MAX.as_millis());
        let spread = u64::try_from(max - min).unwrap_or(1);
        let drawn = self.vault.name("commit delay", &[room.as_str().as_bytes(), &epoch.to_be_bytes()]);
        let drawn = u64::from_str_radix(&drawn[..8], 16).unwrap_or(0);
        u64::try_from(min).unwrap_or(0) + drawn % spread
    }
}
