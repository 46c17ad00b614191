use aws_lc_rs::digest::{SHA256, digest};
use mimi_adapter::{Operation, Prepared};
use mimi_store::{Batch, KeyRange, Row, RowChange};
use serde::{Deserialize, Serialize};

use super::Ends;
use crate::bridge::{Bridge, Core};
use crate::delivery::{opening_key, put_link};
use crate::fault::Fault;
use crate::rows::{self, Key, LETTER, LINK_PAIR, Letter, Link, LinkId, LinkState, OPENING, OUTBOX, Outgoing};

/// An operation that a native network refused for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetterReport {
    /// Its name, by which it is replayed or dropped.
    pub id: String,
    /// When it was set aside, in milliseconds since 1970.
    pub at_ms: u64,
    /// Its network.
    pub adapter: String,
    /// On whose behalf it was made.
    pub from: String,
    /// For whom, as the network names him.
    pub to: String,
    /// What kind of operation.
    pub operation: String,
    /// What the network said.
    pub why: String,
    /// The MIMI message it carries.
    pub message: Option<String>,
    /// What it says; only where that was asked for.
    pub text: Option<String>,
}

/// What became of letters that were to be replayed or dropped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letters {
    /// Those with which it was done.
    pub done: Vec<String>,
    /// Those with which it was not, and why.
    pub not_done: Vec<(String, String)>,
}

/// A letter as it is stored.
struct Stored {
    id: String,
    link: LinkId,
    row: Row,
    letter: Letter,
}

impl Bridge {
    /// All letters, oldest first within each link; with what they say only if `show`.
    pub async fn letters(&self, show: bool) -> Result<Vec<LetterReport>, String> {
        self.core().letter_reports(show).await.map_err(|fault| fault.to_string())
    }

    /// Puts letters back into their outboxes, each to its old place and under its old id; `None` is all.
    pub async fn replay(&self, ids: Option<&[String]>) -> Result<Letters, String> {
        self.core().each_letter(ids, Core::replay).await.map_err(|fault| fault.to_string())
    }

    /// Forgets letters for good; `None` is all.
    pub async fn drop_letters(&self, ids: Option<&[String]>) -> Result<Letters, String> {
        self.core().each_letter(ids, Core::drop_letter).await.map_err(|fault| fault.to_string())
    }
}

impl Core {
    async fn letter_reports(&self, show: bool) -> Result<Vec<LetterReport>, Fault> {
        let mut reports = Vec::new();
        for Stored { id, link, letter, .. } in self.stored_letters().await? {
            let unknown = || "?".to_owned();
            let Ends { adapter, from, to } = self.ends_of(&link).await?.unwrap_or_else(|| Ends {
                adapter: unknown(),
                from: unknown(),
                to: unknown(),
            });
            let Letter { outgoing, why, at_ms } = letter;
            reports.push(LetterReport {
                id,
                at_ms,
                adapter,
                from,
                to,
                operation: outgoing.operation.name().to_owned(),
                why,
                message: outgoing.message.map(hex::encode),
                text: said(&outgoing).filter(|_| show),
            });
        }
        Ok(reports)
    }

    async fn stored_letters(&self) -> Result<Vec<Stored>, Fault> {
        let mut stored = Vec::new();
        self.each_row(LETTER, KeyRange::all(), |row| stored.push(row)).await?;
        let mut letters = Vec::with_capacity(stored.len());
        for row in stored {
            let Some((parts, _)) = Key::read(&row.key, 1) else { continue };
            let link = LinkId(String::from_utf8_lossy(parts[0]).into_owned());
            let id = letter_id(&row.key);
            let plain = self.sealing.open(&row.key, &row.bytes).await?;
            let letter: Letter = rows::decode(LETTER, &plain)?;
            letters.push(Stored { id, link, row, letter });
        }
        Ok(letters)
    }

