//! The door: bytes become types, connections become providers.

use std::fmt::Display;
use std::str::FromStr;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Body;
use mimi_transport::{Peer, check_request_identity};
use mimi_uri::Domain;
use mimi_wire::{Endpoint, Route, decode_path_value};

use crate::failure::Rejection;
use crate::server::Inner;

/// Why a body was not read to its end.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Proves the provider behind a request: by its certificate, named by From (PM1–PM4, security row G1).
pub(crate) fn prove(inner: &Inner, head: &Parts) -> Result<Domain, Rejection> {
    let peer = head.extensions.get::<Peer>().ok_or(Rejection::NoProvider)?;
    let authority = head.uri.authority().map(http::uri::Authority::as_str);
    check_request_identity(&head.headers, authority, peer, std::slice::from_ref(&inner.domain))
        .map_err(|_| Rejection::NotThatProvider("From, Host and certificate do not agree"))
}

/// What the last segment of the path names, decoded once, in its one canonical form (security row G4).
pub(crate) fn named<T>(route: &Route<'_>) -> Result<T, Rejection>
where
    T: FromStr,
    T::Err: Display,
{
    let value = route.value.ok_or_else(|| Rejection::Path("it names nothing".to_owned()))?;
    decode_path_value(value).map_err(|fault| Rejection::Path(fault.to_string()))
}

/// The whole body; each endpoint has its own measure.
pub(crate) async fn read<B>(headers: &HeaderMap, body: B, endpoint: Endpoint) -> Result<Bytes, Rejection>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    if !is_accepted(headers.get(header::CONTENT_TYPE)) {
        return Err(Rejection::MediaType);
    }
    let max = endpoint.request_length_max();
    match Limited::new(body, max).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(fault) if fault.is::<LengthLimitError>() => Err(Rejection::TooLarge(max)),
        Err(_) => Err(Rejection::Path("the body ended early".to_owned())),
    }
}

/// A0 \[I\]: the drafts define no media type; we take what others may send.
fn is_accepted(content_type: Option<&HeaderValue>) -> bool {
    let Some(content_type) = content_type else { return true };
    let essence = content_type.to_str().unwrap_or("").split(';').next().unwrap_or("").trim();
    let ours = "application/mimi-";
    essence.eq_ignore_ascii_case("application/octet-stream")
        || essence.get(..ours.len()).is_some_and(|start| start.eq_ignore_ascii_case(ours))
}
