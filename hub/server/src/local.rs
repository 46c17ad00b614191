//! The gateway's way to hubs: our own rooms by their owners, others by their providers.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use mimi_uri::{Domain, RoomUri};
use mimi_wire::{
    CreateRoomRequest, CreateRoomResponse, Endpoint, GroupInfoRequest, GroupInfoResponse, Hub, HubFault,
    KeyMaterialRequest, KeyMaterialResponse, SubmitMessageRequest, SubmitMessageResponse, UpdateRequest,
    UpdateRoomResponse,
};

use crate::endpoint::{group_info, key_material, submit_message, update};
use crate::failure::Failure;
use crate::owner::Ask;
use crate::server::Inner;

pub(crate) struct LocalHub {
    inner: Arc<Inner>,
}

impl LocalHub {
    pub(crate) fn new(inner: Arc<Inner>) -> Self {
        Self { inner }
    }

    async fn remote(
        &self,
        hub: &Domain,
        endpoint: Endpoint,
        value: &str,
        body: Vec<u8>,
    ) -> Result<Bytes, HubFault> {
        let sent = self.inner.call(hub, endpoint, value, Bytes::from(body)).await;
        let answer =
            sent.map_err(|fault| HubFault::Unreachable { why: fault.to_string(), retry_after: None })?;
        self.inner.lanes.alive(hub);
        let status = answer.status;
        if status.is_success() {
            return Ok(answer.body);
        }
        if status.is_server_error() || matches!(status.as_u16(), 408 | 429) {
            let why = format!("{hub} answered {status}");
            return Err(HubFault::Unreachable { why, retry_after: answer.retry_after });
        }
        Err(HubFault::Rejected { status: status.as_u16(), detail: format!("by {hub}") })
    }
}

#[async_trait]
impl Hub for LocalHub {
    async fn create_room(&self, request: CreateRoomRequest) -> Result<CreateRoomResponse, HubFault> {
        let room = request.room.clone();
        self.inner
            .ask(&room, |reply| Ask::Create(Box::new(request), reply))
            .await
            .map_err(|failure| local(&failure))
    }

    async fn update(&self, room: &RoomUri, request: &UpdateRequest) -> Result<UpdateRoomResponse, HubFault> {
        if room.domain() == &self.inner.domain {
            let own = self.inner.domain.clone();
            return update::handshake(&self.inner, own, room, request.clone())
                .await
                .map_err(|failure| local(&failure));
        }
        let body = self.remote(room.domain(), Endpoint::Update, room.as_str(), request.encode()).await?;
        UpdateRoomResponse::decode(&body).map_err(|fault| garbled(room.domain(), &fault))
    }

    async fn submit_message(
        &self,
        room: &RoomUri,
        request: &SubmitMessageRequest,
    ) -> Result<SubmitMessageResponse, HubFault> {
        if room.domain() == &self.inner.domain {
            let own = self.inner.domain.clone();
            return submit_message::submit(&self.inner, own, room, request.clone())
                .await
                .map_err(|failure| local(&failure));
        }
        let body =
            self.remote(room.domain(), Endpoint::SubmitMessage, room.as_str(), request.encode()).await?;
        SubmitMessageResponse::decode(&body).map_err(|fault| garbled(room.domain(), &fault))
    }

    async fn key_material(&self, request: &KeyMaterialRequest) -> Result<KeyMaterialResponse, HubFault> {
        let Some(room) = &request.room else {
            return Err(HubFault::Rejected { status: 400, detail: "no room is named".to_owned() });
        };
        let hub = room.domain();
        if *hub == self.inner.domain {
            let own = self.inner.domain.clone();
            return key_material::ask(&self.inner, own, request.clone())
                .await
                .map_err(|failure| local(&failure));
        }
        let body =
            self.remote(hub, Endpoint::KeyMaterial, request.target_user.as_str(), request.encode()).await?;
        KeyMaterialResponse::decode(&body).map_err(|fault| garbled(hub, &fault))
    }

    async fn group_info(
        &self,
        room: &RoomUri,
        request: &GroupInfoRequest,
    ) -> Result<GroupInfoResponse, HubFault> {
        if room.domain() == &self.inner.domain {
            let own = self.inner.domain.clone();
            return group_info::give(&self.inner, own, room, request.clone())
                .await
                .map_err(|failure| local(&failure));
        }
        let body = self.remote(room.domain(), Endpoint::GroupInfo, room.as_str(), request.encode()).await?;
        GroupInfoResponse::decode(&body).map_err(|fault| garbled(room.domain(), &fault))
    }

    async fn identity_roots(&self, domain: &Domain) -> Result<Vec<Vec<u8>>, HubFault> {
        if !self.inner.fetch_roots(domain).await {
            let why = format!("the identity roots of {domain} are not known");
            return Err(HubFault::Unreachable { why, retry_after: None });
        }
        if *domain == self.inner.domain {
            return Ok(self.inner.identity_roots.clone());
        }
        Ok(self.inner.known_roots().await.of(domain).to_vec())
    }
}

/// What our own rooms answer besides their answers.
fn local(failure: &Failure) -> HubFault {
    let (status, told) = failure.told();
    match failure {
        Failure::TryAgain | Failure::Fault(_) => {
            HubFault::Unreachable { why: failure.to_string(), retry_after: None }
        }
        Failure::Refused(_) | Failure::Rejected(_) | Failure::NoSuchRoom => {
            HubFault::Rejected { status: status.as_u16(), detail: format!("{told}: {failure}") }
        }
    }
}

fn garbled(hub: &Domain, fault: &mimi_wire::DecodeError) -> HubFault {
    HubFault::Unreachable { why: format!("the answer of {hub} does not read: {fault}"), retry_after: None }
}
