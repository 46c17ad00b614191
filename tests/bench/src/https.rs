//! HTTP/2 under mutual TLS with nothing around it, for the servers of a run that are not the product.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::fault::Outcome;
use crate::part;

/// What answers requests.
pub(crate) trait Answering: Send + Sync + 'static {
    /// Answers one.
    fn answer(&self, request: Request<Incoming>) -> impl Future<Output = Response<Full<Bytes>>> + Send;
}

/// Listens on a port of its own, says so, and serves until nobody wants it.
pub(crate) async fn serve(tls: Arc<ServerConfig>, answering: &Arc<impl Answering>) -> Outcome<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    part::ready(listener.local_addr()?.port());
    let tls = TlsAcceptor::from(tls);
    tokio::select! {
        failed = accept(&listener, &tls, answering) => failed,
        () = part::no_longer_wanted() => Ok(()),
    }
}

async fn accept(listener: &TcpListener, tls: &TlsAcceptor, answering: &Arc<impl Answering>) -> Outcome<()> {
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        tokio::spawn(connection(tls.clone(), socket, Arc::clone(answering)));
    }
}

async fn connection(tls: TlsAcceptor, socket: TcpStream, answering: Arc<impl Answering>) -> Outcome<()> {
    let stream = tls.accept(socket).await?;
    let service = service_fn(move |request| {
        let answering = Arc::clone(&answering);
        async move { Ok::<_, Infallible>(answering.answer(request).await) }
    });
    Ok(http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await?)
}
