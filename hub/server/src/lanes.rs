//! Lanes: each follower gets each room's log in order, one batch at a time, until it has it.
//!
//! A batch's end is durable before its first byte leaves, so a retry is the same request, byte for byte. What a peer
//! cannot take now waits for the *peer*: all its lanes share one back-off, which any sign of life ends.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use mimi_store::{
    Audience, Batch, EventKind, EventLimit, EventRow, LaneChange, LaneProgress, LaneRow, Next, RowChange,
    Runs, Seq, fail_point,
};
use mimi_uri::{Domain, RoomUri};
use mimi_wire::Endpoint;
use tokio_util::sync::CancellationToken;

use crate::failure::Fault;
use crate::gate::Gate;
use crate::limits::{BATCH_BYTES_MAX, BATCH_EVENTS_MAX, PARKED_RETRY, RETRY_AFTER_MAX};
use crate::server::Inner;

/// One follower's share of one room's log.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct LaneKey {
    pub(crate) peer: Domain,
    pub(crate) room: RoomUri,
}

/// By room, for whoever accepts something in it wakes the lanes of that room and looks at no others.
type Intervals = HashMap<RoomUri, BTreeMap<Domain, Vec<LaneRow>>>;

/// All lanes, as they are stored.
#[derive(Default)]
pub(crate) struct Lanes {
    intervals: Mutex<Intervals>,
    gates: Mutex<HashMap<Domain, Arc<Gate>>>,
    runs: Mutex<Option<Runs<LaneKey>>>,
    troubles: Mutex<HashMap<LaneKey, LaneTrouble>>,
}

/// What is in a lane's way; the next process finds out again.
#[derive(Debug, Clone)]
pub(crate) struct LaneTrouble {
    /// What the follower said, or that it said nothing.
    pub(crate) why: String,
    /// Since when nothing got through.
    pub(crate) since_ms: u64,
    /// Whether waiting alone is not expected to cure it.
    pub(crate) is_parked: bool,
}

/// A batch about to be sent.
struct Parcel {
    interval: LaneRow,
    end: Seq,
    events: Vec<EventRow>,
}

impl Lanes {
    /// Loads what is stored and starts to deliver.
    pub(crate) async fn start(&self, inner: &Arc<Inner>, stop: &CancellationToken) -> Result<(), Fault> {
        let server = Arc::clone(inner);
        let runs = Runs::new(stop.clone(), move |key: LaneKey| {
            let server = Arc::clone(&server);
            async move { server.run_lane(&key).await }
        });
        let rows = inner.store.lanes().await?;
        let mut keys: Vec<LaneKey> = {
            let mut intervals = self.intervals.lock().unwrap_or_else(PoisonError::into_inner);
            for row in rows {
                let lanes = intervals.entry(row.room.clone()).or_default();
                lanes.entry(row.peer.clone()).or_default().push(row);
            }
            intervals.keys().flat_map(|room| keys(&intervals, room)).collect()
        };
        *self.runs.lock().unwrap_or_else(PoisonError::into_inner) = Some(runs);
        keys.sort();
        let server = Arc::clone(inner);
        let looking = async move { server.look_at_lanes(keys).await };
        tokio::spawn(stop.clone().run_until_cancelled_owned(looking));
        Ok(())
    }

    /// A decision of a room was stored: lanes may have opened or closed, and all have something new.
    pub(crate) fn changed(&self, room: &RoomUri, changes: &[LaneChange]) {
        let woken: Vec<LaneKey> = {
            let mut intervals = self.intervals.lock().unwrap_or_else(PoisonError::into_inner);
            for change in changes {
                apply(&mut intervals, room, change);
            }
            keys(&intervals, room)
        };
        for key in woken {
            self.wake(key);
        }
    }

    /// The peer gave a sign of life: what waits for it need not wait longer.
    pub(crate) fn alive(&self, peer: &Domain) {
        let gate = self.gates.lock().unwrap_or_else(PoisonError::into_inner).get(peer).cloned();
        if let Some(gate) = gate {
            gate.open();
        }
    }

    /// What is in a lane's way.
    pub(crate) fn trouble(&self, key: &LaneKey) -> Option<LaneTrouble> {
        self.troubles().get(key).cloned()
    }

