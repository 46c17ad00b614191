//! How long the tests wait, and where ports are looked for.

use std::{ops::Range, time::Duration};

/// The longest a test waits for anything: generous, for a machine that compiles beside the tests; a test that passes
/// never gets near it.
pub const PATIENCE: Duration = Duration::from_mins(2);

/// The pause between two looks at a program that cannot tell us that it is ready.
pub const GLANCE: Duration = Duration::from_millis(20);

/// Ports for servers: below what the kernel gives to outgoing connections, so that none of those can sit on the port
/// of a server that is being restarted.
pub const PORTS: Range<u16> = 12_000..32_000;

/// The lines of a log that are shown when a test fails: enough for one Python traceback.
pub const LOG_LINES_SHOWN: usize = 60;
