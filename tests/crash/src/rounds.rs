use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use crate::Broke;
use crate::book::Book;
use crate::chat::{Chat, Person};
use crate::disk::Disk;
use crate::limits::{PATIENCE, TRIES_PER_ROUND};
use crate::people::People;
use crate::provider::{Provider, Store};
use crate::report::Report;
use crate::schedule::{self, Death, Round};

/// A run that is to be.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Rounds that count.
    pub rounds: u32,
    /// What decides who dies where.
    pub seed: u64,
    /// What both remember with.
    pub store: Store,
    /// Rounds after which both providers are made anew, so that the last of many rounds meets no longer a log than the
    /// first.
    pub rounds_per_world: u32,
    /// Whether each death takes with it what was not synced.
    pub power_cuts: bool,
    /// Pairs of providers that live and die side by side: most of a round is waiting.
    pub worlds_at_once: u32,
}

/// Hears how a run goes on.
pub type Tell = Arc<dyn Fn(&str) + Send + Sync>;

/// Two providers and the people who talk.
struct World {
    providers: [Provider; 2],
    people: People,
    book: Book,
    guests: u32,
}

impl Plan {
    /// Runs all rounds, to the end or to the first that goes wrong.
    pub async fn run(self, tell: Tell) -> Result<Report, Broke> {
        if self.power_cuts && self.store != Store::Sqlite {
            return Err("power cuts are for a store that is a file of the victim's".to_owned());
        }
        let mut report = Report::default();
        let mut left = self.rounds;
        let (mut worlds, mut number) = (JoinSet::new(), 0);
        loop {
            while left > 0 && worlds.len() < self.worlds_at_once as usize {
                let rounds = left.min(self.rounds_per_world);
                left -= rounds;
                worlds.spawn(World::live(self, number, rounds, Arc::clone(&tell)));
                number += 1;
            }
            let Some(lived) = worlds.join_next().await else { return Ok(report) };
            report.add(lived.map_err(|panic| panic.to_string())??);
        }
    }
}

impl World {
    /// The rounds of one pair of providers; which world it is decides, with the seed, who dies where.
    async fn live(plan: Plan, number: u64, rounds: u32, tell: Tell) -> Result<Report, Broke> {
        let mut report = Report::default();
        let mut world = Self::new(plan).await?;
        let schedule = schedule::rounds(plan.seed, number).take((rounds * TRIES_PER_ROUND) as usize);
        for (tried, round) in (1..).zip(schedule) {
            let name = format!("world {number}, round {tried}: {round}");
            let idle = report.idle_rounds;
            if let Err(broke) = world.round(&round, &mut report).await {
                return Err(world.explain(&name, &broke));
            }
            tell(&format!("{name}{}", if report.idle_rounds > idle { ", with nothing to lose" } else { "" }));
            if report.rounds == rounds {
                report.said(world.book.counts());
                report.bytes_lost += world.providers.iter().map(Provider::bytes_lost).sum::<u64>();
                return Ok(report);
            }
        }
        Err(format!("world {number}: only {} rounds count", report.rounds))
    }

    async fn new(plan: Plan) -> Result<Self, Broke> {
        let mut providers = Provider::two(["a.example", "b.example"], plan.store);
        for provider in &mut providers {
            if plan.power_cuts {
                provider.stands_on(Disk::build()?);
            }
            provider.lives()?;
            provider.start().await?.ok_or("a provider died at its first start")?;
        }
        let book = Book::default();
        let people = People::arrive(&providers, &book).await?;
        Ok(Self { providers, people, book, guests: 0 })
    }

    /// Kills one of the two while everybody talks, and waits until nothing is under way any more.
    async fn round(&mut self, round: &Round, report: &mut Report) -> Result<(), Broke> {
        self.people.talk();
        self.wait_for_entries(4).await?;
        let mut opening = None;
        for (number, death) in round.deaths.iter().enumerate() {
            let victim = &self.providers[round.victim];
            if let Death::At(point, nth) = death {
                victim.dies_at(point.name, *nth)?;
            }
            if number == 0 {
                opening = self.open_another(round);
            } else if let Some(took) = self.providers[round.victim].start().await? {
                report.restarts.push(took);
            }
            if let Death::Behind(entries, micros) = death {
                self.wait_for_entries(u64::from(*entries)).await?;
                sleep(Duration::from_micros(u64::from(*micros))).await;
                self.providers[round.victim].kill().await?;
            } else {
                self.providers[round.victim].died().await?;
            }
            let victim = &self.providers[round.victim];
            victim.lives()?;
            report.died(*death);
            if number == 0 {
                match self.book.undelivered(victim.domain()) {
                    0 => report.idle_rounds += 1,
                    undelivered => {
                        report.rounds += 1;
                        report.undelivered.push(undelivered);
                    }
                }
            }
        }
        let started = self.providers[round.victim].start().await?;
        report.restarts.push(started.ok_or("it died although nobody wished it")?);
        // The two stay until they have heard everything.
        let mut guests = None;
        if let Some(opening) = opening {
            let opened = timeout(PATIENCE, opening).await;
            guests =
                Some(opened.map_err(|_| "a new chat is not opened")?.map_err(|fault| fault.to_string())??);
        }
        self.people.pause();
        let settled = self.book.settled().await;
        drop(guests);
        settled
    }

    /// Waits until so many things more were said or heard.
    async fn wait_for_entries(&self, count: u64) -> Result<(), Broke> {
        let mut entries = self.book.entries();
        let until = *entries.borrow() + count;
        let waited = timeout(PATIENCE, entries.wait_for(|entries| *entries >= until)).await;
        waited.map(drop).map_err(|_| format!("nobody says anything:\n{}", self.book.verdict().join("\n")))
    }

    /// Two new people come online and meet, if the round wants it; it goes on meanwhile, for their provider may be dead.
    fn open_another(&mut self, round: &Round) -> Option<JoinHandle<Result<Chat, Broke>>> {
        let side = round.opener?;
        self.guests += 1;
        let guest =
            |provider: &Provider| (format!("guest{}@{}", self.guests, provider.domain()), provider.chat());
        let [(opener, at), (other, elsewhere)] = [side, 1 - side].map(|side| guest(&self.providers[side]));
        let book = self.book.clone();
        Some(tokio::spawn(async move {
            let opener = Person::arrive(&opener, at, &book).await?;
            let other = Person::arrive(&other, elsewhere, &book).await?;
            let chat = Chat::open(opener, other, 3, &book).await?;
            chat.answer(2, &book).await;
            Ok(chat)
        }))
    }

    /// What broke, with all that helps to find out why.
    fn explain(&mut self, round: &str, broke: &str) -> Broke {
        let places = self.providers.iter_mut().map(|it| it.keep().display().to_string());
        let places: Vec<String> = places.collect();
        format!("{round}: {broke}\nkept for you: {}", places.join(" and "))
    }
}
