use mimi_wire::Timestamp;

/// Where the room log stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) seq: u64,
    pub(crate) timestamp: Timestamp,
}

impl Head {
    /// Place and time of the next event. I4: strictly increasing, whatever the clock does.
    pub(crate) fn take_next(&mut self, now: Timestamp) -> (u64, Timestamp) {
        self.seq += 1;
        self.timestamp = now.following(self.timestamp);
        (self.seq, self.timestamp)
    }
}
