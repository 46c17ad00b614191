//! `/notify`: a hub brings us what happened in its room (A7).

use std::sync::Arc;

use http::StatusCode;
use mimi_uri::{Domain, RoomUri};
use mimi_wire::{FanoutMessage, RequestHash};

use crate::failure::{Failure, Rejection};
use crate::server::Inner;

pub(crate) async fn notify(
    inner: &Arc<Inner>,
    provider: &Domain,
    room: &RoomUri,
    body: &[u8],
) -> Result<StatusCode, Failure> {
    // G3: only the hub of a room tells what happened in it.
    if room.domain() != provider {
        return Err(Rejection::NotThatProvider("only a room's hub notifies of it").into());
    }
    let batch = FanoutMessage::decode_all(body).map_err(Rejection::from)?;
    inner.receive(room, batch, RequestHash::of(body)).await?;
    inner.lanes.alive(provider);
    Ok(StatusCode::CREATED)
}
