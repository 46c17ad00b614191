//! `/groupInfo`: what a participant's client needs to come back by itself (A8).

use std::sync::Arc;

use mimi_uri::{Domain, RoomUri};
use mimi_wire::group_info::GROUP_INFO_REQUEST_LABEL;
use mimi_wire::{CipherSuite, GroupInfoGrant, GroupInfoRequest, GroupInfoResponse};

use crate::failure::{Failure, Rejection};
use crate::owner::Ask;
use crate::server::Inner;
use crate::signed::Signed;

pub(crate) async fn group_info(
    inner: &Arc<Inner>,
    provider: Domain,
    room: &RoomUri,
    body: &[u8],
) -> Result<GroupInfoResponse, Failure> {
    let request = GroupInfoRequest::decode(body).map_err(Rejection::from)?;
    give(inner, provider, room, request).await
}

/// Answers a client of `provider`, whoever brings its request.
pub(crate) async fn give(
    inner: &Arc<Inner>,
    provider: Domain,
    room: &RoomUri,
    request: GroupInfoRequest,
) -> Result<GroupInfoResponse, Failure> {
    let refused = GroupInfoResponse { room: room.clone(), grant: GroupInfoGrant::NotAuthorized };
    if request.cipher_suite != CipherSuite::X25519_AES128GCM_SHA256_ED25519 {
        return Ok(refused);
    }
    let signed = Signed {
        key: &request.requesting_signature_key,
        credential: &request.requesting_credential,
        label: GROUP_INFO_REQUEST_LABEL,
        content: &request.to_be_signed(),
        signature: &request.signature,
    };
    let user = signed.prove(inner, inner.now()?, |said| said.domain() == &provider).await?;
    match inner.ask(room, |reply| Ask::GroupInfo(provider, user, Box::new(request), reply)).await {
        Err(Failure::Refused(refusal)) => {
            tracing::info!(reason = %refusal, "a GroupInfo was refused");
            Ok(refused)
        }
        // [I] Whether there is such a room is nobody's business who is not in it.
        Err(Failure::NoSuchRoom) => Ok(refused),
        answered => answered,
    }
}
