use super::state::State;
use crate::{Batch, LaneProgress, LaneRow, Row, RowChange, RowKind, RowVersion, StoreFault};

impl State {
    pub(super) fn record(&mut self, batch: Batch) -> Result<(), StoreFault> {
        let Batch { rows, lanes, used_key_packages } = batch;
        rows.into_iter().try_for_each(|change| self.change_row(change))?;
        lanes.into_iter().try_for_each(|progress| self.move_lane(progress))?;
        for reference in used_key_packages {
            if !self.key_packages.delete(&reference) {
                return Err(StoreFault::Conflict);
            }
        }
        Ok(())
    }

    fn change_row(&mut self, change: RowChange) -> Result<(), StoreFault> {
        match change {
            RowChange::Insert { kind, key, bytes } => {
                if self.row_version(kind, &key).is_some() {
                    return Err(StoreFault::Conflict);
                }
                self.rows.put((kind, key.clone()), Row { key, version: RowVersion::FIRST, bytes });
            }
            RowChange::Put { kind, key, expected, bytes } => {
                let stored = self.row_version(kind, &key);
                if expected.is_some() && expected != stored {
                    return Err(StoreFault::Conflict);
                }
                let version = stored.map_or(RowVersion::FIRST, RowVersion::next);
                self.rows.put((kind, key.clone()), Row { key, version, bytes });
            }
            RowChange::Delete { kind, key, expected } => {
                if expected.is_some() && expected != self.row_version(kind, &key) {
                    return Err(StoreFault::Conflict);
                }
                self.rows.delete(&(kind, key));
            }
        }
        Ok(())
    }

    fn row_version(&self, kind: RowKind, key: &[u8]) -> Option<RowVersion> {
        self.rows.get(&(kind, key.to_vec())).map(|row| row.version)
    }

    fn move_lane(&mut self, progress: LaneProgress) -> Result<(), StoreFault> {
        match progress {
            LaneProgress::BatchEnd { room, peer, from, position, batch_end } => {
                let row = self.lanes.get(&(room, peer, from)).ok_or(StoreFault::Conflict)?.clone();
                let within = row.to.is_none_or(|to| batch_end <= to);
                if row.position != position || batch_end <= position || !within {
                    return Err(StoreFault::Conflict);
                }
                self.put_lane(LaneRow { batch_end: Some(batch_end), ..row });
            }
            LaneProgress::Advance { room, peer, from, position } => {
                let row = self.lanes.get(&(room, peer, from)).ok_or(StoreFault::Conflict)?.clone();
                if position < row.position || row.to.is_some_and(|to| position > to) {
                    return Err(StoreFault::Conflict);
                }
                let batch_end = row.batch_end.filter(|end| *end > position);
                self.put_lane(LaneRow { position, batch_end, ..row });
            }
        }
        Ok(())
    }
}
