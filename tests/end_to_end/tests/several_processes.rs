//! Several processes of one provider over one `PostgreSQL`, and one of them killed again and again.
//!
//! Provider a.example is two Drawbridge processes behind a balancer, one at work and one that waits for its turn; b.example
//! is one, on `SQLite`. People of both talk all the time. What one says his partner must hear once, in order, however often
//! the process at work is killed, and its work must go on at the other.
#![expect(clippy::unwrap_used, reason = "who is not answered at all fails his test")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use end_to_end::limits::{GLANCE, PATIENCE};
use end_to_end::{Balancer, Launch, Port, Postgres, Process, Scratch, drawbridge};
use mimi_adapter_loopback::{EventKind, LoopbackClient};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// Pairs of people, half of them in rooms that a.example hosts, half in rooms that it follows.
const PAIRS: usize = 4;

/// How many messages of one direction may be on their way: some are, whenever a process is killed.
const WINDOW: u64 = 4;

/// The pause between two messages of one person.
const PACE: Duration = Duration::from_millis(20);

/// For how long, if somebody wants to see it: a kill every twenty seconds, and the other process must be at work within
/// [`TAKEOVER_MAX`]. Else three kills.
///
/// `DRAWBRIDGE_TEST_KILL_MINUTES=10 cargo nextest run --workspace --no-capture -E 'binary(several_processes)'`
const MINUTES: &str = "DRAWBRIDGE_TEST_KILL_MINUTES";

/// How long the work of a killed process may lie.
const TAKEOVER_MAX: Duration = Duration::from_secs(10);

/// A provider's process, or one of its processes.
struct Running {
    process: Process,
    operator: Port,
    listen: Port,
}

/// Both providers.
struct World {
    // Dropped in this order: processes before what they stand on.
    of_a: [Running; 2],
    _b: Running,
    _balancer: Balancer,
    _postgres: Postgres,
    chats: [Port; 2],
    _scratches: [Scratch; 2],
}

impl World {
    #[track_caller]
    fn start() -> Self {
        let postgres = Postgres::start();
        let scratches = [Scratch::new("a"), Scratch::new("b")];
        let domains = ["a.example", "b.example"];
        let chats = [Port::claim(), Port::claim()];
        let front = Port::claim();
        for (domain, scratch) in domains.iter().zip(&scratches) {
            Launch::new(drawbridge(), scratch.path()).args(["init", domain]).run();
        }
        let doors = [Port::claim(), Port::claim(), Port::claim()];
        let url = postgres.url();
        let store = || Some(format!("postgres = \"{url}\""));
        let reached = [front.address(), doors[2].address()];
        for at in [0, 1] {
            let roots = scratches[1 - at].join("keys/provider-root.pem").display().to_string();
            let connect = reached[1 - at].to_string();
            let args = ["peer", "add", domains[1 - at], &roots, "--connect", &connect];
            Launch::new(drawbridge(), scratches[at].path()).args(args).run();
        }
        let balancer = Balancer::start(front, vec![doors[0].address(), doors[1].address()]);
        let [first, second, only] = doors;
        let started = |at: usize, name: &str, store: Option<String>, listen: Port| {
            Running::start(
                &scratches[at],
                Plan { name, domain: domains[at], store, listen, public: reached[at], chat: &chats[at] },
            )
        };
        let of_a = [started(0, "a0", store(), first), started(0, "a1", store(), second)];
        let mut b = started(1, "b", None, only);
        b.wait_until_ready();
        let mut world =
            Self { of_a, _b: b, _balancer: balancer, _postgres: postgres, chats, _scratches: scratches };
        world.at_work();
        world
    }

    /// Which process of a.example is at work, as soon as one is.
    #[track_caller]
    fn at_work(&mut self) -> usize {
        let started = Instant::now();
        loop {
            if let Some(found) = self.of_a.iter().position(|process| process.listen.is_answered()) {
                return found;
            }
            assert!(started.elapsed() < PATIENCE, "no process of a.example comes to work");
            std::thread::park_timeout(GLANCE);
        }
    }
}

/// How one process is configured.
struct Plan<'a> {
    name: &'a str,
    domain: &'a str,
    store: Option<String>,
    listen: Port,
    public: SocketAddr,
    chat: &'a Port,
}

