use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use mimi_adapter::naming::Namespace;
use mimi_adapter::{
    Adapter, Addresses, Capabilities, Delivery, Feature, Guarantee, Guarantees, Host, Manifest,
    NativeEventId, NativeRoomId, NativeUserId, OpenFault, Operation, Outcome, Progress, Receipt, RefusedCode,
    Session, SessionStatus, Speaker,
};
use mimi_uri::UserUri;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::connection::serve;
use crate::group_session::{InGroup, is_group};
use crate::groups::Groups;
use crate::limits::{CLOSE_TIME_MAX, RETRY_WAIT, TEXT_BYTES_MAX};
use crate::network::Network;
use crate::{Event, EventKind, LoopbackNames};

/// The loopback network at one port of this machine.
#[derive(Debug)]
pub struct LoopbackAdapter {
    listen: SocketAddr,
    names: LoopbackNames,
    /// Where it keeps conversations of several people; without a place there are none.
    keep: Option<PathBuf>,
    /// Where it listens now: differs from `listen` where that leaves the port open.
    address: Mutex<Option<SocketAddr>>,
}

/// There are no passwords on this network, so nobody but this machine may reach it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not an address of this machine alone")]
pub struct InvalidListener(pub SocketAddr);

impl LoopbackAdapter {
    /// The network at `listen`, a loopback address, with its users in `namespace`.
    pub fn new(listen: SocketAddr, namespace: Namespace) -> Result<Self, InvalidListener> {
        if !listen.ip().is_loopback() {
            return Err(InvalidListener(listen));
        }
        Ok(Self { listen, names: LoopbackNames::new(namespace), keep: None, address: Mutex::default() })
    }

    /// The same network with conversations of several people, kept in this file.
    #[must_use]
    pub fn keeping_groups(self, file: PathBuf) -> Self {
        Self { keep: Some(file), ..self }
    }

    /// Where clients find the network, once it was opened.
    pub fn address(&self) -> Option<SocketAddr> {
        *self.address.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Adapter for LoopbackAdapter {
    fn manifest(&self) -> Manifest {
        let mut features = vec![Feature::DisplayNames, Feature::OpensDirect, Feature::Progress];
        features.extend(self.keep.as_ref().map(|_| Feature::Groups));
        Manifest {
            kind: "loopback",
            title: "Loopback",
            guarantee: Guarantees { inbound: Guarantee::OnceById, outbound: Guarantee::OnceById },
            capabilities: Capabilities {
                media_types: vec!["text/plain"],
                text_bytes_max: TEXT_BYTES_MAX,
                features,
            },
        }
    }

    fn addresses(&self) -> Arc<dyn Addresses> {
        Arc::new(self.names.clone())
    }

    async fn open(&self, host: Arc<dyn Host>) -> Result<Box<dyn Session>, OpenFault> {
        let listener = TcpListener::bind(self.listen)
            .await
            .map_err(|error| OpenFault::Unavailable(format!("{}: {error}", self.listen)))?;
        *self.address.lock().unwrap_or_else(PoisonError::into_inner) = listener.local_addr().ok();
        let groups = self.keep.as_ref().map(|file| {
            let unavailable =
                |error: std::io::Error| OpenFault::Unavailable(format!("{}: {error}", file.display()));
            Groups::open(file).map_err(unavailable)
        });
        let network = Arc::new(Network::new(self.names.clone(), host, groups.transpose()?));
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let accepting = accept(listener, Arc::clone(&network), tasks.clone(), stop.clone());
        tasks.spawn(stop.clone().run_until_cancelled_owned(accepting));
        network.host.status(SessionStatus::Ready);
        let guard = stop.clone().drop_guard();
        Ok(Box::new(LoopbackSession { network, tasks, stop, _stop_when_dropped: guard }))
    }
}

async fn accept(listener: TcpListener, network: Arc<Network>, tasks: TaskTracker, stop: CancellationToken) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Lines are short and somebody waits for each; where it cannot be said so, they come a little later.
                stream.set_nodelay(true).ok();
                let serving = serve(Arc::clone(&network), stream);
                tasks.spawn(stop.clone().run_until_cancelled_owned(serving));
            }
            Err(error) => {
                tracing::warn!(%error, "connection not accepted");
                tokio::time::sleep(RETRY_WAIT).await;
            }
        }
    }
}

struct LoopbackSession {
    network: Arc<Network>,
    tasks: TaskTracker,
    stop: CancellationToken,
    /// A session that is dropped without being closed stops too.
    _stop_when_dropped: DropGuard,
}

#[async_trait]
impl Session for LoopbackSession {
    async fn deliver(&self, delivery: Delivery) -> Outcome {
        self.act(&delivery).await.unwrap_or_else(|outcome| outcome)
    }

    async fn close(&self) {
        self.stop.cancel();
        self.tasks.close();
        tokio::time::timeout(CLOSE_TIME_MAX, self.tasks.wait()).await.ok();
        self.network.host.status(SessionStatus::Closed);
    }
}

