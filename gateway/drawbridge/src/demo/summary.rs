//! What came of it, on one page: computed from what was heard and what lies in the databases.

use std::fs;
use std::time::Duration;

use mimi_store::{EventLimit, Seq, Store};
use mimi_store_sqlite::SqliteStore;

use super::Broke;
use super::limits::EVENTS_PAGE;
use super::people::{People, Person};
use super::screen::{Screen, millis};
use super::stage::{Place, Stage};

/// What is to be told.
pub(super) struct Summary {
    to_bob: Delivered,
    to_alice: Delivered,
    opening: Option<Duration>,
    latencies: Vec<Duration>,
    stored: Vec<Stored>,
}

/// What was said in one direction, and what was heard.
#[derive(Debug, PartialEq, Eq)]
struct Delivered {
    said: Vec<String>,
    heard: Vec<String>,
}

/// What a provider's database holds.
struct Stored {
    domain: String,
    rooms: usize,
    events: usize,
    bytes: u64,
}

impl Summary {
    /// Looks at what the clients heard and what the stopped providers stored.
    pub(super) async fn gather(people: &People, stage: &Stage) -> Result<Self, Broke> {
        let mut stored = Vec::new();
        for place in stage.places() {
            stored.push(Stored::count(place).await?);
        }
        let (opening, latencies) = match people.latencies.split_first() {
            Some((first, rest)) => (Some(*first), rest.to_vec()),
            None => (None, Vec::new()),
        };
        let (alice, bob) = (&people.alice, &people.bob);
        Ok(Self {
            to_bob: Delivered::between(alice, bob),
            to_alice: Delivered::between(bob, alice),
            opening,
            latencies,
            stored,
        })
    }

    /// Shows it; fails if a message was lost, doubled or out of order.
    pub(super) fn show(&self, screen: &Screen) -> Result<(), Broke> {
        screen.gap();
        screen.heading("summary");
        let all_arrived = self.to_bob.is_exact() && self.to_alice.is_exact();
        let verdict =
            if all_arrived { "all arrived once and in order" } else { "NOT all arrived once and in order" };
        screen.summary(
            "messages",
            &format!(
                "alice → bob {}, bob → alice {}: {verdict}",
                self.to_bob.said.len(),
                self.to_alice.said.len()
            ),
        );
        screen.summary("latency", &self.latency());
        for stored in &self.stored {
            screen.summary("stored", &stored.line());
        }
        screen
            .summary("encryption", "end to end (MLS) between the two gateways: on the way nobody can read.");
        screen
            .summary("", "Readable at both gateways: they speak for people whose own networks know no MLS.");
        if all_arrived {
            return Ok(());
        }
        Err(format!("{}\n{}", self.to_bob.difference("bob"), self.to_alice.difference("alice")))
    }

    fn latency(&self) -> String {
        let opening = self.opening.map_or_else(|| "-".to_owned(), millis);
        let first = format!("the first message {opening}, with the opening of its room");
        match percentiles(&self.latencies) {
            Some((median, max)) => format!("p50 {}, max {}; {first}", millis(median), millis(max)),
            None => first,
        }
    }
}

impl Delivered {
    fn between(by: &Person, to: &Person) -> Self {
        Self { said: by.said.clone(), heard: to.heard() }
    }

    fn is_exact(&self) -> bool {
        self.said == self.heard
    }

    fn difference(&self, listener: &str) -> String {
        format!("{listener} should have heard {:?} and heard {:?}", self.said, self.heard)
    }
}

impl Stored {
    async fn count(place: &Place) -> Result<Self, Broke> {
        let path = place.database();
        let uncountable = |why: String| format!("{}: {why}", path.display());
        let bytes = fs::metadata(&path).map_err(|fault| uncountable(fault.to_string()))?.len();
        let store = SqliteStore::open(&path).await.map_err(|fault| uncountable(fault.to_string()))?;
        let rooms = store.rooms(None).await.map_err(|fault| uncountable(fault.to_string()))?;
        let mut events = 0;
        for room in &rooms {
            let mut from = Seq(0);
            loop {
                let limit = EventLimit { count: EVENTS_PAGE, bytes: usize::MAX };
                let page =
                    store.events(room, from, limit).await.map_err(|fault| uncountable(fault.to_string()))?;
                let Some(last) = page.last() else { break };
                events += page.len();
                from = last.seq.next();
            }
        }
        store.close().await;
        Ok(Self { domain: place.domain.to_string(), rooms: rooms.len(), events, bytes })
    }

    fn line(&self) -> String {
        format!(
            "{}: {} room{}, {} events in its log, {} KiB of database",
            self.domain,
            self.rooms,
            if self.rooms == 1 { "" } else { "s" },
            self.events,
            self.bytes.div_ceil(1024)
        )
    }
}

/// The median and the maximum.
fn percentiles(times: &[Duration]) -> Option<(Duration, Duration)> {
    let mut sorted = times.to_vec();
    sorted.sort();
    Some((sorted.get(sorted.len() / 2).copied()?, sorted.last().copied()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivered(said: &[&str], heard: &[&str]) -> Delivered {
        let owned = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect();
        Delivered { said: owned(said), heard: owned(heard) }
    }

    #[test]
    fn what_is_lost_doubled_or_out_of_order_is_not_all() {
        assert!(delivered(&["1", "2"], &["1", "2"]).is_exact());
        assert!(!delivered(&["1", "2"], &["1"]).is_exact());
        assert!(!delivered(&["1", "2"], &["1", "2", "2"]).is_exact());
        assert!(!delivered(&["1", "2"], &["2", "1"]).is_exact());
    }

    #[test]
    fn the_median_is_in_the_middle_and_nothing_has_none() {
        let times: Vec<Duration> = [30, 10, 20].map(Duration::from_millis).to_vec();

        assert_eq!(percentiles(&times), Some((Duration::from_millis(20), Duration::from_millis(30))));
        assert_eq!(percentiles(&[]), None);
    }
}
