//! What each verb comes to, on what the database holds and the verbs before it will have stored.

use mimi_store::{
    Batch, Claim, Decide, LaneChange, LaneProgress, NewEvent, RoomVersion, RowChange, RowKind, RowVersion,
    Seq, Stored, Verb,
};
use mimi_uri::{Domain, RoomUri};

use super::tables::{Answer, KeyPackage, RoomNow, RoomPlace, RowNow, Tables};
use crate::sql::lane::Interval;

/// It does not fit what is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Conflict;

type Judged<T = ()> = Result<T, Conflict>;

impl<'v> Tables<'v> {
    /// Judges verbs in their order: who comes first is stored, who conflicts with it is none and leaves nothing.
    pub(super) fn judge(&mut self, verbs: &'v [Verb]) -> Vec<Option<Stored>> {
        let outcome = |verb| {
            let outcome = self.apply(verb).ok();
            if outcome.is_some() {
                self.keep();
            } else {
                self.take_back();
            }
            outcome
        };
        verbs.iter().map(outcome).collect()
    }

    fn apply(&mut self, verb: &'v Verb) -> Judged<Stored> {
        match verb {
            Verb::Decide(decide) => self.decide(decide).map(|()| Stored::default()),
            Verb::Claim(claim) => self.claim(claim),
            Verb::Record(batch) => self.record(batch).map(|()| Stored::default()),
        }
    }

    fn decide(&mut self, decide: &'v Decide) -> Judged {
        let room = self.admit(decide)?;
        decide.events.iter().try_for_each(|event| self.append(room, event))?;
        decide.lanes.iter().try_for_each(|change| self.change_lane(room, change))?;
        for (reference, peer) in &decide.routes {
            match self.routes.get(&(room, reference)) {
                Some(known) if known == peer => {}
                Some(_) => return Err(Conflict),
                None => self.routes.put((room, reference), peer.clone()),
            }
        }
        for (epoch, tree) in &decide.trees {
            self.trees.put((room, *epoch), tree);
        }
        Ok(())
    }

    /// Checks a decision's fence, and takes the room's new state.
    fn admit(&mut self, decide: &'v Decide) -> Judged<RoomPlace> {
        let room = self.place(&decide.room);
        let (role, state) = (decide.role, decide.state.as_ref());
        match (self.rooms.get(&room).copied(), decide.fence) {
            (None, None) => {
                self.rooms.put(room, RoomNow { id: None, role, version: RoomVersion::FIRST, state });
            }
            (Some(now), Some(fence)) if now.version == fence && now.role == role => {
                if state.is_some() {
                    self.rooms.put(room, RoomNow { version: fence.next(), state, ..now });
                }
            }
            (None, Some(_)) | (Some(_), _) => return Err(Conflict),
        }
        Ok(room)
    }

    fn append(&mut self, room: RoomPlace, event: &'v NewEvent) -> Judged {
        let seq = (room, event.seq);
        if self.seqs.get(&seq).is_some() {
            return Err(Conflict);
        }
        self.seqs.put(seq, ());
        if let Some(hash) = event.request_hash {
            if self.requests.get(&(room, hash)).is_some() {
                return Err(Conflict);
            }
            self.requests.put((room, hash), ());
        }
        self.events.push((room, event));
        Ok(())
    }

    fn change_lane(&mut self, room: RoomPlace, change: &'v LaneChange) -> Judged {
        match change {
            LaneChange::Open { peer, from } => {
                if self.lane(room, peer).any(|(_, interval)| interval.to.is_none_or(|to| to > *from)) {
                    return Err(Conflict);
                }
                self.lanes.put((room, peer, *from), Interval { to: None, position: *from, batch_end: None });
                Ok(())
            }
            LaneChange::Close { peer, to } => {
                let open = self.lane(room, peer).find(|(_, interval)| interval.to.is_none());
                let (from, open) = open.ok_or(Conflict)?;
                if *to < open.position || open.batch_end.is_some_and(|end| *to < end) {
                    return Err(Conflict);
                }
                self.put_lane((room, peer, from), Interval { to: Some(*to), ..open });
                Ok(())
            }
        }
    }

