use std::collections::BTreeMap;
use std::time::Duration;

use mimi_client::vault::Purpose;
use mimi_store::KeyRange;
use mimi_uri::RoomUri;

use super::{Ends, QueueKind, QueueReport};
use crate::bridge::{Bridge, Core};
use crate::fault::Fault;
use crate::intake::{Lane, Sequence};
use crate::rows::{self, INBOX, InFlight, Intent, Key, Link, LinkId, OUTBOX, ROOM, RoomRow, Stage};
use crate::troubles::{Queue, Trouble};

/// How much waits, and since when.
#[derive(Debug, Clone, Copy, Default)]
struct Backlog {
    waiting: u64,
    first: u64,
}

impl Backlog {
    fn add(&mut self, number: u64) {
        if self.waiting == 0 {
            self.first = number;
        }
        self.waiting += 1;
    }
}

impl Bridge {
    /// Every queue that has something in it, or in its way.
    pub async fn queues(&self) -> Result<Vec<QueueReport>, String> {
        self.core().queue_reports().await.map_err(|fault| fault.to_string())
    }

    /// Tries a queue again now, instead of when its wait is over; whether there is such a queue.
    pub fn hurry(&self, kind: QueueKind, key: &str) -> bool {
        let queue = match kind {
            QueueKind::Inbox => key
                .split_once(' ')
                .map(|(adapter, room)| Queue::Lane(Lane { adapter: adapter.to_owned(), room: room.into() })),
            QueueKind::Room => RoomUri::parse(key).ok().map(Queue::Room),
            QueueKind::Outbox => Some(Queue::Link(LinkId(key.to_owned()))),
        };
        queue.map(|queue| self.core().hurry(&queue)).is_some()
    }
}

impl Core {
    async fn queue_reports(&self) -> Result<Vec<QueueReport>, Fault> {
        let (mut lanes, mut links) = (BTreeMap::new(), BTreeMap::new());
        self.each_row(INBOX, KeyRange::all(), |row| {
            if let Some((parts, number)) = Key::read(&row.key, 2) {
                let name = (text(parts[0]), text(parts[1]));
                lanes.entry(name).or_insert_with(Backlog::default).add(number);
            }
        })
        .await?;
        self.each_row(OUTBOX, KeyRange::all(), |row| {
            if let Some((parts, number)) = Key::read(&row.key, 1) {
                links.entry(text(parts[0])).or_insert_with(Backlog::default).add(number);
            }
        })
        .await?;
        let mut reports = Vec::new();
        for ((adapter, room), backlog) in lanes {
            reports.push(self.inbox_report(Lane { adapter, room: room.into() }, backlog).await?);
        }
        self.room_reports(&mut reports).await?;
        for (id, backlog) in links {
            reports.push(self.outbox_report(LinkId(id), backlog).await?);
        }
        Ok(reports)
    }

    async fn inbox_report(&self, lane: Lane, backlog: Backlog) -> Result<QueueReport, Fault> {
        let link = self.link_of_lane(&lane).await?;
        let about = match &link {
            Some((_, link, _)) => format!("{} → {}", link.native_user, link.peer),
            None => format!("{} on {}", lane.room, lane.adapter),
        };
        let key = format!("{} {}", lane.adapter, lane.room);
        let report = self.report_of(QueueKind::Inbox, (key, about), backlog, &Queue::Lane(lane));
        let waits_for = match link {
            Some((_, link, _)) => self.posting_waits_for(&link).await?,
            None => Some("the conversation is being opened".to_owned()),
        };
        Ok(QueueReport { why: report.why.or(waits_for), ..report })
    }