    /// How long a lane waits for its next try, by itself or with all lanes of its peer.
    pub(crate) fn waits(&self, key: &LaneKey) -> Option<Duration> {
        let runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner).clone();
        runs.and_then(|runs| runs.waits(key)).or_else(|| self.gate(&key.peer).closed_for())
    }

    /// Tries a lane now: an operator says that what was in its way is gone.
    pub(crate) fn resume(&self, key: &LaneKey) {
        self.gate(&key.peer).force();
        let runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(runs) = runs {
            runs.hurry(key.clone());
        }
    }

    fn note(&self, key: &LaneKey, why: String, is_parked: bool, now_ms: u64) {
        let mut troubles = self.troubles();
        let since_ms = troubles.get(key).map_or(now_ms, |before| before.since_ms);
        troubles.insert(key.clone(), LaneTrouble { why, since_ms, is_parked });
    }

    fn troubles(&self) -> MutexGuard<'_, HashMap<LaneKey, LaneTrouble>> {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self, key: LaneKey) {
        if let Some(runs) = self.runs.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            runs.wake(key);
        }
    }

    fn gate(&self, peer: &Domain) -> Arc<Gate> {
        Arc::clone(self.gates.lock().unwrap_or_else(PoisonError::into_inner).entry(peer.clone()).or_default())
    }

    fn first(&self, key: &LaneKey) -> Option<LaneRow> {
        self.intervals
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key.room)?
            .get(&key.peer)?
            .first()
            .cloned()
    }

    /// An interval has got so far; a closed one that is through is gone.
    fn advanced(&self, key: &LaneKey, from: Seq, position: Seq) {
        let mut intervals = self.intervals.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(lanes) = intervals.get_mut(&key.room) else { return };
        let Some(rows) = lanes.get_mut(&key.peer) else { return };
        for row in rows.iter_mut().filter(|row| row.from == from) {
            row.position = position;
            row.batch_end = None;
        }
        rows.retain(|row| row.to.is_none_or(|to| row.position < to));
        if rows.is_empty() {
            lanes.remove(&key.peer);
        }
        if lanes.is_empty() {
            intervals.remove(&key.room);
        }
    }

    fn sending(&self, key: &LaneKey, from: Seq, end: Seq) {
        let mut intervals = self.intervals.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = intervals.get_mut(&key.room).and_then(|lanes| lanes.get_mut(&key.peer));
        for row in rows.into_iter().flatten().filter(|row| row.from == from) {
            row.batch_end = Some(end);
        }
    }
}

fn keys(intervals: &Intervals, room: &RoomUri) -> Vec<LaneKey> {
    let peers = intervals.get(room).into_iter().flat_map(BTreeMap::keys);
    peers.map(|peer| LaneKey { peer: peer.clone(), room: room.clone() }).collect()
}

fn apply(intervals: &mut Intervals, room: &RoomUri, change: &LaneChange) {
    let lanes = intervals.entry(room.clone()).or_default();
    match change {
        LaneChange::Open { peer, from } => lanes.entry(peer.clone()).or_default().push(LaneRow {
            room: room.clone(),
            peer: peer.clone(),
            from: *from,
            to: None,
            position: *from,
            batch_end: None,
        }),
        LaneChange::Close { peer, to } => {
            for row in lanes.get_mut(peer).into_iter().flatten().filter(|row| row.to.is_none()) {
                row.to = Some(*to);
            }
        }
    }
}

impl Inner {
    /// Wakes the lanes that have something to deliver. One after the other: at start nearly all have nothing, and as many runs
    /// at once as there are lanes would take much memory to find out.
    async fn look_at_lanes(&self, keys: Vec<LaneKey>) {
        for key in keys {
            let rests = match (self.store.head(&key.room).await, self.lanes.first(&key)) {
                (Ok(Some(head)), Some(row)) => row.to.is_none() && head.seq < row.position,
                (_, None) => true,
                (Ok(None) | Err(_), Some(_)) => false,
            };
            if !rests {
                self.lanes.wake(key);
            }
        }
    }

    /// Delivers what a lane has, batch after batch, until something keeps it from it.
    pub(crate) async fn run_lane(&self, key: &LaneKey) -> Next {
        match self.deliver(key).await {
            Ok(next) => next,
            Err(fault) => {
                tracing::error!(peer = %key.peer, room = %key.room, %fault, "a lane cannot go on; will be tried again");
                Next::BackOff
            }
        }
    }

