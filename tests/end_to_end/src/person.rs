use std::{
    collections::HashMap,
    fs::File,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Instant,
};

use serde_json::{Value, json};

use crate::{
    Event, Message, Scratch, Synapse,
    limits::{LOG_LINES_SHOWN, PATIENCE},
    process::last_lines,
    servers::{person_script, test_python},
};

/// The password of every person: there is nothing to steal on loopback.
const PASSWORD: &str = "correct horse battery staple";

/// A user of a [`Synapse`] at a client of another project (matrix-nio), in a process of its own.
///
/// What is asked of a person is done when the call returns; while the homeserver is away the call waits for it. What a
/// person hears is kept, in order, so that a test can wait for what it needs and then judge all of it.
pub struct Person {
    user: String,
    scratch: Scratch,
    child: Child,
    wishes: Mutex<Wishes>,
    heard: Arc<Heard>,
}

/// The way to the script, and the number of the last wish that went there.
struct Wishes {
    stdin: Option<ChildStdin>,
    last: u64,
}

/// What came back, and the bell that rings with each line.
#[derive(Default)]
struct Heard {
    lines: Mutex<Lines>,
    bell: Condvar,
}

#[derive(Default)]
struct Lines {
    events: Vec<Event>,
    answers: HashMap<u64, Result<Value, String>>,
    ended: bool,
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
        text_of(&self.ask("create_direct", json!({ "invite": user })), "room")
    }

    /// Opens a private group with `users` and returns its room id.
    #[track_caller]
    pub fn create_group(&self, name: &str, users: &[&str]) -> String {
        text_of(&self.ask("create_group", json!({ "name": name, "invite": users })), "room")
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
        let sent = self.ask("send_event", json!({ "room": room, "kind": kind, "content": content }));
        text_of(&sent, "event_id")
    }

    /// Takes an event back and returns the id of the redaction.
    #[track_caller]
    pub fn redact(&self, room: &str, event_id: &str) -> String {
        text_of(&self.ask("redact", json!({ "room": room, "event_id": event_id })), "event_id")
    }

    /// Whether to join every room this person is invited to; so it is from the start.
    #[track_caller]
    pub fn join_when_invited(&self, yes: bool) {
        self.ask("join_when_invited", json!({ "yes": yes }));
    }

    /// Joins a room.
    #[track_caller]
    pub fn join(&self, room: &str) {
        self.ask("join", json!({ "room": room }));
    }

    /// Leaves a room, or declines the invitation to it.
    #[track_caller]
    pub fn leave(&self, room: &str) {
        self.ask("leave", json!({ "room": room }));
    }

    /// Invites `user` to a room.
    #[track_caller]
    pub fn invite(&self, room: &str, user: &str) {
        self.ask("invite", json!({ "room": room, "user": user }));
    }

    /// Removes `user` from a room.
    #[track_caller]
    pub fn kick(&self, room: &str, user: &str) {
        self.ask("kick", json!({ "room": room, "user": user }));
    }

    /// The display name of `user`, as the homeserver tells it.
    #[track_caller]
    pub fn displayname(&self, user: &str) -> Option<String> {
        self.ask("displayname", json!({ "user": user }))["displayname"].as_str().map(str::to_owned)
    }

    /// Who has joined a room, sorted.
    #[track_caller]
    pub fn members(&self, room: &str) -> Vec<String> {
        let answer = self.ask("members", json!({ "room": room }));
        let members = answer["members"].as_array().map(Vec::as_slice).unwrap_or_default();
        members.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// Everything heard so far, in order.
    #[track_caller]
    pub fn events(&self) -> Vec<Event> {
        self.hearing().events.clone()
    }

    /// The messages heard so far in a room, in order, this person's own ones too.
    #[track_caller]
    pub fn messages(&self, room: &str) -> Vec<Message> {
        messages_in(&self.hearing().events, room)
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
        let started = Instant::now();
        let mut lines = self.hearing();
        loop {
            if let Some(it) = found(&lines.events) {
                return it;
            }
            lines = self.wait_for_a_line(lines, started, what);
        }
    }
}

