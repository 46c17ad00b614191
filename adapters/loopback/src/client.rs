use std::collections::{HashMap, HashSet};
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::StreamExt;
use mimi_adapter::Role;
use serde_json::{from_str, to_vec};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::AbortHandle;
use tokio_util::codec::{FramedRead, LinesCodec};

use crate::limits::{LINE_BYTES_MAX, LINES_WAITING_MAX, RETRY_WAIT};
use crate::{Event, GroupSaid, Said, Told};

/// A user of the loopback network at a client that does all it should.
///
/// It says again what was not taken, under the same id; acknowledges what it is told; drops what it was told before;
/// and comes back when the network was away. So what is said is said once, and heard once, whatever ends in between.
#[derive(Debug)]
pub struct LoopbackClient {
    user: String,
    /// What starts the id of every line.
    session: String,
    lines_said: AtomicU64,
    lines: mpsc::Sender<Said>,
    memory: Arc<Memory>,
    heard: watch::Receiver<Vec<Event>>,
    line: AbortHandle,
}

/// What outlives a connection.
#[derive(Debug)]
struct Memory {
    /// Who waits for the answer to which line.
    answers: Mutex<HashMap<String, oneshot::Sender<Told>>>,
    known: Mutex<HashSet<String>>,
    heard: watch::Sender<Vec<Event>>,
}

impl LoopbackClient {
    /// Connects and logs in. `session` starts all ids of this client, so it must differ from those of the user's
    /// other ones: then nothing this client says is taken for something that one of them said.
    pub async fn connect(network: SocketAddr, user: &str, session: &str) -> io::Result<Self> {
        let (tell, heard) = watch::channel(Vec::new());
        let memory = Arc::new(Memory { answers: Mutex::default(), known: Mutex::default(), heard: tell });
        let connection = Connection::make(network, user).await?;
        let (lines, waiting) = mpsc::channel(LINES_WAITING_MAX);
        let staying = stay(network, user.to_owned(), connection, waiting, Arc::clone(&memory));
        Ok(Self {
            user: user.to_owned(),
            session: session.to_owned(),
            lines_said: AtomicU64::new(0),
            lines,
            memory,
            heard,
            line: tokio::spawn(staying).abort_handle(),
        })
    }

    /// Who it is.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Opens the direct chat with a puppet, and returns it.
    pub async fn open(&self, puppet: &str) -> io::Result<String> {
        let answer = self.persist(|id| Said::Open { open: puppet.to_owned(), id }).await?;
        answer.ok_or_else(|| io::Error::other("no room"))
    }

    /// Says something, and returns the line's id.
    pub async fn say(&self, room: &str, text: &str) -> io::Result<String> {
        let id = self.next_id();
        let say = |id| Said::Say { say: text.to_owned(), room: room.to_owned(), id };
        self.persist_as(&id, say).await?;
        Ok(id)
    }

    /// Has read an event, and all before it.
    pub async fn read(&self, event: &Event) -> io::Result<()> {
        let read = |id| Said::Read { read: event.op.clone(), room: event.room.clone(), id };
        self.persist(read).await.map(drop)
    }

    /// Does not want to hear a puppet any more.
    pub async fn block(&self, puppet: &str) -> io::Result<()> {
        self.persist(|id| Said::Block { block: puppet.to_owned(), id }).await.map(drop)
    }

    /// Wants to hear a puppet again.
    pub async fn unblock(&self, puppet: &str) -> io::Result<()> {
        self.persist(|id| Said::Unblock { unblock: puppet.to_owned(), id }).await.map(drop)
    }

    /// Makes a conversation of several people, and returns it.
    pub async fn gather(&self, name: &str, people: &[&str]) -> io::Result<String> {
        let people: Vec<String> = people.iter().map(|who| (*who).to_owned()).collect();
        let make = |id| Said::Group(GroupSaid::Make { group: name.to_owned(), people: people.clone(), id });
        self.persist(make).await?.ok_or_else(|| io::Error::other("no room"))
    }

    /// Invites a puppet into a conversation of several people, or brings a user in.
    pub async fn invite(&self, room: &str, whom: &str) -> io::Result<()> {
        let (invite, room) = (whom.to_owned(), room.to_owned());
        self.in_group(|id| GroupSaid::Invite { invite: invite.clone(), room: room.clone(), id }).await
    }

    /// Comes into a conversation of several people.
    pub async fn join(&self, room: &str) -> io::Result<()> {
        self.in_group(|id| GroupSaid::Join { join: room.to_owned(), id }).await
    }

    /// Takes somebody out of a conversation.
    pub async fn kick(&self, room: &str, whom: &str) -> io::Result<()> {
        let (kick, room) = (whom.to_owned(), room.to_owned());
        self.in_group(|id| GroupSaid::Kick { kick: kick.clone(), room: room.clone(), id }).await
    }

    /// Takes somebody out of a conversation for good.
    pub async fn ban(&self, room: &str, whom: &str) -> io::Result<()> {
        let (ban, room) = (whom.to_owned(), room.to_owned());
        self.in_group(|id| GroupSaid::Ban { ban: ban.clone(), room: room.clone(), id }).await
    }

    /// Lets somebody come back.
    pub async fn unban(&self, room: &str, whom: &str) -> io::Result<()> {
        let (unban, room) = (whom.to_owned(), room.to_owned());
        self.in_group(|id| GroupSaid::Unban { unban: unban.clone(), room: room.clone(), id }).await
    }

    /// Gives somebody another role.
    pub async fn give(&self, room: &str, role: Role, to: &str) -> io::Result<()> {
        let (to, room) = (to.to_owned(), room.to_owned());
        self.in_group(|id| GroupSaid::Give { give: role, to: to.clone(), room: room.clone(), id }).await
    }

