use std::sync::Arc;
use std::time::Duration;

use mimi_adapter::SessionStatus;
use ruma::api::client::appservice::request_ping;
use tokio::time::{Instant, sleep, timeout};

use crate::homeserver::{Acting, CallFault};
use crate::limits::{PING_EVERY, RETRY_WAIT_MAX, RETRY_WAIT_MIN};
use crate::session::Link;

/// Keeps in touch with the homeserver, for ever.
///
/// A homeserver that could not reach us, or heard that we could not store something, tries again by itself only after
/// up to 512 s; a ping makes it try at once. So there is one at the start, one after every doubt, and one now and then.
pub(crate) async fn keep(link: Arc<Link>) {
    let mut pause = Pause::default();
    let mut told = None;
    // A homeserver that is just finding out that we were away takes no notice of a ping yet; so there is a second one.
    link.doubt.notify_one();
    loop {
        let status = match touch(&link).await {
            Ok(()) => SessionStatus::Ready,
            Err(fault) => SessionStatus::Connecting { why: fault.to_string() },
        };
        let is_ready = status == SessionStatus::Ready;
        if told.as_ref() != Some(&status) {
            tracing::info!(?status, "homeserver");
            link.host.status(status.clone());
            told = Some(status);
        }
        if !is_ready || timeout(PING_EVERY, link.doubt.notified()).await.is_ok() {
            sleep(pause.next()).await;
        }
    }
}

/// Makes sure of our own user and of both directions.
async fn touch(link: &Link) -> Result<(), CallFault> {
    link.puppets.ensure(&link.homeserver, &link.bot).await?;
    let ping = request_ping::v1::Request::new(link.id.clone());
    link.homeserver.call(ping, Acting::Service).await.map(drop)
}

/// How long to wait before the next attempt: twice as long each time, until there was none for a while.
struct Pause {
    wait: Duration,
    last: Instant,
}

impl Default for Pause {
    fn default() -> Self {
        Self { wait: RETRY_WAIT_MIN, last: Instant::now() }
    }
}

impl Pause {
    fn next(&mut self) -> Duration {
        let is_long_ago = self.last.elapsed() > RETRY_WAIT_MAX * 2;
        let wait = if is_long_ago { RETRY_WAIT_MIN } else { self.wait };
        self.wait = (wait * 2).min(RETRY_WAIT_MAX);
        self.last = Instant::now();
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_pause_doubles_up_to_its_limit_and_starts_anew_after_quiet() {
        let mut pause = Pause::default();

        let waits: Vec<_> = (0..9).map(|_| pause.next()).collect();
        tokio::time::advance(RETRY_WAIT_MAX * 3).await;

        assert_eq!(waits[..3], [RETRY_WAIT_MIN, RETRY_WAIT_MIN * 2, RETRY_WAIT_MIN * 4]);
        assert_eq!(waits[8], RETRY_WAIT_MAX);
        assert_eq!(pause.next(), RETRY_WAIT_MIN);
    }
}
