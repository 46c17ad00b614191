//! Limits of this crate, each with its reason.

/// Largest body of `update` and `notify`, in bytes: 8 MiB (G5).
///
/// The commit that adds 1,000 members, its Welcome, GroupInfo and tree together stay under 2 MiB; a batch of fan-out
/// messages is cut at 4 MiB by its sender.
pub const HANDSHAKE_BODY_LENGTH_MAX: usize = 8 * 1024 * 1024;

/// Largest body of `submitMessage`, in bytes: 1 MiB (G5). Larger things are attachments.
pub const MESSAGE_BODY_LENGTH_MAX: usize = 1024 * 1024;

/// Largest body of every other endpoint, in bytes: 256 KiB (G5).
pub const BODY_LENGTH_MAX: usize = 256 * 1024;

/// Largest answer to `groupInfo`, in bytes: it holds a whole ratchet tree, as an `update` may.
pub const GROUP_INFO_ANSWER_LENGTH_MAX: usize = HANDSHAKE_BODY_LENGTH_MAX;

/// Largest directory that is read, in bytes: ours has 1 KiB.
pub const DIRECTORY_LENGTH_MAX: usize = 64 * 1024;

/// Most keys of a directory that is read: the draft names ten.
pub const DIRECTORY_KEYS_MAX: usize = 32;

/// Longest URL inside a struct or a directory, in bytes: what common HTTP servers take.
pub const URL_LENGTH_MAX: usize = 2048;

/// Longest `errorDescription`, in bytes: a sentence or two for a log.
pub const ERROR_DESCRIPTION_LENGTH_MAX: usize = 1024;

/// Longest name of a profile field, claim or vCard property, in bytes: registered names have under 40.
pub const FIELD_NAME_LENGTH_MAX: usize = 256;

/// Longest search value or profile field, in bytes: an address, a name, a line of a profile.
pub const FIELD_VALUE_LENGTH_MAX: usize = 1024;

/// Longest note in an abuse report, in bytes: a page of text.
pub const NOTE_LENGTH_MAX: usize = 8 * 1024;

/// Longest signature or public key, in bytes: an ML-DSA-87 signature has 4,627.
pub const KEY_LENGTH_MAX: usize = 8 * 1024;

/// Longest joining code, in bytes: 128 random bits need 16.
pub const JOINING_CODE_LENGTH_MAX: usize = 256;

/// Longest MLS credential, in bytes: a certificate chain of four.
pub const CREDENTIAL_LENGTH_MAX: usize = 16 * 1024;

/// Most entries of a list of ciphersuites, extension, proposal or credential types: the registries have under 30 each.
pub const TYPES_MAX: usize = 64;

/// Most clients of one user in one answer: more devices than anyone owns.
pub const CLIENTS_MAX: usize = 64;

/// Most extensions of a GroupInfo: MLS registers nine.
pub const EXTENSIONS_MAX: usize = 64;

/// Most components of an `AppDataDictionary` outside MLS: nobody has defined one yet.
pub const COMPONENTS_MAX: usize = 64;

/// Most proposals beside the first in one update, and most that a commit is stapled with: a room holds at most 1,000
/// that wait.
pub const PROPOSALS_MAX: usize = 1_000;

/// Most fan-out messages in one `notify`: senders batch up to 256; four times that is a different protocol.
pub const FANOUT_MESSAGES_MAX: usize = 1_024;

/// Most elements of one identifier query: all must match, so more only narrow what eight found.
pub const QUERY_ELEMENTS_MAX: usize = 8;

/// Most results of one identifier query that are read: we answer with at most 20.
pub const QUERY_RESULTS_MAX: usize = 64;

/// Most fields of one found profile.
pub const PROFILE_FIELDS_MAX: usize = 64;

/// Most messages in one abuse report: "a handful".
pub const ABUSIVE_MESSAGES_MAX: usize = 32;

/// Most identity roots that one provider publishes: two for a rotation, a few more after a merger.
pub const IDENTITY_ROOTS_MAX: usize = 8;

/// Longest root certificate, in bytes.
pub const IDENTITY_ROOT_LENGTH_MAX: usize = 4 * 1024;
