use serde_json::{Value, json};

use crate::{
    Event, Message, Synapse,
    script::{Script, Told},
    servers::person_script,
};

/// The password of every person: there is nothing to steal on loopback.
const PASSWORD: &str = "correct horse battery staple";

/// A user of a [`Synapse`] at a client of another project (matrix-nio), in a process of its own.
///
/// What is asked of a person is done when the call returns; while the homeserver is away the call waits for it. What a
/// person hears is kept, in order, so that a test can wait for what it needs and then judge all of it.
pub struct Person {
    user: String,
    script: Script<Event>,
}

impl Told for Event {
    fn deaf(reason: String) -> Self {
        Self::Deaf { reason }
    }

    fn is_trouble(&self) -> bool {
        matches!(self, Self::Gap { .. } | Self::Deaf { .. })
    }
}

impl Person {
    /// Makes an account and starts to listen.
    #[track_caller]
    pub fn register(synapse: &Synapse, name: &str) -> Self {
        Self::enter(synapse, name, "register")
    }

    /// Starts to listen as a user that exists, on a new device; hears what is in his rooms from their beginning.
    #[track_caller]
    pub fn login(synapse: &Synapse, name: &str) -> Self {
        Self::enter(synapse, name, "login")
    }

    /// The full user id, `@alice:a.example`.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Opens a direct chat with `user` and returns its room id.
    #[track_caller]
    pub fn create_direct(&self, user: &str) -> String {
        text_of(&self.script.ask("create_direct", json!({ "invite": user })), "room")
    }

    /// Opens a private group with `users` and returns its room id.
    #[track_caller]
    pub fn create_group(&self, name: &str, users: &[&str]) -> String {
        text_of(&self.script.ask("create_group", json!({ "name": name, "invite": users })), "room")
    }

    /// Sends a text and returns the event id.
    #[track_caller]
    pub fn send(&self, room: &str, text: &str) -> String {
        self.send_event(room, "m.room.message", &json!({ "msgtype": "m.text", "body": text }))
    }

    /// Sends a text with mark-up and returns the event id.
    #[track_caller]
    pub fn send_html(&self, room: &str, text: &str, html: &str) -> String {
        let content = json!({
            "msgtype": "m.text", "body": text, "format": "org.matrix.custom.html", "formatted_body": html,
        });
        self.send_event(room, "m.room.message", &content)
    }

    /// Sends any event (a reply, an edit, a reaction) and returns its id.
    #[track_caller]
    pub fn send_event(&self, room: &str, kind: &str, content: &Value) -> String {
        let sent = self.script.ask("send_event", json!({ "room": room, "kind": kind, "content": content }));
        text_of(&sent, "event_id")
    }

    /// Takes an event back and returns the id of the redaction.
    #[track_caller]
    pub fn redact(&self, room: &str, event_id: &str) -> String {
        text_of(&self.script.ask("redact", json!({ "room": room, "event_id": event_id })), "event_id")
    }

    /// Whether to join every room this person is invited to; so it is from the start.
    #[track_caller]
    pub fn join_when_invited(&self, yes: bool) {
        self.script.ask("join_when_invited", json!({ "yes": yes }));
    }

    /// Joins a room.
    #[track_caller]
    pub fn join(&self, room: &str) {
        self.script.ask("join", json!({ "room": room }));
    }

    /// Leaves a room, or declines the invitation to it.
    #[track_caller]
    pub fn leave(&self, room: &str) {
        self.script.ask("leave", json!({ "room": room }));
    }

    /// Invites `user` to a room.
    #[track_caller]
    pub fn invite(&self, room: &str, user: &str) {
        self.script.ask("invite", json!({ "room": room, "user": user }));
    }

    /// Removes `user` from a room.
    #[track_caller]
    pub fn kick(&self, room: &str, user: &str) {
        self.script.ask("kick", json!({ "room": room, "user": user }));
    }

    /// Removes `user` from a room for good.
    #[track_caller]
    pub fn ban(&self, room: &str, user: &str) {
        self.script.ask("ban", json!({ "room": room, "user": user }));
    }

