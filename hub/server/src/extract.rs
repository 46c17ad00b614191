//! The door: bytes become types, connections become providers.

use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::request::Parts;
use http::{Extensions, HeaderMap, HeaderValue, Uri, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use mimi_transport::{Peer, check_request_identity};
use mimi_uri::Domain;
use mimi_wire::{Endpoint, Route, decode_path_value};

use crate::failure::Rejection;
use crate::server::Inner;

/// The provider behind a request: proven by its certificate, named by From; exists only behind mutual TLS.
pub(crate) struct Provider(pub(crate) Domain);

impl Provider {
    /// Proves the provider of a request (PM1–PM4, security row G1).
    pub(crate) fn prove(
        inner: &Inner,
        headers: &HeaderMap,
        extensions: &Extensions,
        uri: &Uri,
    ) -> Result<Domain, Rejection> {
        let peer = extensions.get::<Peer>().ok_or(Rejection::NoProvider)?;
        let authority = uri.authority().map(http::uri::Authority::as_str);
        check_request_identity(headers, authority, peer, std::slice::from_ref(&inner.domain))
            .map_err(|_| Rejection::NotThatProvider("From, Host and certificate do not agree"))
    }
}

/// How the proof went, made once at the door and kept with the request.
#[derive(Clone)]
pub(crate) struct Proof(pub(crate) Result<Domain, Rejection>);

impl FromRequestParts<Arc<Inner>> for Provider {
    type Rejection = crate::failure::Failure;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Inner>) -> Result<Self, Self::Rejection> {
        let proof = parts.extensions.remove::<Proof>().unwrap_or(Proof(Err(Rejection::NoProvider)));
        Ok(Self(proof.0?))
    }
}

/// What the last segment of the path names, decoded once, in its one canonical form (security row G4).
pub(crate) struct Named<T>(pub(crate) T);

impl<T> FromRequestParts<Arc<Inner>> for Named<T>
where
    T: FromStr,
    T::Err: Display,
{
    type Rejection = crate::failure::Failure;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Inner>) -> Result<Self, Self::Rejection> {
        let value = Route::parse(parts.uri.path()).and_then(|route| route.value);
        let value = value.ok_or_else(|| Rejection::Path("it names nothing".to_owned()))?;
        let named = decode_path_value(value).map_err(|fault| Rejection::Path(fault.to_string()))?;
        Ok(Self(named))
    }
}

/// A body that was not read yet: each endpoint has its own measure.
pub(crate) struct Body(Result<Bytes, Rejection>);

impl Body {
    /// The whole body.
    pub(crate) fn of(self, endpoint: Endpoint) -> Result<Bytes, Rejection> {
        let body = self.0?;
        if body.len() > endpoint.request_length_max() {
            return Err(Rejection::TooLarge(endpoint.request_length_max()));
        }
        Ok(body)
    }
}

impl FromRequest<Arc<Inner>> for Body {
    type Rejection = std::convert::Infallible;

    async fn from_request(request: Request, _: &Arc<Inner>) -> Result<Self, Self::Rejection> {
        if !is_accepted(request.headers().get(header::CONTENT_TYPE)) {
            return Ok(Self(Err(Rejection::MediaType)));
        }
        let max = Route::parse(request.uri().path()).map_or(0, |route| route.endpoint.request_length_max());
        let read = Limited::new(request.into_body(), max).collect().await;
        Ok(Self(match read {
            Ok(body) => Ok(body.to_bytes()),
            Err(fault) if fault.is::<LengthLimitError>() => Err(Rejection::TooLarge(max)),
            Err(_) => Err(Rejection::Path("the body ended early".to_owned())),
        }))
    }
}

/// A0 \[I\]: the drafts define no media type; we take what others may send.
fn is_accepted(content_type: Option<&HeaderValue>) -> bool {
    let Some(content_type) = content_type else { return true };
    let essence =
        content_type.to_str().unwrap_or("").split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    essence == "application/octet-stream" || essence.starts_with("application/mimi-")
}

/// A protocol struct as an answer.
pub(crate) struct Wire<T>(pub(crate) T);

impl<T: mimi_wire::Body> IntoResponse for Wire<T> {
    fn into_response(self) -> Response {
        let mut response = self.0.encode().into_response();
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        response
    }
}
