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
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::limits::{RETRY_DELAY_GROWTH, RETRY_DELAY_MAX, RETRY_DELAY_MIN};

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
    running: Arc<Mutex<HashMap<K, Running>>>,
    run: Run<K>,
    stop: CancellationToken,
}

/// A key that does not rest.
#[derive(Default)]
struct Running {
    /// It was woken since its run began.
    again: bool,
    /// When its next run begins, while it waits for that.
    next: Option<Instant>,
    hurry: Arc<Notify>,
}

impl<K> Clone for Runs<K> {
    fn clone(&self) -> Self {
        Self { running: Arc::clone(&self.running), run: Arc::clone(&self.run), stop: self.stop.clone() }
    }
}

impl<K: Hash + Eq + Clone + Send + Sync + 'static> Runs<K> {
    /// Runs `run` for whatever key is woken, until `stop`.
    pub fn new<F, R>(stop: CancellationToken, run: F) -> Self
    where
        F: Fn(K) -> R + Send + Sync + 'static,
        R: Future<Output = Next> + Send + 'static,
    {
        Self { running: Arc::default(), run: Arc::new(move |key| Box::pin(run(key))), stop }
    }

    /// Sees to it that a run of `key` starts after this call.
    pub fn wake(&self, key: K) {
        match self.running().entry(key.clone()) {
            Entry::Occupied(mut running) => running.get_mut().again = true,
            Entry::Vacant(idle) => {
                idle.insert(Running::default());
                let runs = self.clone();
                tokio::spawn(async move { runs.run_until_rest(key).await });
            }
        }
    }

    /// The same at once, also while the key waits: somebody has mended what it waits for.
    pub fn hurry(&self, key: K) {
        let waiting = self.running().get(&key).map(|running| Arc::clone(&running.hurry));
        self.wake(key);
        if let Some(waiting) = waiting {
            waiting.notify_one();
        }
    }

    /// How long the key still waits for its next run; `None` while it runs or rests.
    pub fn waits(&self, key: &K) -> Option<Duration> {
        let next = self.running().get(key)?.next?;
        Some(next.saturating_duration_since(Instant::now()))
    }

    fn running(&self) -> MutexGuard<'_, HashMap<K, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
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
                    delay = (delay + delay / RETRY_DELAY_GROWTH).min(RETRY_DELAY_MAX);
                    wait
                }
            };
            if wait.is_zero() {
                delay = RETRY_DELAY_MIN;
                tokio::task::yield_now().await;
            } else {
                let hurry = self.waits_until(&key, Some(Instant::now() + wait));
                tokio::select! {
                    biased;
                    () = hurry.notified() => {}
                    () = tokio::time::sleep(wait) => {}
                    () = self.stop.cancelled() => return,
                }
                self.waits_until(&key, None);
            }
        }
    }

    fn waits_until(&self, key: &K, next: Option<Instant>) -> Arc<Notify> {
        let mut all = self.running();
        let running = all.entry(key.clone()).or_default();
        running.next = next;
        Arc::clone(&running.hurry)
    }

    /// Whether nobody woke the key during its run; then it is forgotten.
    fn rests(&self, key: &K) -> bool {
        let mut running = self.running();
        match running.get_mut(key) {
            Some(run) if run.again => {
                run.again = false;
                false
            }
            _ => {
                running.remove(key);
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::Semaphore;

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
        assert!(runs.running().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_that_reaches_nobody_is_repeated_with_growing_waits() {
        let noted = Noted::new(9);

        noted.runs(4).wake(1);
        noted.done.acquire_many(4).await.unwrap().forget();

        let times: Vec<_> = noted.times.lock().unwrap().iter().map(|at| at.as_millis() / 10 * 10).collect();
        assert_eq!(times, [0, 100, 220, 380]);
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_can_be_asked_how_long_and_be_hurried() {
        let noted = Noted::new(9);
        let runs = noted.runs(2);

        runs.wake(1);
        noted.done.acquire().await.unwrap().forget();
        tokio::task::yield_now().await;
        let waits = runs.waits(&1);
        runs.hurry(1);
        noted.done.acquire().await.unwrap().forget();

        assert_eq!(waits, Some(RETRY_DELAY_MIN));
        assert_eq!(noted.times.lock().unwrap()[1], Duration::ZERO);
        assert_eq!(runs.waits(&2), None);
    }
}
