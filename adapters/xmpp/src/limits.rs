//! The bounds of the XMPP adapter.

use std::time::Duration;

/// Longest localpart of a JID in bytes (RFC 7622, section 3.3).
pub const LOCALPART_BYTES_MAX: usize = 1023;

/// Longest text of one message, in bytes: with what surrounds it, and mark-up escaped, it fits the 256 KiB that the
/// servers take in one stanza.
pub const TEXT_BYTES_MAX: usize = 60 * 1024;

/// Longest display name shown, in characters: names are decoration.
pub const DISPLAY_NAME_CHARS_MAX: usize = 100;

/// How long the server may take to accept the connection and the secret.
pub const CONNECT_TIME_MAX: Duration = Duration::from_secs(20);

/// How long an answer may take that proves that something arrived: a server of the far side may be slow to be reached.
pub const ANSWER_TIME_MAX: Duration = Duration::from_mins(1);

/// Silence after which the server is pinged: without a sign of it we would not notice that it is gone.
pub const SILENCE_MAX: Duration = Duration::from_mins(1);

/// How long the server may take to answer such a ping.
pub const SILENCE_ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

/// First wait before the server is tried again.
pub const RETRY_WAIT_MIN: Duration = Duration::from_millis(200);

/// Longest wait before the server is tried again: an operator who has started it looks no longer than that.
pub const RETRY_WAIT_MAX: Duration = Duration::from_secs(10);

/// How long to wait when the server says "later".
pub const RATE_LIMIT_WAIT: Duration = Duration::from_secs(5);

/// Stanzas that wait to be written: more would only hide that the server is slow.
pub const OUTGOING_MAX: usize = 256;

/// Stanzas heard that wait to be stored; when there are more, nothing is read until some are.
pub const HEARD_MAX: usize = 512;

/// Stanzas whose events are stored in one commit.
pub const HEARD_PER_COMMIT_MAX: usize = 64;

/// First wait before events are offered again that the gateway could not store.
pub const STORE_WAIT_MIN: Duration = Duration::from_millis(50);

/// Longest wait before events are offered again.
pub const STORE_WAIT_MAX: Duration = Duration::from_secs(5);

/// How long what was heard may take to be stored when the session closes.
pub const CLOSE_TIME_MAX: Duration = Duration::from_secs(10);

/// Direct chats known to be open, and puppets known by their names; when there are more, all are forgotten and learnt
/// again. About 200 bytes each.
pub const KNOWN_MAX: usize = 100_000;

/// Longest id of a message that is kept as it is, in bytes; clients use 36 or so.
pub const MESSAGE_ID_BYTES_MAX: usize = 200;

/// Nicks that are tried for one of ours in a room before giving up.
pub const NICKS_MAX: usize = 20;

/// Messages of an archive fetched at once.
pub const ARCHIVE_PAGE_MAX: usize = 100;

/// Pages of an archive gone back in search of what may have been said before a crash: 500 messages that others said since.
pub const ARCHIVE_PAGES_BACK_MAX: usize = 5;
