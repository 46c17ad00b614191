//! The endpoints, one file each, named as the draft names them.

mod directory;
pub(crate) mod group_info;
mod identity_roots;
pub(crate) mod key_material;
mod notify;
pub(crate) mod submit_message;
pub(crate) mod update;

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};
use mimi_wire::{DIRECTORY_PATH, Endpoint, Route};
use tower_http::catch_panic::CatchPanicLayer;

use crate::extract::{Proof, Provider};
use crate::server::Inner;

/// All endpoints of this server, each with its way in.
pub(crate) fn router(inner: Arc<Inner>) -> Router {
    Router::new()
        .route(DIRECTORY_PATH, get(directory::directory))
        .route(&Endpoint::IdentityRoots.path_template(), get(identity_roots::identity_roots))
        .route(&Endpoint::KeyMaterial.path_template(), post(key_material::key_material))
        .route(&Endpoint::Update.path_template(), post(update::update))
        .route(&Endpoint::SubmitMessage.path_template(), post(submit_message::submit_message))
        .route(&Endpoint::GroupInfo.path_template(), post(group_info::group_info))
        .route(&Endpoint::Notify.path_template(), post(notify::notify))
        .layer(middleware::from_fn_with_state(Arc::clone(&inner), observe))
        .layer(CatchPanicLayer::new())
        .with_state(inner)
}

/// One event per request, with its outcome; never bytes, keys or names of users.
async fn observe(State(inner): State<Arc<Inner>>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let endpoint = endpoint_name(request.uri().path());
    let proof = Provider::prove(&inner, request.headers(), request.extensions(), request.uri());
    let provider = proof.as_ref().map_or_else(|_| "-".to_owned(), ToString::to_string);
    request.extensions_mut().insert(Proof(proof));
    let response = next.run(request).await;
    let status = response.status();
    tracing::info!(target: "drawbridge::step", endpoint, from = provider, status = status.as_u16(),
        millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX));
    metrics::counter!("requests_total", "endpoint" => endpoint, "status" => status.as_str().to_owned())
        .increment(1);
    metrics::histogram!("request_seconds", "endpoint" => endpoint).record(started.elapsed().as_secs_f64());
    response
}

fn endpoint_name(path: &str) -> &'static str {
    match Route::parse(path) {
        Some(route) => route.endpoint.name(),
        None if path == DIRECTORY_PATH => "directory",
        None => "-",
    }
}
