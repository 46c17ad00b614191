//! What a seed means: who there is, what they say, what goes wrong and when.

use std::time::Duration;

use crate::dice::Dice;

/// Names of providers; a world has the first few.
pub(crate) const DOMAINS: [&str; 5] = ["a.example", "b.example", "c.example", "d.example", "e.example"];

/// The provider that lies, in worlds that have one.
pub(crate) const LIAR: &str = "liar.example";

/// The world of one seed.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) providers: Vec<ProviderPlan>,
    pub(crate) chats: Vec<ChatPlan>,
    pub(crate) acts: Vec<Act>,
    pub(crate) troubles: Vec<Trouble>,
    /// The longest time that a segment takes.
    pub(crate) latency_max: Duration,
    /// When nothing goes wrong any more.
    pub(crate) calm_at: Duration,
    /// Whether every machine starts anew when all has arrived.
    pub(crate) restarts_at_end: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct ProviderPlan {
    pub(crate) domain: &'static str,
    pub(crate) clock_ahead: Duration,
    pub(crate) disk: DiskPlan,
    pub(crate) native: NativePlan,
}

/// How a disk is.
#[derive(Debug, Clone)]
pub(crate) struct DiskPlan {
    pub(crate) commit_ms_max: u64,
    pub(crate) slow_read_percent: u64,
    pub(crate) read_ms_max: u64,
    pub(crate) failing_percent: u64,
}

/// How a native network is.
#[derive(Debug, Clone)]
pub(crate) struct NativePlan {
    pub(crate) answer_ms_max: u64,
    /// How often it sends again what we took.
    pub(crate) repeats_percent: u64,
    /// How often an operation does not go well at the first try.
    pub(crate) moody_percent: u64,
}

/// Two people who talk: `(provider, name)`.
#[derive(Debug, Clone)]
pub(crate) struct ChatPlan {
    pub(crate) people: [(usize, String); 2],
}

impl ChatPlan {
    fn is_of(&self, people: &[(usize, String); 2]) -> bool {
        people.iter().all(|person| self.people.contains(person))
    }
}

/// Something that somebody does on his native network.
#[derive(Debug, Clone)]
pub(crate) struct Act {
    pub(crate) at: Duration,
    pub(crate) chat: usize,
    pub(crate) side: usize,
    pub(crate) what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// He opens a chat with the other.
    Invite,
    /// He says the next thing, as soon as there is a chat to say it in.
    Say,
}

/// Something that goes wrong for a while.
#[derive(Debug, Clone)]
pub(crate) struct Trouble {
    pub(crate) from: Duration,
    pub(crate) to: Duration,
    pub(crate) kind: TroubleKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TroubleKind {
    /// Nothing passes between two machines.
    Partition(usize, usize),
    /// Nothing passes one way.
    OneWay(usize, usize),
    /// What is under way between two machines waits.
    Hold(usize, usize),
    /// A machine is dead.
    Crash(usize),
    /// A machine dies and starts again at once.
    Bounce(usize),
}

impl Plan {
    /// The world that a seed means.
    pub(crate) fn of(seed: u64) -> Self {
        let mut dice = Dice::new(seed, "plan");
        let count = 3 + dice.below(3);
        let moods = Moods::draw(&mut dice);
        let providers: Vec<_> =
            DOMAINS[..count].iter().map(|domain| provider(domain, &moods, &mut dice)).collect();
        let calm_at = dice.millis(2_000..=6_000);
        let mut chats: Vec<ChatPlan> = Vec::new();
        for _ in 0..2 + dice.below(3) {
            let chat = chat(count, &mut dice);
            if !chats.iter().any(|other| other.is_of(&chat.people)) {
                chats.push(chat);
            }
        }
        let mut acts: Vec<_> = (0..chats.len()).flat_map(|chat| acts(chat, calm_at, &mut dice)).collect();
        acts.sort_by_key(|act| act.at);
        let troubles = (0..dice.within(0..=moods.troubles))
            .map(|_| trouble(count, calm_at, &moods, &mut dice))
            .collect();
        let mut plan = Self {
            seed,
            providers,
            chats,
            acts,
            troubles,
            latency_max: dice.millis(10..=moods.latency_ms_max),
            calm_at,
            restarts_at_end: dice.percent(30),
        };
        let mut dice = Dice::new(seed, "liar");
        if dice.percent(40) {
            plan.add_liar(&mut dice);
        }
        plan
    }

