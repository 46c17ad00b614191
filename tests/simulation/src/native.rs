//! A native network with its people: what they say, what they are shown, and the adapter that stands between.
//!
//! The network is no part of a machine and survives its crashes, as a chat server would. It sends what its people do
//! until it was taken, and sometimes once more; it does each operation once, by its id, and sometimes says that it is not sure.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use mimi_adapter::naming::Namespace;
use mimi_adapter::{
    Adapter, Addresses, Capabilities, Delivery, Feature, Guarantee, Guarantees, Host, Ingest, Manifest,
    NativeBody, NativeEvent, NativeRoomId, NativeUserId, OpId, OpenFault, Operation, Outcome, RefusedCode,
    Session, Speaker,
};
use mimi_adapter_loopback::LoopbackNames;
use mimi_content::NestedPart;
use mimi_uri::UserUri;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::clock::started;
use crate::dice::Dice;
use crate::mutant::Mutant;
use crate::plan::NativePlan;
use crate::trace::Trace;

/// A native network. Clones are the same one.
#[derive(Clone)]
pub(crate) struct Native(Arc<Inner>);

struct Inner {
    name: &'static str,
    names: LoopbackNames,
    trace: Trace,
    state: Mutex<State>,
    news: Notify,
}

struct State {
    plan: NativePlan,
    dice: Dice,
    mutant: Option<Mutant>,
    rooms: Vec<Room>,
    outgoing: VecDeque<NativeEvent>,
    waiting: Vec<(NativeUserId, UserUri, String)>,
    said: Vec<Said>,
    shown: Vec<Shown>,
    notices: Vec<(Option<UserUri>, String)>,
    done: BTreeMap<OpId, Outcome>,
    events: u64,
}

struct Room {
    id: NativeRoomId,
    user: NativeUserId,
    with: UserUri,
}

/// Something that a person said.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) by: NativeUserId,
    pub(crate) to: UserUri,
    pub(crate) text: String,
    /// Whether the gateway has taken it.
    pub(crate) is_taken: bool,
    event: String,
}

/// Something that a person was shown.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    pub(crate) to: NativeUserId,
    pub(crate) by: Option<UserUri>,
    pub(crate) text: String,
}

impl Native {
    pub(crate) fn new(
        name: &'static str,
        plan: NativePlan,
        dice: Dice,
        (trace, mutant): (Trace, Option<Mutant>),
    ) -> Self {
        let state = State {
            plan,
            dice,
            mutant,
            rooms: vec![],
            outgoing: VecDeque::new(),
            waiting: vec![],
            said: vec![],
            shown: vec![],
            notices: vec![],
            done: BTreeMap::new(),
            events: 0,
        };
        let names = LoopbackNames::new(Namespace::Primary);
        Self(Arc::new(Inner { name, names, trace, state: Mutex::new(state), news: Notify::new() }))
    }

    /// Somebody opens a chat with a puppet.
    pub(crate) fn invite(&self, user: &NativeUserId, with: &UserUri) {
        let mut state = self.state();
        let Ok(puppet) = self.0.names.puppet(with) else { return };
        let room = state.room(user, with);
        self.0.trace.note(self.0.name, &format_args!("{user} invites {with}"));
        state.send(&room, user, NativeBody::DirectInvite { puppet });
        state.say_what_waits();
        drop(state);
        self.0.news.notify_one();
    }

    /// Somebody says something to a puppet, as soon as they have a chat.
    pub(crate) fn say(&self, user: &NativeUserId, to: &UserUri, text: &str) {
        let mut state = self.state();
        self.0.trace.note(self.0.name, &format_args!("{user} says {text}"));
        state.waiting.push((user.clone(), to.clone(), text.to_owned()));
        state.say_what_waits();
        drop(state);
        self.0.news.notify_one();
    }

    pub(crate) fn said(&self) -> Vec<Said> {
        self.state().said.clone()
    }

    pub(crate) fn shown(&self) -> Vec<Shown> {
        self.state().shown.clone()
    }

    /// What people were told in their chats, each with whom the chat is.
    pub(crate) fn notices(&self) -> Vec<(Option<UserUri>, String)> {
        self.state().notices.clone()
    }

