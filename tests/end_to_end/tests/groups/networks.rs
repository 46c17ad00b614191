//! Two people on a Matrix homeserver at a.example, two on an XMPP server at b.example, two on a loopback network at
//! c.example; and Dora at d.example, who says nothing: all that she hears is from elsewhere, so it is in the hub's order.

use std::thread;
use std::time::Instant;

use end_to_end::{Person, Synapse, SynapsePlan, XmppEvent, XmppPerson, XmppServer, XmppSoftware};
use serde_json::json;
use tokio::runtime::Handle;

use super::loopback::{PATIENCE, hears, said};
use super::*;

/// How often each of the six says something. `DRAWBRIDGE_GROUP_MESSAGES` asks for more; the record is made with 500.
const MESSAGES: usize = 40;

/// How often it is looked whether there is more to hear.
const GLANCE: Duration = Duration::from_millis(50);

/// How often the conversation is renamed, and how often somebody goes and comes back, while all of them speak.
const CHANGES: usize = 4;

/// One who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Speaker {
    name: &'static str,
    domain: &'static str,
}

const ALICE: Speaker = Speaker { name: "alice", domain: "a.example" };
const CAROL: Speaker = Speaker { name: "carol", domain: "a.example" };
const BOB: Speaker = Speaker { name: "bob", domain: "b.example" };
const BEN: Speaker = Speaker { name: "ben", domain: "b.example" };
const CLEO: Speaker = Speaker { name: "cleo", domain: "c.example" };
const CARL: Speaker = Speaker { name: "carl", domain: "c.example" };
const SPEAKERS: [Speaker; 6] = [ALICE, CAROL, BOB, BEN, CLEO, CARL];

impl Speaker {
    /// Who he is to the people of a network.
    fn seen_at(self, domain: &str) -> String {
        let Self { name, domain: own } = self;
        match domain {
            "a.example" if own == domain => format!("@{name}:{own}"),
            "a.example" => format!("@_mimi_{name}=40{own}:a.example"),
            _ if own == domain => name.to_owned(),
            "b.example" => format!("{name} ({own})"),
            _ => format!("{name}@{own}"),
        }
    }

    fn text(self, number: usize) -> String {
        format!("{} {number}", self.name)
    }
}

/// Four providers, three servers, and everybody in one conversation.
struct World {
    // Dropped in this order: people, gateways, what they stand on.
    people: People,
    gateways: [Site; 4],
    synapse: Synapse,
    prosody: XmppServer,
    _ports: [Port; 3],
}

struct People {
    alice: Person,
    carol: Person,
    bob: XmppPerson,
    ben: XmppPerson,
    cleo: LoopbackClient,
    carl: LoopbackClient,
    dora: LoopbackClient,
    rooms: Rooms,
}

/// What the conversation is called by each network.
#[derive(Default)]
struct Rooms {
    matrix: String,
    xmpp: String,
    loopback: String,
}

impl World {
    async fn start() -> Self {
        let [homeserver, appservice, chat, quiet] = std::array::from_fn(|_| Port::claim());
        let prosody = XmppServer::start(XmppSoftware::Prosody, "b.example");
        let plans = [
            SitePlan::new("a.example", &network::matrix("a.example", &homeserver, &appservice)),
            SitePlan::new("b.example", &network::xmpp(&prosody)),
            SitePlan::new("c.example", &network::loopback(&chat)),
            SitePlan::new("d.example", &network::loopback(&quiet)),
        ];
        for (n, plan) in plans.iter().enumerate() {
            plans[..n].iter().for_each(|other| SitePlan::introduce(other, plan));
        }
        let plan = SynapsePlan::named("a.example").with_appservice(plans[0].registration());
        let synapse = Synapse::start_on(homeserver, plan);
        let gateways = plans.map(SitePlan::start);
        let at = async |chat: &Port, user| LoopbackClient::connect(chat.address(), user, user).await.unwrap();
        let people = People {
            alice: Person::register(&synapse, "alice"),
            carol: Person::register(&synapse, "carol"),
            bob: XmppPerson::register(&prosody, "bob"),
            ben: XmppPerson::register(&prosody, "ben"),
            cleo: at(&chat, "cleo").await,
            carl: at(&chat, "carl").await,
            dora: at(&quiet, "dora").await,
            rooms: Rooms::default(),
        };
        let mut world = Self { people, gateways, synapse, prosody, _ports: [appservice, chat, quiet] };
        world.people.gather().await;
        world
    }
}

