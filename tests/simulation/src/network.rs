//! The simulated network, as the transport takes it.

use std::io;
use std::net::SocketAddr;

use mimi_transport::{Connecting, Listener, Network, Stream, Target};
use turmoil::net::{TcpListener, TcpStream};

/// Where every simulated provider listens.
const PORT: u16 = 443;

/// The way out of a simulated machine.
pub(crate) struct Wire;

impl Network for Wire {
    fn connect<'a>(&'a self, to: Target<'a>) -> Connecting<'a> {
        Box::pin(async move {
            let stream = match to {
                Target::Address(address) => TcpStream::connect(address).await?,
                Target::Host(host, port) => TcpStream::connect((host, port)).await?,
            };
            Ok(Box::new(stream) as Box<dyn Stream>)
        })
    }
}

/// The way into a simulated machine.
pub(crate) struct Door(TcpListener);

impl Door {
    pub(crate) async fn open() -> io::Result<Self> {
        TcpListener::bind(("0.0.0.0", PORT)).await.map(Self)
    }
}

impl Listener for Door {
    type Stream = TcpStream;

    async fn accept(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        self.0.accept().await
    }
}
