//! How large a run is, each with its reason.

use std::time::Duration;

use crate::report::Aim;

/// Connections of the load: a peer keeps a few, and two would leave one of two cores idle at times.
pub(crate) const CONNECTIONS: usize = 8;

/// Requests in flight on each connection: 256 in all, as many as fill the group commits of the reference figures.
pub(crate) const STREAMS_PER_CONNECTION: usize = 32;

/// Load before anything is counted: connections are made, caches and the write-ahead log are warm.
pub(crate) const WARM_UP: Duration = Duration::from_secs(1);

/// How long is counted. CPU time comes in steps of 10 ms: 0.2 % of this.
pub(crate) const COUNTED: Duration = Duration::from_secs(5);

/// Rooms of the figure with many rooms.
pub(crate) const MANY_ROOMS: usize = 100;

/// Messages sealed beforehand for one turn; a server that takes them all ends its turn early.
pub(crate) const MESSAGES_MAX: usize = 150_000;

/// Application data of a message, so that its request is about 1 KiB.
pub(crate) const CONTENT_LENGTH: usize = 700;

/// Members of the large room.
pub(crate) const LARGE_ROOM: usize = 1_000;

/// Commits in it: the first, for which the hub loads the group, does not count.
pub(crate) const COMMITS: usize = 51;

/// Messages sealed for a backlog; the product accepts what it can of them in one turn.
pub(crate) const BACKLOG: usize = 60_000;

/// Events in one request of the courier, as in the product's.
pub(crate) const COURIER_BATCH_MAX: u32 = 256;

/// The rooms in which messages are read and sealed: people on the list, and hosted users with a client.
pub(crate) const HOSTED: [(usize, usize); 4] =
    [(2, 1), (LARGE_ROOM, 1), (LARGE_ROOM, 100), (LARGE_ROOM, LARGE_ROOM - 1)];

/// Messages that are read there, and sealed: a fifth of a second of CPU time, which comes in steps of 10 ms.
pub(crate) const BRIDGED_MESSAGES: usize = 5_000;

/// Messages on each way before anything is counted.
pub(crate) const LATENCY_WARM_UP: usize = 20;

/// Messages on each way in one round: few enough that no checkpoint of a write-ahead log decides over the median.
pub(crate) const LATENCY_MESSAGES: usize = 200;

/// Direct chats in which nothing happens.
pub(crate) const LINKS: usize = 10_000;

/// How long opening them may take: some ten times what it does on a machine that has nothing else to do.
pub(crate) const OPENING_MAX: Duration = Duration::from_mins(30);

/// The pause between two looks at a provider that is to become quiet.
pub(crate) const GLANCE: Duration = Duration::from_secs(2);

/// Who uses less than this between two looks is quiet: timers, and clients that keep their connections.
pub(crate) const QUIET_CPU: Duration = Duration::from_millis(30);

/// Jobs in one transaction of the control.
pub(crate) const CONTROL_BATCH_MAX: usize = 1024;

/// Jobs waiting for the control's writer; beyond, they are refused, which voids the run.
pub(crate) const CONTROL_QUEUE_MAX: usize = 8192;

/// What one message costs the control by `reference` measurements, in microseconds of CPU: HTTP/2 with mutual TLS and a
/// group-committed row 15.6 to 16.3, one Ed25519 signature 9.5, one HMAC 0.7.
pub(crate) const CONTROL_CPU_US_EXPECTED: f64 = 26.2;

/// The same over `PostgreSQL`, its server's CPU included: HTTP/2 with mutual TLS and a row of a batch 12.8, in the server 10,
/// signature and HMAC as above.
pub(crate) const CONTROL_CPU_US_EXPECTED_ON_POSTGRES: f64 = 33.0;

/// How far the control may be from that before its run says nothing of the product.
pub(crate) const CONTROL_CPU_TOLERANCE: f64 = 0.15;

/// Accepted messages, product to control: the first release's aim, as the others below.
pub(crate) const ACCEPT_RATE: Aim = Aim::AtLeast(0.6);

/// CPU per accepted message, product to control.
pub(crate) const ACCEPT_CPU: Aim = Aim::AtMost(1.6);

/// Delivered events, product to control.
pub(crate) const FANOUT_RATE: Aim = Aim::AtLeast(0.5);

/// A commit in the large room, in milliseconds of the hub's CPU.
pub(crate) const COMMIT_MS: Aim = Aim::AtMost(20.0);

/// What the bridge adds to the commits of a message's way, in milliseconds.
pub(crate) const ADDED_MS: Aim = Aim::AtMost(5.0);

/// What an idle link has in memory, in KiB.
pub(crate) const LINK_KIB: Aim = Aim::AtMost(8.0);

/// Accepted messages, product to Synapse.
pub(crate) const OVER_SYNAPSE: Aim = Aim::AtLeast(20.0);

/// Accepted messages, product to ejabberd with its archive.
pub(crate) const OVER_EJABBERD: Aim = Aim::AtLeast(5.0);
