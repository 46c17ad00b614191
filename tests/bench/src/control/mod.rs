//! The control: the smallest program that honestly does what accepting a message takes.
//!
//! HTTP/2 under mutual TLS 1.3; one HMAC-SHA256 and one Ed25519 signature, as franking costs; the body appended durably,
//! with all that waits, in one transaction, by one thread to `SQLite` or by two connections to `PostgreSQL`; the answer
//! after the commit. It checks nothing and knows nothing of MIMI. What the product costs above it is what the product is.

pub(crate) mod courier;
mod stamp;
pub(crate) mod writer;

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;

use crate::cli::Part;
use crate::fault::Outcome;
use crate::https::{self, Answering};
use crate::papers::{FOLLOWER, HUB, Papers};
use stamp::Stamp;
use writer::Writer;

struct Control {
    /// None where franking is left out.
    stamp: Option<Stamp>,
    writer: Writer,
}

/// Serves until nobody wants it.
pub(crate) async fn run(part: &Part) -> Outcome<()> {
    let tls = Papers::at(&part.papers).server(HUB, FOLLOWER)?;
    let writer = match &part.postgres {
        Some(url) => Writer::start_on_server(url).await?,
        None => Writer::start(&part.directory.join("control.db"))?,
    };
    let stamp = if part.unfranked { None } else { Some(Stamp::new()?) };
    https::serve(tls, &Arc::new(Control { stamp, writer })).await
}

impl Answering for Control {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let path = request.uri().path().to_owned();
        let answered = match request.into_body().collect().await {
            Ok(body) => self.accept(&path, body.to_bytes()).await,
            Err(_) => None,
        };
        let mut response = Response::new(Full::default());
        match answered {
            Some(answer) => *response.body_mut() = answer.into(),
            None => *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE,
        }
        response
    }
}

impl Control {
    async fn accept(&self, path: &str, body: Bytes) -> Option<Bytes> {
        let answer = match &self.stamp {
            Some(stamp) => stamp.make(path.as_bytes(), &body),
            None => Bytes::from_static(b"accepted"),
        };
        self.writer.append(body).await?;
        Some(answer)
    }
}