    /// What people would have said, had they had a chat to say it in.
    pub(crate) fn unsaid(&self) -> Vec<(UserUri, String)> {
        self.state().waiting.iter().map(|(_, to, text)| (to.clone(), text.clone())).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands over what people do, in order, until it is taken.
    async fn pump(self, host: Arc<dyn Host>) {
        loop {
            let (batch, pause) = {
                let mut state = self.state();
                let count = state.dice.below(3) + 1;
                let batch: Vec<_> = state.outgoing.iter().take(count).cloned().collect();
                let most = state.plan.answer_ms_max;
                (batch, state.dice.millis(1..=most))
            };
            if batch.is_empty() {
                self.0.news.notified().await;
                continue;
            }
            tokio::time::sleep(pause).await;
            let count = batch.len();
            if host.ingest(Ingest { events: batch }).await.is_err() {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
            self.state().taken(count);
            self.0.trace.note(self.0.name, &format_args!("took {count}"));
        }
    }

    /// Does an operation once, however often it is asked for.
    fn apply(&self, delivery: &Delivery) -> Outcome {
        let mut state = self.state();
        if let Some(before) = state.done.get(&delivery.op_id) {
            return before.clone();
        }
        let outcome = state.act(delivery);
        state.done.insert(delivery.op_id.clone(), outcome.clone());
        drop(state);
        self.0.news.notify_one();
        outcome
    }
}

impl State {
    /// The newest chat of the two, or a new one.
    fn room(&mut self, user: &NativeUserId, with: &UserUri) -> NativeRoomId {
        let id = NativeRoomId::from(format!("r{}-{user}+{with}", self.rooms.len()));
        self.rooms.push(Room { id: id.clone(), user: user.clone(), with: with.clone() });
        id
    }

    fn send(&mut self, room: &NativeRoomId, from: &NativeUserId, body: NativeBody) -> String {
        self.events += 1;
        let id = format!("e{}", self.events);
        let passed = turmoil::sim_elapsed().unwrap_or_default();
        self.outgoing.push_back(NativeEvent {
            lane: room.clone(),
            id: id.as_str().into(),
            nonce: None,
            from: from.clone(),
            display_name: None,
            at_ms: started().plus(passed).0,
            body,
        });
        id
    }

    fn say_what_waits(&mut self) {
        for (user, to, text) in std::mem::take(&mut self.waiting) {
            let room = self.rooms.iter().find(|room| room.user == user && room.with == to);
            let Some(room) = room.map(|room| room.id.clone()) else {
                self.waiting.push((user, to, text));
                continue;
            };
            let event = self.send(&room, &user, NativeBody::Post(NestedPart::plain(text.as_str())));
            self.said.push(Said { by: user, to, text, is_taken: false, event });
        }
    }

    /// The gateway took so many; sometimes nobody hears of it, and they are sent again.
    fn taken(&mut self, count: usize) {
        for event in self.outgoing.iter().take(count) {
            let said = self.said.iter_mut().filter(|said| said.event == event.id.as_str());
            said.for_each(|said| said.is_taken = true);
        }
        if !self.dice.percent(self.plan.repeats_percent) {
            self.outgoing.drain(..count);
        }
    }

    fn act(&mut self, delivery: &Delivery) -> Outcome {
        let speaker = match &delivery.speaker {
            Speaker::Puppet(user) => Some(user.clone()),
            Speaker::Service => None,
        };
        match &delivery.operation {
            Operation::OpenDirect { puppet, with } => {
                let room = self.room(with, puppet);
                self.say_what_waits();
                Outcome::done_in(room)
            }
            Operation::Post(prepared) => {
                let room = self.rooms.iter().find(|room| Some(&room.id) == delivery.room.as_ref());
                let Some(room) = room else {
                    return Outcome::refused(RefusedCode::UnknownRoom, "no such chat");
                };
                let shown = Shown { to: room.user.clone(), by: speaker, text: prepared.plain.clone() };
                self.show(shown);
                self.events += 1;
                Outcome::done_as(format!("p{}", self.events).into())
            }
            Operation::Notice(text) => {
                let room = self.rooms.iter().find(|room| Some(&room.id) == delivery.room.as_ref());
                self.notices.push((room.map(|room| room.with.clone()), text.clone()));
                Outcome::done()
            }
            _ => Outcome::done(),
        }
    }

    fn show(&mut self, shown: Shown) {
        match self.mutant {
            Some(Mutant::ShowsTwice) => self.shown.push(shown.clone()),
            Some(Mutant::ShowsTheWrongSpeaker) => {
                let by =
                    self.shown.iter().find(|before| before.by != shown.by).map(|before| before.by.clone());
                if let Some(by) = by {
                    self.shown.push(Shown { by, ..shown });
                    self.mutant = None;
                    return;
                }
            }
            Some(Mutant::ShowsOutOfOrder) => {
                let is_same = |before: &Shown| before.to == shown.to && before.by == shown.by;
                if let Some(at) = self.shown.iter().position(is_same) {
                    self.shown.insert(at, shown);
                    self.mutant = None;
                    return;
                }
            }
            Some(Mutant::ForgetsARow | Mutant::SwapsTheLog) | None => {}
        }
        self.shown.push(shown);
    }
}

/// A session of the gateway with the network.
struct Connected {
    native: Native,
    pump: JoinHandle<()>,
}

#[async_trait]
impl Adapter for Native {
    fn manifest(&self) -> Manifest {
        let guarantee = Guarantees { inbound: Guarantee::ExactlyOnce, outbound: Guarantee::ExactlyOnce };
        let features = vec![Feature::OpensDirect];
        let capabilities = Capabilities { media_types: vec!["text/plain"], text_bytes_max: 4000, features };
        Manifest { kind: "simulated", title: "Simulated", guarantee, capabilities }
    }

    fn addresses(&self) -> Arc<dyn Addresses> {
        Arc::new(self.0.names.clone())
    }

    async fn open(&self, host: Arc<dyn Host>) -> Result<Box<dyn Session>, OpenFault> {
        let native = self.clone();
        let pump = tokio::spawn(native.clone().pump(host));
        Ok(Box::new(Connected { native, pump }))
    }
}

#[async_trait]
impl Session for Connected {
    async fn deliver(&self, delivery: Delivery) -> Outcome {
        let (before, after, mood) = {
            let mut state = self.native.state();
            let most = state.plan.answer_ms_max;
            let is_moody = delivery.attempt < 3 && {
                let moody = state.plan.moody_percent;
                state.dice.percent(moody)
            };
            let mood = if is_moody { state.dice.below(3) } else { 3 };
            (state.dice.millis(1..=most), state.dice.millis(1..=most), mood)
        };
        tokio::time::sleep(before).await;
        match mood {
            0 => return Outcome::RetryAfter { wait: after },
            1 => return Outcome::Broken { why: "the network is away".to_owned() },
            _ => {}
        }
        let outcome = self.native.apply(&delivery);
        let (name, trace) = (self.native.0.name, &self.native.0.trace);
        trace.note(name, &format_args!("does {} mood {mood}", delivery.op_id));
        tokio::time::sleep(after).await;
        if mood == 2 { Outcome::Unsure { why: "the answer was lost".to_owned() } } else { outcome }
    }

    async fn close(&self) {
        self.pump.abort();
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.pump.abort();
    }
}