impl Person {
    #[track_caller]
    fn enter(synapse: &Synapse, name: &str, how: &str) -> Self {
        let scratch = Scratch::new(name);
        let errors = File::create(scratch.join("person.log"));
        let errors = errors.unwrap_or_else(|error| panic!("a log for {name}: {error}"));
        let mut child = Command::new(test_python())
            .arg(person_script())
            .arg(synapse.url())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let heard = Arc::new(Heard::default());
        if let Some(stdout) = child.stdout.take() {
            let heard = Arc::clone(&heard);
            thread::spawn(move || heard.listen(BufReader::new(stdout)));
        }
        let wishes = Mutex::new(Wishes { stdin: child.stdin.take(), last: 0 });
        let mut person = Self { user: name.to_owned(), scratch, child, wishes, heard };
        person.user = text_of(&person.ask(how, json!({ "name": name, "password": PASSWORD })), "user");
        person
    }

    /// Asks the script to do something and waits for its answer.
    #[track_caller]
    fn ask(&self, what: &str, mut wish: Value) -> Value {
        let id = {
            let mut wishes = self.wishes.lock().unwrap_or_else(PoisonError::into_inner);
            wishes.last += 1;
            wish["id"] = wishes.last.into();
            wish["do"] = what.into();
            let sent = wishes.stdin.as_mut().map(|stdin| writeln!(stdin, "{wish}"));
            assert!(matches!(sent, Some(Ok(()))), "{} cannot be asked to {what}", self.user);
            wishes.last
        };
        let started = Instant::now();
        let mut lines = self.heard.lines();
        loop {
            match lines.answers.remove(&id) {
                Some(Ok(answer)) => return answer,
                Some(Err(error)) => panic!("{} could not {what}: {error}", self.user),
                None => lines = self.wait_for_a_line(lines, started, what),
            }
        }
    }

    #[track_caller]
    fn wait_for_a_line<'a>(
        &'a self,
        lines: MutexGuard<'a, Lines>,
        started: Instant,
        what: &str,
    ) -> MutexGuard<'a, Lines> {
        let left = PATIENCE.saturating_sub(started.elapsed());
        assert!(!lines.ended, "{} has ended, waiting for: {what}", self.user);
        assert!(!left.is_zero(), "{} waited too long for: {what}\n{:#?}", self.user, lines.events);
        let lines = self.heard.bell.wait_timeout(lines, left).unwrap_or_else(PoisonError::into_inner).0;
        self.assert_hearing_well(&lines);
        lines
    }

    /// What was heard, known to be all there was to hear.
    #[track_caller]
    fn hearing(&self) -> MutexGuard<'_, Lines> {
        let lines = self.heard.lines();
        self.assert_hearing_well(&lines);
        lines
    }

    #[track_caller]
    fn assert_hearing_well(&self, lines: &Lines) {
        let trouble = lines.events.iter().find(|e| matches!(e, Event::Gap { .. } | Event::Deaf { .. }));
        assert!(trouble.is_none(), "{} did not hear everything: {trouble:?}", self.user);
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        // Both fail only for a child that has already ended.
        self.child.kill().ok();
        self.child.wait().ok();
        let log = std::fs::read_to_string(self.scratch.join("person.log")).unwrap_or_default();
        if thread::panicking() && !log.is_empty() {
            eprintln!("--- {}\n{}", self.user, last_lines(&log, LOG_LINES_SHOWN));
        }
    }
}

impl Heard {
    /// Nothing panics while the lock is held for writing, so a poisoned lock still guards whole lines.
    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listen(&self, output: impl BufRead) {
        for line in output.lines().map_while(Result::ok) {
            self.lines().take(&line);
            self.bell.notify_all();
        }
        self.lines().ended = true;
        self.bell.notify_all();
    }
}

impl Lines {
    fn take(&mut self, line: &str) {
        let Ok(mut value) = serde_json::from_str::<Value>(line) else {
            self.events.push(Event::Deaf { reason: format!("not a line of ours: {line}") });
            return;
        };
        if let Some(id) = value["answer"].as_u64() {
            let answer = match value["error"].as_str() {
                Some(error) => Err(error.to_owned()),
                None => Ok(value["ok"].take()),
            };
            self.answers.insert(id, answer);
            return;
        }
        let event = serde_json::from_value(value);
        self.events.push(event.unwrap_or_else(|error| Event::Deaf { reason: format!("{error}: {line}") }));
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