impl People {
    /// Alice opens a room on Matrix and invites one person of each network; these bring in the others.
    async fn gather(&mut self) {
        let Self { alice, carol, bob, ben, cleo, carl, dora, .. } = self;
        let room = alice.create_group("Tea", &[carol.user()]);
        for guest in ["bob=40b", "cleo=40c", "dora=40d"] {
            alice.invite(&room, &format!("@_mimi_{guest}.example:a.example"));
        }
        let invited = |bob: &XmppPerson| {
            bob.wait_for("an invitation", |events| {
                events.iter().find_map(|event| match event {
                    XmppEvent::Invited { room } => Some(room.clone()),
                    _ => None,
                })
            })
        };
        let loopback = hears(cleo, "an invitation", |event| event.kind == EventKind::Opened).await.room;
        hears(dora, "an invitation", |event| event.kind == EventKind::Opened).await;
        let xmpp = invited(bob);
        alice.wait_for_member(&room, &BOB.seen_at("a.example"), "join");
        // Who is to invite others must be more than a member on XMPP.
        let levels = json!({
            "users": { "@_mimi_drawbridge:a.example": 100, BOB.seen_at("a.example"): 50 },
            "users_default": 0, "events_default": 0, "state_default": 50, "invite": 0, "kick": 50, "ban": 50,
        });
        alice.put_state(&room, "m.room.power_levels", &levels);
        bob.wait_for_affiliation(&xmpp, "admin");
        bob.invite(&xmpp, ben.user());
        assert_eq!(invited(ben), xmpp);
        cleo.invite(&loopback, carl.user()).await.unwrap();
        self.rooms = Rooms { matrix: room, xmpp, loopback };
    }

    /// Says something, and returns when it is on the speaker's own network.
    #[track_caller]
    fn say(&self, speaker: Speaker, text: &str, handle: &Handle) {
        let Rooms { matrix, xmpp, loopback } = &self.rooms;
        match speaker {
            ALICE => drop(self.alice.send(matrix, text)),
            CAROL => drop(self.carol.send(matrix, text)),
            BOB => drop(self.bob.say_in_room_surely(xmpp, text)),
            BEN => drop(self.ben.say_in_room_surely(xmpp, text)),
            CLEO => drop(handle.block_on(self.cleo.say(loopback, text)).unwrap()),
            _ => drop(handle.block_on(self.carl.say(loopback, text)).unwrap()),
        }
    }

    /// Somebody goes and comes back, or, if it is Alice, the conversation is called otherwise.
    #[track_caller]
    fn change(&self, speaker: Speaker, number: usize, handle: &Handle) {
        let Rooms { matrix, xmpp, loopback } = &self.rooms;
        match speaker {
            ALICE => {
                self.alice.put_state(matrix, "m.room.name", &json!({ "name": title(number) }));
                self.alice.put_state(matrix, "m.room.topic", &json!({ "topic": title(number) }));
            }
            CAROL => {
                let before = self.seen_to_go(CAROL);
                self.carol.leave(matrix);
                self.wait_until_gone(CAROL, before);
                self.alice.invite(matrix, self.carol.user());
                self.carol.join(matrix);
            }
            BEN => {
                self.ben.leave_room(xmpp);
                self.ben.join_room(xmpp);
            }
            CARL => {
                let before = self.seen_to_go(CARL);
                handle.block_on(self.carl.leave(loopback)).unwrap();
                self.wait_until_gone(CARL, before);
                handle.block_on(self.carl.join(loopback)).unwrap();
            }
            _ => {}
        }
    }

    /// How often Dora has seen somebody go.
    fn seen_to_go(&self, who: Speaker) -> usize {
        let name = who.seen_at("d.example");
        let is_it = |event: &Event| {
            event.kind == EventKind::Left && event.who.as_ref().or(event.from.as_ref()) == Some(&name)
        };
        self.dora.heard().into_iter().filter(is_it).count()
    }

    /// Waits until somebody is gone everywhere: who is back sooner was never away for the others.
    #[track_caller]
    fn wait_until_gone(&self, who: Speaker, before: usize) {
        let is_gone = |_| self.seen_to_go(who) > before;
        self.wait_while_more_comes("d.example", is_gone, &format!("{} is to go", who.name));
    }

    /// Everybody says his messages, all at once.
    fn speak(&self, messages: usize, handle: &Handle) {
        thread::scope(|scope| {
            for speaker in SPEAKERS {
                scope.spawn(move || self.say_all(speaker, messages, handle));
            }
        });
    }

    fn say_all(&self, speaker: Speaker, messages: usize, handle: &Handle) {
        for number in 0..messages {
            if number > 0 && number.is_multiple_of(change_every(messages)) {
                self.change(speaker, number, handle);
            }
            self.say(speaker, &speaker.text(number), handle);
        }
    }

    /// What was heard at a network, by one who never went away: speaker and text, in order.
    fn heard_at(&self, domain: &str) -> Vec<(String, String)> {
        match domain {
            "a.example" => {
                let messages = self.alice.messages(&self.rooms.matrix).into_iter();
                let texts = messages.filter(|message| message.msgtype.as_deref() == Some("m.text"));
                texts.map(|message| (message.sender, message.body)).collect()
            }
            "b.example" => {
                let messages = self.bob.events().into_iter().filter_map(|event| match event {
                    XmppEvent::Message(message)
                        if message.from == self.rooms.xmpp && message.kind == "groupchat" =>
                    {
                        Some((message.nick, message.body))
                    }
                    _ => None,
                });
                messages.collect()
            }
            "c.example" => said(&self.cleo),
            _ => said(&self.dora),
        }
    }