    async fn deliver(&self, key: &LaneKey) -> Result<Next, Fault> {
        let gate = self.lanes.gate(&key.peer);
        gate.passed().await;
        let Some(mut parcel) = self.next_parcel(key).await? else { return Ok(Next::Rest) };
        if parcel.events.is_empty() {
            self.advance(key, &parcel, None).await?;
            return Ok(Next::Again);
        }
        loop {
            let (status, retry_after) = self.send(key, &parcel).await;
            match status {
                Some(status) if status.is_success() => {
                    fail_point("batch.taken");
                    gate.open();
                    let next = self.advance(key, &parcel, None).await?;
                    fail_point("batch.advanced");
                    let Some(next) = next else { return Ok(Next::Again) };
                    gate.passed().await;
                    parcel = next;
                }
                Some(status) if is_about_the_body(status) => {
                    return self.rejected(key, &parcel, status).await;
                }
                // The follower's mind, not the bytes: nothing is set aside, and somebody has to look.
                Some(status) if status.is_client_error() && !is_passing(status) => {
                    tracing::error!(peer = %key.peer, room = %key.room, %status, "a follower refuses events; its lane is parked");
                    return Ok(self.park(key, format!("the follower refuses events: {status}")));
                }
                Some(_) | None => {
                    let why = status.map_or_else(
                        || "the follower cannot be reached".to_owned(),
                        |status| format!("the follower answers {status}"),
                    );
                    self.lanes.note(key, why, false, self.now().map_or(0, |now| now.0));
                    gate.close(retry_after.map(|wait| wait.min(RETRY_AFTER_MAX)));
                    return Ok(Next::Again);
                }
            }
        }
    }

