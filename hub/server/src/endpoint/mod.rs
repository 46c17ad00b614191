//! The endpoints, one file each, named as the draft names them; and the one table in which a request finds its own.

mod directory;
pub(crate) mod group_info;
mod identity_roots;
pub(crate) mod key_material;
mod notify;
pub(crate) mod submit_message;
pub(crate) mod update;

use std::convert::Infallible;
use std::fmt::Display;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::request::Parts;
use http::{HeaderValue, Request, StatusCode, header};
use hyper::body::Body;
use mimi_uri::Domain;
use mimi_wire::{DIRECTORY_PATH, Endpoint, Method, Route};
use tower::Service;

use crate::answer::{Response, encoded, without_body};
use crate::extract::{BoxError, named, prove, read};
use crate::failure::{Failure, Rejection};
use crate::server::Inner;

/// The endpoints of a server as a service, to be served behind mutual TLS.
#[derive(Clone)]
pub struct Endpoints(Arc<Inner>);

impl Endpoints {
    pub(crate) fn new(inner: Arc<Inner>) -> Self {
        Self(inner)
    }
}

impl<B> Service<Request<B>> for Endpoints
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let inner = Arc::clone(&self.0);
        Box::pin(async move { Ok(observed(&inner, request).await) })
    }
}

/// One event per request, with its outcome; never bytes, keys or names of users.
async fn observed<B>(inner: &Arc<Inner>, request: Request<B>) -> Response
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let started = Instant::now();
    let (head, body) = request.into_parts();
    let endpoint = endpoint_name(head.uri.path());
    let proof = prove(inner, &head);
    let provider = proof.as_ref().ok().cloned();
    // A bug in one handler must not take the connection with it, and the requests of others on it.
    let answered = AssertUnwindSafe(answer(inner, &head, body, proof)).catch_unwind().await;
    let response = match answered {
        Ok(answered) => answered.unwrap_or_else(|failure| failure.response()),
        Err(_) => without_body(StatusCode::INTERNAL_SERVER_ERROR),
    };
    let status = response.status();
    let provider = provider.as_ref().map_or("-", Domain::as_str);
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

/// The table: what a request of each endpoint brings, and who answers it.
async fn answer<B>(
    inner: &Arc<Inner>,
    head: &Parts,
    body: B,
    proof: Result<Domain, Rejection>,
) -> Result<Response, Failure>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    if head.uri.path() == DIRECTORY_PATH {
        return Ok(otherwise(head, Method::Get).unwrap_or_else(|| directory::directory(inner)));
    }
    let Some(route) = Route::parse(head.uri.path()).filter(is_served) else {
        return Ok(without_body(StatusCode::NOT_FOUND));
    };
    if let Some(answer) = otherwise(head, route.endpoint.method()) {
        return Ok(answer);
    }
    let asked = Asked { provider: proof?, head, route, body };
    match route.endpoint {
        Endpoint::KeyMaterial => {
            let (provider, target, body) = asked.whole().await?;
            Ok(encoded(&key_material::key_material(inner, provider, &target, &body).await?))
        }
        Endpoint::Update => {
            let (provider, room, body) = asked.whole().await?;
            Ok(encoded(&update::update(inner, provider, &room, &body).await?))
        }
        Endpoint::SubmitMessage => {
            let (provider, room, body) = asked.whole().await?;
            Ok(encoded(&submit_message::submit_message(inner, provider, &room, &body).await?))
        }
        Endpoint::GroupInfo => {
            let (provider, room, body) = asked.whole().await?;
            Ok(encoded(&group_info::group_info(inner, provider, &room, &body).await?))
        }
        Endpoint::Notify => {
            let (provider, room, body) = asked.whole().await?;
            Ok(without_body(notify::notify(inner, &provider, &room, &body).await?))
        }
        Endpoint::IdentityRoots => Ok(encoded(&identity_roots::identity_roots(inner))),
        Endpoint::RequestConsent
        | Endpoint::UpdateConsent
        | Endpoint::IdentifierQuery
        | Endpoint::ReportAbuse
        | Endpoint::ProxyDownload => Ok(without_body(StatusCode::NOT_FOUND)),
    }
}

/// Whether a path is one of those that our directory publishes: what it names is one segment.
fn is_served(route: &Route<'_>) -> bool {
    let names_one_thing = route.value.is_none_or(|value| !value.is_empty() && !value.contains('/'));
    names_one_thing && directory::SERVED.contains(&route.endpoint)
}

/// What somebody hears who asks by another method than this one.
fn otherwise(head: &Parts, method: Method) -> Option<Response> {
    let is_asked = match method {
        Method::Get => head.method == http::Method::GET || head.method == http::Method::HEAD,
        Method::Post => head.method == http::Method::POST,
    };
    if is_asked {
        return None;
    }
    let mut response = without_body(StatusCode::METHOD_NOT_ALLOWED);
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(method.as_str()));
    Some(response)
}

/// A request that came to its endpoint.
struct Asked<'a, B> {
    provider: Domain,
    head: &'a Parts,
    route: Route<'a>,
    body: B,
}

impl<B> Asked<'_, B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    /// Who asks, what the path names, and the body.
    async fn whole<T>(self) -> Result<(Domain, T, Bytes), Failure>
    where
        T: FromStr,
        T::Err: Display,
    {
        let named = named(&self.route)?;
        let body = read(&self.head.headers, self.body, self.route.endpoint).await?;
        Ok((self.provider, named, body))
    }
}
