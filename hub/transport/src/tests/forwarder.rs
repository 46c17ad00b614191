use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A network between client and server that counts connections, and that can break.
pub(super) struct Forwarder {
    pub(super) address: SocketAddr,
    connections: Arc<AtomicUsize>,
    is_cutting: Arc<AtomicBool>,
}

impl Forwarder {
    pub(super) async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (connections, is_cutting) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let (count, cut) = (Arc::clone(&connections), Arc::clone(&is_cutting));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(forward(client, server, Arc::clone(&cut)));
            }
        });
        Self { address, connections, is_cutting }
    }

    /// How many connections there were.
    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The next connection that a client says something on dies of it.
    pub(super) fn cut_once(&self) {
        self.is_cutting.store(true, Ordering::SeqCst);
    }
}

async fn forward(client: TcpStream, server: SocketAddr, cut: Arc<AtomicBool>) {
    let Ok(server) = TcpStream::connect(server).await else { return };
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
        (client.into_split(), server.into_split());
    let up = async {
        let mut bytes = vec![0; 64 * 1024];
        loop {
            let Ok(length @ 1..) = from_client.read(&mut bytes).await else { return };
            if cut.swap(false, Ordering::SeqCst) || to_server.write_all(&bytes[..length]).await.is_err() {
                return;
            }
        }
    };
    let down = tokio::io::copy(&mut from_server, &mut to_client);
    tokio::select! { () = up => (), _ = down => () }
}