    /// Why a link's posts do not go out, as far as that is the room's affair.
    pub(crate) async fn posting_waits_for(&self, link: &Link) -> Result<Option<String>, Fault> {
        let Some(room) = &link.posting else { return Ok(None) };
        let is_opening = self.room_row(room).await?.is_some_and(|row| row.stage == Stage::Opening);
        let trouble = self.troubles.of(&Queue::Room(room.clone()));
        Ok(match (is_opening, trouble) {
            (true, Some(Trouble { why, .. })) => Some(format!("the chat is not open yet: {why}")),
            (true, None) => Some("the chat is being opened".to_owned()),
            (false, trouble) => trouble.map(|Trouble { why, .. }| why),
        })
    }

    /// A room's row, as it is stored.
    pub(crate) async fn room_row(&self, room: &RoomUri) -> Result<Option<RoomRow>, Fault> {
        let key = room.as_str().as_bytes();
        let Some(stored) = self.store.row(ROOM, key).await? else { return Ok(None) };
        let plain = self.vault.open(Purpose::RoomState, key, &stored.bytes)?;
        Ok(Some(rows::decode(ROOM, &plain)?))
    }

    async fn room_reports(&self, reports: &mut Vec<QueueReport>) -> Result<(), Fault> {
        let mut rooms = Vec::new();
        self.each_row(ROOM, KeyRange::all(), |row| rooms.extend(RoomUri::parse_bytes(&row.key).ok())).await?;
        for room in rooms {
            let Some(row) = self.room_row(&room).await?.filter(|row| row.stage != Stage::Closed) else {
                continue;
            };
            let head = self.store.head(&room).await?.map_or(0, |head| head.seq.0);
            let unread = head.saturating_sub(row.position);
            let waiting = unread + u64::from(row.in_flight.is_some());
            let about = match &row.in_flight {
                Some(InFlight { intent, .. }) => format!("{room}: {}", asked(intent)),
                None => room.to_string(),
            };
            let backlog = Backlog { waiting, first: 0 };
            let queue = Queue::Room(room.clone());
            let report = self.report_of(QueueKind::Room, (room.to_string(), about), backlog, &queue);
            if waiting > 0 || report.why.is_some() {
                let opening = (row.stage == Stage::Opening).then(|| "it is being opened".to_owned());
                reports.push(QueueReport { why: report.why.or(opening), ..report });
            }
        }
        Ok(())
    }

    async fn outbox_report(&self, id: LinkId, backlog: Backlog) -> Result<QueueReport, Fault> {
        let about = match self.ends_of(&id).await? {
            Some(Ends { adapter, from, to }) => format!("{from} → {to} on {adapter}"),
            None => "a link that is gone".to_owned(),
        };
        let key = id.0.clone();
        Ok(self.report_of(QueueKind::Outbox, (key, about), backlog, &Queue::Link(id)))
    }

    fn report_of(
        &self,
        kind: QueueKind,
        (key, about): (String, String),
        backlog: Backlog,
        queue: &Queue,
    ) -> QueueReport {
        let trouble = self.troubles.of(queue);
        let wait = trouble.as_ref().and_then(|_| self.waits(queue));
        QueueReport {
            kind,
            key,
            about,
            waiting: backlog.waiting,
            oldest_ms: (backlog.first > 0).then(|| Sequence::time_ms(backlog.first)),
            since_ms: trouble.as_ref().map(|trouble| trouble.since_ms),
            next_ms: wait.map(|wait: Duration| self.clock.now().0 + millis(wait)),
            perhaps: trouble.as_ref().is_some_and(|trouble| trouble.is_unsure),
            why: trouble.map(|trouble| trouble.why),
        }
    }
}

/// What a room's hub was asked for.
fn asked(intent: &Intent) -> &'static str {
    match intent {
        Intent::Create => "found it",
        Intent::Claim(_) => "key material",
        Intent::Commit | Intent::Steps(_) => "a commit",
        Intent::Leave(_) => "a leave",
        Intent::Post(_) => "a message",
        Intent::Report(_) => "a status report",
    }
}

fn millis(wait: Duration) -> u64 {
    u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)
}

fn text(part: &[u8]) -> String {
    String::from_utf8_lossy(part).into_owned()
}
