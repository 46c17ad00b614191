use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, FROM, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use mimi_transport::CertificateDer;
use mimi_wire::{Body, Endpoint, Problem};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::certificates::Shown;

/// One connection to the server under test, over which anything may be said.
#[derive(Clone)]
pub struct Caller {
    connection: Connection,
}

#[derive(Clone)]
enum Connection {
    Http1(Arc<tokio::sync::Mutex<http1::SendRequest<Full<Bytes>>>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

/// Which HTTP a connection speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Http {
    One,
    Two,
}

/// What is said: a request, in all its parts.
#[derive(Debug, Clone)]
pub struct Call {
    method: Method,
    host: String,
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

/// What is answered.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Call {
    /// A proper POST to an endpoint of `a.example`; `value` is what its path names.
    pub fn post(from: &str, endpoint: Endpoint, value: &str, body: impl Into<Bytes>) -> Self {
        let template = endpoint.path_template();
        let (before, _) = template.split_once('{').unwrap();
        let path = format!("{before}{}", utf8_percent_encode(value, NON_ALPHANUMERIC));
        let call = Self::new(Method::POST, path, body.into()).with(FROM, &format!("mimi@{from}"));
        call.with(CONTENT_TYPE, "application/octet-stream")
    }

    /// A proper GET of a path of `a.example`.
    pub fn get(from: &str, path: &str) -> Self {
        Self::new(Method::GET, path.to_owned(), Bytes::new()).with(FROM, &format!("mimi@{from}"))
    }

    fn new(method: Method, path: String, body: Bytes) -> Self {
        Self { method, host: "a.example".to_owned(), path, headers: HeaderMap::new(), body }
    }

    /// With another method.
    #[must_use]
    pub fn by(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// For another host.
    #[must_use]
    pub fn for_host(mut self, host: &str) -> Self {
        host.clone_into(&mut self.host);
        self
    }

    /// With another path, as it is.
    #[must_use]
    pub fn at(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    /// With this header, and no other of its name.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: &str) -> Self {
        self.headers.insert(name, HeaderValue::from_str(value).unwrap());
        self
    }

    /// With this header, beside others of its name.
    #[must_use]
    pub fn and(mut self, name: HeaderName, value: &str) -> Self {
        self.headers.append(name, HeaderValue::from_str(value).unwrap());
        self
    }

    /// Without any header of this name.
    #[must_use]
    pub fn without(mut self, name: &HeaderName) -> Self {
        self.headers.remove(name);
        self
    }

    /// With another body.
    #[must_use]
    pub fn saying(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    fn request(&self, http: Http) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.headers_mut() = self.headers.clone();
        match http {
            Http::One => {
                *request.uri_mut() = Uri::try_from(self.path.as_str()).unwrap();
                if !self.headers.contains_key(HOST) {
                    request.headers_mut().insert(HOST, HeaderValue::from_str(&self.host).unwrap());
                }
            }
            Http::Two => {
                *request.version_mut() = Version::HTTP_2;
                *request.uri_mut() = Uri::try_from(format!("https://{}{}", self.host, self.path)).unwrap();
            }
        }
        request
    }
}

impl Caller {
    /// A connection with this certificate, or with none.
    pub(crate) async fn connect(
        address: SocketAddr,
        trusted: &CertificateDer<'static>,
        shown: Option<&Shown>,
        http: Http,
    ) -> Result<Self, String> {
        let socket = TcpStream::connect(address).await.map_err(told)?;
        socket.set_nodelay(true).map_err(told)?;
        let name = ServerName::try_from("a.example").unwrap();
        let tls = TlsConnector::from(Arc::new(config(trusted, shown, http)));
        let io = TokioIo::new(tls.connect(name, socket).await.map_err(told)?);
        let connection = match http {
            Http::One => {
                let (sender, connection) = http1::handshake(io).await.map_err(told)?;
                tokio::spawn(connection);
                Connection::Http1(Arc::new(tokio::sync::Mutex::new(sender)))
            }
            Http::Two => {
                let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await.map_err(told)?;
                tokio::spawn(connection);
                Connection::Http2(sender)
            }
        };
        Ok(Self { connection })
    }

    /// Says something, and gives what is answered, if anything is.
    pub async fn say(&self, call: &Call) -> Result<Reply, String> {
        let answer = match &self.connection {
            Connection::Http1(sender) => {
                let mut sender = sender.lock().await;
                sender.ready().await.map_err(told)?;
                sender.send_request(call.request(Http::One)).await.map_err(told)?
            }
            Connection::Http2(sender) => {
                let mut sender = sender.clone();
                sender.ready().await.map_err(told)?;
                sender.send_request(call.request(Http::Two)).await.map_err(told)?
            }
        };
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.map_err(told)?.to_bytes();
        Ok(Reply { status: parts.status.as_u16(), headers: parts.headers, body })
    }
}

impl Reply {
    /// The answer, which must be one.
    #[track_caller]
    pub fn decode<T: Body>(&self) -> T {
        assert_eq!(self.status, 200, "{:?}", self.body);
        T::decode(&self.body).unwrap()
    }

    /// The rejection, which must be one.
    #[track_caller]
    pub fn problem(&self) -> Problem {
        assert!(self.status >= 400, "{self:?}");
        Problem::parse(&self.body).unwrap()
    }
}

fn config(trusted: &CertificateDer<'static>, shown: Option<&Shown>, http: Http) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match shown {
        Some(shown) => config.with_client_auth_cert(shown.chain.clone(), shown.key.clone_key()).unwrap(),
        None => config.with_no_client_auth(),
    };
    config.alpn_protocols = match http {
        Http::One => vec![b"http/1.1".to_vec()],
        Http::Two => vec![b"h2".to_vec()],
    };
    config
}

fn told(fault: impl std::error::Error) -> String {
    fault.to_string()
}
