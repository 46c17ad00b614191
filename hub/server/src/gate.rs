//! A peer's back-off: shared by all its lanes, ended by any sign of life.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use mimi_store::limits::RETRY_DELAY_GROWTH;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::limits::{PEER_DELAY_MAX, PEER_DELAY_MIN};

/// Open while the peer can be reached; closed for growing times while it cannot.
pub(crate) struct Gate {
    state: Mutex<State>,
    opened: Notify,
}

struct State {
    closed_until: Option<Instant>,
    delay: Duration,
    /// What the peer asked for itself; no sign of life shortens it.
    asked: bool,
}

impl Default for Gate {
    fn default() -> Self {
        let state = State { closed_until: None, delay: PEER_DELAY_MIN, asked: false };
        Self { state: Mutex::new(state), opened: Notify::new() }
    }
}

impl Gate {
    /// Waits until the peer may be tried.
    pub(crate) async fn passed(&self) {
        loop {
            let opened = self.opened.notified();
            let until = self.state.lock().unwrap_or_else(PoisonError::into_inner).closed_until;
            match until {
                Some(until) if until > Instant::now() => {
                    tokio::select! {
                        biased;
                        () = opened => {}
                        () = tokio::time::sleep_until(until) => {}
                    }
                }
                Some(_) | None => return,
            }
        }
    }

    /// The peer could not be reached, or asked to be left alone for a while.
    pub(crate) fn close(&self, retry_after: Option<Duration>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.closed_until.is_some_and(|until| until > Instant::now()) {
            return;
        }
        let wait = retry_after.unwrap_or(state.delay);
        state.asked = retry_after.is_some();
        state.closed_until = Some(Instant::now() + wait);
        state.delay = (state.delay + state.delay / RETRY_DELAY_GROWTH).min(PEER_DELAY_MAX);
    }

    /// The peer is alive. A time that it asked for itself is kept all the same.
    pub(crate) fn open(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.delay = PEER_DELAY_MIN;
        if state.asked && state.closed_until.is_some_and(|until| until > Instant::now()) {
            return;
        }
        state.asked = false;
        state.closed_until = None;
        self.opened.notify_waiters();
    }
}

impl Gate {
    /// How long the peer is still left alone.
    pub(crate) fn closed_for(&self) -> Option<Duration> {
        let until = self.state.lock().unwrap_or_else(PoisonError::into_inner).closed_until?;
        Some(until.saturating_duration_since(Instant::now())).filter(|wait| !wait.is_zero())
    }

    /// An operator wants the peer tried now, whatever it asked for.
    pub(crate) fn force(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).asked = false;
        self.open();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waits_grow_to_a_bound_and_never_to_a_cliff() {
        let gate = Gate::default();
        let mut waits = Vec::new();

        for _ in 0..30 {
            let before = Instant::now();
            gate.close(None);
            gate.passed().await;
            waits.push(before.elapsed());
        }

        let millis: Vec<u128> = waits[..3].iter().map(Duration::as_millis).collect();
        assert_eq!(millis, [100, 125, 157]);
        assert_eq!(waits[29].as_secs(), PEER_DELAY_MAX.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn a_sign_of_life_ends_the_wait_and_its_growth() {
        let gate = Gate::default();
        gate.close(None);
        gate.passed().await;
        gate.close(None);

        gate.open();

        let before = Instant::now();
        gate.passed().await;
        assert_eq!(before.elapsed(), Duration::ZERO);
        gate.close(None);
        gate.passed().await;
        assert_eq!(before.elapsed().as_millis() / 10 * 10, 100);
    }

    #[tokio::test(start_paused = true)]
    async fn a_time_that_the_peer_asked_for_is_kept() {
        let gate = Gate::default();
        gate.close(Some(Duration::from_secs(7)));

        gate.open();

        let before = Instant::now();
        gate.passed().await;
        assert_eq!(before.elapsed().as_secs(), 7);
    }
}
