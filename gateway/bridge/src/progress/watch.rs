use std::collections::{BTreeMap, HashSet};

use mimi_adapter::{NativeBody, NativeEvent, Progress};
use mimi_store::{Batch, KeyRange, Row, RowChange, RowKind};
use tokio_util::sync::CancellationToken;

use super::SHOWING;
use crate::bridge::Core;
use crate::fault::Fault;
use crate::intake::{Lane, Sequence};
use crate::limits::{WAITING_SHOWN_AFTER, WATCH_PAUSE, WATCHED_ROWS_MAX};
use crate::rows::{self, INBOX, InFlight, Intent, Key, LinkId, OUTBOX};
use crate::troubles::Queue;

/// The rows that the watch has told of: each is told of once.
type Told = HashSet<Vec<u8>>;

impl Core {
    /// Looks at what waits from time to time: counts it, and shows native users what of theirs waits for long.
    pub(crate) async fn watch(&self, stop: CancellationToken) {
        let (mut told, mut pause) = (Told::new(), tokio::time::interval(WATCH_PAUSE));
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                _ = pause.tick() => {}
            }
            if let Err(fault) = self.look(&mut told).await {
                tracing::debug!(%fault, "what waits could not be looked at");
            }
        }
    }

    async fn look(&self, told: &mut Told) -> Result<(), Fault> {
        let now_ms = self.clock.now().0;
        let inbox = self.store.rows(INBOX, KeyRange::all(), WATCHED_ROWS_MAX).await?;
        gauge(INBOX, 2, &inbox, now_ms);
        gauge(OUTBOX, 1, &self.store.rows(OUTBOX, KeyRange::all(), WATCHED_ROWS_MAX).await?, now_ms);
        let mut lanes: BTreeMap<(String, String), Vec<Row>> = BTreeMap::new();
        let mut still = Told::new();
        for row in inbox {
            let Some((parts, number)) = Key::read(&row.key, 2) else { continue };
            if told.contains(&row.key) {
                still.insert(row.key);
            } else if is_long_ago(Sequence::time_ms(number), now_ms) {
                lanes.entry((text(parts[0]), text(parts[1]))).or_default().push(row);
            }
        }
        for ((adapter, room), rows) in lanes {
            self.tell_waiting_posts(&Lane { adapter, room: room.into() }, &rows).await?;
            still.extend(rows.into_iter().map(|row| row.key));
        }
        self.tell_posts_in_flight(told, &mut still, now_ms).await?;
        *told = still;
        Ok(())
    }

    /// Posts that have not left their inbox for long.
    async fn tell_waiting_posts(&self, lane: &Lane, waiting: &[Row]) -> Result<(), Fault> {
        let Some((id, posting)) = self.posting_of_lane(lane).await? else { return Ok(()) };
        let noted = self.troubles.of(&Queue::Lane(lane.clone())).map(|trouble| trouble.why);
        let why = posting.or(noted).unwrap_or_else(|| "others are before it".to_owned());
        let mut changes = Vec::new();
        for row in waiting {
            let plain = self.sealing.open(&row.key, &row.bytes).await?;
            let event: NativeEvent = rows::decode(INBOX, &plain)?;
            if matches!(event.body, NativeBody::Post(_)) {
                changes.extend(self.showing(
                    &id,
                    &lane.adapter,
                    &event.id,
                    &Progress::Waiting { why: why.clone() },
                ));
            }
        }
        self.store_showings(&id, changes).await
    }

    /// The link of a lane, and what its room does not let it post for.
    async fn posting_of_lane(&self, lane: &Lane) -> Result<Option<(LinkId, Option<String>)>, Fault> {
        if let Some((id, link, _)) = self.link_of_lane(lane).await? {
            let why = self.posting_waits_for(&link).await?;
            return Ok(Some((id, why)));
        }
        Ok(self.group_of_lane(lane).await?.map(|(id, ..)| (id, None)))
    }

    /// Posts that were sent to their hub and are not answered for long.
    async fn tell_posts_in_flight(&self, told: &Told, still: &mut Told, now_ms: u64) -> Result<(), Fault> {
        for (room, trouble) in self.troubles.rooms() {
            if !is_long_ago(trouble.since_ms, now_ms) {
                continue;
            }
            let Some(row) = self.room_row(&room).await? else { continue };
            let Some(InFlight { intent: Intent::Post(post), .. }) = row.in_flight else { continue };
            let key = post.message.to_vec();
            if !told.contains(&key)
                && let Some(chat) = self.chat(&post.link).await?
            {
                let waiting = Progress::Waiting { why: trouble.why };
                let change = self.showing(&post.link, &chat.adapter, &post.native_event, &waiting);
                self.store_showings(&post.link, change.into_iter().collect()).await?;
            }
            still.insert(key);
        }
        Ok(())
    }

    async fn store_showings(&self, id: &LinkId, changes: Vec<RowChange>) -> Result<(), Fault> {
        debug_assert!(changes.iter().all(|change| matches!(change, RowChange::Put { kind: SHOWING, .. })));
        if !changes.is_empty() {
            self.store.record(Batch { rows: changes, ..Batch::default() }).await?;
            self.wake_showing(id.clone());
        }
        Ok(())
    }
}

fn is_long_ago(at_ms: u64, now_ms: u64) -> bool {
    u128::from(now_ms.saturating_sub(at_ms)) >= WAITING_SHOWN_AFTER.as_millis()
}

/// How much waits, and how long the oldest does.
#[expect(clippy::cast_precision_loss, reason = "a metric; waits are not so long, nor queues")]
fn gauge(kind: RowKind, parts: usize, rows: &[Row], now_ms: u64) {
    let first = rows.iter().filter_map(|row| Key::read(&row.key, parts)).map(|(_, number)| number).min();
    let age_ms = first.map_or(0, |number| now_ms.saturating_sub(Sequence::time_ms(number)));
    metrics::gauge!("waiting", "queue" => kind.0).set(rows.len() as f64);
    metrics::gauge!("waiting_oldest_seconds", "queue" => kind.0).set(age_ms as f64 / 1000.0);
}

fn text(part: &[u8]) -> String {
    String::from_utf8_lossy(part).into_owned()
}