impl LoopbackSession {
    /// Does one operation; both arms are what is answered, so that `?` may end it.
    async fn act(&self, delivery: &Delivery) -> Result<Outcome, Outcome> {
        if let Some(groups) = &self.network.groups {
            let speaker = speaker(delivery).map(|user| self.puppet(user)).transpose()?;
            let within = InGroup { network: &self.network, groups, delivery, speaker };
            match (&delivery.operation, &delivery.room) {
                (Operation::OpenGroup { group, invite }, _) => return within.open(group, invite).await,
                (Operation::EnsurePuppet(_), _) => {}
                (_, Some(room)) if is_group(room.as_str()) => return within.act(room.as_str()).await,
                _ => {}
            }
        }
        match &delivery.operation {
            Operation::EnsurePuppet(profile) => {
                let puppet = self.puppet(&profile.user)?;
                if let Some(name) = &profile.display_name {
                    self.network.call(puppet, name.clone());
                }
                Ok(Outcome::done())
            }
            Operation::OpenDirect { puppet, with } => {
                let puppet = self.puppet(puppet)?;
                if !LoopbackNames::is_user(with.as_str()) {
                    return Err(Outcome::refused(RefusedCode::UnknownUser, "not a user of this network"));
                }
                if self.network.is_blocked(with.as_str(), &puppet) {
                    return Err(unwanted());
                }
                let room = LoopbackNames::room(with.as_str(), &puppet);
                let opened = self.event(delivery, EventKind::Opened, room.as_str(), Some(&puppet));
                self.tell(with.as_str(), opened).await?;
                Ok(Outcome::done_in(room))
            }
            Operation::AcceptInvite { puppet } => {
                self.tell_room(delivery, EventKind::Joined, Some(puppet), None).await
            }
            Operation::Leave { user } => self.tell_room(delivery, EventKind::Left, Some(user), None).await,
            Operation::OpenGroup { .. }
            | Operation::Invite { .. }
            | Operation::Enter { .. }
            | Operation::Remove { .. }
            | Operation::Ban { .. }
            | Operation::Unban { .. }
            | Operation::SetRole { .. }
            | Operation::Rename(_)
            | Operation::SetTopic(_) => Err(Outcome::refused(
                RefusedCode::Malformed,
                "an operation that this network does not declare",
            )),
            Operation::ShowProgress { event, progress } => self.show(delivery, event, progress).await,
            Operation::Post(prepared) => {
                let text = Some(prepared.plain.as_str());
                self.tell_room(delivery, EventKind::Message, speaker(delivery), text).await
            }
            Operation::Notice(text) => {
                self.tell_room(delivery, EventKind::Notice, speaker(delivery), Some(text)).await
            }
        }
    }

    async fn tell_room(
        &self,
        delivery: &Delivery,
        kind: EventKind,
        puppet: Option<&UserUri>,
        text: Option<&str>,
    ) -> Result<Outcome, Outcome> {
        let room = delivery.room.as_ref();
        let room =
            room.ok_or_else(|| Outcome::refused(RefusedCode::Malformed, "the operation needs a room"))?;
        let (user, of_room) = self
            .network
            .names
            .of_room(room.as_str())
            .ok_or_else(|| Outcome::refused(RefusedCode::UnknownRoom, "not a room of this network"))?;
        let puppet = puppet.map(|puppet| self.puppet(puppet)).transpose()?;
        if puppet.as_ref().is_some_and(|puppet| *puppet != of_room) {
            return Err(Outcome::refused(RefusedCode::NotMember, "the room is another puppet's"));
        }
        if text.is_some_and(|text| text.len() > TEXT_BYTES_MAX) {
            return Err(Outcome::refused(RefusedCode::TooLarge, "the text is too long"));
        }
        let is_said = matches!(kind, EventKind::Message | EventKind::Notice);
        if is_said && self.network.is_blocked(&user, &of_room) {
            return Err(unwanted());
        }
        let event = self.event(delivery, kind, room.as_str(), puppet.as_ref());
        self.tell(&user, Event { text: text.map(str::to_owned), ..event }).await?;
        Ok(if is_said { Outcome::done_as(delivery.op_id.as_str().into()) } else { Outcome::done() })
    }

    /// Tells a user how far his line has come.
    async fn show(
        &self,
        delivery: &Delivery,
        line: &NativeEventId,
        progress: &Progress,
    ) -> Result<Outcome, Outcome> {
        let room = delivery.room.as_ref().map_or("", NativeRoomId::as_str);
        let (user, _) = self
            .network
            .names
            .of_room(room)
            .ok_or_else(|| Outcome::refused(RefusedCode::UnknownRoom, "not a room of this network"))?;
        let (state, why) = match progress {
            Progress::Waiting { why } => ("waiting", Some(why)),
            Progress::Accepted => ("accepted", None),
            Progress::Received(Receipt::Delivered) => ("delivered", None),
            Progress::Received(Receipt::Read) => ("read", None),
            Progress::Refused { why } => ("refused", Some(why)),
        };
        let event = Event {
            about: Some(line.to_string()),
            progress: Some(state.to_owned()),
            text: why.cloned(),
            ..self.event(delivery, EventKind::Progress, room, None)
        };
        self.tell(&user, event).await?;
        Ok(Outcome::done())
    }

    async fn tell(&self, user: &str, event: Event) -> Result<(), Outcome> {
        if self.network.tell(user, &event).await {
            Ok(())
        } else {
            Err(Outcome::RetryAfter { wait: RETRY_WAIT })
        }
    }

    fn event(&self, delivery: &Delivery, kind: EventKind, room: &str, from: Option<&NativeUserId>) -> Event {
        Event {
            kind,
            room: room.to_owned(),
            from: from.map(ToString::to_string),
            name: from.and_then(|puppet| self.network.name_of(puppet)),
            who: None,
            text: None,
            about: None,
            progress: None,
            op: delivery.op_id.to_string(),
        }
    }

    fn puppet(&self, user: &UserUri) -> Result<NativeUserId, Outcome> {
        let puppet = self.network.names.puppet(user);
        puppet.map_err(|why| Outcome::refused(RefusedCode::Unnameable, why.to_string()))
    }
}

fn speaker(delivery: &Delivery) -> Option<&UserUri> {
    match &delivery.speaker {
        Speaker::Puppet(user) => Some(user),
        Speaker::Service => None,
    }
}

fn unwanted() -> Outcome {
    Outcome::refused(RefusedCode::NotAllowed, "the user does not want to hear this puppet")
}
