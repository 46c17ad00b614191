//! Requests on their way to a hub: stored before they are sent, sent again byte for byte until they are answered.

use mimi_store::{Batch, fail_point};
use mimi_uri::UserUri;
use mimi_wire::{
    CreateRoomResponse, HubFault, KeyMaterialRequest, SubmitMessageRequest, SubmitMessageResponse,
    UpdateRequest, UpdateVerdict,
};

use super::Followed;
use crate::bridge::Core;
use crate::fault::Fault;
use crate::limits::RESEAL_MAX;
use crate::progress::MessageState;
use crate::rows::{self, FoundingRow, InFlight, Intent, Post, ROOM, RoomKind};
use crate::wording;

impl Core {
    /// Sends what is in flight and acts on the answer; afterwards nothing is.
    pub(crate) async fn settle_in_flight(&self, followed: &mut Followed) -> Result<(), Fault> {
        while let Some(InFlight { body, intent }) = followed.row.in_flight.clone() {
            let started = std::time::Instant::now();
            match intent {
                Intent::Create => self.settle_create(followed, &body).await?,
                Intent::Claim(peer) => self.settle_claim(followed, &body, &peer).await?,
                Intent::Commit | Intent::Steps(_) | Intent::Leave(_) => {
                    self.settle_update(followed, &body, &intent).await?;
                }
                Intent::Post(post) => self.settle_post(followed, &body, post).await?,
                Intent::Report(report) => self.settle_report(followed, &body, report).await?,
            }
            metrics::histogram!("hub_request_seconds").record(started.elapsed().as_secs_f64());
        }
        Ok(())
    }

    async fn settle_create(&self, followed: &mut Followed, body: &[u8]) -> Result<(), Fault> {
        let founding: FoundingRow = rows::decode(ROOM, body)?;
        match self
            .hub
            .create_room(founding.request(&followed.room))
            .await
            .map_err(|fault| unreachable(&fault))?
        {
            CreateRoomResponse::Created { .. } => {
                fail_point("founding.answered");
                followed.row.in_flight = None;
                Ok(())
            }
            CreateRoomResponse::Refused(why) => self.give_up_opening(followed, &why).await,
        }
    }

    async fn settle_claim(&self, followed: &mut Followed, body: &[u8], peer: &UserUri) -> Result<(), Fault> {
        let request = KeyMaterialRequest::decode(body).map_err(ours)?;
        match self.hub.key_material(&request).await {
            Ok(response) => {
                fail_point("claim.answered");
                self.add_claimed(followed, peer, &response).await
            }
            Err(HubFault::Rejected { status, detail }) if (400..500).contains(&status) => {
                let why = format!("the provider answered {status} {detail}");
                if followed.row.kind == RoomKind::Group {
                    return self.refuse_claim(followed, peer, &why).await;
                }
                self.give_up_opening(followed, &why).await
            }
            Err(fault) => Err(unreachable(&fault)),
        }
    }

    async fn settle_update(
        &self,
        followed: &mut Followed,
        body: &[u8],
        intent: &Intent,
    ) -> Result<(), Fault> {
        let request = UpdateRequest::decode(body).map_err(ours)?;
        let response =
            self.hub.update(&followed.room, &request).await.map_err(|fault| unreachable(&fault))?;
        let is_commit = matches!(intent, Intent::Commit | Intent::Steps(_));
        match &response.verdict {
            UpdateVerdict::Success { .. } if is_commit => {
                fail_point("commit.answered");
                let change = followed.client()?.confirm()?;
                if let Intent::Steps(steps) = intent {
                    for secret in &steps.secrets {
                        followed.client()?.add_hosted(secret)?;
                    }
                }
                followed.row.in_flight = None;
                self.after_own_commit(followed, &change).await
            }
            UpdateVerdict::Success { .. } => {
                followed.row.in_flight = None;
                Ok(())
            }
            // Flow 5: drop the pending commit, process the log to the hub's epoch, derive the wish anew.
            UpdateVerdict::WrongEpoch { .. }
            | UpdateVerdict::NotAllowed
            | UpdateVerdict::InvalidProposal { .. } => {
                tracing::info!(room = %followed.room, ?response, "the hub did not accept an update");
                if is_commit {
                    followed.client()?.abandon();
                }
                followed.row.in_flight = None;
                self.store_room(followed, is_commit, Batch::default()).await?;
                if let (Intent::Steps(steps), false) =
                    (intent, matches!(response.verdict, UpdateVerdict::WrongEpoch { .. }))
                {
                    return self.steps_refused(followed, steps, &response).await;
                }
                self.wish_anew(followed, &response).await
            }
        }
    }

    async fn settle_post(&self, followed: &mut Followed, body: &[u8], post: Post) -> Result<(), Fault> {
        let request = SubmitMessageRequest::decode(body).map_err(ours)?;
        let response = match self.hub.submit_message(&followed.room, &request).await {
            Ok(response) => response,
            Err(HubFault::Rejected { .. }) => return self.give_up_post(followed, &post).await,
            Err(fault) => return Err(unreachable(&fault)),
        };
        match response {
            SubmitMessageResponse::Accepted { .. } => {
                fail_point("post.answered");
                followed.row.in_flight = None;
                Ok(())
            }
            SubmitMessageResponse::EpochTooOld { .. } | SubmitMessageResponse::NotAllowed
                if post.reseals < RESEAL_MAX =>
            {
                self.reseal(followed, post, matches!(response, SubmitMessageResponse::NotAllowed)).await
            }
            SubmitMessageResponse::EpochTooOld { .. } | SubmitMessageResponse::NotAllowed => {
                self.give_up_post(followed, &post).await
            }
        }
    }

    /// The hub's answer is final: the sender is told, in his own chat.
    pub(super) async fn give_up_post(&self, followed: &mut Followed, post: &Post) -> Result<(), Fault> {
        followed.row.in_flight = None;
        let why = wording::NOT_TAKEN_FROM_YOU;
        let state = MessageState::Refused { why: why.to_owned() };
        let mut rows = Vec::new();
        if let Some(chat) = self.chat(&post.link).await? {
            let shown = state.progress();
            rows.push(self.notice_of(&post.link, chat.speaker, &post.native_event, why).await?);
            rows.extend(
                shown.and_then(|shown| self.showing(&post.link, &chat.adapter, &post.native_event, &shown)),
            );
        }
        rows.push(post.state(state));
        let batch = Batch { rows, ..Batch::default() };
        self.store_room(followed, false, batch).await?;
        self.wake_link(post.link.clone());
        self.wake_showing(post.link.clone());
        Ok(())
    }
}

/// A stored request of ours that does not read back.
fn ours(fault: impl std::fmt::Display) -> Fault {
    Fault::Group(format!("a stored request does not read: {fault}"))
}

fn unreachable(fault: &HubFault) -> Fault {
    Fault::Unreachable(fault.to_string())
}
