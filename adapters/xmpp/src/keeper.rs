//! Keeps in touch with the server, for ever.

use std::sync::Arc;
use std::time::Duration;

use mimi_adapter::SessionStatus;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tokio_xmpp::Stanza;
use tokio_xmpp::xmlstream::RawStanzaHeader;
use xmpp_parsers::jid::Jid;
use xmpp_parsers::stanza_error::{DefinedCondition, ErrorType};

use crate::hear::Heard;
use crate::limits::{RETRY_WAIT_MAX, RETRY_WAIT_MIN};
use crate::link::Link;
use crate::stanza::{message_error, no, ping};
use crate::stream::{ComponentStream, Received};

/// Connects, carries stanzas both ways, and connects again, until `stop`.
pub(crate) async fn keep(link: Arc<Link>, heard: mpsc::Sender<Heard>, stop: CancellationToken) {
    let mut pause = Pause::default();
    let mut told = None;
    while !stop.is_cancelled() {
        let connected = tokio::select! {
            () = stop.cancelled() => break,
            connected = ComponentStream::connect(&link.config) => connected,
        };
        let why = match connected {
            Ok(stream) => {
                told = None;
                let why = carry(&link, stream, &heard, &stop).await;
                link.line.down();
                link.rooms.away();
                link.questions.away();
                why
            }
            Err(why) => why,
        };
        if stop.is_cancelled() {
            break;
        }
        let status = SessionStatus::Connecting { why };
        if told.as_ref() != Some(&status) {
            tracing::warn!(?status, "XMPP server");
            link.host.status(status.clone());
            told = Some(status);
        }
        tokio::select! {
            () = stop.cancelled() => break,
            () = sleep(pause.next()) => {}
        }
    }
}

/// Carries stanzas over one connection, and tells why it ended.
async fn carry(
    link: &Arc<Link>,
    mut stream: ComponentStream,
    heard: &mpsc::Sender<Heard>,
    stop: &CancellationToken,
) -> String {
    let mut outgoing = link.line.up();
    tracing::info!(component = %link.names.component(), "connected");
    link.host.status(SessionStatus::Ready);
    let coming_back = Arc::clone(link);
    // Ends with the connection, for then nothing is answered any more.
    let _coming_back = AbortOnDropHandle::new(tokio::spawn(async move { coming_back.come_back().await }));
    loop {
        let to_write = tokio::select! {
            () = stop.cancelled() => {
                stream.close().await;
                return "closed".to_owned();
            }
            Some(stanza) = outgoing.recv() => vec![stanza],
            received = stream.receive() => match received {
                Received::Stanza(stanza) => {
                    let mut what = link.hear(*stanza);
                    let now = std::mem::take(&mut what.now);
                    // Until there is room in the intake nothing more is read: the server keeps it.
                    if !what.is_nothing_to_store() && heard.send(what).await.is_err() {
                        return "closed".to_owned();
                    }
                    now
                }
                Received::Unreadable(header, why) => set_aside(link, &header, why),
                Received::Silence => vec![ping(link.names.component(), link.names.server()).into()],
                Received::End(why) => return why,
            },
        };
        for stanza in to_write {
            if let Err(error) = stream.send(stanza).await {
                return error.to_string();
            }
        }
    }
}

/// Tells of a stanza that makes no sense, and its sender, if it was a message.
fn set_aside(link: &Link, header: &RawStanzaHeader, why: String) -> Vec<Stanza> {
    tracing::warn!(%why, "set aside");
    link.host.status(SessionStatus::SetAside { why });
    let jid = |text: &Option<String>| text.as_deref().and_then(|text| Jid::new(text).ok());
    let is_answer = matches!(header.type_.as_deref(), Some("error" | "result" | "groupchat"));
    match (jid(&header.from), jid(&header.to), &header.id) {
        (Some(from), Some(to), Some(id)) if !is_answer => {
            let error =
                no(ErrorType::Modify, DefinedCondition::BadRequest, "this makes no sense to Drawbridge");
            vec![message_error(to, from, id, error).into()]
        }
        _ => vec![],
    }
}

/// How long to wait before the next attempt: twice as long each time, until there was none for a while.
struct Pause {
    wait: Duration,
    last: Instant,
}

impl Default for Pause {
    fn default() -> Self {
        Self { wait: RETRY_WAIT_MIN, last: Instant::now() }
    }
}

impl Pause {
    fn next(&mut self) -> Duration {
        let is_long_ago = self.last.elapsed() > RETRY_WAIT_MAX * 2;
        let wait = if is_long_ago { RETRY_WAIT_MIN } else { self.wait };
        self.wait = (wait * 2).min(RETRY_WAIT_MAX);
        self.last = Instant::now();
        wait
    }
}
