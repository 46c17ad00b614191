//! Of several processes over one database one is at work; the others wait, and one of them takes over when it ends.
//!
//! The turn is a lease, renewed every second. A process that is killed loses it within seconds; one that ends gives it
//! back; one that cannot renew it stops before another begins. Should it fail to notice, it does no harm: the store takes
//! nothing from it any more.

mod name;

use std::sync::Arc;
use std::time::Duration;

use mimi_store::limits::{LEASE_GLANCE, LEASE_KEPT, LEASE_LASTS, LEASE_RENEWAL};
use mimi_store::{Holder, Lease, LeaseKey, LeaseRow, Store, StoreFault};
use tokio::time::{Instant, sleep, timeout, timeout_at};

pub(crate) use self::name::Name;

/// What is leased: the work of this provider as a whole.
const KEY: &str = "provider";

/// This process's part in taking turns.
pub(crate) struct Turn {
    store: Arc<dyn Store>,
    holder: Holder,
    /// Kept as long as we call ourselves so.
    _name: Name,
}

impl Turn {
    /// A process that wants to work; `place` tells people who look where it is.
    pub(crate) fn new(store: Arc<dyn Store>, place: String, name: Name) -> Self {
        Self { store, holder: Holder { name: name.to_string(), place }, _name: name }
    }

    /// Waits until it is our turn, and tells until when; fails if it never can be, for the store is another process's
    /// alone.
    pub(crate) async fn comes(&self) -> Result<Instant, String> {
        let mut told = false;
        loop {
            let asked = Instant::now();
            match self.ask(true).await {
                Ok(rows) => match holder(&rows) {
                    Some(holder) if holder.name == self.holder.name => return Ok(asked + LEASE_KEPT),
                    Some(holder) if !told => {
                        told = true;
                        tracing::info!(at_work = %holder.place, "another process is at work; this one waits for its turn");
                    }
                    Some(_) | None => {}
                },
                Err(fault) if told => tracing::warn!(%fault, "it cannot be seen who is at work"),
                Err(fault) => return Err(fault.to_string()),
            }
            // Woken or not, it is asked again.
            let _ = timeout(LEASE_GLANCE, self.store.given_up()).await;
        }
    }

    /// Keeps the turn, which is ours until then; ends when it is lost, and tells why.
    pub(crate) async fn keep(&self, mut until: Instant) -> String {
        loop {
            sleep(LEASE_RENEWAL).await;
            let asked = Instant::now();
            match timeout_at(until, self.ask(true)).await {
                Ok(Ok(rows)) if holder(&rows).is_some_and(|holder| holder.name == self.holder.name) => {
                    until = asked + LEASE_KEPT;
                }
                Ok(Ok(_)) => {
                    return "another process is at work now; start this one again, to wait".to_owned();
                }
                Ok(Err(fault)) if Instant::now() < until => {
                    tracing::warn!(%fault, "the turn could not be renewed");
                }
                Ok(Err(_)) | Err(_) => {
                    return "the store does not answer, so another process may begin".to_owned();
                }
            }
        }
    }

    /// Gives the turn back, so that nobody has to wait until it runs out.
    pub(crate) async fn end(&self) {
        // Fails only if the store does, and then it runs out by itself.
        drop(timeout_at(Instant::now() + GIVING_BACK_TIME_MAX, self.ask(false)).await);
    }

    async fn ask(&self, wanted: bool) -> Result<Vec<LeaseRow>, StoreFault> {
        let key = || vec![LeaseKey(KEY.to_owned())];
        let (wanted, given_up) = if wanted { (key(), vec![]) } else { (vec![], key()) };
        self.store.lease(Lease { holder: self.holder.clone(), wanted, given_up, lasts: LEASE_LASTS }).await
    }
}

/// Longer than this nobody waits for us to be polite.
const GIVING_BACK_TIME_MAX: Duration = Duration::from_secs(2);

fn holder(rows: &[LeaseRow]) -> Option<&Holder> {
    rows.iter().find(|row| row.key.0 == KEY).map(|row| &row.holder)
}

#[cfg(test)]
mod tests {
    use mimi_store::MemoryStore;

    use super::*;

    fn turn(disk: &MemoryStore, place: &str) -> Turn {
        Turn::new(Arc::new(disk.reopen()), place.to_owned(), Name::random().unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn the_turn_of_a_killed_process_comes_to_another_within_ten_seconds() {
        let disk = MemoryStore::new();
        let (first, second) = (turn(&disk, "first"), turn(&disk, "second"));
        first.comes().await.unwrap();
        let begun = Instant::now();

        second.comes().await.unwrap();

        assert!(
            begun.elapsed() > LEASE_KEPT && begun.elapsed() < Duration::from_secs(10),
            "{:?}",
            begun.elapsed()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_that_is_given_back_is_free_and_one_that_is_kept_is_not() {
        let disk = MemoryStore::new();
        let (first, second) = (turn(&disk, "first"), turn(&disk, "second"));
        let until = first.comes().await.unwrap();

        let came_early = tokio::select! {
            _ = first.keep(until) => true,
            waited = timeout(LEASE_LASTS * 5, second.comes()) => waited.is_ok(),
        };
        let (came, gone) = tokio::join!(second.comes(), async {
            sleep(LEASE_GLANCE / 10).await;
            first.end().await;
            Instant::now()
        });

        assert!(!came_early);
        assert_eq!(came.unwrap() - LEASE_KEPT, gone);
    }

    #[tokio::test(start_paused = true)]
    async fn a_process_that_is_started_again_goes_on_at_once() {
        let disk = MemoryStore::new();
        let folder = tempfile::tempdir().unwrap();
        let name = || Name::of(&folder.path().join("lock")).unwrap();
        let started = || Turn::new(Arc::new(disk.reopen()), "here".into(), name());
        let killed = started();
        killed.comes().await.unwrap();
        drop(killed);
        let begun = Instant::now();

        started().comes().await.unwrap();

        assert_eq!(begun.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_lost_his_turn_is_told() {
        let disk = MemoryStore::new();
        let (first, second) = (turn(&disk, "first"), turn(&disk, "second"));
        first.comes().await.unwrap();
        let until = second.comes().await.unwrap();

        let lost = first.keep(until).await;

        assert!(lost.starts_with("another process is at work now"));
    }
}
