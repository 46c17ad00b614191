use serde::Deserialize;
use serde_json::json;

use crate::{
    XmppServer,
    script::{Script, Told},
    servers::person_script,
};

/// A user of an [`XmppServer`] at a client of another project (slixmpp), in a process of its own.
///
/// What is asked of a person is done when the call returns; while the server or the gateway is away the call waits for
/// it. What a person hears is kept, in order.
pub struct XmppPerson {
    user: String,
    script: Script<XmppEvent>,
}

/// What an XMPP person hears, in the order in which the server told it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum XmppEvent {
    /// Somebody said something, for the first time under this id.
    Message(XmppMessage),
    /// Somebody said something under an id that he had used before: no client shows it again.
    Repeated(XmppMessage),
    /// A presence, or something about a subscription.
    Presence {
        /// The bare address it comes from.
        from: String,
        /// The name in it, else the resource it comes from.
        nick: String,
        /// `available`, `subscribe`, `subscribed`, …
        kind: String,
    },
    /// What this person said was received.
    Receipt {
        /// By whom.
        from: String,
        /// The id of what was said.
        id: String,
    },
    /// What this person said was seen.
    Displayed {
        /// By whom.
        from: String,
        /// The id of what was said.
        id: String,
    },
    /// What this person said came back.
    Error {
        /// From whom.
        from: String,
        /// The id of what was said.
        id: String,
        /// The kind of error.
        condition: String,
        /// What it says.
        text: String,
    },
    /// Somebody wants this person in a room.
    Invited {
        /// The room.
        room: String,
    },
    /// What this person is to a room.
    Affiliated {
        /// The room.
        room: String,
        /// `owner`, `admin`, `member`, …
        affiliation: String,
    },
    /// Somebody does not come into a room.
    Declined {
        /// The room.
        room: String,
        /// Why.
        reason: String,
    },
    /// What a room is about.
    Subject {
        /// The room.
        room: String,
        /// Its subject now.
        subject: String,
    },
    /// The person can hear no more.
    Deaf {
        /// Why.
        reason: String,
    },
}

/// One message with a text.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct XmppMessage {
    /// The bare address it comes from.
    pub from: String,
    /// The resource it comes from: the nick, in a room.
    pub nick: String,
    /// Its id.
    pub id: String,
    /// The text.
    pub body: String,
    /// `chat`, `groupchat`, …
    pub kind: String,
}

impl Told for XmppEvent {
    fn deaf(reason: String) -> Self {
        Self::Deaf { reason }
    }

    fn is_trouble(&self) -> bool {
        matches!(self, Self::Deaf { .. })
    }
}

impl XmppPerson {
    /// Makes an account and is there.
    #[track_caller]
    pub fn register(server: &XmppServer, name: &str) -> Self {
        let user = format!("{name}@{}", server.domain());
        let port = server.clients().number().to_string();
        let script = Script::start(name, &person_script("xmpp_person.py"), &[&user, &port]);
        script.ask("register", json!({}));
        Self { user, script }
    }

    /// The bare address.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Says something, again and again until there is a receipt; returns the message's id.
    #[track_caller]
    pub fn say(&self, to: &str, text: &str) -> String {
        let said = self.script.ask("say", json!({ "to": to, "text": text }));
        said["id"].as_str().unwrap_or_default().to_owned()
    }

    /// Says something; the error, if it comes back.
    #[track_caller]
    pub fn try_say(&self, to: &str, text: &str) -> Result<(), String> {
        self.script.try_ask("say", json!({ "to": to, "text": text })).map(drop)
    }

    /// Sends a message once, under an id, and waits for nothing.
    #[track_caller]
    pub fn send_once(&self, to: &str, text: &str, id: &str) {
        self.script.ask("send_once", json!({ "to": to, "text": text, "message_id": id }));
    }

    /// Sends a stanza as it is written here.
    #[track_caller]
    pub fn send_raw(&self, xml: &str) {
        self.script.ask("send_raw", json!({ "xml": xml }));
    }

    /// Sends a presence: `subscribe`, `unsubscribe`, …
    #[track_caller]
    pub fn presence(&self, to: &str, kind: &str) {
        self.script.ask("presence", json!({ "to": to, "kind": kind }));
    }

    /// Whether to grant the subscriptions that are asked for; so it is from the start.
    #[track_caller]
    pub fn accept_requests(&self, yes: bool) {
        self.script.ask("accept_requests", json!({ "yes": yes }));
    }

    /// Shows that a message was seen.
    #[track_caller]
    pub fn displayed(&self, to: &str, id: &str) {
        self.script.ask("displayed", json!({ "to": to, "message_id": id }));
    }

    /// Makes a room under a nick, with these settings.
    #[track_caller]
    pub fn open_room(&self, room: &str, nick: &str, settings: &serde_json::Value) {
        self.script.ask("open_room", json!({ "room": room, "nick": nick, "settings": settings }));
    }

