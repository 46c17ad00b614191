//! Makes the homeserver tell us something, so that we see whether it has left something out before (`sequence`).
//!
//! An event in a room of the bot alone: nobody sees it, and its transaction has a number like any other.

use std::sync::Arc;

use ruma::api::client::config::{get_global_account_data, set_global_account_data};
use ruma::api::client::message::send_message_event;
use ruma::api::client::room::create_room;
use ruma::api::error::ErrorKind;
use ruma::events::{AnyTimelineEvent, GlobalAccountDataEventType};
use ruma::serde::Raw;
use ruma::{OwnedRoomId, OwnedUserId, TransactionId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::{sleep, timeout};

use crate::homeserver::{Acting, CallFault};
use crate::limits::{QUIET_TIME, RETRY_WAIT_MAX};
use crate::session::Link;

/// The type of the event, and of the account data of the bot that says in which room it is sent.
const KIND: &str = "drawbridge.probe";

/// Sends a probe whenever one is owed and it has been quiet for a while: then nothing else will show what is missing.
pub(crate) async fn probe(link: Arc<Link>) {
    loop {
        if !link.sequence.is_probe_due() {
            link.sequence.stirred.notified().await;
        } else if timeout(QUIET_TIME, link.sequence.stirred.notified()).await.is_err() {
            // Before it is sent, for what comes of it may make another one necessary.
            link.sequence.owe_probe(false);
            if let Err(fault) = link.send_probe().await {
                tracing::info!(%fault, "probe not sent");
                link.sequence.owe_probe(true);
                sleep(RETRY_WAIT_MAX).await;
            }
        }
    }
}

/// The room of the probes.
#[derive(Serialize, Deserialize)]
struct ProbeRoom {
    room_id: OwnedRoomId,
}

impl Link {
    /// Whether a transaction holds a probe.
    pub(crate) fn holds_probe(&self, events: &[Raw<AnyTimelineEvent>]) -> bool {
        let is_probe = |raw: &Raw<AnyTimelineEvent>| matches!(raw.get_field::<String>("type"), Ok(Some(kind)) if kind == KIND);
        let is_own = |raw: &Raw<AnyTimelineEvent>| matches!(raw.get_field::<OwnedUserId>("sender"), Ok(Some(user)) if user == self.bot);
        events.iter().any(|raw| is_probe(raw) && is_own(raw))
    }

    pub(crate) async fn send_probe(&self) -> Result<(), CallFault> {
        self.puppets.ensure(&self.homeserver, &self.bot).await?;
        if let Some(room) = self.probe_room().await? {
            match self.send_probe_to(room).await {
                // The room is no more, or the bot was taken out of it.
                Err(fault) if fault.is(&ErrorKind::Forbidden) || fault.is(&ErrorKind::NotFound) => {}
                sent => return sent,
            }
        }
        let room = self.make_probe_room().await?;
        self.send_probe_to(room).await
    }

    async fn send_probe_to(&self, room: OwnedRoomId) -> Result<(), CallFault> {
        let nothing = Raw::new(&json!({})).map_err(|error| malformed(&error))?.cast_unchecked();
        let request =
            send_message_event::v3::Request::new_raw(room, TransactionId::new(), KIND.into(), nothing);
        self.homeserver.call(request, Acting::OnDevice(&self.bot)).await.map(drop)
    }

    async fn probe_room(&self) -> Result<Option<OwnedRoomId>, CallFault> {
        let request = get_global_account_data::v3::Request::new(self.bot.clone(), account_data());
        match self.homeserver.call(request, Acting::OnDevice(&self.bot)).await {
            Ok(kept) => serde_json::from_str::<ProbeRoom>(kept.account_data.json().get())
                .map(|kept| Some(kept.room_id))
                .map_err(|error| CallFault::Unreadable(format!("{KIND}: {error}"))),
            Err(fault) if fault.is(&ErrorKind::NotFound) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// A crash before the room is kept leaves one that nobody ever sees.
    async fn make_probe_room(&self) -> Result<OwnedRoomId, CallFault> {
        let acting = Acting::OnDevice(&self.bot);
        let mut request = create_room::v3::Request::new();
        request.preset = Some(create_room::v3::RoomPreset::PrivateChat);
        // For administrators, who see all rooms.
        request.name = Some("Drawbridge".to_owned());
        request.topic =
            Some("Here Drawbridge looks whether it is told everything. Nobody needs to come.".to_owned());
        let room_id = self.homeserver.call(request, acting).await?.room_id;
        let data = Raw::new(&ProbeRoom { room_id: room_id.clone() })
            .map_err(|error| malformed(&error))?
            .cast_unchecked();
        let request = set_global_account_data::v3::Request::new_raw(self.bot.clone(), account_data(), data);
        self.homeserver.call(request, acting).await?;
        Ok(room_id)
    }
}

fn account_data() -> GlobalAccountDataEventType {
    KIND.into()
}

fn malformed(error: &serde_json::Error) -> CallFault {
    CallFault::Malformed(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::FakeHomeserver;
    use crate::{MatrixAdapter, MatrixConfig};
    use mimi_adapter::conformance::RecordingHost;

    #[tokio::test]
    async fn probes_are_sent_to_one_room_until_it_is_gone() {
        let (address, homeserver) = FakeHomeserver::default().start().await;
        let config = MatrixConfig::new(&format!("http://{address}"), "a.example", ([127, 0, 0, 1], 0).into())
            .with_tokens("ours", "theirs");
        let link = MatrixAdapter::new(config).unwrap().link(Arc::new(RecordingHost::new()));

        link.send_probe().await.unwrap();
        link.send_probe().await.unwrap();
        homeserver.lock().unwrap().probe_room = Some(json!({ "room_id": "!gone:a.example" }));
        link.send_probe().await.unwrap();

        let asked = homeserver.lock().unwrap().asked.clone();
        let asked: Vec<_> =
            asked.into_iter().filter(|what| ["create", "keep probe", "send"].contains(what)).collect();
        assert_eq!(asked, ["create", "keep probe", "send", "send", "send", "create", "keep probe", "send"]);
    }

    #[tokio::test]
    async fn only_the_bot_sends_probes() {
        let config = MatrixConfig::new("http://127.0.0.1:1", "a.example", ([127, 0, 0, 1], 0).into())
            .with_tokens("ours", "theirs");
        let link = MatrixAdapter::new(config).unwrap().link(Arc::new(RecordingHost::new()));
        let event = |kind: &str, sender: &str| {
            [Raw::from_json_string(json!({ "type": kind, "sender": sender }).to_string()).unwrap()]
        };

        assert!(link.holds_probe(&event(KIND, link.bot.as_str())));
        assert!(!link.holds_probe(&event(KIND, "@alice:a.example")));
        assert!(!link.holds_probe(&event("m.room.message", link.bot.as_str())));
    }
}
