//! Every bound of the format, with its reason.

/// Body parts in one message, nested ones included: draft, "has too many body parts (more than 1024)".
pub const PARTS_MAX: usize = 1024;

/// Levels of nested parts, the root being the first (CM6).
pub const PART_LEVELS_MAX: usize = 4;

/// Levels of maps, arrays and tags in extensions, the extensions map itself being the first (CM7).
pub const EXTENSION_LEVELS_MAX: usize = 4;

/// Octets of the encoded extensions map. The draft has no bound since -08; without one a reader builds a tree
/// of values many times the size of what it was sent (G23).
pub const EXTENSIONS_BYTES_MAX: usize = 64 * 1024;

/// Octets of a topic id: draft, "the `topicId` is very long (greater than 4096 octets)".
pub const TOPIC_BYTES_MAX: usize = 4096;

/// Octets of a text key in the extensions map (CM2).
pub const TEXT_KEY_BYTES_MAX: usize = 255;

/// Largest magnitude of an integer key: what a double holds without loss (CM2).
pub const INTEGER_KEY_MAX: u64 = (1 << 53) - 1;

/// Octets of the subject extension, from its own draft.
pub const SUBJECT_BYTES_MAX: usize = 4096;

/// How far an expiry may lie from the acceptance of its message, in seconds: draft, "more than a year".
pub const EXPIRY_DISTANCE_S_MAX: u64 = 366 * 24 * 60 * 60;

/// How far in the future a hub's timestamp may lie, in milliseconds: draft, "more than a few minutes".
pub const TIMESTAMP_AHEAD_MS_MAX: u64 = 5 * 60 * 1000;

/// Publication of the first concrete syntax of the format (draft -03, 23 April 2024), in milliseconds: no
/// message is older.
pub const FIRST_SYNTAX_MS: u64 = 1_713_830_400_000;

/// Replies followed when looking for a loop: a longer honest chain is cut off rather than walked for ever
/// (G27).
pub const REPLY_CHAIN_MAX: usize = 1024;

/// Messages in one status report: a reader that was away for a week coalesces, a flood does not fit (G27).
pub const STATUSES_MAX: usize = 1024;

/// Parameters of one media type, and media types in one list: registered types have a handful.
pub const MEDIA_TYPE_LIST_MAX: usize = 64;
