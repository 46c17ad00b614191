//! Conversations of several people across two providers.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends where it stands")]

use std::time::Duration;

use end_to_end::{Port, Site, SitePlan, network};
use mimi_adapter::Role;
use mimi_adapter_loopback::{Event, EventKind, LoopbackClient};
use tokio::time::timeout;

#[path = "groups/loopback.rs"]
mod loopback;
#[path = "groups/matrix.rs"]
mod matrix;
#[path = "groups/networks.rs"]
mod networks;
