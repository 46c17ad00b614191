//! Telling the other side of a direct chat what became of their messages, and hearing it from them.

use mimi_client::MessageRead;
use mimi_content::{
    ApplicationFraming, FrankingTag, MESSAGE_STATUS, MIMI_CONTENT, MediaType, MediaTypeList, MessageId,
    MessageStatusReport, PerMessageStatus, Status, decode,
};
use mimi_store::{Batch, Next, Row, RowChange};
use mimi_uri::{RoomUri, UserUri};
use mimi_wire::{HubFault, SubmitMessageRequest, SubmitMessageResponse};

use super::Followed;
use super::log::Effects;
use crate::bridge::Core;
use crate::fault::Fault;
use crate::limits::{REPORT_DELAY, REPORTED_AT_ONCE_MAX, RESEAL_MAX};
use crate::progress::{Chat, MessageState, RECEIPT, TheirReceipt};
use crate::rows::{self, InFlight, Intent, Key, Link, LinkId, LinkState, MESSAGE, MessageRow, Report, Stage};
use crate::wording;

impl Core {
    /// Tells the other side of a direct chat what became of their messages, in one report.
    pub(crate) async fn run_report(&self, id: &LinkId) -> Result<Next, Fault> {
        tokio::time::sleep(REPORT_DELAY).await;
        let rows = self.store.rows(RECEIPT, Key::of(&id.0).range(), REPORTED_AT_ONCE_MAX).await?;
        if rows.is_empty() {
            return Ok(Next::Rest);
        }
        let told: Vec<RowChange> = rows.iter().map(forget).collect();
        let link = self.link(id).await?.map(|(link, _)| link);
        let Some((link, room)) = link.filter(|link| link.state == LinkState::Active).and_then(posting) else {
            // Whoever is gone need not be told.
            self.store.record(Batch { rows: told, ..Batch::default() }).await?;
            return Ok(Next::Again);
        };
        let report = self.status_report(id, &link.hosted, &rows)?;
        let sealed = self
            .in_turn(&room, async |followed| {
                if followed.row.stage != Stage::Joined {
                    return Ok(false);
                }
                self.settle_in_flight(followed).await?;
                self.seal_report(followed, report, told).await?;
                Ok(true)
            })
            .await?;
        if sealed != Some(true) {
            return Ok(Next::BackOff);
        }
        self.wake_room(room);
        Ok(Next::Again)
    }

    fn status_report(&self, id: &LinkId, sender: &UserUri, rows: &[Row]) -> Result<Report, Fault> {
        let mut statuses = Vec::with_capacity(rows.len());
        for row in rows {
            let message = Key::parts(&row.key, 2).and_then(|parts| <[u8; 32]>::try_from(parts[1]).ok());
            let status = match rows::decode(RECEIPT, &row.bytes)? {
                TheirReceipt::Delivered => Status::Delivered,
                TheirReceipt::Read => Status::Read,
                TheirReceipt::Error => Status::Error,
            };
            statuses
                .extend(message.map(|message| PerMessageStatus { message_id: MessageId(message), status }));
        }
        let unsayable = |fault: &dyn std::fmt::Display| Fault::Group(format!("a status report: {fault}"));
        let bytes = MessageStatusReport(statuses).encode().map_err(|fault| unsayable(&fault))?;
        let media_type: MediaType = MESSAGE_STATUS.parse().map_err(|_| unsayable(&"its media type"))?;
        let framing = ApplicationFraming::new(media_type, &bytes);
        let data = framing.encode().map_err(|fault| unsayable(&fault))?;
        // A report has no salt of its own to disclose: nobody reports a report.
        let salt = self.vault.message_salt(id.0.as_bytes(), &data, 0, 0);
        let tag = FrankingTag::new(&salt, &data).0;
        Ok(Report { sender: sender.clone(), data, tag, reseals: 0 })
    }

    async fn seal_report(
        &self,
        followed: &mut Followed,
        report: Report,
        changes: Vec<RowChange>,
    ) -> Result<(), Fault> {
        let request = followed.client()?.seal(&report.sender, &report.data, &report.tag)?;
        followed.row.in_flight = Some(InFlight { body: request.encode(), intent: Intent::Report(report) });
        self.store_room(followed, false, Batch { rows: changes, ..Batch::default() }).await
    }

