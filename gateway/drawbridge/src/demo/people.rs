//! Alice at a.example and Bob at b.example, each at a client of the native network.

use std::collections::{HashSet, VecDeque};
use std::io;
use std::time::{Duration, Instant};

use mimi_adapter_loopback::{Event, EventKind, LoopbackClient};
use tokio::time::timeout;

use super::limits::DELIVERY_TIME_MAX;
use super::screen::Screen;
use super::stage::Stage;
use super::{Broke, Speaker};

/// Both of them, and how their conversation went.
pub(super) struct People {
    pub(super) alice: Person,
    pub(super) bob: Person,
    /// How long each message took, the first one with the opening of the room.
    pub(super) latencies: Vec<Duration>,
}

/// One of them.
pub(super) struct Person {
    client: LoopbackClient,
    /// The direct chat, as soon as there is one.
    room: Option<String>,
    /// What was shown of all that the client heard, by operation.
    shown: HashSet<String>,
    /// What was said, in order.
    pub(super) said: Vec<String>,
    /// Since when what was said and not yet heard is under way.
    under_way: VecDeque<Instant>,
}

/// What one of them heard.
pub(super) struct Heard {
    pub(super) listener: Speaker,
    pub(super) event: Event,
    /// How long it was under way, if it is a message.
    pub(super) took: Option<Duration>,
}

impl People {
    /// Both come online.
    pub(super) async fn arrive(stage: &Stage) -> Result<Self, Broke> {
        let alice = Person::arrive(&stage.a, "alice").await?;
        let bob = Person::arrive(&stage.b, "bob").await?;
        Ok(Self { alice, bob, latencies: Vec::new() })
    }

    /// Alice opens the chat; that it is there, the first message shows.
    pub(super) async fn open(&mut self) -> Result<(), Broke> {
        let opened = timeout(DELIVERY_TIME_MAX, self.alice.client.open("bob@b.example")).await;
        let room = opened.map_err(|_| "alice's network did not take the new chat".to_owned())?;
        self.alice.room = Some(room.map_err(|fault| format!("alice cannot open a chat: {fault}"))?);
        Ok(())
    }

    /// One says something, and the other hears exactly that.
    pub(super) async fn exchange(
        &mut self,
        speaker: Speaker,
        text: &str,
        screen: &Screen,
    ) -> Result<(), Silence> {
        let (by, to, listener) = match speaker {
            Speaker::Alice => (&mut self.alice, &mut self.bob, Speaker::Bob),
            Speaker::Bob => (&mut self.bob, &mut self.alice, Speaker::Alice),
        };
        let Some(room) = by.room.clone() else { return Err(Silence::NoChat) };
        screen.said(speaker, text);
        by.said.push(text.to_owned());
        let (started, mut is_stored) = (Instant::now(), false);
        let under_way = async {
            by.client.say(&room, text).await.map_err(Silence::Network)?;
            is_stored = true;
            tokio::select! {
                heard = to.next(EventKind::Message) => heard.map_err(Silence::Network),
                notice = by.next(EventKind::Notice) => {
                    Err(notice.map_or_else(Silence::Network, |notice| Silence::Refused(notice.text.unwrap_or_default())))
                }
            }
        };
        let heard = timeout(DELIVERY_TIME_MAX, under_way).await;
        let heard = heard.map_err(|_| if is_stored { Silence::UnderWay } else { Silence::NotTaken })??;
        let took = started.elapsed();
        to.room = Some(heard.room.clone());
        let heard = heard.text.unwrap_or_default();
        screen.heard(listener, &heard, Some(took));
        if heard != text {
            return Err(Silence::Another(heard));
        }
        self.latencies.push(took);
        Ok(())
    }

    /// Says something without waiting for it to be heard; what was not taken, the client says again.
    pub(super) async fn say(&mut self, speaker: Speaker, text: &str) -> Result<(), Broke> {
        let by = match speaker {
            Speaker::Alice => &mut self.alice,
            Speaker::Bob => &mut self.bob,
        };
        let Some(room) = by.room.clone() else { return Err("there is no chat yet".to_owned()) };
        by.said.push(text.to_owned());
        by.under_way.push_back(Instant::now());
        by.client.say(&room, text).await.map_err(|fault| format!("the network is gone: {fault}"))?;
        Ok(())
    }

    /// Whether everything that was said was heard, and shown.
    pub(super) fn has_heard_all(&self) -> bool {
        self.bob.messages_shown() >= self.alice.said.len()
            && self.alice.messages_shown() >= self.bob.said.len()
    }

    /// The next thing that either of them hears.
    pub(super) async fn next_heard(&mut self) -> io::Result<Heard> {
        let (listener, event) = tokio::select! {
            event = self.alice.next_of_any_kind() => (Speaker::Alice, event?),
            event = self.bob.next_of_any_kind() => (Speaker::Bob, event?),
        };
        let by = match listener {
            Speaker::Alice => &mut self.bob,
            Speaker::Bob => &mut self.alice,
        };
        // Messages arrive in order, so the first that is under way is this one.
        let said = (event.kind == EventKind::Message).then(|| by.under_way.pop_front()).flatten();
        let took = said.map(|said| said.elapsed());
        self.latencies.extend(took);
        Ok(Heard { listener, event, took })
    }
}

impl Person {
    async fn arrive(place: &super::stage::Place, name: &str) -> Result<Self, Broke> {
        let client = LoopbackClient::connect(place.chat, name, "demo").await;
        let client = client
            .map_err(|fault| format!("{name} cannot reach the network of {}: {fault}", place.domain))?;
        Ok(Self { client, room: None, shown: HashSet::new(), said: Vec::new(), under_way: VecDeque::new() })
    }

    /// All messages that were heard, in order.
    pub(super) fn heard(&self) -> Vec<String> {
        let messages = self.client.heard().into_iter().filter(|event| event.kind == EventKind::Message);
        messages.map(|event| event.text.unwrap_or_default()).collect()
    }

    fn messages_shown(&self) -> usize {
        let is_shown = |event: &Event| event.kind == EventKind::Message && self.shown.contains(&event.op);
        self.client.heard().iter().filter(|event| is_shown(event)).count()
    }

    async fn next(&mut self, kind: EventKind) -> io::Result<Event> {
        let event = self.client.hears(|event| event.kind == kind && !self.shown.contains(&event.op)).await?;
        self.shown.insert(event.op.clone());
        Ok(event)
    }

    async fn next_of_any_kind(&mut self) -> io::Result<Event> {
        let event = self.client.hears(|event| !self.shown.contains(&event.op)).await?;
        self.shown.insert(event.op.clone());
        Ok(event)
    }
}

/// Why something said was not heard.
#[derive(Debug, thiserror::Error)]
pub(super) enum Silence {
    #[error("there is no chat between them")]
    NoChat,
    #[error("not within {} s; it is stored at the sender's provider, which keeps trying", DELIVERY_TIME_MAX.as_secs())]
    UnderWay,
    #[error("the sender's own network did not take it within {} s", DELIVERY_TIME_MAX.as_secs())]
    NotTaken,
    #[error("the gateway says: {0}")]
    Refused(String),
    #[error("“{0}” came instead")]
    Another(String),
    #[error("the native network is gone: {0}")]
    Network(io::Error),
}
