//! Requests to other providers, one event each, with its outcome: never bytes, keys or names of users.

use std::time::Instant;

use bytes::Bytes;
use mimi_transport::{Answer, TransportFault};
use mimi_uri::Domain;
use mimi_wire::Endpoint;

use crate::server::Inner;

impl Inner {
    /// Posts to a peer's endpoint.
    pub(crate) async fn call(
        &self,
        peer: &Domain,
        endpoint: Endpoint,
        value: &str,
        body: Bytes,
    ) -> Result<Answer, TransportFault> {
        let started = Instant::now();
        let answer = self.outbound.send(peer, endpoint, value, body).await;
        report(peer, endpoint, started, &answer);
        answer
    }

    /// Gets a peer's endpoint that takes no value.
    pub(crate) async fn fetch(&self, peer: &Domain, endpoint: Endpoint) -> Result<Answer, TransportFault> {
        let started = Instant::now();
        let answer = self.outbound.fetch(peer, endpoint).await;
        report(peer, endpoint, started, &answer);
        answer
    }
}

fn report(peer: &Domain, endpoint: Endpoint, started: Instant, answer: &Result<Answer, TransportFault>) {
    let status = answer.as_ref().ok().map(|answer| answer.status.as_u16());
    tracing::info!(target: "drawbridge::step", endpoint = endpoint.name(), to = %peer, status,
        millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX));
}
