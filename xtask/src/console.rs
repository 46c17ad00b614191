//! What is told to whoever watches.

use std::io::{Write, stdout};

/// Prints a line at once. A console that is gone is no reason to stop.
pub(crate) fn say(line: &str) {
    let mut out = stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).ok();
}
