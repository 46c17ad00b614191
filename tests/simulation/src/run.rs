//! A run: the world of a seed from its first moment until it is at rest, and what must hold then.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use mimi_adapter::NativeUserId;
use mimi_uri::UserUri;
use turmoil::Sim;

use crate::check::{self, Violation, is_honest};
use crate::dice::Dice;
use crate::disk::Disk;
use crate::liar::Liar;
use crate::limits::{REST, REST_DEADLINE, TICK};
use crate::mutant::Mutant;
use crate::native::Native;
use crate::plan::{Act, LIAR, Plan, TroubleKind, What};
use crate::provider::Machine;
use crate::trace::{Trace, digest};

/// How a run ended.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// What did not hold; nothing if all is well.
    pub violations: Vec<Violation>,
    /// All that happened, a line each.
    pub trace: Vec<String>,
    /// Stands for the whole trace.
    pub digest: u64,
    /// How many messages arrived.
    pub messages: usize,
    /// How much simulated time passed.
    pub lasted: Duration,
}

/// All that there is in a run.
pub(crate) struct World {
    pub(crate) machines: Vec<Machine>,
    plan: Plan,
    trace: Trace,
    /// How many things were said so far, over all.
    said: usize,
    /// How many of them were said to honest people by honest people.
    promised: usize,
    /// Which troubles have begun, and which have ended.
    troubled: Vec<(bool, bool)>,
}

/// A person of a chat.
pub(crate) struct Person<'a> {
    pub(crate) uri: UserUri,
    pub(crate) name: NativeUserId,
    machine: &'a Machine,
}

impl Person<'_> {
    pub(crate) fn native(&self) -> &Native {
        &self.machine.native
    }
}

/// Runs a seed.
pub fn run(seed: u64) -> Outcome {
    run_with(seed, None)
}

/// Runs a seed in a world in which something does wrong on purpose.
pub fn run_with(seed: u64, mutant: Option<Mutant>) -> Outcome {
    let trace = Trace::default();
    let mut world = World::new(Plan::of(seed), &trace, mutant);
    let lived = catch_unwind(AssertUnwindSafe(|| world.live()));
    let (mut violations, lasted) = match lived {
        Ok((violations, lasted)) => (violations, lasted),
        Err(_) => (vec![Violation::Broke("it panicked".to_owned())], Duration::ZERO),
    };
    violations.dedup();
    let messages = world.shown();
    let lines = trace.lines();
    Outcome { seed, violations, digest: digest(&lines), trace: lines, messages, lasted }
}

impl World {
    fn new(plan: Plan, trace: &Trace, mutant: Option<Mutant>) -> Self {
        let machines = plan
            .providers
            .iter()
            .map(|provider| Machine {
                liar: (provider.domain == LIAR).then(|| liar(&plan, trace)),
                domain: provider.domain,
                disk: Disk::new(provider.domain, provider.disk.clone(), trace.clone(), mutant),
                native: Native::new(
                    provider.domain,
                    provider.native.clone(),
                    Dice::new(plan.seed, &format!("{} native", provider.domain)),
                    (trace.clone(), mutant),
                ),
                clock_ahead: provider.clock_ahead,
                seed: plan.seed,
                starts: Arc::default(),
            })
            .collect();
        let troubled = vec![(false, false); plan.troubles.len()];
        Self { machines, plan, trace: trace.clone(), said: 0, promised: 0, troubled }
    }

