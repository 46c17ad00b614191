use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http::header::HOST;
use http::{HeaderValue, Request, Response, Uri, Version};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use mimi_uri::Domain;
use tokio::sync::{Mutex, Semaphore, SemaphorePermit};
use tokio::time::Instant;

use crate::dial::{Destination, Dialer, told};
use crate::limits::{
    CONNECTION_WINDOW, HTTP1_CONNECTIONS_MAX, KEEP_ALIVE_DEADLINE, KEEP_ALIVE_INTERVAL, STREAM_WINDOW,
};
use crate::serve::HTTP2;
use crate::transport_fault::TransportFault;

/// The connection to one host of a peer: one over HTTP/2 for all requests, or a few over HTTP/1.1.
pub(crate) struct Link {
    peer: Domain,
    to: Destination,
    dialer: Arc<Dialer>,
    lines: Mutex<Lines>,
    is_http1: AtomicBool,
    http1_places: Semaphore,
}

#[derive(Default)]
struct Lines {
    http2: Option<Line<http2::SendRequest<Full<Bytes>>>>,
    http1_idle: Vec<Line<http1::SendRequest<Full<Bytes>>>>,
    made: u64,
    failed: Option<(Instant, TransportFault)>,
}

/// One connection.
struct Line<S> {
    number: u64,
    sender: S,
}

/// A connection to send a request over.
enum Open<'a> {
    Http2(Line<http2::SendRequest<Full<Bytes>>>),
    Http1(Line<http1::SendRequest<Full<Bytes>>>, Option<SemaphorePermit<'a>>),
}

/// Which connection may be used.
#[derive(Clone, Copy)]
enum Wanted {
    Any,
    /// Any that was made after this one, which broke.
    After(u64),
}

/// Why an exchange over a connection failed.
enum Failed {
    BeforeAnswer(String),
    WithinAnswer(TransportFault),
}

impl Link {
    pub(crate) fn new(peer: Domain, to: Destination, dialer: Arc<Dialer>) -> Self {
        let http1_places = Semaphore::new(HTTP1_CONNECTIONS_MAX);
        Self { peer, to, dialer, lines: Mutex::default(), is_http1: AtomicBool::new(false), http1_places }
    }

    /// Sends a request and reads its whole answer, of at most so many bytes.
    ///
    /// A connection that was open before and ends without an answer may just have been closed at the other end: the
    /// request is sent once more, over a newer one. All requests between providers bear repeating (A1: deduplicated by
    /// the hash of their body, or safe). `asked` is when the caller began to wait: a failure to connect since then is its
    /// failure, too.
    pub(crate) async fn exchange(
        &self,
        request: &Request<Bytes>,
        answer_max: usize,
        asked: Instant,
    ) -> Result<Response<Bytes>, TransportFault> {
        let (open, is_new) = self.open(Wanted::Any, asked).await?;
        let number = open.number();
        let why = match self.exchange_over(open, request, answer_max).await {
            Ok(answer) => return Ok(answer),
            Err(Failed::WithinAnswer(fault)) => return Err(fault),
            Err(Failed::BeforeAnswer(why)) => why,
        };
        let peer = self.peer.clone();
        if is_new {
            self.forget(number).await;
            return Err(TransportFault::Refused { peer, why });
        }
        tracing::debug!(%peer, why, "a connection had ended; the request is sent over a new one");
        let (open, is_new) = self.open(Wanted::After(number), Instant::now()).await?;
        let number = open.number();
        match self.exchange_over(open, request, answer_max).await {
            Ok(answer) => Ok(answer),
            Err(Failed::WithinAnswer(fault)) => Err(fault),
            Err(Failed::BeforeAnswer(why)) => {
                self.forget(number).await;
                Err(if is_new {
                    TransportFault::Refused { peer, why }
                } else {
                    TransportFault::Broken { peer, why }
                })
            }
        }
    }

    /// A connection, and whether it is a new one. Who waits while another connects shares the outcome.
    async fn open(&self, wanted: Wanted, asked: Instant) -> Result<(Open<'_>, bool), TransportFault> {
        loop {
            let is_http1 = self.is_http1.load(Ordering::Relaxed);
            let place = if is_http1 { self.http1_places.acquire().await.ok() } else { None };
            let mut lines = self.lines.lock().await;
            // What the peer speaks was learnt while we waited for the lock: over HTTP/1.1, a place comes first.
            if is_http1 != self.is_http1.load(Ordering::Relaxed) {
                continue;
            }
            if let Some(line) = lines.http2_line(wanted) {
                return Ok((Open::Http2(line), false));
            }
            if let Some(line) = lines.http1_line(wanted) {
                return Ok((Open::Http1(line, place), false));
            }
            if let Some((at, fault)) = &lines.failed
                && *at >= asked
            {
                return Err(fault.clone());
            }
            let connected = self.connect(&mut lines, place).await;
            lines.failed = connected.as_ref().err().map(|fault| (Instant::now(), fault.clone()));
            return connected.map(|open| (open, true));
        }
    }

