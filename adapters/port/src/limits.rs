//! The bounds of the port.

/// Longest name of a network in bytes: it stands before every one of its users' names.
pub const NETWORK_LENGTH_MAX: usize = 32;

/// Longest localpart of a hosted user in bytes: with the longest domain and scheme it fits an identifier
/// (`mimi_uri::limits::URI_LENGTH_MAX`), and an escaped 255-byte native id fits in it.
pub const LOCALPART_LENGTH_MAX: usize = 760;
