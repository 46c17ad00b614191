//! The sizes an identifier may have.

/// Longest `mimi:` URI in bytes: long enough for any escaped native id, short enough for a path segment in HTTP.
pub const URI_LENGTH_MAX: usize = 1024;

/// Longest host name in bytes (RFC 1035).
pub const DOMAIN_LENGTH_MAX: usize = 253;

/// Longest label of a host name in bytes (RFC 1035).
pub const LABEL_LENGTH_MAX: usize = 63;
