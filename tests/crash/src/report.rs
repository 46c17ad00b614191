use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::book::Counts;
use crate::schedule::Death;

/// What came of a run.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Rounds in which something was accepted and not delivered when the victim died.
    pub rounds: u32,
    /// Rounds in which nothing was; they do not count.
    pub idle_rounds: u32,
    /// Deaths at each point; those at a random moment under an empty name.
    pub deaths: BTreeMap<&'static str, u32>,
    /// How much was accepted and not delivered at each first death.
    pub undelivered: Vec<u64>,
    /// How long each start took, until the provider was ready.
    pub restarts: Vec<Duration>,
    /// Messages acknowledged, and heard.
    pub acknowledged: u64,
    /// Messages heard.
    pub heard: u64,
    /// What power cuts took from the ends of the stores' files.
    pub bytes_lost: u64,
}

impl Report {
    pub(crate) fn add(&mut self, other: Self) {
        self.rounds += other.rounds;
        self.idle_rounds += other.idle_rounds;
        for (name, count) in other.deaths {
            *self.deaths.entry(name).or_default() += count;
        }
        self.undelivered.extend(other.undelivered);
        self.restarts.extend(other.restarts);
        self.acknowledged += other.acknowledged;
        self.heard += other.heard;
        self.bytes_lost += other.bytes_lost;
    }

    pub(crate) fn died(&mut self, death: Death) {
        let name = match death {
            Death::At(point, _) => point.name,
            Death::Behind(..) => "",
        };
        *self.deaths.entry(name).or_default() += 1;
    }

    pub(crate) fn said(&mut self, counts: Counts) {
        self.acknowledged += counts.acknowledged;
        self.heard += counts.heard;
    }

    /// How many deaths there were.
    pub fn deaths(&self) -> u32 {
        self.deaths.values().sum()
    }

    /// The median and the longest time of a start.
    pub fn restart(&self) -> (Duration, Duration) {
        let mut sorted = self.restarts.clone();
        sorted.sort();
        let median = sorted.get(sorted.len() / 2).copied().unwrap_or_default();
        (median, sorted.last().copied().unwrap_or_default())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (median, longest) = self.restart();
        let mut undelivered = self.undelivered.clone();
        undelivered.sort_unstable();
        let at_moments = self.deaths.get("").copied().unwrap_or_default();
        writeln!(f, "rounds        {} that count, {} with nothing to lose", self.rounds, self.idle_rounds)?;
        writeln!(
            f,
            "deaths        {}, of them {at_moments} at random moments, the others at {} points",
            self.deaths(),
            self.deaths.keys().filter(|name| !name.is_empty()).count()
        )?;
        writeln!(
            f,
            "to lose       {} accepted and not delivered messages at the median death, {} to {}",
            undelivered.get(undelivered.len() / 2).unwrap_or(&0),
            undelivered.first().unwrap_or(&0),
            undelivered.last().unwrap_or(&0)
        )?;
        writeln!(
            f,
            "messages      {} acknowledged, {} heard once and in order",
            self.acknowledged, self.heard
        )?;
        write!(f, "ready again   in {median:.2?} at the median, {longest:.2?} at most")
    }
}
