use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use rustls::server::NoServerSessionStorage;
use rustls::sign::SingleCertAndKey;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tower::{Service, ServiceExt};

use crate::certificate::{CertificateFault, ProviderCertificate, provider};
use crate::client_proof::{ConnectionProof, PeerVerifier};
use crate::limits::{
    ACCEPT_PAUSE, CONNECTION_WINDOW, HANDSHAKE_DEADLINE, HEADER_DEADLINE, HEADER_LENGTH_MAX,
    KEEP_ALIVE_DEADLINE, KEEP_ALIVE_INTERVAL, STOP_DEADLINE, STREAM_WINDOW, STREAMS_MAX,
};
use crate::network::{Listener, Stream};
use crate::peers::Peers;
use crate::places::{Place, Places};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

pub(crate) const HTTP2: &[u8] = b"h2";
pub(crate) const HTTP1: &[u8] = b"http/1.1";

/// Serves peers over mutual TLS until `stop`, then lets requests under way end (A0, security rows G1 and G33).
///
/// Each request carries the [`crate::Peer`] that its connection proved. An `axum::Router` is such a service.
pub async fn serve<L, S, B>(
    mut listener: L,
    identity: ProviderCertificate,
    peers: Peers,
    service: S,
    stop: impl Future<Output = ()>,
) -> Result<(), CertificateFault>
where
    L: Listener,
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let door = Arc::new(Door::new(&identity, peers)?);
    let graceful = GracefulShutdown::new();
    let mut strangers = JoinSet::new();
    let mut connections = JoinSet::new();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            biased;
            () = &mut stop => break,
            Some(met) = strangers.join_next() => {
                if let Ok(Some(admitted)) = met {
                    let serve = Arc::clone(&door).serve(admitted, service.clone(), graceful.watcher());
                    connections.spawn(serve);
                }
            }
            accepted = listener.accept() => door.meet(accepted, &mut strangers).await,
        }
        while connections.try_join_next().is_some() {}
    }
    drop((listener, strangers));
    if timeout(STOP_DEADLINE, graceful.shutdown()).await.is_err() {
        tracing::warn!("connections with requests under way are cut off");
    }
    Ok(())
}

/// What every connection passes.
struct Door {
    tls: TlsAcceptor,
    peers: Peers,
    places: Places,
    http1: auto::Builder<TokioExecutor>,
    http2: auto::Builder<TokioExecutor>,
}

/// A connection whose other end has proven itself.
struct Admitted<T> {
    stream: TlsStream<T>,
    _place: Place,
}

impl Door {
    fn new(identity: &ProviderCertificate, peers: Peers) -> Result<Self, CertificateFault> {
        let tls = TlsAcceptor::from(Arc::new(tls(identity, peers.clone())?));
        let places = Places::default();
        Ok(Self { tls, peers, places, http1: http().http1_only(), http2: http().http2_only() })
    }

    /// Begins the handshake of a connection, if its address has not too many.
    async fn meet<T: Stream>(
        &self,
        accepted: io::Result<(T, SocketAddr)>,
        strangers: &mut JoinSet<Option<Admitted<T>>>,
    ) {
        let (socket, address) = match accepted {
            Ok(accepted) => accepted,
            Err(fault) => {
                tracing::warn!(%fault, "a connection cannot be accepted");
                return sleep(ACCEPT_PAUSE).await;
            }
        };
        let Some(place) = self.places.take(address.ip()) else {
            return tracing::debug!(%address, "too many connections; one is closed unheard");
        };
        let handshake = timeout(HANDSHAKE_DEADLINE, self.tls.accept(socket));
        strangers.spawn(async move {
            let stream = handshake.await.ok()?.ok()?;
            Some(Admitted { stream, _place: place })
        });
    }

    /// Serves a connection to its end.
    async fn serve<T, S, B>(self: Arc<Self>, admitted: Admitted<T>, service: S, watcher: Watcher)
    where
        T: Stream,
        S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
        S::Future: Send,
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        let Admitted { stream, _place } = admitted;
        let (_, session) = stream.get_ref();
        let http = if session.alpn_protocol() == Some(HTTP2) { &self.http2 } else { &self.http1 };
        let chain = session.peer_certificates().unwrap_or_default();
        let chain = chain.iter().map(|certificate| certificate.clone().into_owned()).collect();
        let proof = Arc::new(ConnectionProof::new(self.peers.clone(), chain));
        let service = tower::service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(proof.peer());
            service.clone().oneshot(request)
        });
        let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
        if let Err(fault) = watcher.watch(connection.into_owned()).await {
            tracing::debug!(fault, "a connection ended early");
        }
    }
}

pub(crate) fn tls(identity: &ProviderCertificate, peers: Peers) -> Result<ServerConfig, CertificateFault> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|fault| CertificateFault::Key(fault.to_string()))?
        .with_client_cert_verifier(Arc::new(PeerVerifier::new(peers)))
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(identity.certified())));
    config.alpn_protocols = vec![HTTP2.to_vec(), HTTP1.to_vec()];
    // No resumption: a resumed session would bring its certificate past the verifier. Connections are long-lived.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

fn http() -> auto::Builder<TokioExecutor> {
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_DEADLINE)
        .max_buf_size(HEADER_LENGTH_MAX);
    http.http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(u32::try_from(HEADER_LENGTH_MAX).unwrap_or(u32::MAX))
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .keep_alive_interval(KEEP_ALIVE_INTERVAL)
        .keep_alive_timeout(KEEP_ALIVE_DEADLINE);
    http
}
