use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use mimi_adapter::{Addresses, NativeUserId};
use ruma::events::AnyTimelineEvent;
use ruma::serde::Raw;
use serde::Deserialize;

use crate::arrival::NotTaken;
use crate::limits::TRANSACTION_BYTES_MAX;
use crate::progress::{Ephemeral, receipts};
use crate::puppet::user_id;
use crate::session::Link;
use crate::translate::Translation;

/// What the homeserver may ask of its application service.
pub(crate) fn router(link: Arc<Link>) -> Router {
    Router::new()
        .route("/_matrix/app/v1/transactions/{txn_id}", put(transaction))
        .route("/_matrix/app/v1/users/{user_id}", get(user))
        .route("/_matrix/app/v1/rooms/{room_alias}", get(room))
        .route("/_matrix/app/v1/ping", post(ping))
        .layer(DefaultBodyLimit::max(TRANSACTION_BYTES_MAX))
        .layer(from_fn_with_state(Arc::clone(&link), only_the_homeserver))
        .with_state(link)
}

/// Events, told until we say 200; so we say it only when they, and what was said before them, are durable.
async fn transaction(
    State(link): State<Arc<Link>>,
    Path(txn_id): Path<String>,
    body: Bytes,
) -> Result<Response, No> {
    let transaction: Transaction = serde_json::from_slice(&body).map_err(|_| No::NOT_JSON)?;
    match link.take(&txn_id, &transaction.events).await {
        Ok(()) => {
            let read = receipts(&link.names, &transaction.ephemeral);
            if let Err(fault) = link.hand_over(Translation { events: read, set_aside: vec![] }).await {
                tracing::debug!(%fault, "receipts are not told on");
            }
            Ok(done())
        }
        Err(fault) => {
            match fault {
                NotTaken::OutOfTurn { .. } => tracing::info!(%fault, "transaction to be told again"),
                NotTaken::Ingest(_) | NotTaken::Call(_) | NotTaken::TooSlow => {
                    tracing::warn!(%fault, "transaction refused");
                }
            }
            link.doubt.notify_one();
            Err(No::NOT_STORED)
        }
    }
}

/// Only what we read, so that no form of the rest can be in the way.
#[derive(Deserialize)]
struct Transaction {
    events: Vec<Raw<AnyTimelineEvent>>,
    /// Left out by homeservers that have none to tell.
    #[serde(default)]
    ephemeral: Vec<Ephemeral>,
}

/// Whether a user in our namespace exists. Every well-formed puppet does, from now on: who is behind it is not for the
/// homeserver to find out.
async fn user(State(link): State<Arc<Link>>, Path(id): Path<String>) -> Result<Response, No> {
    let id = NativeUserId::from(id);
    link.names.behind_puppet(&id).ok_or(No::NOT_FOUND)?;
    let user = user_id(&id).map_err(|_| No::NOT_FOUND)?;
    link.puppets.ensure(&link.homeserver, &user).await.map_err(|fault| {
        tracing::warn!(%fault, "puppet not made");
        No::NOT_STORED
    })?;
    Ok(done())
}

/// Whether a room alias in our namespace exists: ours are made with their rooms, never on demand.
async fn room() -> No {
    No::NOT_FOUND
}

async fn ping() -> Response {
    done()
}

async fn only_the_homeserver(
    State(link): State<Arc<Link>>,
    request: Request,
    next: Next,
) -> Result<Response, No> {
    let token = request.headers().get(header::AUTHORIZATION).ok_or(No::NO_TOKEN)?;
    let token = token.as_bytes().strip_prefix(b"Bearer ").ok_or(No::NO_TOKEN)?;
    verify_slices_are_equal(token, link.hs_token.as_bytes()).map_err(|_| No::WRONG_TOKEN)?;
    Ok(next.run(request).await)
}

fn done() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], "{}").into_response()
}

/// What we answer when we do not do it.
struct No(StatusCode, &'static str);

impl No {
    const NO_TOKEN: Self = Self(StatusCode::UNAUTHORIZED, "M_MISSING_TOKEN");
    const WRONG_TOKEN: Self = Self(StatusCode::FORBIDDEN, "M_FORBIDDEN");
    const NOT_FOUND: Self = Self(StatusCode::NOT_FOUND, "M_NOT_FOUND");
    const NOT_JSON: Self = Self(StatusCode::BAD_REQUEST, "M_NOT_JSON");
    const NOT_STORED: Self = Self(StatusCode::INTERNAL_SERVER_ERROR, "M_UNKNOWN");
}

impl IntoResponse for No {
    fn into_response(self) -> Response {
        let Self(status, code) = self;
        let body = format!(r#"{{"errcode":"{code}","error":"{status}"}}"#);
        (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
    }
}

#[cfg(test)]
mod tests;
