use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use mimi_adapter::{Host, NativeUserId};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::groups::Groups;
use crate::limits::{ACK_TIME_MAX, BLOCKED_KEPT_MAX, NAMES_KEPT_MAX};
use crate::{Event, LoopbackNames, Told};

/// The whole network: who is here now, and what the puppets are called.
pub(crate) struct Network {
    pub(crate) names: LoopbackNames,
    pub(crate) host: Arc<dyn Host>,
    /// Conversations of several people, if the network has them.
    pub(crate) groups: Option<Groups>,
    present: Mutex<HashMap<String, Vec<Arc<Client>>>>,
    called: Mutex<HashMap<NativeUserId, String>>,
    /// Whom a user does not want to hear.
    blocked: Mutex<HashSet<(String, NativeUserId)>>,
}

impl Network {
    pub(crate) fn new(names: LoopbackNames, host: Arc<dyn Host>, groups: Option<Groups>) -> Self {
        let (present, called, blocked) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { names, host, groups, present, called, blocked }
    }

    /// Tells a user, on all his clients; true if one of them has acknowledged it.
    pub(crate) async fn tell(&self, user: &str, event: &Event) -> bool {
        let clients = locked(&self.present).get(user).cloned().unwrap_or_default();
        let mut telling: FuturesUnordered<_> = clients.iter().map(|client| client.tell(event)).collect();
        let acknowledged = async {
            while let Some(has_it) = telling.next().await {
                if has_it {
                    return true;
                }
            }
            false
        };
        timeout(ACK_TIME_MAX, acknowledged).await.unwrap_or(false)
    }

    pub(crate) fn enter(&self, user: &str, client: &Arc<Client>) {
        locked(&self.present).entry(user.to_owned()).or_default().push(Arc::clone(client));
    }

    pub(crate) fn exit(&self, user: &str, client: &Arc<Client>) {
        let mut present = locked(&self.present);
        if let Some(clients) = present.get_mut(user) {
            clients.retain(|other| !Arc::ptr_eq(other, client));
            if clients.is_empty() {
                present.remove(user);
            }
        }
        client.hang_up();
    }

    pub(crate) fn call(&self, puppet: NativeUserId, name: String) {
        let mut called = locked(&self.called);
        if called.len() >= NAMES_KEPT_MAX {
            called.clear();
        }
        called.insert(puppet, name);
    }

    pub(crate) fn block(&self, user: &str, puppet: NativeUserId) {
        let mut blocked = locked(&self.blocked);
        if blocked.len() < BLOCKED_KEPT_MAX {
            blocked.insert((user.to_owned(), puppet));
        }
    }

    pub(crate) fn unblock(&self, user: &str, puppet: NativeUserId) {
        locked(&self.blocked).remove(&(user.to_owned(), puppet));
    }

    pub(crate) fn is_blocked(&self, user: &str, puppet: &NativeUserId) -> bool {
        locked(&self.blocked).contains(&(user.to_owned(), puppet.clone()))
    }

    pub(crate) fn name_of(&self, puppet: &NativeUserId) -> Option<String> {
        locked(&self.called).get(puppet).cloned()
    }
}

/// A client, as the one who tells it something sees it.
pub(crate) struct Client {
    pub(crate) lines: mpsc::Sender<Told>,
    unacknowledged: Mutex<Unacknowledged>,
}

#[derive(Default)]
struct Unacknowledged {
    last: u64,
    has_hung_up: bool,
    waiting: HashMap<u64, oneshot::Sender<()>>,
}

impl Client {
    pub(crate) fn new(lines: mpsc::Sender<Told>) -> Self {
        Self { lines, unacknowledged: Mutex::default() }
    }

    /// Tells the client, and returns whether it acknowledged that before it hung up.
    async fn tell(&self, event: &Event) -> bool {
        let Some((n, acknowledged)) = self.expect() else { return false };
        // Forgets the number also where the caller loses patience.
        let _forget = Forget { client: self, n };
        let told = Told::Event { n, event: event.clone() };
        self.lines.send(told).await.is_ok() && acknowledged.await.is_ok()
    }

    pub(crate) fn acknowledge(&self, n: u64) {
        if let Some(waiting) = locked(&self.unacknowledged).waiting.remove(&n) {
            // Fails if nobody waits any more, which is his affair.
            waiting.send(()).ok();
        }
    }

    fn expect(&self) -> Option<(u64, oneshot::Receiver<()>)> {
        let mut unacknowledged = locked(&self.unacknowledged);
        if unacknowledged.has_hung_up {
            return None;
        }
        let (sender, receiver) = oneshot::channel();
        unacknowledged.last += 1;
        let n = unacknowledged.last;
        unacknowledged.waiting.insert(n, sender);
        Some((n, receiver))
    }

    fn hang_up(&self) {
        let mut unacknowledged = locked(&self.unacknowledged);
        unacknowledged.has_hung_up = true;
        unacknowledged.waiting.clear();
    }
}

struct Forget<'a> {
    client: &'a Client,
    n: u64,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        locked(&self.client.unacknowledged).waiting.remove(&self.n);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
