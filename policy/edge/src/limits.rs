//! How long things are remembered.

use crate::Seconds;

/// How long an unanswered request for consent waits: after a month it is no longer what anybody meant.
pub const ASKED_LIFETIME: Seconds = Seconds(30 * 24 * 3600);

/// How long a grant lasts that names no end: a year after the last time it was given, it is asked again.
pub const GRANT_LIFETIME: Seconds = Seconds(365 * 24 * 3600);

/// Requests that are counted in one scope: beyond, only that there were many matters.
pub const REQUEST_COUNT_MAX: u32 = 1_000;

/// Bytes of an encoded consent record: three identifiers and a few numbers.
pub const RECORD_LENGTH_MAX: usize = 3 * mimi_uri::limits::URI_LENGTH_MAX + 64;