    /// Gives a conversation another name.
    pub async fn entitle(&self, room: &str, title: &str) -> io::Result<()> {
        let (title, room) = (title.to_owned(), room.to_owned());
        self.in_group(|id| GroupSaid::Title { title: title.clone(), room: room.clone(), id }).await
    }

    /// Gives a conversation another topic.
    pub async fn discuss(&self, room: &str, topic: &str) -> io::Result<()> {
        let (topic, room) = (topic.to_owned(), room.to_owned());
        self.in_group(|id| GroupSaid::Topic { topic: topic.clone(), room: room.clone(), id }).await
    }

    async fn in_group(&self, said: impl Fn(String) -> GroupSaid) -> io::Result<()> {
        self.persist(|id| Said::Group(said(id))).await.map(drop)
    }

    /// Leaves a direct chat, or a conversation of several people.
    pub async fn leave(&self, room: &str) -> io::Result<()> {
        self.persist(|id| Said::Leave { leave: room.to_owned(), id }).await.map(drop)
    }

    /// Is called something else from now on.
    pub async fn rename(&self, name: &str) -> io::Result<()> {
        self.persist(|id| Said::Name { name: name.to_owned(), id }).await.map(drop)
    }

    /// All it was told so far, in order, each thing once.
    pub fn heard(&self) -> Vec<Event> {
        self.heard.borrow().clone()
    }

    /// Waits for something that `wanted` picks; what it was told before counts.
    pub async fn hears(&self, mut wanted: impl FnMut(&Event) -> bool) -> io::Result<Event> {
        let mut heard = self.heard.clone();
        loop {
            let found = heard.borrow_and_update().iter().find(|event| wanted(event)).cloned();
            match found {
                Some(event) => return Ok(event),
                None => heard.changed().await.map_err(io::Error::other)?,
            }
        }
    }

    async fn persist(&self, said: impl Fn(String) -> Said) -> io::Result<Option<String>> {
        self.persist_as(&self.next_id(), said).await
    }

    fn next_id(&self) -> String {
        format!("{}-{}", self.session, self.lines_said.fetch_add(1, Ordering::Relaxed))
    }

    /// Says a line until it is taken, always under the same id.
    async fn persist_as(&self, id: &str, said: impl Fn(String) -> Said) -> io::Result<Option<String>> {
        loop {
            let (answer, answered) = oneshot::channel();
            locked(&self.memory.answers).insert(id.to_owned(), answer);
            self.lines.send(said(id.to_owned())).await.map_err(io::Error::other)?;
            match answered.await {
                Ok(Told::Ok { room, .. }) => return Ok(room),
                Ok(Told::Error { error, .. }) if error.starts_with("not stored") => {}
                Ok(other) => return Err(io::Error::other(format!("{other:?}"))),
                // The connection ended before the answer.
                Err(_) => {}
            }
        }
    }
}

impl Drop for LoopbackClient {
    fn drop(&mut self) {
        self.line.abort();
    }
}

/// Stays on the network, over as many connections as it takes.
async fn stay(
    network: SocketAddr,
    user: String,
    mut connection: Connection,
    mut waiting: mpsc::Receiver<Said>,
    memory: Arc<Memory>,
) {
    loop {
        // Ends with the connection; what it leaves unanswered is said again.
        connection.talk(&mut waiting, &memory).await.ok();
        locked(&memory.answers).clear();
        connection = loop {
            tokio::time::sleep(RETRY_WAIT).await;
            if let Ok(connection) = Connection::make(network, &user).await {
                break connection;
            }
        };
    }
}

struct Connection {
    told: FramedRead<OwnedReadHalf, LinesCodec>,
    say: OwnedWriteHalf,
}

impl Connection {
    async fn make(network: SocketAddr, user: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(network).await?;
        stream.set_nodelay(true)?;
        let (read, say) = stream.into_split();
        let told = FramedRead::new(read, LinesCodec::new_with_max_length(LINE_BYTES_MAX));
        let mut connection = Self { told, say };
        connection.say(&Said::Login { login: user.to_owned(), name: None }).await?;
        match connection.line().await? {
            Told::Ok { .. } => Ok(connection),
            other => Err(io::Error::other(format!("{other:?}"))),
        }
    }

    async fn talk(&mut self, waiting: &mut mpsc::Receiver<Said>, memory: &Memory) -> io::Result<()> {
        loop {
            tokio::select! {
                told = self.line() => match told? {
                    Told::Event { n, event } => {
                        memory.hear(event);
                        self.say(&Said::Ack { ack: n }).await?;
                    }
                    answer => memory.answer(answer),
                },
                Some(said) = waiting.recv() => self.say(&said).await?,
            }
        }
    }

    async fn line(&mut self) -> io::Result<Told> {
        let line = self.told.next().await.ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok(from_str(&line.map_err(io::Error::other)?)?)
    }

    async fn say(&mut self, said: &Said) -> io::Result<()> {
        let mut line = to_vec(said)?;
        line.push(b'\n');
        self.say.write_all(&line).await
    }
}

impl Memory {
    fn hear(&self, event: Event) {
        if locked(&self.known).insert(event.op.clone()) {
            self.heard.send_modify(|heard| heard.push(event));
        }
    }

    fn answer(&self, answer: Told) {
        let waiting = match &answer {
            Told::Ok { ok: id, .. } | Told::Error { id: Some(id), .. } => locked(&self.answers).remove(id),
            Told::Error { id: None, .. } | Told::Event { .. } => None,
        };
        if let Some(waiting) = waiting {
            // Fails if nobody waits any more.
            waiting.send(answer).ok();
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
