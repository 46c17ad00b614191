//! Three kinds of no, and the one place where each becomes what a peer hears.
//!
//! A refusal is an answer (200 and a code) and is made by the endpoint whose answer it is; what is left here are
//! rejections (4xx) and faults (5xx). Every reason is logged; none of a fault, and nothing of policy, is told.

use std::time::Duration;

use http::{HeaderValue, StatusCode, header};
use mimi_room::Refusal;
use mimi_store::StoreFault;
use mimi_wire::{DecodeError, Problem};

use crate::answer::{Response, of_type};
use crate::limits::RETRY_AFTER_DEFAULT;

/// Why a request has no answer of its own.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The room's own no; the endpoint turns it into its answer.
    #[error("refused: {0}")]
    Refused(Refusal),
    /// The request never became one.
    #[error("rejected: {0}")]
    Rejected(#[from] Rejection),
    /// There is no such room here.
    #[error("no such room")]
    NoSuchRoom,
    /// Something is being fetched, or is too busy; the same request will do later.
    #[error("not now")]
    TryAgain,
    /// We failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// The request never became one: bad bytes, the wrong provider, too fast.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Rejection {
    #[error("the body does not decode: {0}")]
    Malformed(#[from] DecodeError),
    #[error("the path names nothing: {0}")]
    Path(String),
    #[error("no client certificate proves a provider")]
    NoProvider,
    #[error("the provider may not say this: {0}")]
    NotThatProvider(&'static str),
    #[error("the body is larger than {0} bytes")]
    TooLarge(usize),
    #[error("a body of this media type is not accepted")]
    MediaType,
}

/// We failed. The peer learns only that; the log learns everything.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Fault(String);

impl Fault {
    pub(crate) fn new(why: impl std::fmt::Display) -> Self {
        Self(why.to_string())
    }
}

impl From<StoreFault> for Fault {
    fn from(fault: StoreFault) -> Self {
        Self::new(fault)
    }
}

impl From<StoreFault> for Failure {
    fn from(fault: StoreFault) -> Self {
        Self::Fault(fault.into())
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Failure {
    /// The status and what may be said about it.
    pub(crate) fn told(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Refused(_) => (StatusCode::FORBIDDEN, "not allowed"),
            Self::Rejected(rejection) => rejection.told(),
            Self::NoSuchRoom => (StatusCode::NOT_FOUND, "there is no such room"),
            Self::TryAgain => (StatusCode::SERVICE_UNAVAILABLE, "not now"),
            Self::Fault(_) => (StatusCode::SERVICE_UNAVAILABLE, "a fault on our side"),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::TryAgain | Self::Fault(_) => Some(RETRY_AFTER_DEFAULT),
            Self::Refused(_) | Self::Rejected(_) | Self::NoSuchRoom => None,
        }
    }
}

impl Rejection {
    fn told(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Malformed(_) => (StatusCode::BAD_REQUEST, "the body does not decode"),
            Self::Path(_) => (StatusCode::BAD_REQUEST, "the path is not an identifier in canonical form"),
            Self::NoProvider => (StatusCode::UNAUTHORIZED, "a client certificate must prove a provider"),
            Self::NotThatProvider(_) => (StatusCode::FORBIDDEN, "the certificate does not allow this"),
            Self::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"),
            Self::MediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "send application/octet-stream"),
        }
    }
}

impl Failure {
    /// What a peer hears.
    pub(crate) fn response(&self) -> Response {
        let (status, title) = self.told();
        let mut response =
            of_type("application/problem+json", Problem::new(status.as_u16(), title).to_json());
        *response.status_mut() = status;
        if let Some(wait) = self.retry_after() {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        response
    }
}
