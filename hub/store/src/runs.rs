//! At most one run per key at a time; a wake during a run leads to one more.
//!
//! What works off rows does so in *runs*: of a follower's lane, of an inbox, of an outbox. Nothing waits in memory only,
//! so a wake may be lost with the process: the rows are found again at start.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::future::Future;
use std::hash::Hash;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;

use crate::limits::{RETRY_DELAY_MAX, RETRY_DELAY_MIN};

/// What a run wants next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Nothing, until the next wake.
    Rest,
    /// Another run at once: there is more, or somebody else changed a row under us.
    Again,
    /// Another run after the usual back-off: something could not be reached.
    BackOff,
    /// Another run after a given time.
    After(Duration),
}

type Run<K> = Arc<dyn Fn(K) -> Pin<Box<dyn Future<Output = Next> + Send>> + Send + Sync>;

/// The runs of one kind, by key.
pub struct Runs<K> {
    woken: Arc<Mutex<HashMap<K, bool>>>,
    run: Run<K>,
    stop: CancellationToken,
}

impl<K> Clone for Runs<K> {
    fn clone(&self) -> Self {
        Self { woken: Arc::clone(&self.woken), run: Arc::clone(&self.run), stop: self.stop.clone() }
    }
}

impl<K: Hash + Eq + Clone + Send + Sync + 'static> Runs<K> {
    /// Runs `run` for whatever key is woken, until `stop`.
    pub fn new<F, R>(stop: CancellationToken, run: F) -> Self
    where
        F: Fn(K) -> R + Send + Sync + 'static,
        R: Future<Output = Next> + Send + 'static,
    {
        Self { woken: Arc::default(), run: Arc::new(move |key| Box::pin(run(key))), stop }
    }

    /// Sees to it that a run of `key` starts after this call.
    pub fn wake(&self, key: K) {
        let mut woken = self.woken.lock().unwrap_or_else(PoisonError::into_inner);
        match woken.entry(key.clone()) {
            Entry::Occupied(mut running) => *running.get_mut() = true,
            Entry::Vacant(idle) => {
                idle.insert(false);
                let runs = self.clone();
                tokio::spawn(async move { runs.run_until_rest(key).await });
            }
        }
    }

    async fn run_until_rest(self, key: K) {
        let mut delay = RETRY_DELAY_MIN;
        loop {
            // A bug in one run must not silence its key until the next restart.
            let run = AssertUnwindSafe((self.run)(key.clone())).catch_unwind();
            // What a stop cuts off is found again in the rows, as after a crash.
            let Some(ran) = self.stop.run_until_cancelled(run).await else { return };
            let wait = match ran.unwrap_or(Next::BackOff) {
                Next::Rest if self.rests(&key) => return,
                Next::Rest | Next::Again => Duration::ZERO,
                Next::After(wait) => wait,
                Next::BackOff => {
                    let wait = delay;
                    delay = (delay * 2).min(RETRY_DELAY_MAX);
                    wait
                }
            };
            if wait.is_zero() {
                delay = RETRY_DELAY_MIN;
                tokio::task::yield_now().await;
            } else {
                tokio::select! {
                    biased;
                    () = tokio::time::sleep(wait) => {}
                    () = self.stop.cancelled() => return,
                }
            }
        }
    }

    /// Whether nobody woke the key during its run; then it is forgotten.
    fn rests(&self, key: &K) -> bool {
        let mut woken = self.woken.lock().unwrap_or_else(PoisonError::into_inner);
        match woken.get_mut(key) {
            Some(again) if *again => {
                *again = false;
                false
            }
            _ => {
                woken.remove(key);
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::Semaphore;
    use tokio::time::Instant;

    use super::*;

    /// Runs that note when they happened.
    #[derive(Clone)]
    struct Noted {
        started: Instant,
        times: Arc<Mutex<Vec<Duration>>>,
        gate: Arc<Semaphore>,
        done: Arc<Semaphore>,
    }

    impl Noted {
        fn new(open: usize) -> Self {
            let (gate, done) = (Arc::new(Semaphore::new(open)), Arc::new(Semaphore::new(0)));
            Self { started: Instant::now(), times: Arc::default(), gate, done }
        }

        async fn run(self, back_off_until: usize) -> Next {
            self.gate.acquire().await.unwrap().forget();
            let mut times = self.times.lock().unwrap();
            times.push(self.started.elapsed());
            self.done.add_permits(1);
            if times.len() < back_off_until { Next::BackOff } else { Next::Rest }
        }

        fn runs(&self, back_off_until: usize) -> Runs<u8> {
            let noted = self.clone();
            Runs::new(CancellationToken::new(), move |_| noted.clone().run(back_off_until))
        }
    }

    #[tokio::test]
    async fn wakes_during_a_run_lead_to_exactly_one_more() {
        let noted = Noted::new(0);
        let runs = noted.runs(0);

        for _ in 0..5 {
            runs.wake(1);
        }
        noted.gate.add_permits(9);
        noted.done.acquire_many(2).await.unwrap().forget();
        tokio::task::yield_now().await;

        assert_eq!(noted.times.lock().unwrap().len(), 2);
        assert!(runs.woken.lock().unwrap().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_that_reaches_nobody_is_repeated_with_growing_waits() {
        let noted = Noted::new(9);

        noted.runs(4).wake(1);
        noted.done.acquire_many(4).await.unwrap().forget();

        let times: Vec<_> = noted.times.lock().unwrap().iter().map(|at| at.as_millis() / 10 * 10).collect();
        assert_eq!(times, [0, 100, 300, 700]);
    }
}