    /// Changes what a room says of itself: its name, its topic, its power levels.
    #[track_caller]
    pub fn put_state(&self, room: &str, kind: &str, content: &Value) {
        self.script.ask("put_state", json!({ "room": room, "kind": kind, "content": content }));
    }

    /// Has read what there is up to an event.
    #[track_caller]
    pub fn read(&self, room: &str, event_id: &str) {
        self.script.ask("read", json!({ "room": room, "event_id": event_id }));
    }

    /// The display name of `user`, as the homeserver tells it.
    #[track_caller]
    pub fn displayname(&self, user: &str) -> Option<String> {
        self.script.ask("displayname", json!({ "user": user }))["displayname"].as_str().map(str::to_owned)
    }

    /// Who has joined a room, sorted.
    #[track_caller]
    pub fn members(&self, room: &str) -> Vec<String> {
        let answer = self.script.ask("members", json!({ "room": room }));
        let members = answer["members"].as_array().map(Vec::as_slice).unwrap_or_default();
        members.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// Everything heard so far, in order.
    #[track_caller]
    pub fn events(&self) -> Vec<Event> {
        self.script.events()
    }

    /// The messages heard so far in a room, in order, this person's own ones too.
    #[track_caller]
    pub fn messages(&self, room: &str) -> Vec<Message> {
        messages_in(&self.script.events(), room)
    }

    /// Waits until at least `count` messages were heard in a room, and returns all of them.
    #[track_caller]
    pub fn wait_for_messages(&self, room: &str, count: usize) -> Vec<Message> {
        self.wait_for(&format!("{count} messages in {room}"), |events| {
            let messages = messages_in(events, room);
            (messages.len() >= count).then_some(messages)
        })
    }

    /// Waits for the first message with this body in a room: what was sent after it cannot come before it.
    #[track_caller]
    pub fn wait_for_message(&self, room: &str, body: &str) -> Message {
        self.wait_for(&format!("{body:?} in {room}"), |events| {
            messages_in(events, room).into_iter().find(|message| message.body == body)
        })
    }

    /// Waits for an invitation by `inviter` and returns the room.
    #[track_caller]
    pub fn wait_for_invitation(&self, inviter: &str) -> String {
        self.wait_for(&format!("an invitation by {inviter}"), |events| {
            events.iter().find_map(|event| match event {
                Event::Invited { room, by, .. } if by == inviter => Some(room.clone()),
                _ => None,
            })
        })
    }

    /// Waits until `user` is heard to be `membership` (`join`, `leave`, …) in a room.
    #[track_caller]
    pub fn wait_for_member(&self, room: &str, user: &str, membership: &str) {
        self.wait_for(&format!("{user} to {membership} {room}"), |events| {
            events.iter().find_map(|event| match event {
                Event::Membership { room: place, user: whose, membership: state, .. } => {
                    (place == room && whose == user && state == membership).then_some(())
                }
                _ => None,
            })
        });
    }

    /// Waits until `found` finds what it looks for among everything heard.
    #[track_caller]
    pub fn wait_for<T>(&self, what: &str, found: impl Fn(&[Event]) -> Option<T>) -> T {
        self.script.wait_for(what, found)
    }

    #[track_caller]
    fn enter(synapse: &Synapse, name: &str, how: &str) -> Self {
        let script = Script::start(name, &person_script("person.py"), &[&synapse.url()]);
        let user = text_of(&script.ask(how, json!({ "name": name, "password": PASSWORD })), "user");
        Self { user, script }
    }
}

fn messages_in(events: &[Event], place: &str) -> Vec<Message> {
    let messages = events.iter().filter_map(|event| match event {
        Event::Message(message) if message.room == place => Some(message.clone()),
        _ => None,
    });
    messages.collect()
}

#[track_caller]
fn text_of(answer: &Value, field: &str) -> String {
    answer[field].as_str().unwrap_or_else(|| panic!("no {field} in {answer}")).to_owned()
}
