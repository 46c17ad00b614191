//! What a component may be at most.

/// Bytes of one component: a participant list of about twenty thousand users, and still a bounded parse.
pub const COMPONENT_LENGTH_MAX: usize = 1024 * 1024;

/// Bytes of a URI that is not one of ours (an avatar, a proxy, a policy document): what HTTP software accepts.
pub const URI_LENGTH_MAX: usize = 2048;

/// Bytes of a name, a subject or a description: a screen of text, not a document.
pub const TEXT_LENGTH_MAX: usize = 16 * 1024;

/// The longest lifetime of a KeyPackage in our rooms, in seconds: a year and a day, for a leaf that never commits (a
/// hosted user in a quiet room) must not expire in it, or nobody else can join.
pub const KEY_PACKAGE_LIFETIME_S: u64 = 366 * 86_400;

/// Past epochs from which a room of our templates accepts messages: what the hosted readers keep.
pub const EPOCH_TOLERANCE: u8 = 1;
