use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use mimi_adapter_loopback::{EventKind, LoopbackClient};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::Broke;
use crate::book::{Book, Line, name};
use crate::limits::{PATIENCE, UNDER_WAY_MAX};

/// A person at a client; what he hears is written down.
#[derive(Debug, Clone)]
pub struct Person {
    user: String,
    client: Arc<LoopbackClient>,
    _listens: Arc<Aborted>,
}

/// A direct chat of two people, each at a provider of his own.
#[derive(Debug, Clone)]
pub struct Chat {
    opener: Person,
    other: Person,
}

/// A task that ends with its owner.
#[derive(Debug)]
struct Aborted(JoinHandle<()>);

impl Drop for Aborted {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Person {
    /// Somebody comes online; his provider may be dead at the moment.
    pub async fn arrive(user: &str, network: std::net::SocketAddr, book: &Book) -> Result<Self, Broke> {
        let arriving = async {
            loop {
                match LoopbackClient::connect(network, name(user), "crash").await {
                    Ok(client) => return client,
                    Err(_) => tokio::time::sleep(mimi_adapter_loopback::limits::RETRY_WAIT).await,
                }
            }
        };
        let client = timeout(PATIENCE, arriving).await;
        let client = Arc::new(client.map_err(|_| format!("{user} cannot come online"))?);
        let listening = listen(user.to_owned(), Arc::clone(&client), book.clone());
        let listens = Arc::new(Aborted(tokio::spawn(listening)));
        Ok(Self { user: user.to_owned(), client, _listens: listens })
    }

    /// Who it is, `alice@a.example`.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// His conversation with somebody.
    fn room(&self, with: &Self) -> String {
        format!("{}+{}", name(&self.user), with.user)
    }

    fn line(&self, to: &Self) -> Line {
        Line { from: self.user.clone(), to: to.user.clone() }
    }

    /// Says the next thing; acknowledged or wrong when it returns.
    async fn say(&self, to: &Self, number: u64, book: &Book) {
        let line = self.line(to);
        book.saying();
        match self.client.say(&self.room(to), &line.text(number)).await {
            Ok(_) => book.acknowledged(&line),
            Err(fault) => {
                book.said();
                book.wrong(format!("{} cannot say something to {}: {fault}", self.user, to.user));
            }
        }
    }
}

async fn listen(user: String, client: Arc<LoopbackClient>, book: Book) {
    // The client tells each operation once; its list is looked through from the start.
    let mut known = HashSet::new();
    loop {
        let Ok(event) = client.hears(|event| !known.contains(&event.op)).await else { return };
        known.insert(event.op.clone());
        book.heard(&user, &event);
    }
}

impl Chat {
    /// Opens the chat from one side, has the opener say a few things meanwhile, and waits until it is there on the other.
    pub async fn open(opener: Person, other: Person, said: u64, book: &Book) -> Result<Self, Broke> {
        book.saying();
        let made = opener.client.open(&other.user).await;
        book.said();
        made.map_err(|fault| format!("{} cannot open a chat: {fault}", opener.user))?;
        let chat = Self { opener, other };
        chat.say(0..said, book).await;
        let Self { opener, other } = &chat;
        let room = other.room(opener);
        let sight = other.client.hears(|event| event.kind == EventKind::Opened && event.room == room);
        let seen = timeout(PATIENCE, sight).await;
        seen.map_err(|_| format!("{} does not see the chat of {}", other.user, opener.user))?
            .map_err(|fault| fault.to_string())?;
        Ok(chat)
    }

    /// The opener says the things of these numbers.
    pub async fn say(&self, numbers: Range<u64>, book: &Book) {
        for number in numbers {
            self.opener.say(&self.other, number, book).await;
        }
    }

    /// The other one says so many things.
    pub async fn answer(&self, count: u64, book: &Book) {
        for number in 0..count {
            self.other.say(&self.opener, number, book).await;
        }
    }

    /// Both talk, each as fast as the other hears, while `talking`; from the first message on.
    pub fn talk(&self, book: &Book, talking: &watch::Receiver<bool>) {
        for (from, to) in [(&self.opener, &self.other), (&self.other, &self.opener)] {
            tokio::spawn(keep_talking(from.clone(), to.clone(), book.clone(), talking.clone()));
        }
    }
}

async fn keep_talking(from: Person, to: Person, book: Book, mut talking: watch::Receiver<bool>) {
    let line = from.line(&to);
    let mut entries = book.entries();
    for number in 0.. {
        let has_room = |_: &u64| book.under_way(&line) < UNDER_WAY_MAX;
        // Both end with the run.
        if entries.wait_for(has_room).await.is_err() || talking.wait_for(|talking| *talking).await.is_err() {
            return;
        }
        from.say(&to, number, &book).await;
    }
}
