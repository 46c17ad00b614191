use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::certificates::Shown;

/// What a provider does to whoever calls it while it is not well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misbehaviour {
    /// Answers this status and nothing else.
    Status(u16),
    /// 429, and not before so many seconds.
    RetryAfter(u64),
    /// 503, and not before a date so many seconds ahead.
    RetryAtDate(u64),
    /// Resets the connection that the request came over.
    Resets,
    /// Ends the connection in the middle of the answer's header.
    EndsWithinHeader,
    /// Ends the connection in the middle of the answer's body, though the status was 201.
    EndsWithinBody,
    /// Answers what is no HTTP.
    Garbage,
    /// Takes the request and never answers.
    Hangs,
    /// Answers one byte at a time, and comes to no end.
    Trickles,
    /// Says at once that it goes away (HTTP/2).
    GoesAway,
    /// Shows the certificate of a stranger.
    StrangeCertificate,
    /// Answers the TLS handshake with what is no TLS.
    NoTls,
}

/// Something that a misbehaving provider was asked, or a connection to it that came to no request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tried {
    /// When it came.
    pub at: Instant,
    /// Until when whoever tried was asked to wait.
    pub not_before: Option<Instant>,
}

/// A listener that misbehaves until it is dropped; then all its connections end.
pub(crate) struct Misbehaving {
    pub(crate) tried: watch::Receiver<Vec<Tried>>,
    listening: JoinHandle<()>,
}

/// What each connection of a misbehaving provider knows.
#[derive(Clone)]
struct Manner {
    how: Misbehaviour,
    tls: TlsAcceptor,
    tried: Arc<watch::Sender<Vec<Tried>>>,
}

impl Drop for Misbehaving {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Misbehaving {
    pub(crate) async fn listen(address: SocketAddr, shown: &Shown, how: Misbehaviour) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let (sender, tried) = watch::channel(Vec::new());
        let manner = Manner { how, tls: acceptor(shown, how), tried: Arc::new(sender) };
        let listening = tokio::spawn(async move {
            // Dropped with the task, and all connections with it.
            let mut connections = JoinSet::new();
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                connections.spawn(manner.clone().meet(socket));
            }
        });
        Self { tried, listening }
    }

    /// Ends it, and waits until nobody listens any more.
    pub(crate) async fn end(mut self) {
        self.listening.abort();
        assert!((&mut self.listening).await.is_err_and(|ended| ended.is_cancelled()));
    }
}

fn acceptor(shown: &Shown, how: Misbehaviour) -> TlsAcceptor {
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(shown.chain.clone(), shown.key.clone_key())
        .unwrap();
    let protocol: &[u8] = if how == Misbehaviour::GoesAway { b"h2" } else { b"http/1.1" };
    config.alpn_protocols = vec![protocol.to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

impl Manner {
    async fn meet(self, mut socket: TcpStream) {
        if self.how == Misbehaviour::NoTls {
            self.was_tried(None);
            socket.write_all(b"220 ready when you are\r\n").await.ok();
            return;
        }
        match self.tls.accept(socket).await {
            Ok(stream) => self.serve(stream).await,
            // Whoever checks certificates turns away from this one.
            Err(_) => self.was_tried(None),
        }
    }

    async fn serve(&self, mut stream: TlsStream<TcpStream>) {
        if self.how == Misbehaviour::GoesAway {
            stream.write_all(GO_AWAY).await.ok();
            // The preface of HTTP/2, so that a request is on its way.
            stream.read_exact(&mut [0; 24]).await.ok();
            return self.was_tried(None);
        }
        while is_read(&mut stream).await {
            if !self.answer(&mut stream).await {
                return;
            }
        }
    }

    /// Answers a request in its manner; whether the connection goes on.
    async fn answer(&self, stream: &mut TlsStream<TcpStream>) -> bool {
        let wait = match self.how {
            Misbehaviour::RetryAfter(seconds) => Some(Duration::from_secs(seconds)),
            // The date says whole seconds.
            Misbehaviour::RetryAtDate(seconds) => {
                whole_second(seconds).duration_since(SystemTime::now()).ok()
            }
            _ => None,
        };
        self.was_tried(wait.map(|wait| Instant::now() + wait));
        let (answer, goes_on) = match self.how {
            Misbehaviour::Status(status) => (with_status(status, ""), true),
            Misbehaviour::RetryAfter(seconds) => {
                (with_status(429, &format!("retry-after: {seconds}\r\n")), true)
            }
            Misbehaviour::RetryAtDate(seconds) => {
                let date = httpdate::fmt_http_date(whole_second(seconds));
                (with_status(503, &format!("retry-after: {date}\r\n")), true)
            }
            Misbehaviour::Resets => {
                stream.get_ref().0.set_zero_linger().unwrap();
                return false;
            }
            Misbehaviour::EndsWithinHeader => ("HTTP/1.1 201 Created\r\ncontent-le".to_owned(), false),
            Misbehaviour::EndsWithinBody => {
                ("HTTP/1.1 201 Created\r\ncontent-length: 100\r\n\r\nonly so much".to_owned(), false)
            }
            Misbehaviour::Garbage => ("\u{1}\u{2}\u{3} 201 is what this is not\n\n\n".to_owned(), false),
            Misbehaviour::Hangs => return std::future::pending().await,
            Misbehaviour::Trickles => return trickle(stream).await,
            Misbehaviour::GoesAway | Misbehaviour::StrangeCertificate | Misbehaviour::NoTls => return false,
        };
        let written = stream.write_all(answer.as_bytes()).await.is_ok() && stream.flush().await.is_ok();
        written && goes_on
    }

    fn was_tried(&self, not_before: Option<Instant>) {
        self.tried.send_modify(|tried| tried.push(Tried { at: Instant::now(), not_before }));
    }
}

/// SETTINGS with nothing in it, and GOAWAY: the last stream that was looked at is none, and nothing is wrong.
const GO_AWAY: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// The pause behind each byte of a trickle: a thousand of them outlast every deadline.
const TRICKLE: Duration = Duration::from_millis(50);

async fn trickle(stream: &mut TlsStream<TcpStream>) -> bool {
    stream.write_all(b"HTTP/1.1 201 Created\r\nx-slow: ").await.ok();
    while stream.write_all(b"a").await.is_ok() && stream.flush().await.is_ok() {
        sleep(TRICKLE).await;
    }
    false
}

fn with_status(status: u16, headers: &str) -> String {
    format!("HTTP/1.1 {status} so it is\r\n{headers}content-length: 0\r\n\r\n")
}

fn whole_second(ahead: u64) -> SystemTime {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs() + ahead)
}

/// Whether a whole request over HTTP/1.1 came, its body included.
async fn is_read(stream: &mut (impl AsyncRead + Unpin)) -> bool {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return false };
        head.push(byte);
    }
    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.trim().parse().unwrap())];
    stream.read_exact(&mut body).await.is_ok()
}
