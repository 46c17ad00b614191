use std::borrow::Cow;
use std::collections::BTreeSet;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use ruma::api::auth_scheme::{AuthScheme, SendAccessToken};
use ruma::api::client::uiaa::UiaaResponse;
use ruma::api::error::{Error as MatrixError, ErrorKind, FromHttpResponseError};
use ruma::api::path_builder::PathBuilder;
use ruma::api::{
    AppserviceUserIdentity, IncomingResponse, MatrixVersion, OutgoingRequest, OutgoingRequestAppserviceExt,
    SupportedVersions,
};
use ruma::{DeviceId, UserId};

use crate::limits::{ANSWER_BYTES_MAX, REQUEST_TIME_MAX};

/// The device every puppet acts on: transaction ids are remembered per device.
pub(crate) const DEVICE: &str = "DRAWBRIDGE";

/// The client API of the homeserver, as its application service.
#[derive(Debug)]
pub(crate) struct Homeserver {
    client: Client<HttpConnector, Full<Bytes>>,
    pub(crate) url: String,
    as_token: String,
    versions: SupportedVersions,
}

/// Who a request is made as.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Acting<'a> {
    /// The application service itself.
    Service,
    /// A user of ours that may not have its device yet.
    User(&'a UserId),
    /// A user of ours on its device.
    OnDevice(&'a UserId),
}

/// Why a request was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallFault {
    /// No answer: it may have been done or not.
    #[error("the homeserver does not answer: {0}")]
    Unreachable(String),
    /// An answer that says no.
    #[error("the homeserver says: {0}")]
    Refused(MatrixError),
    /// An answer that is none.
    #[error("the homeserver's answer makes no sense: {0}")]
    Unreadable(String),
    /// Not a request.
    #[error("not a request: {0}")]
    Malformed(String),
}

impl Homeserver {
    pub(crate) fn new(url: &str, as_token: &str) -> Self {
        Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
            url: url.to_owned(),
            as_token: as_token.to_owned(),
            // The paths of Matrix 1.7: the first version that lets an application service ask for a ping.
            versions: SupportedVersions {
                versions: BTreeSet::from([MatrixVersion::V1_1, MatrixVersion::V1_7]),
                features: BTreeSet::new(),
            },
        }
    }

    /// Makes one request.
    pub(crate) async fn call<R>(
        &self,
        request: R,
        acting: Acting<'_>,
    ) -> Result<R::IncomingResponse, CallFault>
    where
        R: OutgoingRequest,
        R::EndpointError: SaysNo,
        for<'a> R::Authentication: AuthScheme<Input<'a> = SendAccessToken<'a>>,
        for<'a> R::PathBuilder: PathBuilder<Input<'a> = Cow<'a, SupportedVersions>>,
    {
        let token = SendAccessToken::Appservice(&self.as_token);
        let versions = Cow::Borrowed(&self.versions);
        let request = request
            .try_into_http_request_with_identity::<BytesMut>(&self.url, token, acting.identity(), versions)
            .map_err(|error| CallFault::Malformed(error.to_string()))?;
        let answer = tokio::time::timeout(REQUEST_TIME_MAX, self.exchange(request.map(BytesMut::freeze)))
            .await
            .map_err(|_| CallFault::Unreachable(format!("nothing in {REQUEST_TIME_MAX:?}")))??;
        R::IncomingResponse::try_from_http_response(answer).map_err(|error| match error {
            FromHttpResponseError::Server(no) => no.into_fault(),
            unreadable => CallFault::Unreadable(unreadable.to_string()),
        })
    }

    async fn exchange(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, CallFault> {
        let answer = self.client.request(request.map(Full::new)).await;
        let (head, body) = answer.map_err(|error| CallFault::Unreachable(causes(&error)))?.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| CallFault::Unreachable(error.to_string()))?.to_bytes();
        Ok(http::Response::from_parts(head, body))
    }
}

impl<'a> Acting<'a> {
    fn identity(self) -> AppserviceUserIdentity<'a> {
        match self {
            Self::Service => AppserviceUserIdentity::default(),
            Self::User(user) => AppserviceUserIdentity::new(user),
            Self::OnDevice(user) => {
                let mut identity = AppserviceUserIdentity::new(user);
                identity.device_id = Some(<&DeviceId>::from(DEVICE));
                identity
            }
        }
    }
}

/// What the homeserver answers, unless it is that the one who asks may not know.
pub(crate) fn if_allowed<T>(answer: Result<T, CallFault>) -> Result<Option<T>, CallFault> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(fault) if fault.is(&ErrorKind::Forbidden) || fault.is(&ErrorKind::NotFound) => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// The two ways in which endpoints spell an error.
pub(crate) trait SaysNo {
    fn into_fault(self) -> CallFault;
}

impl SaysNo for MatrixError {
    fn into_fault(self) -> CallFault {
        CallFault::Refused(self)
    }
}

impl SaysNo for UiaaResponse {
    fn into_fault(self) -> CallFault {
        match self {
            Self::MatrixError(error) => CallFault::Refused(error),
            asks @ Self::AuthResponse(_) => CallFault::Unreadable(asks.to_string()),
        }
    }
}

/// An error with what lies beneath: hyper's own words are "client error (Connect)".
fn causes(error: &dyn std::error::Error) -> String {
    let beneath = std::iter::successors(error.source(), |error| error.source());
    beneath.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
