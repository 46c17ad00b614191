//! `/notify`: a hub brings us what happened in its room (A7).

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;
use mimi_uri::RoomUri;
use mimi_wire::{Endpoint, FanoutMessage, RequestHash};

use crate::extract::{Body, Named, Provider};
use crate::failure::{Failure, Rejection};
use crate::server::Inner;

pub(crate) async fn notify(
    State(inner): State<Arc<Inner>>,
    Provider(provider): Provider,
    Named(room): Named<RoomUri>,
    body: Body,
) -> Result<StatusCode, Failure> {
    // G3: only the hub of a room tells what happened in it.
    if room.domain() != &provider {
        return Err(Rejection::NotThatProvider("only a room's hub notifies of it").into());
    }
    let body = body.of(Endpoint::Notify)?;
    let batch = FanoutMessage::decode_all(&body).map_err(Rejection::from)?;
    inner.receive(&room, batch, RequestHash::of(&body)).await?;
    inner.lanes.alive(&provider);
    Ok(StatusCode::CREATED)
}