impl Running {
    #[track_caller]
    fn start(scratch: &Scratch, plan: Plan<'_>) -> Self {
        let operator = Port::claim();
        let written = std::fs::read_to_string(scratch.join("drawbridge.toml")).unwrap_or_default();
        let public = format!("public_host = \"{}:{}\"", plan.domain, plan.public.port());
        let config = written
            .replace("0.0.0.0:8443", &plan.listen.address().to_string())
            .replace(&format!("public_host = \"{}\"", plan.domain), &public)
            .replace("127.0.0.1:9000", &operator.address().to_string())
            .replace("127.0.0.1:7000", &plan.chat.address().to_string());
        let config = match &plan.store {
            Some(store) => config.replace("sqlite = \"drawbridge.db\"", store),
            None => config,
        };
        let file = format!("{}.toml", plan.name);
        scratch.write(&file, &config);
        let launch = || Launch::new(drawbridge(), scratch.path()).args(["--config", &file]);
        launch().arg("check").run();
        let process = Process::start(plan.name, launch().arg("serve"));
        Self { process, operator, listen: plan.listen }
    }

    #[track_caller]
    fn wait_until_ready(&mut self) {
        let (operator, listen) = (&self.operator, &self.listen);
        self.process.wait_until("it is ready", || operator.is_answered() && listen.is_answered());
    }

    fn times_waited(&self) -> usize {
        self.process.log().matches(WAITS).count()
    }

    #[track_caller]
    fn wait_until_it_waits_again(&mut self, times: usize) {
        let log = self.process.log_path().to_owned();
        let said = || std::fs::read_to_string(&log).is_ok_and(|log| log.matches(WAITS).count() > times);
        self.process.wait_until(WAITS, said);
    }
}

/// What a process says that waits.
const WAITS: &str = "waits for its turn";

/// What one person says to another, while it is said and heard.
struct Talk {
    speaker: Arc<LoopbackClient>,
    room: String,
    listener: Arc<LoopbackClient>,
    /// How the listener's network calls the speaker.
    puppet: String,
    said: AtomicU64,
    heard: AtomicU64,
}

impl Talk {
    fn text(&self, n: u64) -> String {
        format!("{} {n}", self.speaker.user())
    }

    /// Speaks until it is told to stop, then waits until the last word was heard.
    async fn talk(self: Arc<Self>, stopped: Arc<AtomicBool>) {
        while !stopped.load(Ordering::Relaxed) {
            let n = self.said.load(Ordering::Relaxed);
            self.speaker.say(&self.room, &self.text(n)).await.unwrap();
            self.said.store(n + 1, Ordering::Relaxed);
            if n >= WINDOW {
                self.hears(n - WINDOW).await;
            }
            sleep(PACE).await;
        }
        if let Some(last) = self.said.load(Ordering::Relaxed).checked_sub(1) {
            self.hears(last).await;
        }
    }

    async fn hears(&self, n: u64) {
        let text = self.text(n);
        self.listener.hears(|event| event.text.as_deref() == Some(&text)).await.unwrap();
        self.heard.fetch_max(n + 1, Ordering::Relaxed);
    }

    /// Asserts that everything that was said was heard, once, in order, from the right person.
    fn assert_whole(&self) {
        let said: Vec<String> = (0..self.said.load(Ordering::Relaxed)).map(|n| self.text(n)).collect();
        let messages = self.listener.heard().into_iter().filter(|event| event.kind == EventKind::Message);
        let of_speaker = messages.filter(|event| event.from.as_deref() == Some(&*self.puppet));
        let heard: Vec<String> = of_speaker.filter_map(|event| event.text).collect();
        let first_difference = said.iter().zip(&heard).position(|(said, heard)| said != heard);
        assert_eq!(
            (heard.len(), first_difference),
            (said.len(), None),
            "{} → {}",
            self.speaker.user(),
            self.puppet
        );
    }
}

/// Lets each pair open a chat, half of them from either side.
async fn meet(world: &World) -> Vec<Arc<Talk>> {
    let domains = ["a.example", "b.example"];
    let mut talks = Vec::new();
    for pair in 0..PAIRS {
        let names = [format!("alice{pair}"), format!("bob{pair}")];
        let mut people = Vec::new();
        for (at, name) in names.iter().enumerate() {
            let person = loop {
                // Nobody listens until one of the processes keeps the network.
                match LoopbackClient::connect(world.chats[at].address(), name, "test").await {
                    Ok(person) => break person,
                    Err(_) => sleep(GLANCE).await,
                }
            };
            people.push(Arc::new(person));
        }
        let (opens, waits) = (pair % 2, 1 - pair % 2);
        let puppet = |of: usize| format!("{}@{}", names[of], domains[of]);
        let opened = people[opens].open(&puppet(waits)).await.unwrap();
        let found = people[waits].hears(|event| event.kind == EventKind::Opened).await.unwrap().room;
        let rooms = if opens == 0 { [opened, found] } else { [found, opened] };
        for speaker in [0, 1] {
            talks.push(Arc::new(Talk {
                speaker: Arc::clone(&people[speaker]),
                room: rooms[speaker].clone(),
                listener: Arc::clone(&people[1 - speaker]),
                puppet: puppet(speaker),
                said: AtomicU64::new(0),
                heard: AtomicU64::new(0),
            }));
        }
    }
    talks
}