    /// Waits until so many were heard at a network.
    #[track_caller]
    fn wait_for(&self, domain: &str, count: usize) {
        self.wait_while_more_comes(domain, |heard| heard >= count, &format!("{count} messages"));
    }

    /// Waits for something, with so many messages heard at a network, for as long as there are more from time to time.
    #[track_caller]
    fn wait_while_more_comes(&self, domain: &str, until: impl Fn(usize) -> bool, what: &str) {
        let (mut heard, mut since) = (0, Instant::now());
        loop {
            let now = self.heard_at(domain).len();
            if until(now) {
                return;
            }
            if now > heard {
                (heard, since) = (now, Instant::now());
            }
            assert!(
                since.elapsed() < PATIENCE,
                "{what}: at {domain} no more than {heard} messages were heard"
            );
            thread::park_timeout(GLANCE);
        }
    }

    /// Waits until everybody has heard all, and holds what they heard against the hub's order.
    fn judge(&self, messages: usize) {
        let all = SPEAKERS.len() * messages;
        // Cleo is not told what she said herself.
        for (domain, count) in
            [("d.example", all), ("c.example", all - messages), ("b.example", all), ("a.example", all)]
        {
            self.wait_for(domain, count);
        }
        let order = self.heard_at("d.example");
        for speaker in SPEAKERS {
            let seen = speaker.seen_at("d.example");
            let texts: Vec<&str> =
                order.iter().filter(|(from, _)| *from == seen).map(|(_, text)| text.as_str()).collect();
            let wanted: Vec<String> = (0..messages).map(|number| speaker.text(number)).collect();
            assert_eq!(texts, wanted, "{} as Dora heard her or him", speaker.name);
        }
        assert_eq!(order.len(), SPEAKERS.len() * messages, "nobody else spoke");
        for domain in ["a.example", "b.example", "c.example"] {
            let elsewhere = |from: &str, as_seen: &str| {
                SPEAKERS.into_iter().find(|who| who.domain != domain && who.seen_at(as_seen) == from)
            };
            let heard: Vec<(Speaker, String)> = (self.heard_at(domain).into_iter())
                .filter_map(|(from, text)| Some((elsewhere(&from, domain)?, text)))
                .collect();
            let wanted: Vec<(Speaker, String)> = (order.iter())
                .filter_map(|(from, text)| Some((elsewhere(from, "d.example")?, text.clone())))
                .collect();
            assert_eq!(heard, wanted, "as it was heard at {domain}");
            let everything = self.heard_at(domain).len();
            let unheard = if domain == "c.example" { messages } else { 0 };
            assert_eq!(
                everything + unheard,
                order.len(),
                "at {domain} nobody else spoke, nothing was said twice"
            );
        }
    }

    /// That the last name and the last topic are everywhere.
    async fn are_of_one_title(&self, number: usize) {
        let title = title(number);
        for person in [&self.cleo, &self.dora] {
            for kind in [EventKind::Title, EventKind::Topic] {
                hears(person, &title, |event| event.kind == kind && event.text.as_deref() == Some(&title))
                    .await;
            }
        }
        let subject = XmppEvent::Subject { room: self.rooms.xmpp.clone(), subject: title };
        self.bob.wait_for("the topic", |events| events.contains(&subject).then_some(()));
    }
}

fn title(number: usize) -> String {
    format!("Tea {number}")
}

fn messages() -> usize {
    let asked = std::env::var("DRAWBRIDGE_GROUP_MESSAGES").ok();
    asked.map_or(MESSAGES, |asked| asked.parse().unwrap())
}

fn change_every(messages: usize) -> usize {
    (messages / CHANGES).max(1)
}

fn last_change(messages: usize) -> usize {
    (messages - 1) / change_every(messages) * change_every(messages)
}

#[tokio::test(flavor = "multi_thread")]
async fn six_people_of_three_networks_hear_each_other_once_and_in_the_hubs_order() {
    let (world, handle) = (World::start().await, Handle::current());

    tokio::task::block_in_place(|| {
        world.people.speak(messages(), &handle);
        world.people.judge(messages());
    });

    world.people.are_of_one_title(last_change(messages())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn six_people_of_three_networks_hear_each_other_whatever_gateway_or_server_is_killed() {
    let (mut world, handle) = (World::start().await, Handle::current());

    tokio::task::block_in_place(|| {
        let World { people, gateways, synapse, prosody, .. } = &mut world;
        let all = SPEAKERS.len() * messages();
        thread::scope(|scope| {
            scope.spawn(|| people.speak(messages(), &handle));
            let heard = |tenths: usize| people.wait_for("d.example", all * tenths / 10);
            for (n, gateway) in gateways.iter_mut().enumerate() {
                heard(1 + n);
                gateway.kill_and_start_again();
            }
            heard(5);
            synapse.kill();
            synapse.start_again();
            heard(6);
            prosody.kill();
            prosody.start_again();
            heard(7);
            gateways.iter_mut().for_each(Site::kill);
            gateways.iter_mut().for_each(Site::start_again);
        });
        people.judge(messages());
    });

    world.people.are_of_one_title(last_change(messages())).await;
}
