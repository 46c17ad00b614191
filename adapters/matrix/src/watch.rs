//! Notices when the homeserver goes away, be it for a moment.

use std::fmt::Display;
use std::future::ready;
use std::pin::pin;
use std::sync::Arc;

use http::{HeaderValue, Request, Uri, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::homeserver::{CallFault, Homeserver};
use crate::limits::{ANSWER_BYTES_MAX, REQUEST_TIME_MAX, RETRY_WAIT_MIN, WATCH_EVERY};
use crate::session::Link;

const HTTP: u16 = 80;

/// Looks, for ever, whether the homeserver goes away: then something may be forgotten, and `keeper` has to look for it.
pub(crate) async fn watch(link: Arc<Link>) {
    loop {
        let fault = link.homeserver.until_it_goes().await;
        tracing::debug!(%fault, "the homeserver is gone");
        link.doubt_rooms();
        link.doubt.notify_one();
        sleep(RETRY_WAIT_MIN).await;
    }
}

impl Homeserver {
    /// Returns when the homeserver has gone away.
    ///
    /// A connection is kept open that ends when the homeserver does; what stands before it, and does not end, says so
    /// when it is asked.
    pub(crate) async fn until_it_goes(&self) -> CallFault {
        loop {
            if let Err(fault) = self.watch_one().await {
                return fault;
            }
        }
    }

    /// Keeps one connection, until the other side wants to have a new one.
    async fn watch_one(&self) -> Result<(), CallFault> {
        let url: Uri =
            self.url.parse().map_err(|error| CallFault::Malformed(format!("{}: {error}", self.url)))?;
        let at = (url.host().unwrap_or_default(), url.port_u16().unwrap_or(HTTP));
        let stream = TcpStream::connect(at).await.map_err(|error| gone(&error))?;
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|error| gone(&error))?;
        let mut watching = pin!(async {
            while !self.is_last_answer(&mut sender).await? {
                sleep(WATCH_EVERY).await;
            }
            Ok(())
        });
        let ended = tokio::select! {
            watched = &mut watching => return watched,
            ended = connection => ended,
        };
        tokio::select! {
            biased;
            // With its last answer a connection ends as it should.
            watched = watching => watched,
            () = ready(()) => Err(ended.err().map_or_else(
                || gone(&"it has ended a connection"),
                |error| gone(&error),
            )),
        }
    }

    /// Asks for next to nothing; whether the connection ends with the answer, as a proxy does now and then.
    async fn is_last_answer(&self, sender: &mut SendRequest<Empty<Bytes>>) -> Result<bool, CallFault> {
        let request = Request::get(format!("{}/_matrix/client/versions", self.url)).body(Empty::new());
        let request = request.map_err(|error| CallFault::Malformed(error.to_string()))?;
        let asked = async {
            let answer = sender.send_request(request).await.map_err(|error| gone(&error))?;
            let (head, body) = answer.into_parts();
            Limited::new(body, ANSWER_BYTES_MAX).collect().await.map_err(|error| gone(&error))?;
            Ok(head)
        };
        let answer = timeout(REQUEST_TIME_MAX, asked).await.map_err(|error| gone(&error))??;
        if answer.status.is_server_error() {
            return Err(CallFault::Unreachable(format!("it answers {}", answer.status)));
        }
        Ok(answer.headers.get(header::CONNECTION) == Some(&HeaderValue::from_static("close")))
    }
}

fn gone(why: &dyn Display) -> CallFault {
    CallFault::Unreachable(why.to_string())
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    async fn listener() -> (TcpListener, Homeserver) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let homeserver = Homeserver::new(&format!("http://{}", listener.local_addr().unwrap()), "ours");
        (listener, homeserver)
    }

    #[tokio::test]
    async fn a_homeserver_that_ends_is_gone_at_once() {
        let (listener, homeserver) = listener().await;
        let dies = async {
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut request = [0; 256];
            assert!(connection.read(&mut request).await.unwrap() > 0);
            connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        };

        let (fault, ()) = tokio::join!(timeout(WATCH_EVERY / 2, homeserver.until_it_goes()), dies);

        assert!(matches!(fault, Ok(CallFault::Unreachable(_))), "{fault:?}");
    }

    #[tokio::test]
    async fn a_homeserver_that_its_proxy_does_not_reach_is_gone() {
        let (listener, homeserver) = listener().await;
        let router = Router::new()
            .route("/_matrix/client/versions", get(async || axum::http::StatusCode::BAD_GATEWAY));
        tokio::spawn(async move { axum::serve(listener, router).await });

        assert!(matches!(homeserver.until_it_goes().await, CallFault::Unreachable(_)));
    }

    #[tokio::test]
    async fn a_proxy_that_wants_another_connection_is_not_gone() {
        let (listener, homeserver) = listener().await;
        let watching = tokio::spawn(async move { homeserver.until_it_goes().await });

        for _ in 0..3 {
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut request = [0; 256];
            assert!(connection.read(&mut request).await.unwrap() > 0);
            let last = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            connection.write_all(last).await.unwrap();
        }

        assert!(!watching.is_finished());
        watching.abort();
    }
}
