//! `bench latency`: what a message's way through two gateways takes, over the durable commits that are on it.
//!
//! From the moment when a person begins to say something to the moment when the other hears it: native in, MIMI, native
//! out. In turns with each message, the same number of commits, one after the other, in a database of their own.

use std::time::{Duration, Instant};

use mimi_adapter_loopback::{EventKind, LoopbackClient};
use rusqlite::{Connection, params};
use tokio::task::block_in_place;

use crate::cli::Plan;
use crate::control::writer::OPEN;
use crate::cpu;
use crate::fault::Outcome;
use crate::limits::{ADDED_MS, CONTENT_LENGTH, LATENCY_MESSAGES, LATENCY_WARM_UP};
use crate::load::quantile_ms;
use crate::report::{median, say};
use crate::sites::Sites;

/// A direction, and the durable commits that a message meets on its way, as `docs/map.md` has them.
struct Way {
    name: &'static str,
    /// At the hub's provider: intake; the sealed message; the room's log; the end of the batch that is notified. At the
    /// follower: its log; the outbox. In the other direction nothing is notified, and there is one log.
    commits: usize,
}

const WAYS: [Way; 2] =
    [Way { name: "hub's to follower's", commits: 6 }, Way { name: "follower's to hub's", commits: 4 }];

/// Runs all rounds and says what they come to.
pub(crate) async fn run(plan: &Plan) -> Outcome<()> {
    say(&format!("load average before: {}", cpu::load_average()));
    let sites = block_in_place(Sites::start);
    let (alice, bob) = (sites.first.person("alice").await?, sites.second.person("bob").await?);
    let hers = alice.open(&sites.second.puppet("bob")).await?;
    let his = bob.hears(|event| event.kind == EventKind::Opened).await?.room;
    let directory = tempfile::Builder::new().prefix("bench-latency-").tempdir()?;
    let mut control = Control::open(&directory.path().join("commits.db"))?;
    say("round  way                     commits  way p50 ms  p99 ms  commits p50 ms  p99 ms  added p50 ms");
    let mut added = vec![Vec::new(); WAYS.len()];
    for round in 0..=plan.rounds {
        let ways = [(&alice, &hers, &bob), (&bob, &his, &alice)];
        for ((way, (from, room, to)), added) in WAYS.iter().zip(ways).zip(&mut added) {
            let messages = if round == 0 { LATENCY_WARM_UP } else { LATENCY_MESSAGES };
            let mut turn = Turn::default();
            for number in 0..messages {
                let text = format!("{} {round} {number} {}", way.name, "x".repeat(CONTENT_LENGTH));
                turn.ways.push(carried(from, room, to, &text).await?);
                turn.commits.push(block_in_place(|| control.commit(way.commits, &text))?);
            }
            // The first round is for connections, ratchets and caches.
            if round > 0 {
                added.push(turn.say(round, way));
            }
        }
    }
    say(&format!("load average after: {}", cpu::load_average()));
    for (way, added) in WAYS.iter().zip(added) {
        let added = median(added).ok_or("a run has at least one round")?;
        let (name, commits) = (way.name, way.commits);
        say(&format!("{name}: {added:.1} ms over its {commits} commits {}", ADDED_MS.verdict(added)));
    }
    drop((alice, bob));
    block_in_place(|| drop(sites));
    Ok(())
}

/// How long it takes until what one says is heard by the other.
async fn carried(from: &LoopbackClient, room: &str, to: &LoopbackClient, text: &str) -> Outcome<Duration> {
    let started = Instant::now();
    from.say(room, text).await?;
    to.hears(|event| event.text.as_deref() == Some(text)).await?;
    Ok(started.elapsed())
}

#[derive(Default)]
struct Turn {
    ways: Vec<Duration>,
    commits: Vec<Duration>,
}

impl Turn {
    /// Says what it came to; what is added, in milliseconds.
    fn say(mut self, round: usize, way: &Way) -> f64 {
        self.ways.sort_unstable();
        self.commits.sort_unstable();
        let [ways, commits] = [&self.ways, &self.commits].map(|all| [50, 99].map(|of| quantile_ms(all, of)));
        let added = ways[0] - commits[0];
        say(&format!(
            "{round:>5}  {:<22}  {:>7}  {:>10.2}  {:>6.2}  {:>14.2}  {:>6.2}  {added:>12.2}",
            way.name, way.commits, ways[0], ways[1], commits[0], commits[1],
        ));
        added
    }
}

/// Commits and nothing else, durable as the product's.
struct Control(Connection);

impl Control {
    fn open(file: &std::path::Path) -> Outcome<Self> {
        let connection = Connection::open(file)?;
        connection.execute_batch(OPEN)?;
        Ok(Self(connection))
    }

    /// How long so many take, one after the other.
    fn commit(&mut self, commits: usize, body: &str) -> Outcome<Duration> {
        let started = Instant::now();
        for _ in 0..commits {
            self.0
                .prepare_cached("INSERT INTO message (body) VALUES (?)")?
                .execute(params![body.as_bytes()])?;
        }
        Ok(started.elapsed())
    }
}