    async fn connect<'a>(
        &'a self,
        lines: &mut Lines,
        place: Option<SemaphorePermit<'a>>,
    ) -> Result<Open<'a>, TransportFault> {
        let refused =
            |fault: hyper::Error| TransportFault::Refused { peer: self.peer.clone(), why: told(&fault) };
        let stream = self.dialer.dial(&self.to).await?;
        let is_http2 = stream.get_ref().1.alpn_protocol() == Some(HTTP2);
        self.is_http1.store(!is_http2, Ordering::Relaxed);
        let io = TokioIo::new(stream);
        lines.made += 1;
        let number = lines.made;
        if !is_http2 {
            let (sender, connection) = http1::handshake(io).await.map_err(refused)?;
            tokio::spawn(connection);
            let place = place.or_else(|| self.http1_places.try_acquire().ok());
            return Ok(Open::Http1(Line { number, sender }, place));
        }
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .keep_alive_interval(KEEP_ALIVE_INTERVAL)
            .keep_alive_timeout(KEEP_ALIVE_DEADLINE)
            .keep_alive_while_idle(true)
            .handshake(io)
            .await
            .map_err(refused)?;
        tokio::spawn(connection);
        lines.http2 = Some(Line { number, sender: sender.clone() });
        Ok(Open::Http2(Line { number, sender }))
    }

    async fn exchange_over(
        &self,
        open: Open<'_>,
        request: &Request<Bytes>,
        answer_max: usize,
    ) -> Result<Response<Bytes>, Failed> {
        let before = |fault: hyper::Error| Failed::BeforeAnswer(told(&fault));
        match open {
            Open::Http2(mut line) => {
                let answer = line.sender.send_request(of_http2(request)).await.map_err(before)?;
                self.read(answer, answer_max).await
            }
            Open::Http1(mut line, _place) => {
                line.sender.ready().await.map_err(before)?;
                let answer = line.sender.send_request(of_http1(request)).await.map_err(before)?;
                let answer = self.read(answer, answer_max).await?;
                self.lines.lock().await.http1_idle.push(line);
                Ok(answer)
            }
        }
    }

    async fn read(&self, answer: Response<Incoming>, max: usize) -> Result<Response<Bytes>, Failed> {
        let (parts, body) = answer.into_parts();
        let peer = self.peer.clone();
        match Limited::new(body, max).collect().await {
            Ok(body) => Ok(Response::from_parts(parts, body.to_bytes())),
            Err(fault) if fault.is::<LengthLimitError>() => {
                Err(Failed::WithinAnswer(TransportFault::TooLarge { peer, max }))
            }
            Err(fault) => Err(Failed::WithinAnswer(TransportFault::Broken { peer, why: told(&*fault) })),
        }
    }

    /// A connection that broke is not given to anybody else.
    async fn forget(&self, number: u64) {
        let mut lines = self.lines.lock().await;
        if lines.http2.as_ref().is_some_and(|line| line.number == number) {
            lines.http2 = None;
        }
    }
}

impl Lines {
    /// The connection over HTTP/2, if there is one that lives.
    fn http2_line(&self, wanted: Wanted) -> Option<Line<http2::SendRequest<Full<Bytes>>>> {
        let line = self.http2.as_ref()?;
        let is_usable = wanted.allows(line.number) && !line.sender.is_closed();
        is_usable.then(|| Line { number: line.number, sender: line.sender.clone() })
    }

    /// An idle connection over HTTP/1.1; dead ones are dropped on the way.
    fn http1_line(&mut self, wanted: Wanted) -> Option<Line<http1::SendRequest<Full<Bytes>>>> {
        std::iter::from_fn(|| self.http1_idle.pop())
            .find(|line| wanted.allows(line.number) && !line.sender.is_closed())
    }
}

impl Wanted {
    fn allows(self, number: u64) -> bool {
        match self {
            Self::Any => true,
            Self::After(broken) => number > broken,
        }
    }
}

impl Open<'_> {
    fn number(&self) -> u64 {
        match self {
            Self::Http2(line) => line.number,
            Self::Http1(line, _) => line.number,
        }
    }
}

/// HTTP/2 says the target in `:authority`.
fn of_http2(request: &Request<Bytes>) -> Request<Full<Bytes>> {
    let mut request = request.clone().map(Full::new);
    *request.version_mut() = Version::HTTP_2;
    request
}

/// HTTP/1.1 says it in Host.
fn of_http1(request: &Request<Bytes>) -> Request<Full<Bytes>> {
    let mut request = request.clone().map(Full::new);
    let host = request.uri().authority().and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
    if let Some(host) = host {
        request.headers_mut().insert(HOST, host);
    }
    let path = request.uri().path_and_query().cloned().map_or(Uri::from_static("/"), Uri::from);
    *request.uri_mut() = path;
    request
}
