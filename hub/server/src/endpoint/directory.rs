//! `/.well-known/mimi-protocol-directory`: where our endpoints are (A2).

use http::{HeaderValue, header};
use mimi_wire::{Directory, Endpoint};

use crate::answer::{Response, of_type};
use crate::server::Inner;

/// The endpoints that this version serves.
pub(super) const SERVED: [Endpoint; 6] = [
    Endpoint::KeyMaterial,
    Endpoint::Update,
    Endpoint::SubmitMessage,
    Endpoint::GroupInfo,
    Endpoint::Notify,
    Endpoint::IdentityRoots,
];

pub(crate) fn directory(inner: &Inner) -> Response {
    let mut response = of_type("application/json", Directory::publish(&inner.authority, &SERVED).to_json());
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("max-age=3600"));
    response
}
