//! Many seeds, over all cores.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::run::{Outcome, run};

/// What many seeds came to.
#[derive(Debug, Default)]
pub struct Campaign {
    /// How many seeds ran.
    pub seeds: u64,
    /// How many messages were said and arrived, over all.
    pub messages: usize,
    /// How much simulated time passed, over all.
    pub simulated: Duration,
    /// How long it took.
    pub took: Duration,
    /// The seeds in which something did not hold.
    pub failed: Vec<Outcome>,
}

/// Runs seeds from `from` on, on so many threads; `told` hears of each that ends.
pub fn campaign(from: u64, seeds: u64, threads: usize, told: impl Fn(&Outcome) + Sync) -> Campaign {
    let started = Instant::now();
    let next = AtomicU64::new(from);
    let total = Mutex::new(Campaign::default());
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                while let Some(seed) = take(&next, from + seeds) {
                    let outcome = run(seed);
                    told(&outcome);
                    total.lock().unwrap().add(outcome);
                }
            });
        }
    });
    let mut total = total.into_inner().unwrap();
    total.took = started.elapsed();
    total.failed.sort_by_key(|outcome| outcome.seed);
    total
}

fn take(next: &AtomicU64, end: u64) -> Option<u64> {
    let seed = next.fetch_add(1, Ordering::Relaxed);
    (seed < end).then_some(seed)
}

impl Campaign {
    fn add(&mut self, outcome: Outcome) {
        self.seeds += 1;
        self.messages += outcome.messages;
        self.simulated += outcome.lasted;
        if !outcome.violations.is_empty() {
            self.failed.push(outcome);
        }
    }
}
