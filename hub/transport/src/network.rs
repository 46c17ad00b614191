//! Where connections come from: the network that carries bytes between providers, before anything is proven.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};

/// A connection that carries bytes both ways, in order.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for S {}

/// Where to connect to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'a> {
    /// An address that our operator gave.
    Address(SocketAddr),
    /// A host, to be found by its name.
    Host(&'a str, u16),
}

/// A connection on its way to be.
pub type Connecting<'a> = std::pin::Pin<Box<dyn Future<Output = io::Result<Box<dyn Stream>>> + Send + 'a>>;

/// The way out to other providers: TCP, or whatever a simulation has in its stead.
pub trait Network: Send + Sync + 'static {
    /// Opens a connection.
    fn connect<'a>(&'a self, to: Target<'a>) -> Connecting<'a>;
}

/// Where other providers connect to: a TCP listener, or whatever a simulation has in its stead.
pub trait Listener: Send {
    /// What it takes.
    type Stream: Stream;

    /// The next connection, and where it comes from.
    fn accept(&mut self) -> impl Future<Output = io::Result<(Self::Stream, SocketAddr)>> + Send;
}

/// TCP, as the machine has it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tcp;

impl Network for Tcp {
    fn connect<'a>(&'a self, to: Target<'a>) -> Connecting<'a> {
        Box::pin(async move {
            let socket = match to {
                Target::Address(address) => TcpStream::connect(address).await?,
                Target::Host(host, port) => TcpStream::connect((host, port)).await?,
            };
            without_delay(&socket);
            Ok(Box::new(socket) as Box<dyn Stream>)
        })
    }
}

impl Listener for TcpListener {
    type Stream = TcpStream;

    async fn accept(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        let (socket, address) = TcpListener::accept(self).await?;
        without_delay(&socket);
        Ok((socket, address))
    }
}

/// Small requests must not wait for an acknowledgement; a socket that cannot be told so still works.
fn without_delay(socket: &TcpStream) {
    let _ = socket.set_nodelay(true);
}
