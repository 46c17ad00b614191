use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use futures_util::StreamExt;
use mimi_adapter::{Addresses, Ingest, NativeBody, NativeEvent, NativeRoomId, NativeUserId, Receipt};
use mimi_content::NestedPart;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_util::codec::{FramedRead, LinesCodec};

use crate::group_connection::{SaidInGroup, Speaking};
use crate::groups::Change;
use crate::limits::{ID_BYTES_MAX, LINE_BYTES_MAX, LINES_WAITING_MAX, TEXT_BYTES_MAX};
use crate::line::write_lines;
use crate::network::{Client, Network};
use crate::{LoopbackNames, Said, Told};

/// Serves one client until it hangs up.
pub(crate) async fn serve(network: Arc<Network>, stream: TcpStream) {
    let (read, write) = stream.into_split();
    let (lines, waiting) = mpsc::channel(LINES_WAITING_MAX);
    let client = Arc::new(Client::new(lines));
    let mut connection = Connection { network, client: Arc::clone(&client), user: None };
    let (heard, mut to_do) = mpsc::channel(LINES_WAITING_MAX);
    // What is acknowledged is heard at once: whoever acts may be waiting for just that from another who acts.
    let listening = async {
        let mut said = FramedRead::new(read, LinesCodec::new_with_max_length(LINE_BYTES_MAX));
        while let Some(Ok(line)) = said.next().await {
            match serde_json::from_str(&line) {
                Ok(Said::Ack { ack }) => client.acknowledge(ack),
                said => drop(heard.send(said).await),
            }
        }
    };
    let acting = async {
        while let Some(said) = to_do.recv().await {
            connection.hear(said).await;
        }
    };
    // Whichever ends first, the client is gone.
    tokio::select! {
        () = listening => {}
        () = acting => {}
        () = write_lines(write, waiting) => {}
    }
}

struct Connection {
    network: Arc<Network>,
    client: Arc<Client>,
    user: Option<User>,
}

struct User {
    name: String,
    called: Option<String>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(user) = &self.user {
            self.network.exit(&user.name, &self.client);
        }
    }
}

impl Connection {
    async fn hear(&mut self, said: serde_json::Result<Said>) {
        let answer = match said {
            Ok(Said::Login { login, name }) => self.login(login, name),
            Ok(said) => self.act(said).await,
            Err(_) => error("not a line of this network", None),
        };
        // Fails if the client is gone, and then nobody wants the answer.
        self.client.lines.send(answer).await.ok();
    }

    fn login(&mut self, name: String, called: Option<String>) -> Told {
        if self.user.is_some() {
            return error("logged in already", None);
        }
        if !LoopbackNames::is_user(&name) {
            return error("a user is a word of a-z, 0-9, '.', '_' and '-'", None);
        }
        if let Some(groups) = &self.network.groups
            && let Err(error) = groups.change(&Change::Heard { user: name.clone() })
        {
            tracing::warn!(%error, "login not noted");
            return error_of_ours(None);
        }
        self.network.enter(&name, &self.client);
        self.user = Some(User { name: name.clone(), called });
        Told::Ok { ok: name, room: None }
    }

    /// Does what the user asks; answers after it is durable.
    async fn act(&mut self, said: Said) -> Told {
        let Some(user) = &mut self.user else { return error("log in first", None) };
        let said = match self.network.changed(&user.name, said) {
            Ok(id) => return Told::Ok { ok: id, room: None },
            Err(said) => said,
        };
        let said = match SaidInGroup::of(said) {
            Ok(said) => {
                let speaking = Speaking { user: &user.name, called: user.called.as_deref() };
                return self.network.act_in_group(&speaking, &said).await;
            }
            Err(said) => said,
        };
        let (id, wish) = match said {
            Said::Open { open, id } => {
                let puppet = NativeUserId::from(open);
                (id, user.open(&self.network.names, puppet))
            }
            Said::Say { say, room, id } => (id, user.say(&self.network.names, &room, &say)),
            Said::Read { read, room, id } => (id, user.read(&self.network.names, &room, &read)),
            Said::Leave { leave, id } => (id, user.leave(&self.network.names, &leave)),
            Said::Name { name, id } => (id, Ok(user.rename(name))),
            Said::Login { .. }
            | Said::Ack { .. }
            | Said::Group(_)
            | Said::Block { .. }
            | Said::Unblock { .. } => {
                return error("answered before", None);
            }
        };
        if id.is_empty() || id.len() > ID_BYTES_MAX {
            return error("an id has 1 to 128 bytes", Some(id));
        }
        let (lane, body) = match wish {
            Ok(wish) => wish,
            Err(why) => return error(why, Some(id)),
        };
        let room = matches!(body, NativeBody::DirectInvite { .. }).then(|| lane.to_string());
        let event = NativeEvent {
            lane,
            id: id.as_str().into(),
            nonce: None,
            from: user.name.as_str().into(),
            display_name: user.called.clone(),
            at_ms: now_ms(),
            body,
        };
        match self.network.host.ingest(Ingest { events: vec![event] }).await {
            Ok(()) => Told::Ok { ok: id, room },
            Err(fault) => {
                tracing::warn!(%fault, "line refused");
                error_of_ours(Some(id))
            }
        }
    }
}

impl Network {
    /// Does what is the network's own affair, and returns the line's id; what is not, is given back.
    fn changed(&self, user: &str, said: Said) -> Result<String, Said> {
        match said {
            Said::Block { block, id } => {
                self.block(user, block.into());
                Ok(id)
            }
            Said::Unblock { unblock, id } => {
                self.unblock(user, unblock.into());
                Ok(id)
            }
            other => Err(other),
        }
    }
}

type Wish = Result<(NativeRoomId, NativeBody), &'static str>;

impl User {
    fn open(&self, names: &LoopbackNames, puppet: NativeUserId) -> Wish {
        names.behind_puppet(&puppet).ok_or("there is no such user")?;
        Ok((LoopbackNames::room(&self.name, &puppet), NativeBody::DirectInvite { puppet }))
    }

    fn say(&self, names: &LoopbackNames, room: &str, text: &str) -> Wish {
        if text.len() > TEXT_BYTES_MAX {
            return Err("the text is too long");
        }
        Ok((self.own(names, room)?, NativeBody::Post(NestedPart::plain(text))))
    }

    fn read(&self, names: &LoopbackNames, room: &str, op: &str) -> Wish {
        let read = NativeBody::Receipt { event: op.into(), receipt: Receipt::Read };
        Ok((self.own(names, room)?, read))
    }

    fn leave(&self, names: &LoopbackNames, room: &str) -> Wish {
        Ok((self.own(names, room)?, NativeBody::Left { user: self.name.as_str().into() }))
    }

    /// A name belongs to no conversation: its lane is the user himself.
    fn rename(&mut self, name: String) -> (NativeRoomId, NativeBody) {
        self.called = Some(name.clone());
        let user = NativeUserId::from(self.name.as_str());
        (self.name.as_str().into(), NativeBody::Profile { user, display_name: Some(name) })
    }

    fn own(&self, names: &LoopbackNames, room: &str) -> Result<NativeRoomId, &'static str> {
        let of_room = names.of_room(room);
        of_room.filter(|(user, _)| *user == self.name).map(|_| room.into()).ok_or("not a room of yours")
    }
}

pub(crate) fn error_of_ours(id: Option<String>) -> Told {
    error("not stored, say it again", id)
}

pub(crate) fn error(why: &str, id: Option<String>) -> Told {
    Told::Error { error: why.to_owned(), id }
}

pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
