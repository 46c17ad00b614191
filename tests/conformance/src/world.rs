use std::sync::Arc;

use mimi_uri::{Domain, UserUri};
use mimi_wire::Clock;

use crate::peer::Peer;
use crate::set_clock::SetClock;
use crate::subject::Subject;

/// The server under test and two scripted providers that it peers with.
pub struct World {
    /// The server under test.
    pub a: Subject,
    /// A provider with people in the rooms.
    pub b: Peer,
    /// A provider without.
    pub c: Peer,
    /// The time at the server under test.
    pub clock: Arc<SetClock>,
}

impl World {
    /// Everybody serves, and knows everybody whom he should.
    pub async fn new() -> Self {
        let clock = Arc::new(SetClock::new());
        let mut b = Peer::start(domain("b.example"), clock.now()).await;
        let mut c = Peer::start(domain("c.example"), clock.now()).await;
        let a = Subject::start(vec![b.tls(), c.tls()], &clock).await;
        for peer in [&mut b, &mut c] {
            peer.knows(&a.domain, a.address(), a.root());
        }
        Self { a, b, c, clock }
    }

    /// The server under test is started anew; nobody else notices but by a closed connection.
    pub async fn restart(&mut self) {
        self.b.hangs_up().await;
        self.c.hangs_up().await;
        self.a.restarts().await;
    }
}

/// A domain.
pub fn domain(name: &str) -> Domain {
    Domain::parse(name).unwrap()
}

/// `alice@a` is `mimi://a.example/u/alice`.
pub fn user(address: &str) -> UserUri {
    let (name, provider) = address.split_once('@').unwrap();
    UserUri::new(&domain(&format!("{provider}.example")), &[name]).unwrap()
}