    fn lane(&self, room: RoomPlace, peer: &'v Domain) -> impl Iterator<Item = (Seq, Interval)> {
        let all = (room, peer, Seq(0))..=(room, peer, Seq(u64::MAX));
        self.lanes.range(all).map(|((_, _, from), interval)| (*from, *interval))
    }

    /// Writes an interval, or deletes it if nothing of it is left to deliver.
    fn put_lane(&mut self, key: (RoomPlace, &'v Domain, Seq), interval: Interval) {
        if interval.to == Some(interval.position) {
            self.lanes.delete(key);
        } else {
            self.lanes.put(key, interval);
        }
    }

    fn claim(&mut self, claim: &'v Claim) -> Judged<Stored> {
        self.claimed_at = self.claimed_at.max(Some(claim.now));
        let key = (&claim.peer, claim.request_hash);
        if let Some(first) = self.answers.get(&key).filter(|answer| answer.expires() > claim.now) {
            return Ok(Stored { first_answer: Some(first.bytes().to_vec()) });
        }
        self.answers.put(key, Answer::New(claim));
        for minted in &claim.minted {
            if self.key_packages.get(&&minted.reference).is_some() {
                return Err(Conflict);
            }
            self.key_packages.put(&minted.reference, KeyPackage::New((&claim.peer, minted)));
        }
        Ok(Stored::default())
    }

    fn record(&mut self, batch: &'v Batch) -> Judged {
        batch.rows.iter().try_for_each(|change| self.change_row(change))?;
        batch.lanes.iter().try_for_each(|progress| self.move_lane(progress))?;
        for reference in &batch.used_key_packages {
            if self.key_packages.get(&reference).is_none() {
                return Err(Conflict);
            }
            self.key_packages.delete(reference);
        }
        Ok(())
    }

    fn change_row(&mut self, change: &'v RowChange) -> Judged {
        match change {
            RowChange::Insert { kind, key, bytes } => {
                if self.version(*kind, key).is_some() {
                    return Err(Conflict);
                }
                self.put_row((*kind, key), RowVersion::FIRST, bytes);
            }
            RowChange::Put { kind, key, expected, bytes } => {
                let stored = self.version(*kind, key);
                if expected.is_some() && *expected != stored {
                    return Err(Conflict);
                }
                self.put_row((*kind, key), stored.map_or(RowVersion::FIRST, RowVersion::next), bytes);
            }
            RowChange::Delete { kind, key, expected } => {
                let stored = self.version(*kind, key);
                if expected.is_some() && *expected != stored {
                    return Err(Conflict);
                }
                if stored.is_some() {
                    self.rows.delete((kind.0, key));
                }
            }
        }
        Ok(())
    }

    fn version(&self, kind: RowKind, key: &'v [u8]) -> Option<RowVersion> {
        self.rows.get(&(kind.0, key)).map(|row| row.version)
    }

    fn put_row(&mut self, (kind, key): (RowKind, &'v [u8]), version: RowVersion, bytes: &'v [u8]) {
        self.rows.put((kind.0, key), RowNow { version, bytes: Some(bytes) });
    }

    fn move_lane(&mut self, progress: &'v LaneProgress) -> Judged {
        match progress {
            LaneProgress::BatchEnd { room, peer, from, position, batch_end } => {
                let (key, interval) = self.interval(room, peer, *from)?;
                let within = interval.to.is_none_or(|to| *batch_end <= to);
                if interval.position != *position || batch_end <= position || !within {
                    return Err(Conflict);
                }
                self.put_lane(key, Interval { batch_end: Some(*batch_end), ..interval });
            }
            LaneProgress::Advance { room, peer, from, position } => {
                let (key, interval) = self.interval(room, peer, *from)?;
                if *position < interval.position || interval.to.is_some_and(|to| *position > to) {
                    return Err(Conflict);
                }
                let batch_end = interval.batch_end.filter(|end| end > position);
                self.put_lane(key, Interval { position: *position, batch_end, ..interval });
            }
        }
        Ok(())
    }

    fn interval(
        &mut self,
        room: &'v RoomUri,
        peer: &'v Domain,
        from: Seq,
    ) -> Judged<((RoomPlace, &'v Domain, Seq), Interval)> {
        let key = (self.place(room), peer, from);
        let interval = self.lanes.get(&key).ok_or(Conflict)?;
        Ok((key, *interval))
    }
}
