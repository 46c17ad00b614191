//! How long things may take, and how much is kept.

use std::time::Duration;

/// How long a graceful stop may take before what is left is cut off: an orchestrator usually waits 30 s.
pub(crate) const STOP_TIME_MAX: Duration = Duration::from_secs(20);

/// The pause between two looks at what is not ready yet, at start.
pub(crate) const READY_GLANCE: Duration = Duration::from_millis(20);

/// How often the metrics let go of what is old: their exporter asks for seconds.
pub(crate) const METRICS_UPKEEP: Duration = Duration::from_secs(5);

/// How long the command line waits for a provider's answer: one with a long backlog reads all of it.
pub(crate) const ANSWER_TIME_MAX: Duration = Duration::from_mins(1);

/// Longest answer the command line takes: a hundred thousand letters without their texts.
pub(crate) const ANSWER_BYTES_MAX: usize = 64 << 20;

/// The bounds of all histograms of seconds: from a cached answer to a request given up.
pub(crate) const SECONDS_BUCKETS: [f64; 12] =
    [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0, 30.0];
