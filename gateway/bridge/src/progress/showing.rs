use mimi_adapter::{Delivery, NativeEventId, Operation, Outcome, Progress, Receipt};
use mimi_store::{Batch, Next, Row, RowChange, StoreFault};

use super::{Chat, SHOWING};
use crate::bridge::Core;
use crate::fault::Fault;
use crate::limits::{SHOWING_DELAY, SHOWN_AT_ONCE_MAX};
use crate::op_id;
use crate::rows::{self, Key, LinkId};

impl Core {
    /// Shows a native user how far his posts have come.
    pub(crate) async fn run_showing(&self, id: &LinkId) -> Result<Next, Fault> {
        // Steps of one message that follow each other are shown as one.
        tokio::time::sleep(SHOWING_DELAY).await;
        let rows = self.store.rows(SHOWING, Key::of(&id.0).range(), SHOWN_AT_ONCE_MAX).await?;
        let chat = self.chat(id).await?.filter(|chat| chat.room.is_some());
        let mut shown = Vec::new();
        let mut next = if rows.len() < SHOWN_AT_ONCE_MAX { Next::Rest } else { Next::Again };
        for row in rows {
            // Where there is no chat, there is nobody to show it to.
            if let Some(chat) = &chat
                && !self.show_progress(id, chat, &row).await?
            {
                next = Next::BackOff;
                break;
            }
            shown.push(RowChange::Delete { kind: SHOWING, key: row.key, expected: Some(row.version) });
        }
        self.forget_each(shown).await?;
        Ok(next)
    }

    /// Whether it was shown, or never will be.
    async fn show_progress(&self, id: &LinkId, chat: &Chat, row: &Row) -> Result<bool, Fault> {
        let progress: Progress = rows::decode(SHOWING, &row.bytes)?;
        let Some(event) = Key::parts(&row.key, 2).map(|parts| String::from_utf8_lossy(parts[1]).into_owned())
        else {
            return Ok(true);
        };
        let op_id = op_id::for_native(id, &event, shown_as(&progress));
        let delivery = Delivery {
            attempt: self.attempts.next(&op_id),
            op_id: op_id.clone(),
            room: chat.room.clone(),
            speaker: chat.speaker.clone(),
            operation: Operation::ShowProgress { event: NativeEventId::new(event), progress },
        };
        let outcome = self.deliver(&chat.adapter, delivery).await;
        let is_over = match &outcome {
            Outcome::Done { .. } => true,
            // A decoration, not a message: what cannot be shown is left out.
            Outcome::Refused { code, text } => {
                tracing::debug!(link = %id, ?code, text, "progress cannot be shown");
                true
            }
            Outcome::RetryAfter { .. } | Outcome::Unsure { .. } | Outcome::Broken { .. } => false,
        };
        if is_over {
            self.attempts.forget(&op_id);
        }
        Ok(is_over)
    }

    /// Takes rows away, together if none of them was changed meanwhile, else those that were not.
    async fn forget_each(&self, changes: Vec<RowChange>) -> Result<(), Fault> {
        if changes.is_empty() {
            return Ok(());
        }
        match self.store.record(Batch { rows: changes.clone(), ..Batch::default() }).await {
            Err(StoreFault::Conflict) => {}
            other => return Ok(other?),
        }
        for change in changes {
            match self.store.record(Batch { rows: vec![change], ..Batch::default() }).await {
                Ok(()) | Err(StoreFault::Conflict) => {}
                Err(fault) => return Err(fault.into()),
            }
        }
        Ok(())
    }
}

/// Each step is an operation of its own.
fn shown_as(progress: &Progress) -> &'static str {
    match progress {
        Progress::Waiting { .. } => "waiting",
        Progress::Accepted => "accepted",
        Progress::Received(Receipt::Delivered) => "delivered",
        Progress::Received(Receipt::Read) => "read",
        Progress::Refused { .. } => "refused",
    }
}
