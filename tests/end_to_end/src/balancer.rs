use std::{
    io,
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use crate::Port;

/// What stands in front of several processes of one provider: each connection goes to the next of them that takes it.
///
/// It forwards bytes and knows nothing of what they are, as TLS ends behind it.
#[derive(Debug)]
pub struct Balancer {
    port: Port,
    stopped: Arc<AtomicBool>,
}

impl Balancer {
    /// Listens, and forwards to these addresses in turn.
    #[track_caller]
    pub fn start(port: Port, targets: Vec<SocketAddr>) -> Self {
        let listener = TcpListener::bind(port.address());
        let listener = listener.unwrap_or_else(|error| panic!("{}: {error}", port.address()));
        let stopped = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stopped);
        thread::spawn(move || {
            let next = AtomicUsize::new(0);
            for client in listener.incoming().filter_map(Result::ok) {
                if told.load(Ordering::Relaxed) {
                    return;
                }
                let turn = next.fetch_add(1, Ordering::Relaxed);
                let mut in_turn = targets.iter().cycle().skip(turn % targets.len()).take(targets.len());
                // Nobody takes it: the connection ends.
                if let Some(server) = in_turn.find_map(|target| TcpStream::connect(target).ok()) {
                    forward(client, server);
                }
            }
        });
        Self { port, stopped }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.port.address()
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        // Wakes the listener to see it; if nobody listens, there is nobody to wake.
        TcpStream::connect(self.port.address()).ok();
    }
}

fn forward(client: TcpStream, server: TcpStream) {
    let (Ok(from_client), Ok(from_server)) = (client.try_clone(), server.try_clone()) else { return };
    thread::spawn(move || copy(from_client, server));
    thread::spawn(move || copy(from_server, client));
}

/// Whichever side ends, both do.
fn copy(mut from: TcpStream, mut to: TcpStream) {
    io::copy(&mut from, &mut to).ok();
    to.shutdown(Shutdown::Both).ok();
    from.shutdown(Shutdown::Both).ok();
}
