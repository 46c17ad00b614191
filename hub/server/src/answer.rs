//! Answers, as they leave.

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use http_body_util::Full;

/// Every answer is whole before it leaves.
pub(crate) type Response = http::Response<Full<Bytes>>;

/// A protocol struct as an answer.
pub(crate) fn encoded(answer: &impl mimi_wire::Body) -> Response {
    of_type("application/octet-stream", answer.encode())
}

/// Bytes of a media type as an answer.
pub(crate) fn of_type(media_type: &'static str, body: impl Into<Bytes>) -> Response {
    let mut response = Response::new(Full::new(body.into()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

/// A status says it all.
pub(crate) fn without_body(status: StatusCode) -> Response {
    let mut response = Response::default();
    *response.status_mut() = status;
    response
}
