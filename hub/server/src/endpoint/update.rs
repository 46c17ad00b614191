//! `/update`: a handshake for a room (A4).

use std::sync::Arc;

use mimi_room::Refusal;
use mimi_uri::{Domain, RoomUri};
use mimi_wire::{ErrorDescription, RequestHash, UpdateRequest, UpdateRoomResponse, UpdateVerdict};

use crate::failure::{Failure, Rejection};
use crate::owner::{Ask, Asker};
use crate::server::Inner;

pub(crate) async fn update(
    inner: &Arc<Inner>,
    provider: Domain,
    room: &RoomUri,
    body: &[u8],
) -> Result<UpdateRoomResponse, Failure> {
    let request = UpdateRequest::decode(body).map_err(Rejection::from)?;
    handshake(inner, provider, room, request).await
}

/// Accepts or refuses a handshake, whoever brings it.
pub(crate) async fn handshake(
    inner: &Arc<Inner>,
    provider: Domain,
    room: &RoomUri,
    request: UpdateRequest,
) -> Result<UpdateRoomResponse, Failure> {
    // A4: the first answer counts, per room and provider; a retried commit must not read wrongEpoch.
    let hash = RequestHash::of(&[provider.as_str().as_bytes(), b"\0", &request.encode()].concat());
    let asker = Asker { provider, hash };
    match inner.ask(room, |reply| Ask::Update(asker, Box::new(request), reply)).await {
        Err(Failure::Refused(refusal)) => answer(&refusal),
        answered => answered,
    }
}

fn answer(refusal: &Refusal) -> Result<UpdateRoomResponse, Failure> {
    tracing::info!(reason = %refusal, "an update was refused");
    let (verdict, description) = match refusal {
        Refusal::WrongEpoch { current } | Refusal::EpochTooOld { current } => {
            (UpdateVerdict::WrongEpoch { current: *current }, String::new())
        }
        Refusal::NotAllowed(reason) => (UpdateVerdict::NotAllowed, reason.to_string()),
        Refusal::InvalidProposal(reason) => {
            (UpdateVerdict::InvalidProposal { invalid_proposals: vec![] }, reason.to_string())
        }
        Refusal::UnknownRoots(_) => return Err(Failure::TryAgain),
    };
    Ok(UpdateRoomResponse { error_description: ErrorDescription::new(&description), verdict })
}
