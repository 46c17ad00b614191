//! How long what the client makes is good for.

/// A `KeyPackage` of a hosted user lives this long, in seconds: a leaf that never commits must not expire in a quiet
/// room, for an expired leaf keeps everybody else from joining.
pub const KEY_PACKAGE_LIFETIME_S: u64 = 365 * 86_400;
