//! What was heard is stored in its order, and only then receipted.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mimi_adapter::{Ingest, NativeEvent};
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::hear::Heard;
use crate::limits::{HEARD_PER_COMMIT_MAX, STORE_WAIT_MAX, STORE_WAIT_MIN};
use crate::link::Link;

/// Stores what comes until there is no more of it.
///
/// The server will not tell it again, so what the gateway cannot store is offered again, and all later waits behind it.
/// When the session stops it is given up: without a receipt its sender knows that it did not arrive.
pub(crate) async fn take_in(link: Arc<Link>, mut heard: mpsc::Receiver<Heard>, stop: CancellationToken) {
    let mut batch = Vec::new();
    while heard.recv_many(&mut batch, HEARD_PER_COMMIT_MAX).await > 0 {
        let (mut events, mut then, mut marks) = (Vec::new(), Vec::new(), BTreeMap::new());
        for one in batch.drain(..) {
            events.extend(one.events);
            then.extend(one.then);
            marks.extend(one.mark);
        }
        if !events.is_empty() && !store(&link, events, &stop).await {
            return;
        }
        for (room, note) in marks {
            if let Err(fault) = link.host.keep(&room, Some(&note)).await {
                // What is heard again is known by its ids.
                tracing::warn!(%room, %fault, "how far a room was heard is not kept");
            }
        }
        for stanza in then {
            // If the connection is gone the sender gets no receipt, and sends again.
            link.line.send(stanza).await.ok();
        }
    }
}

async fn store(link: &Link, events: Vec<NativeEvent>, stop: &CancellationToken) -> bool {
    let mut wait = STORE_WAIT_MIN;
    loop {
        match link.host.ingest(Ingest { events: events.clone() }).await {
            Ok(()) => return true,
            Err(fault) => tracing::warn!(%fault, "offered again"),
        }
        tokio::select! {
            () = stop.cancelled() => return false,
            () = sleep(wait) => wait = next(wait),
        }
    }
}

fn next(wait: Duration) -> Duration {
    (wait * 2).min(STORE_WAIT_MAX)
}
