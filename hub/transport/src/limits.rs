//! Limits of this crate, each with its reason.

use std::time::Duration;

/// Connections of one address at a time, before TLS: a peer needs one per node; a balancer in front of many needs more.
///
/// An IPv6 network of 64 bits counts as one address, since its owner has all of them.
pub const CONNECTIONS_PER_ADDRESS_MAX: usize = 64;

/// Connections altogether: a thousand peers with a few nodes each, well below a common limit of open files.
pub const CONNECTIONS_MAX: usize = 8_192;

/// Time for a TLS handshake, on either side: two round trips around the world, and patience for a busy machine.
pub const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(10);

/// Time for a request's header on HTTP/1.1, and for how long such a connection may be idle.
pub const HEADER_DEADLINE: Duration = Duration::from_secs(30);

/// Bytes of a request's header: a path, a From, a Host and little else.
pub const HEADER_LENGTH_MAX: usize = 16 * 1024;

/// Requests at a time on one HTTP/2 connection: one per room that a peer has something for, in a busy moment.
pub const STREAMS_MAX: u32 = 256;

/// How much of one body may be on its way unread: the usual body fits, the largest needs a few rounds.
pub const STREAM_WINDOW: u32 = 1024 * 1024;

/// How much of all bodies of a connection may be on its way unread: bounds what one peer can make us hold.
pub const CONNECTION_WINDOW: u32 = 8 * 1024 * 1024;

/// How long a connection may be silent before it is pinged: a dead one is known before a request's deadline, and address
/// translators do not forget a live one.
pub const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(15);

/// How long the answer to a ping may take before the connection counts as dead.
pub const KEEP_ALIVE_DEADLINE: Duration = Duration::from_secs(10);

/// How long requests under way may take when the server stops: most take milliseconds, and peers repeat the others.
pub const STOP_DEADLINE: Duration = Duration::from_secs(10);

/// The pause after a connection could not be accepted: files are scarce then, and a loop would not free them.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How long a connection's certificate counts as proven before it is looked at again: it may expire meanwhile.
pub const PROOF_AGE_MAX: Duration = Duration::from_mins(10);

/// Time to find a peer's address and connect to it.
pub const CONNECT_DEADLINE: Duration = Duration::from_secs(10);

/// Time for a whole exchange, connecting and reading the answer included; longer, and a lane is better off retrying.
pub const ANSWER_DEADLINE: Duration = Duration::from_secs(30);

/// Connections to one host of a peer that only speaks HTTP/1.1, which carries one request at a time.
pub const HTTP1_CONNECTIONS_MAX: usize = 8;

/// Hosts of one peer that we hold connections to: a directory lists about ten endpoints.
pub const HOSTS_MAX: usize = 16;

/// The longest wait that a Retry-After is taken to ask for: a day.
pub const RETRY_AFTER_MAX: Duration = Duration::from_hours(24);

/// The shortest time that a directory is kept, whatever it says: else every request would cost two.
pub const DIRECTORY_AGE_MIN: Duration = Duration::from_mins(1);

/// How long a directory is kept that does not say.
pub const DIRECTORY_AGE: Duration = Duration::from_hours(1);

/// The longest time that a directory is kept, whatever it says: a peer that moves is found again the next day.
pub const DIRECTORY_AGE_MAX: Duration = Duration::from_hours(24);

/// How long a generated root and its leaf are valid: pinned roots are replaced by their operators, not by the calendar.
pub const PEERING_VALIDITY: Duration = Duration::from_hours(20 * 365 * 24);

/// How long before its making a generated certificate is valid: for peers whose clock is behind.
pub const PEERING_BACKDATING: Duration = Duration::from_hours(24);
