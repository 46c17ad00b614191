//! `/submitMessage`: a participant's provider posts a message (A5).

use std::sync::Arc;

use mimi_room::Refusal;
use mimi_uri::{Domain, RoomUri};
use mimi_wire::{SubmitMessageRequest, SubmitMessageResponse};

use crate::failure::{Failure, Rejection};
use crate::owner::{Ask, Asker};
use crate::server::Inner;

pub(crate) async fn submit_message(
    inner: &Arc<Inner>,
    provider: Domain,
    room: &RoomUri,
    body: &[u8],
) -> Result<SubmitMessageResponse, Failure> {
    let request = SubmitMessageRequest::decode(body).map_err(Rejection::from)?;
    submit(inner, provider, room, request).await
}

/// Accepts or refuses a message, whoever brings it.
pub(crate) async fn submit(
    inner: &Arc<Inner>,
    provider: Domain,
    room: &RoomUri,
    request: SubmitMessageRequest,
) -> Result<SubmitMessageResponse, Failure> {
    // G2: a provider speaks for its own users only.
    if request.sending_user.domain() != &provider {
        return Err(Rejection::NotThatProvider("the sender is of another provider").into());
    }
    // A5: a repeated message is the same message, whoever repeats it.
    let asker = Asker { provider, hash: request.hash() };
    match inner.ask(room, |reply| Ask::Submit(asker, Box::new(request), reply)).await {
        Err(Failure::Refused(refusal)) => answer(&refusal),
        answered => answered,
    }
}

fn answer(refusal: &Refusal) -> Result<SubmitMessageResponse, Failure> {
    tracing::info!(reason = %refusal, "a message was refused");
    match refusal {
        Refusal::EpochTooOld { current } => Ok(SubmitMessageResponse::EpochTooOld { current: *current }),
        Refusal::WrongEpoch { .. } | Refusal::NotAllowed(_) | Refusal::InvalidProposal(_) => {
            Ok(SubmitMessageResponse::NotAllowed)
        }
        Refusal::UnknownRoots(_) => Err(Failure::TryAgain),
    }
}