    /// The people, each once.
    pub(crate) fn people(&self) -> impl Iterator<Item = Person<'_>> {
        let mut all: Vec<&(usize, String)> = self.plan.chats.iter().flat_map(|chat| &chat.people).collect();
        all.sort();
        all.dedup();
        all.into_iter().map(|person| self.person(person))
    }

    fn person(&self, (provider, name): &(usize, String)) -> Person<'_> {
        let machine = &self.machines[*provider];
        let uri = UserUri::parse(&format!("mimi://{}/u/{name}", machine.domain)).unwrap();
        Person { uri, name: name.as_str().into(), machine }
    }

    /// From the first moment to the last; what does not hold then, and how long it took.
    fn live(&mut self) -> (Vec<Violation>, Duration) {
        let mut sim = turmoil::Builder::new()
            .rng_seed(self.plan.seed)
            .tick_duration(TICK)
            .simulation_duration(Duration::from_hours(24))
            .min_message_latency(Duration::from_millis(1))
            .max_message_latency(self.plan.latency_max)
            .tcp_capacity(4096)
            .enable_random_order()
            .build();
        for machine in &self.machines {
            let machine = machine.clone();
            sim.host(machine.domain, move || machine.clone().run());
        }
        let ended = self.act_out(&mut sim);
        let mut found: Vec<Violation> = ended.err().into_iter().collect();
        found.extend(now(check::violations(self)));
        (found, sim.elapsed())
    }

    fn act_out(&mut self, sim: &mut Sim<'_>) -> Result<(), Violation> {
        let mut acts = std::mem::take(&mut self.plan.acts).into_iter().peekable();
        while sim.elapsed() < self.plan.calm_at {
            while let Some(act) = acts.next_if(|act| act.at <= sim.elapsed()) {
                self.act(&act);
            }
            self.trouble(sim);
            step(sim)?;
        }
        acts.for_each(|act| self.act(&act));
        self.calm(sim);
        self.come_to_rest(sim)?;
        // Every chat still carries what is said in it, both ways.
        for chat in (0..self.plan.chats.len()).filter(|chat| self.is_honest(*chat)).collect::<Vec<_>>() {
            for side in [0, 1] {
                self.act(&Act { at: sim.elapsed(), chat, side, what: What::Say });
            }
        }
        self.come_to_rest(sim)?;
        if self.plan.restarts_at_end {
            for machine in &self.machines {
                sim.bounce(machine.domain);
            }
        }
        let rested = sim.elapsed() + REST;
        while sim.elapsed() < rested {
            step(sim)?;
        }
        Ok(())
    }

    fn act(&mut self, act: &Act) {
        let people = &self.plan.chats[act.chat].people;
        let (who, whom) = (self.person(&people[act.side]), self.person(&people[1 - act.side]));
        match act.what {
            What::Invite => who.native().invite(&who.name, &whom.uri),
            What::Say => {
                let text = format!("{} {} to {}", self.said, who.uri, whom.uri);
                who.native().say(&who.name, &whom.uri, &text);
                let promised = is_honest(&who.uri) && is_honest(&whom.uri);
                self.said += 1;
                self.promised += usize::from(promised);
            }
        }
    }

    /// Troubles whose time has come begin, or end.
    fn trouble(&mut self, sim: &mut Sim<'_>) {
        for at in 0..self.plan.troubles.len() {
            let trouble = self.plan.troubles[at].clone();
            let (has_begun, has_ended) = self.troubled[at];
            if !has_begun && trouble.from <= sim.elapsed() {
                self.trace.note("trouble", &format_args!("begins {:?}", trouble.kind));
                self.begin(sim, trouble.kind);
                self.troubled[at].0 = true;
            } else if has_begun && !has_ended && trouble.to <= sim.elapsed() {
                self.trace.note("trouble", &format_args!("ends {:?}", trouble.kind));
                self.end(sim, trouble.kind);
                self.troubled[at].1 = true;
            }
        }
    }

    fn begin(&self, sim: &mut Sim<'_>, kind: TroubleKind) {
        let name = |at: usize| self.machines[at].domain;
        match kind {
            TroubleKind::Partition(one, other) => sim.partition(name(one), name(other)),
            TroubleKind::OneWay(one, other) => sim.partition_oneway(name(one), name(other)),
            TroubleKind::Hold(one, other) => sim.hold(name(one), name(other)),
            TroubleKind::Crash(one) => sim.crash(name(one)),
            TroubleKind::Bounce(one) => sim.bounce(name(one)),
        }
    }

    fn end(&self, sim: &mut Sim<'_>, kind: TroubleKind) {
        let name = |at: usize| self.machines[at].domain;
        match kind {
            TroubleKind::Partition(one, other) | TroubleKind::OneWay(one, other) => {
                sim.repair(name(one), name(other));
            }
            TroubleKind::Hold(one, other) => sim.release(name(one), name(other)),
            TroubleKind::Crash(one) if !sim.is_host_running(name(one)) => sim.bounce(name(one)),
            TroubleKind::Crash(_) | TroubleKind::Bounce(_) => {}
        }
    }

    /// From now on nothing goes wrong any more.
    fn calm(&mut self, sim: &mut Sim<'_>) {
        self.trace.note("trouble", &"is over");
        for one in &self.machines {
            one.disk.mend();
            for other in self.machines.iter().filter(|other| other.domain != one.domain) {
                sim.release(one.domain, other.domain);
                sim.repair(one.domain, other.domain);
            }
            if !sim.is_host_running(one.domain) {
                sim.bounce(one.domain);
            }
        }
    }

    /// Waits until everything that was said has been shown as often as it should.
    fn come_to_rest(&mut self, sim: &mut Sim<'_>) -> Result<(), Violation> {
        let deadline = sim.elapsed() + REST_DEADLINE;
        while sim.elapsed() < deadline {
            for _ in 0..10 {
                step(sim)?;
            }
            if self.shown() >= self.promised {
                return Ok(());
            }
        }
        Err(Violation::NotAtRest(format!("{} of {} arrived in time", self.shown(), self.promised)))
    }

    fn shown(&self) -> usize {
        let honest = self.machines.iter().filter(|machine| machine.liar.is_none());
        let shown = honest.flat_map(|machine| machine.native.shown());
        shown.filter(|shown| shown.by.as_ref().is_some_and(is_honest)).count()
    }

    /// Whether a chat is between people whose providers keep their word.
    fn is_honest(&self, chat: usize) -> bool {
        self.plan.chats[chat].people.iter().all(|person| self.machines[person.0].liar.is_none())
    }
}

fn liar(plan: &Plan, trace: &Trace) -> Liar {
    let honest = plan.providers.iter().map(|it| it.domain).filter(|domain| *domain != LIAR).collect();
    Liar::new(Dice::new(plan.seed, "lies"), honest, trace.clone())
}

fn step(sim: &mut Sim<'_>) -> Result<(), Violation> {
    sim.step().map(drop).map_err(|fault| Violation::Broke(fault.to_string()))
}

/// The value of a future that waits for nothing.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => unreachable!("a memory store waits for nothing"),
    }
}