    /// What the follower says to a batch, and how long it asks to be left alone; nothing if it cannot be reached.
    async fn send(&self, key: &LaneKey, parcel: &Parcel) -> (Option<StatusCode>, Option<Duration>) {
        let mut body = Vec::with_capacity(parcel.events.iter().map(|event| event.bytes.len()).sum());
        for event in &parcel.events {
            body.extend_from_slice(&event.bytes);
        }
        let started = std::time::Instant::now();
        let sent =
            self.outbound.send(&key.peer, Endpoint::Notify, key.room.as_str(), Bytes::from(body)).await;
        let (status, retry_after) = match &sent {
            Ok(answer) => (Some(answer.status), answer.retry_after),
            Err(fault) => {
                tracing::debug!(peer = %key.peer, room = %key.room, %fault, "a follower cannot be reached");
                (None, None)
            }
        };
        tracing::info!(target: "drawbridge::step", endpoint = "notify", to = %key.peer, room = %key.room,
            events = parcel.events.len(), status = status.map(|status| status.as_u16()),
            millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX));
        metrics::histogram!("notify_seconds").record(started.elapsed().as_secs_f64());
        (status, retry_after)
    }

    /// The events up to the durable end of the batch, or a new batch with its end made durable.
    async fn next_parcel(&self, key: &LaneKey) -> Result<Option<Parcel>, Fault> {
        let Some(interval) = self.lanes.first(key) else { return Ok(None) };
        let is_marked = interval.batch_end.is_some();
        let Some(parcel) = self.cut(key, interval).await? else { return Ok(None) };
        if !is_marked && !parcel.events.is_empty() {
            self.mark(key, &parcel.interval, parcel.end).await?;
            fail_point("batch.marked");
        }
        Ok(Some(parcel))
    }

    /// The next events of an interval, as many as go into one request.
    async fn cut(&self, key: &LaneKey, interval: LaneRow) -> Result<Option<Parcel>, Fault> {
        let limit = EventLimit { count: BATCH_EVENTS_MAX, bytes: BATCH_BYTES_MAX };
        let mut events = self.store.events(&key.room, interval.position, limit).await?;
        let bound = interval.batch_end.or(interval.to);
        events.retain(|event| bound.is_none_or(|end| event.seq < end));
        let Some(last) = events.last() else { return Ok(None) };
        let end = interval.batch_end.unwrap_or_else(|| last.seq.next());
        events.retain(|event| is_for(event, &key.peer));
        Ok(Some(Parcel { interval, end, events }))
    }

    async fn mark(&self, key: &LaneKey, interval: &LaneRow, end: Seq) -> Result<(), Fault> {
        let progress = batch_end(key, interval, end);
        self.store.record(Batch { lanes: vec![progress], ..Batch::default() }).await?;
        self.lanes.sending(key, interval.from, end);
        Ok(())
    }

    /// The follower has the parcel, or goes on without it, which is then remembered. If the lane has more, the next
    /// batch's end becomes durable with it: a busy lane waits for the disk once for each batch.
    async fn advance(
        &self,
        key: &LaneKey,
        parcel: &Parcel,
        remembered: Option<RowChange>,
    ) -> Result<Option<Parcel>, Fault> {
        let advance = LaneProgress::Advance {
            room: key.room.clone(),
            peer: key.peer.clone(),
            from: parcel.interval.from,
            position: parcel.end,
        };
        let next = self.following(key, parcel).await?;
        let marked = next.as_ref().map(|next| batch_end(key, &next.interval, next.end));
        let lanes = std::iter::once(advance).chain(marked).collect();
        let rows = remembered.into_iter().collect();
        self.store.record(Batch { rows, lanes, ..Batch::default() }).await?;
        self.lanes.troubles().remove(key);
        self.lanes.advanced(key, parcel.interval.from, parcel.end);
        if let Some(next) = &next {
            self.lanes.sending(key, next.interval.from, next.end);
        }
        metrics::counter!("events_delivered_total").increment(parcel.events.len() as u64);
        Ok(next)
    }

    /// What follows a parcel in its interval, if there is something for this follower.
    async fn following(&self, key: &LaneKey, parcel: &Parcel) -> Result<Option<Parcel>, Fault> {
        // As it is now: it may have been closed meanwhile.
        let interval = self.lanes.first(key).filter(|row| row.from == parcel.interval.from);
        let Some(interval) = interval.filter(|row| row.to != Some(parcel.end)) else { return Ok(None) };
        let rest = LaneRow { position: parcel.end, batch_end: None, ..interval };
        Ok(self.cut(key, rest).await?.filter(|next| !next.events.is_empty()))
    }

    /// DESIGN §8: split the batch; then set aside one message, never a commit or Welcome: there the lane waits, loudly.
    async fn rejected(&self, key: &LaneKey, parcel: &Parcel, status: StatusCode) -> Result<Next, Fault> {
        let Some(first) = parcel.events.first() else { return Ok(Next::Again) };
        if parcel.events.len() > 1 {
            let half = parcel.events[parcel.events.len() / 2].seq;
            self.mark(key, &parcel.interval, half).await?;
            return Ok(Next::Again);
        }
        if first.kind == EventKind::Application {
            tracing::error!(peer = %key.peer, room = %key.room, seq = first.seq.0, %status, "a follower rejects a message; it is set aside");
            metrics::counter!("messages_set_aside_total").increment(1);
            let remembered = self.set_aside_row(key, first.seq, status.as_u16());
            self.advance(key, parcel, Some(remembered)).await?;
            return Ok(Next::Again);
        }
        tracing::error!(peer = %key.peer, room = %key.room, seq = first.seq.0, %status, kind = first.kind.name(),
            "a follower rejects a handshake; its lane is parked");
        Ok(self.park(key, format!("the follower rejects a {}: {status}", first.kind.name())))
    }

    /// Waiting alone is not expected to help, so somebody has to look.
    fn park(&self, key: &LaneKey, why: String) -> Next {
        metrics::counter!("lanes_parked_total").increment(1);
        self.lanes.note(key, why, true, self.now().map_or(0, |now| now.0));
        Next::After(PARKED_RETRY)
    }
}

fn batch_end(key: &LaneKey, interval: &LaneRow, end: Seq) -> LaneProgress {
    LaneProgress::BatchEnd {
        room: key.room.clone(),
        peer: key.peer.clone(),
        from: interval.from,
        position: interval.position,
        batch_end: end,
    }
}

fn is_for(event: &EventRow, peer: &Domain) -> bool {
    match &event.audience {
        Audience::Everyone => true,
        Audience::Only(provider) => provider == peer,
    }
}

/// What waiting will not cure, for it speaks of the bytes themselves.
fn is_about_the_body(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::BAD_REQUEST
            | StatusCode::PAYLOAD_TOO_LARGE
            | StatusCode::UNSUPPORTED_MEDIA_TYPE
            | StatusCode::UNPROCESSABLE_ENTITY
    )
}

fn is_passing(status: StatusCode) -> bool {
    matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
}
