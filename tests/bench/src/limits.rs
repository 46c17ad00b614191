//! How large a run is, each with its reason.

use std::time::Duration;

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

/// Jobs in one transaction of the control.
pub(crate) const CONTROL_BATCH_MAX: usize = 1024;

/// Jobs waiting for the control's writer; beyond, they are refused, which voids the run.
pub(crate) const CONTROL_QUEUE_MAX: usize = 8192;

/// What one message costs the control by `reference` measurements, in microseconds of CPU: HTTP/2 with mutual TLS and a
/// group-committed row 15.6 to 16.3, one Ed25519 signature 9.5, one HMAC 0.7.
pub(crate) const CONTROL_CPU_US_EXPECTED: f64 = 26.2;

/// How far the control may be from that before its run says nothing of the product.
pub(crate) const CONTROL_CPU_TOLERANCE: f64 = 0.15;