    /// One provider more, with somebody who talks to one or two of the others.
    fn add_liar(&mut self, dice: &mut Dice) {
        let honest = self.providers.len();
        let disk = DiskPlan { commit_ms_max: 3, slow_read_percent: 0, read_ms_max: 1, failing_percent: 0 };
        let native = NativePlan { answer_ms_max: 5, repeats_percent: 0, moody_percent: 0 };
        self.providers.push(ProviderPlan { domain: LIAR, clock_ahead: Duration::ZERO, disk, native });
        for _ in 0..=dice.below(2) {
            let mallory = (honest, "mallory".to_owned());
            let chat = ChatPlan { people: [(dice.below(honest), "ann".to_owned()), mallory] };
            if !self.chats.iter().any(|other| other.is_of(&chat.people)) {
                self.acts.extend(acts(self.chats.len(), self.calm_at, dice));
                self.chats.push(chat);
            }
        }
        self.acts.sort_by_key(|act| act.at);
    }
}

/// What kinds of misfortune a seed knows: each is quite different from the next, so that none always hides another.
struct Moods {
    troubles: u64,
    partitions: bool,
    failing_disks: bool,
    slow_disks: bool,
    /// How often at most a native network misbehaves, in a hundred times.
    moody_percent: u64,
    latency_ms_max: u64,
}

impl Moods {
    fn draw(dice: &mut Dice) -> Self {
        Self {
            troubles: dice.within(0..=6),
            partitions: dice.percent(50),
            failing_disks: dice.percent(30),
            slow_disks: dice.percent(30),
            moody_percent: if dice.percent(50) { 40 } else { 0 },
            latency_ms_max: [20, 60, 300][dice.below(3)],
        }
    }
}

fn provider(domain: &'static str, moods: &Moods, dice: &mut Dice) -> ProviderPlan {
    let pick = |is: bool, yes: u64, no: u64| if is { yes } else { no };
    ProviderPlan {
        domain,
        clock_ahead: dice.millis(0..=2_000),
        disk: DiskPlan {
            commit_ms_max: pick(moods.slow_disks, dice.within(5..=40), 3),
            slow_read_percent: pick(moods.slow_disks, 20, 3),
            read_ms_max: 5,
            failing_percent: pick(moods.failing_disks && dice.percent(50), dice.within(1..=15), 0),
        },
        native: NativePlan {
            answer_ms_max: pick(moods.moody_percent > 0, dice.within(5..=80), 5),
            repeats_percent: pick(moods.moody_percent > 0, dice.within(0..=moods.moody_percent), 5),
            moody_percent: pick(moods.moody_percent > 0, dice.within(0..=moods.moody_percent), 0),
        },
    }
}

fn chat(providers: usize, dice: &mut Dice) -> ChatPlan {
    let one = dice.below(providers);
    let other = (one + 1 + dice.below(providers - 1)) % providers;
    let mut person = |provider| (provider, ["ann", "bob", "cleo"][dice.below(3)].to_owned());
    ChatPlan { people: [person(one), person(other)] }
}

/// One of the two opens the chat, or both do; both talk.
fn acts(chat: usize, calm_at: Duration, dice: &mut Dice) -> Vec<Act> {
    let busy = u64::try_from(calm_at.as_millis()).unwrap_or(0);
    let openers: &[usize] = [&[0][..], &[1], &[0, 1]][dice.below(3)];
    let mut acts: Vec<Act> = openers
        .iter()
        .map(|side| Act { at: dice.millis(0..=busy / 3), chat, side: *side, what: What::Invite })
        .collect();
    for side in [0, 1] {
        for _ in 0..dice.within(1..=5) {
            acts.push(Act { at: dice.millis(0..=busy), chat, side, what: What::Say });
        }
    }
    acts
}

fn trouble(providers: usize, calm_at: Duration, moods: &Moods, dice: &mut Dice) -> Trouble {
    let busy = u64::try_from(calm_at.as_millis()).unwrap_or(0);
    let from = dice.millis(0..=busy);
    let to = (from + dice.millis(50..=3_000)).min(calm_at);
    let one = dice.below(providers);
    let other = (one + 1 + dice.below(providers - 1)) % providers;
    let kind = match dice.below(if moods.partitions { 5 } else { 3 }) {
        0 => TroubleKind::Crash(one),
        1 => TroubleKind::Bounce(one),
        2 => TroubleKind::Hold(one, other),
        3 => TroubleKind::Partition(one, other),
        _ => TroubleKind::OneWay(one, other),
    };
    Trouble { from, to, kind }
}