async fn until(what: &str, done: impl Fn() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < PATIENCE, "it did not come: {what}");
        sleep(GLANCE).await;
    }
}

/// Waits until in every direction something was heard that was said after this moment.
async fn until_all_go_on(talks: &[Arc<Talk>], what: &str) {
    let said: Vec<u64> = talks.iter().map(|talk| talk.said.load(Ordering::Relaxed)).collect();
    let goes_on = |(talk, said): (&Arc<Talk>, &u64)| talk.heard.load(Ordering::Relaxed) > said + 1;
    until(what, || talks.iter().zip(&said).all(goes_on)).await;
}

/// How long after a kill its work went on.
#[derive(Debug, PartialEq, Eq)]
struct Takeover {
    /// Until the other process took connections.
    at_work: Duration,
    /// Until in every direction something was heard that was said after the kill: here b.example has tried again, too.
    all_talk: Duration,
}

/// Kills the process at work, so often, this far apart; tells how its work went on each time.
async fn kill_again_and_again(
    world: &mut World,
    talks: &[Arc<Talk>],
    rounds: usize,
    apart: Duration,
) -> Vec<Takeover> {
    let mut takeovers = Vec::new();
    for _ in 0..rounds {
        let started = Instant::now();
        until_all_go_on(talks, "all talk, with a process that waits").await;
        let victim = world.at_work();
        let waited = world.of_a[victim].times_waited();

        world.of_a[victim].process.kill();
        let killed = Instant::now();
        assert_eq!(world.at_work(), 1 - victim, "the other process is at work now");
        let at_work = killed.elapsed();
        until_all_go_on(talks, "all talk, with one process killed").await;
        let all_talk = killed.elapsed();
        eprintln!("killed        at work after {at_work:.2?}, all talk after {all_talk:.2?}");
        takeovers.push(Takeover { at_work, all_talk });

        world.of_a[victim].process.start_again();
        world.of_a[victim].wait_until_it_waits_again(waited);
        sleep(apart.saturating_sub(started.elapsed())).await;
    }
    takeovers
}

async fn talk_while_processes_are_killed(rounds: usize, apart: Duration) -> Vec<Takeover> {
    let mut world = World::start();
    let talks = meet(&world).await;
    let stopped = Arc::new(AtomicBool::new(false));
    let mut talking = JoinSet::new();
    for talk in &talks {
        talking.spawn(Arc::clone(talk).talk(Arc::clone(&stopped)));
    }

    let takeovers = kill_again_and_again(&mut world, &talks, rounds, apart).await;
    stopped.store(true, Ordering::Relaxed);
    talking.join_all().await;

    for talk in &talks {
        talk.assert_whole();
    }
    let said: u64 = talks.iter().map(|talk| talk.said.load(Ordering::Relaxed)).sum();
    let tell = |what: &str, time: fn(&Takeover) -> Duration| {
        let mut times: Vec<Duration> = takeovers.iter().map(time).collect();
        times.sort();
        let (median, longest) = (times[times.len() / 2], times[times.len() - 1]);
        eprintln!("{what:<13} {median:.2?} after a kill at the median, {longest:.2?} at most");
    };
    eprintln!("kills         {rounds}, each of the process at work");
    eprintln!("messages      {said} said, all heard once, in order, from the right person");
    tell("at work", |takeover| takeover.at_work);
    tell("all talk", |takeover| takeover.all_talk);
    takeovers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_doubled_or_reordered_while_the_process_at_work_is_killed() {
    match std::env::var(MINUTES) {
        Err(_) => drop(talk_while_processes_are_killed(3, Duration::ZERO).await),
        Ok(minutes) => {
            let minutes: usize = minutes.parse().unwrap();
            let takeovers = talk_while_processes_are_killed(3 * minutes, Duration::from_secs(20)).await;
            let late = takeovers.iter().find(|takeover| takeover.at_work > TAKEOVER_MAX);
            assert_eq!(late, None);
        }
    }
}