    /// Says something in a room, once.
    #[track_caller]
    pub fn say_in_room(&self, room: &str, text: &str) {
        self.script.ask("send_once", json!({ "to": room, "text": text, "kind": "groupchat" }));
    }

    /// Says something in a room, again and again until the room has said it back; returns the message's id.
    #[track_caller]
    pub fn say_in_room_surely(&self, room: &str, text: &str) -> String {
        let said = self.script.ask("say_in_room", json!({ "room": room, "text": text }));
        said["id"].as_str().unwrap_or_default().to_owned()
    }

    /// Comes into a room, under his own name.
    #[track_caller]
    pub fn join_room(&self, room: &str) {
        let nick = self.user.split('@').next().unwrap_or_default();
        self.script.ask("join_room", json!({ "room": room, "nick": nick }));
    }

    /// Leaves a room.
    #[track_caller]
    pub fn leave_room(&self, room: &str) {
        self.script.ask("leave_room", json!({ "room": room }));
    }

    /// Invites somebody into a room.
    #[track_caller]
    pub fn invite(&self, room: &str, user: &str) {
        self.script.ask("invite", json!({ "room": room, "user": user }));
    }

    /// Invites somebody into a room, not through the room.
    #[track_caller]
    pub fn invite_directly(&self, room: &str, user: &str) {
        self.script.ask("invite_directly", json!({ "room": room, "user": user }));
    }

    /// Gives a room another subject.
    #[track_caller]
    pub fn set_subject(&self, room: &str, subject: &str) {
        self.script.ask("set_subject", json!({ "room": room, "subject": subject }));
    }

    /// Gives somebody an affiliation to a room.
    #[track_caller]
    pub fn affiliate(&self, room: &str, user: &str, affiliation: &str) {
        self.script.ask("affiliate", json!({ "room": room, "user": user, "affiliation": affiliation }));
    }

    /// The name on somebody's card.
    #[track_caller]
    pub fn name_of(&self, user: &str) -> String {
        self.script.ask("name_of", json!({ "user": user }))["name"].as_str().unwrap_or_default().to_owned()
    }

    /// What somebody's client, or a server, can do.
    #[track_caller]
    pub fn features(&self, user: &str) -> Vec<String> {
        let answer = self.script.ask("features", json!({ "user": user }));
        let features = answer["features"].as_array().map(Vec::as_slice).unwrap_or_default();
        features.iter().filter_map(|feature| feature.as_str().map(str::to_owned)).collect()
    }

    /// Everything heard so far, in order.
    #[track_caller]
    pub fn events(&self) -> Vec<XmppEvent> {
        self.script.events()
    }

    /// The texts heard so far from an address, in order, each once.
    #[track_caller]
    pub fn heard(&self, from: &str) -> Vec<String> {
        texts(&self.script.events(), from)
    }

    /// Waits for a text from an address; returns all that was heard from there so far.
    #[track_caller]
    pub fn wait_for_text(&self, from: &str, text: &str) -> Vec<String> {
        self.wait_for(&format!("{text:?} from {from}"), |events| {
            let texts = texts(events, from);
            texts.iter().any(|heard| heard == text).then_some(texts)
        })
    }

    /// Waits for so many texts from an address.
    #[track_caller]
    pub fn wait_for_texts(&self, from: &str, count: usize) -> Vec<String> {
        self.wait_for(&format!("{count} texts from {from}"), |events| {
            let texts = texts(events, from);
            (texts.len() >= count).then_some(texts)
        })
    }

    /// Waits for a presence of this kind, and returns the name in it.
    #[track_caller]
    pub fn wait_for_presence(&self, wanted_from: &str, wanted_kind: &str) -> String {
        self.wait_for(&format!("{wanted_kind} from {wanted_from}"), |events| {
            events.iter().find_map(|event| match event {
                XmppEvent::Presence { from, nick, kind } if from == wanted_from && kind == wanted_kind => {
                    Some(nick.clone())
                }
                _ => None,
            })
        })
    }

    /// Waits until this person has an affiliation to a room.
    #[track_caller]
    pub fn wait_for_affiliation(&self, room: &str, affiliation: &str) {
        let wanted = XmppEvent::Affiliated { room: room.to_owned(), affiliation: affiliation.to_owned() };
        self.wait_for(&format!("to be {affiliation} of {room}"), |events| {
            events.contains(&wanted).then_some(())
        });
    }

    /// Waits until `found` finds what it looks for among everything heard.
    #[track_caller]
    pub fn wait_for<T>(&self, what: &str, found: impl Fn(&[XmppEvent]) -> Option<T>) -> T {
        self.script.wait_for(what, found)
    }
}

fn texts(events: &[XmppEvent], wanted: &str) -> Vec<String> {
    let texts = events.iter().filter_map(|event| match event {
        XmppEvent::Message(message) if message.from == wanted => Some(message.body.clone()),
        _ => None,
    });
    texts.collect()
}
