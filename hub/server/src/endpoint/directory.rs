//! `/.well-known/mimi-protocol-directory`: where our endpoints are (A2).

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use mimi_wire::{Directory, Endpoint};

use crate::server::Inner;

/// The endpoints that this version serves.
const SERVED: [Endpoint; 6] = [
    Endpoint::KeyMaterial,
    Endpoint::Update,
    Endpoint::SubmitMessage,
    Endpoint::GroupInfo,
    Endpoint::Notify,
    Endpoint::IdentityRoots,
];

pub(crate) async fn directory(State(inner): State<Arc<Inner>>) -> Response {
    let mut response = Directory::publish(&inner.authority, &SERVED).to_json().into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("max-age=3600"));
    response
}
