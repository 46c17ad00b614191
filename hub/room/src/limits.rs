//! Limits of this crate, each with its reason.

/// Longest application message, in bytes: 1 MiB (G5); larger things are attachments.
pub const MESSAGE_LENGTH_MAX: usize = 1024 * 1024;

/// Most participants of a room, unless the hub's operator says otherwise.
///
/// Five times the size that the hub is measured with; every update writes a list of them.
pub const PARTICIPANTS_MAX: usize = 5_000;

/// Most clients in a room, unless the hub's operator says otherwise: two for each participant.
pub const CLIENTS_MAX: usize = 10_000;
