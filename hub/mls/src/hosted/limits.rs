//! Limits of the hosted room, each with its reason.

/// How far a sender may skip ahead within one epoch.
///
/// A hub may set messages aside and a peer may burn generations; ten thousand costs a few milliseconds to walk.
pub(crate) const GENERATIONS_AHEAD_MAX: u32 = 10_000;

/// How many skipped generations of one sender stay readable.
///
/// Deliveries of one lane arrive in order, but two providers' senders may overtake each other by a batch.
pub(crate) const GENERATIONS_BEHIND_MAX: usize = 100;

/// The highest generation a hosted leaf may send in one epoch.
///
/// Walking the ratchet forward after a restart costs about a microsecond per generation; a million is a second.
pub(crate) const GENERATION_MAX: u32 = 1_000_000;

/// Hosted leaves in one room.
///
/// The group's 1,000 member rooms are the design point; ten times that still fits a snapshot of a few megabytes.
pub(crate) const HOSTED_LEAVES_MAX: usize = 10_000;

/// Handshakes the cold second reader may fall behind.
///
/// Replaying one costs about as much as processing it once; 128 of them stay under a second in a room of 1,000.
pub(crate) const RETAINED_HANDSHAKES_MAX: usize = 128;

/// Bytes of handshakes the cold second reader may fall behind.
///
/// Bounds the snapshot: a cold tree's commit in a room of 1,000 is 80 kB, so this is a few dozen of the worst.
pub(crate) const RETAINED_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Epochs before the current one that are still read.
///
/// One, and one more for each commit of ours that the hub confirmed before its log came to us. A dozen in a row is a slow
/// log; a hub that never sends our commits back must not make us keep them all.
pub(crate) const PAST_EPOCHS_MAX: usize = 16;

/// Hosted leaves that are tried, in order, when the reader was removed.
///
/// Only leaves whose path keys are all known are tried, so the first one normally succeeds.
pub(crate) const TAKEOVER_ATTEMPTS_MAX: usize = 8;

/// Path keys of former readers that are kept before those no longer in the tree are dropped.
///
/// A reader owns at most one key per level of the tree, so this is the yield of about fifty changes of reader.
pub(crate) const KEPT_PATH_KEYS_MAX: usize = 512;
