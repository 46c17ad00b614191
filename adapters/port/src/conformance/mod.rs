//! What every adapter must do, as checks against a simulator of its network, or the real thing.
//!
//! A test gives an open session, the [`RecordingHost`] it was opened with, and a [`NativePerson`]: somebody at the
//! native network, seen only through it. [`run`] goes through all checks on one direct chat. Nothing here waits for a
//! time: what never comes is the test runner's to end.

mod checks;
mod host;

pub use checks::{
    Stage, Violation, a_direct_chat_is_announced, a_notice_reaches_the_person, a_post_reaches_the_person,
    a_repeated_operation_has_one_effect, events_the_host_refused_come_again, run,
    what_a_person_says_comes_in,
};
pub use host::RecordingHost;

use async_trait::async_trait;

use crate::{NativeRoomId, NativeUserId};

/// Somebody at the native network, at a client that is not ours.
#[async_trait]
pub trait NativePerson: Send + Sync {
    /// Who it is.
    fn user(&self) -> NativeUserId;

    /// Opens a direct chat with a puppet.
    async fn open_direct(&self, puppet: &NativeUserId) -> NativeRoomId;

    /// Says something, once. Returns when the client has done its part: what its network loses it says again.
    async fn say(&self, room: &NativeRoomId, text: &str);

    /// Waits until `text` was heard in the room from somebody else; returns all that was heard there from others so
    /// far, in order, each message once as far as the client can tell.
    async fn hears(&self, room: &NativeRoomId, text: &str) -> Vec<String>;
}

#[cfg(test)]
mod tests;