    /// Sends a report until the hub answers; one that it does not want is let go, for it carries nobody's words.
    pub(crate) async fn settle_report(
        &self,
        followed: &mut Followed,
        body: &[u8],
        mut report: Report,
    ) -> Result<(), Fault> {
        let request = SubmitMessageRequest::decode(body)
            .map_err(|fault| Fault::Group(format!("a stored report does not read: {fault}")))?;
        let answer = match self.hub.submit_message(&followed.room, &request).await {
            Err(fault @ HubFault::Rejected { .. }) => Err(fault.to_string()),
            Err(fault) => return Err(Fault::Unreachable(fault.to_string())),
            Ok(SubmitMessageResponse::Accepted { .. }) => Ok(()),
            Ok(SubmitMessageResponse::NotAllowed) => Err("it is not allowed".to_owned()),
            Ok(SubmitMessageResponse::EpochTooOld { .. }) if report.reseals < RESEAL_MAX => {
                let before = followed.client()?.epoch();
                self.follow_log(followed).await?;
                if followed.client()?.epoch() == before {
                    return Err(Fault::Unreachable(
                        "the room's newest commit has not arrived yet".to_owned(),
                    ));
                }
                if followed.client()?.is_active(&report.sender) {
                    report.reseals += 1;
                    return self.seal_report(followed, report, vec![]).await;
                }
                Err("its sender has left".to_owned())
            }
            Ok(SubmitMessageResponse::EpochTooOld { .. }) => Err("the room moves on too fast".to_owned()),
        };
        if let Err(why) = answer {
            tracing::info!(room = %followed.room, why, "a status report was let go");
            metrics::counter!("reports_let_go_total").increment(1);
        }
        followed.row.in_flight = None;
        Ok(())
    }

    /// Takes note of what became of our users' messages on the other side.
    pub(crate) async fn take_report(
        &self,
        followed: &Followed,
        sender: &UserUri,
        report: &MessageStatusReport,
        effects: &mut Effects,
    ) -> Result<(), Fault> {
        for (_, id) in followed.row.links.clone() {
            let Some((link, _)) = self.link(&id).await? else { continue };
            if link.peer != *sender {
                continue;
            }
            let chat = link.into();
            for status in &report.0 {
                let state = match status.status {
                    Status::Delivered => MessageState::Received(mimi_adapter::Receipt::Delivered),
                    Status::Read => MessageState::Received(mimi_adapter::Receipt::Read),
                    Status::Error => MessageState::Refused { why: wording::NOT_TAKEN_THERE.to_owned() },
                    Status::Unread
                    | Status::Expired
                    | Status::Deleted
                    | Status::Hidden
                    | Status::Unknown(_) => continue,
                };
                self.come_so_far((&id, &chat), (&status.message_id.0, state), effects).await?;
            }
        }
        Ok(())
    }

    /// A native user's message has come so far: stored, and shown to him.
    pub(crate) async fn come_so_far(
        &self,
        (id, chat): (&LinkId, &Chat),
        (message, state): (&[u8; 32], MessageState),
        effects: &mut Effects,
    ) -> Result<(), Fault> {
        let key = Key::of(&id.0).and(message).bytes();
        let Some(row) = self.store.row(MESSAGE, &key).await? else { return Ok(()) };
        let known: MessageRow = rows::decode(MESSAGE, &row.bytes)?;
        let (Some(event), Some(before)) = (known.event, known.state) else { return Ok(()) };
        let is_news =
            before.can_become(&state) || (before == MessageState::Sealed && state == MessageState::Accepted);
        if !is_news {
            return Ok(());
        }
        if let Some(progress) = state.progress() {
            effects.batch.rows.extend(self.showing(id, &chat.adapter, &event, &progress));
            effects.showings.push(id.clone());
        }
        if let MessageState::Refused { why } = &state {
            effects.batch.rows.push(self.notice_of(id, chat.speaker.clone(), &event, why).await?);
            effects.links.push(id.clone());
        }
        let bytes = rows::encode(&MessageRow { event: Some(event), state: Some(state) });
        effects.batch.rows.push(RowChange::Put { kind: MESSAGE, key, expected: None, bytes });
        Ok(())
    }
}

/// The status report that a message is, framed or within MIMI content; none if it is something else.
pub(crate) fn reported(read: &MessageRead) -> Option<MessageStatusReport> {
    let framing = ApplicationFraming::decode(&read.data).ok()?;
    let types = MediaTypeList::of_our_rooms();
    let media_type = framing.resolved_type(&types);
    if media_type.essence == MESSAGE_STATUS {
        return MessageStatusReport::decode(framing.content).ok();
    }
    if media_type.to_string() != MIMI_CONTENT {
        return None;
    }
    let content = decode(framing.content).ok()?.into_content();
    MessageStatusReport::from_part(&content.nested_part)?.ok()
}

fn posting(link: Link) -> Option<(Link, RoomUri)> {
    let room = link.posting.clone()?;
    Some((link, room))
}

fn forget(row: &Row) -> RowChange {
    RowChange::Delete { kind: RECEIPT, key: row.key.clone(), expected: Some(row.version) }
}