    async fn each_letter(
        &self,
        ids: Option<&[String]>,
        act: impl AsyncFn(&Self, &Stored) -> Result<Result<(), String>, Fault>,
    ) -> Result<Letters, Fault> {
        let letters = self.stored_letters().await?;
        let mut result = Letters::default();
        let is_wanted = |id: &String| ids.is_none_or(|ids| ids.contains(id));
        for stored in letters.iter().filter(|stored| is_wanted(&stored.id)) {
            match act(self, stored).await? {
                Ok(()) => result.done.push(stored.id.clone()),
                Err(why) => result.not_done.push((stored.id.clone(), why)),
            }
        }
        for id in ids.into_iter().flatten().filter(|id| letters.iter().all(|stored| stored.id != **id)) {
            result.not_done.push((id.clone(), "there is no such letter".to_owned()));
        }
        Ok(result)
    }

    /// One commit: the letter is gone, and the operation stands where it stood.
    async fn replay(&self, stored: &Stored) -> Result<Result<(), String>, Fault> {
        let Stored { link: id, row, letter, .. } = stored;
        if self.ends_of(id).await?.is_none() {
            return Ok(Err("its chat is gone".to_owned()));
        }
        if let Operation::OpenGroup { .. } = letter.outgoing.operation {
            return Ok(
                Err("a conversation that was not opened is opened anew, by inviting again".to_owned()),
            );
        }
        let key = row.key.clone();
        let bytes = self.sealing.seal(self.clock.now().0, &key, &rows::encode(&letter.outgoing)).await?;
        let mut changes = vec![delete(row), RowChange::Insert { kind: OUTBOX, key, bytes }];
        if let (Operation::OpenDirect { .. }, Some((link, link_row))) =
            (&letter.outgoing.operation, self.link(id).await?)
        {
            if link.state != LinkState::Refused
                || link.native_room.is_some()
                || !self.is_theirs(id, &link).await?
            {
                return Ok(Err("the two have another chat by now".to_owned()));
            }
            let opening = opening_key(id, &link);
            changes.push(RowChange::Put {
                kind: OPENING,
                key: opening,
                expected: None,
                bytes: rows::encode(id),
            });
            changes.push(put_link(id, &Link { state: LinkState::Active, ..link }, &link_row));
        }
        self.store.record(Batch { rows: changes, ..Batch::default() }).await?;
        tracing::info!(link = %id, op_id = %letter.outgoing.op_id, "a letter is replayed");
        metrics::counter!("letters_replayed_total").increment(1);
        self.hurry(&crate::troubles::Queue::Link(id.clone()));
        Ok(Ok(()))
    }

    async fn drop_letter(&self, stored: &Stored) -> Result<Result<(), String>, Fault> {
        self.store.record(Batch { rows: vec![delete(&stored.row)], ..Batch::default() }).await?;
        tracing::info!(link = %stored.link, op_id = %stored.letter.outgoing.op_id, "a letter is dropped");
        Ok(Ok(()))
    }

    /// Whether this is (still) the link of its two people.
    async fn is_theirs(&self, id: &LinkId, link: &Link) -> Result<bool, Fault> {
        let key = Key::of(link.hosted.as_str()).and(link.peer.as_str().as_bytes()).bytes();
        let Some(row) = self.store.row(LINK_PAIR, &key).await? else { return Ok(false) };
        Ok(rows::decode::<LinkId>(LINK_PAIR, &row.bytes)? == *id)
    }
}

/// A name short enough to type, the same as long as the letter lies there.
pub(crate) fn letter_id(key: &[u8]) -> String {
    hex::encode(&digest(&SHA256, key).as_ref()[..LETTER_ID_LENGTH])
}

/// Bytes of a letter's name: among a million letters two share one with a probability below one half.
const LETTER_ID_LENGTH: usize = 5;

/// What an operation would have people read.
fn said(outgoing: &Outgoing) -> Option<String> {
    match &outgoing.operation {
        Operation::Post(Prepared { plain, .. }) | Operation::Notice(plain) => Some(plain.clone()),
        _ => None,
    }
}

fn delete(row: &Row) -> RowChange {
    RowChange::Delete { kind: LETTER, key: row.key.clone(), expected: Some(row.version) }
}
