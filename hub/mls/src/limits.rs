//! Limits of this crate, each with its reason.

/// Longest `MLSMessage` that is taken apart, in bytes.
///
/// The commit that adds 1,000 members in a cold tree is 335 kB and its Welcome 152 kB; four times that is no room of ours.
pub const MESSAGE_LENGTH_MAX: usize = 2 * 1024 * 1024;

/// Longest identity certificate that is read, in bytes.
///
/// Ours stay under [`OWN_CERTIFICATE_LENGTH_MAX`]; others may carry key identifiers and long names, but every member of a
/// room carries every other member's certificate.
pub const CERTIFICATE_LENGTH_MAX: usize = 2048;

/// Longest identity certificate that we issue for names of ordinary length, in bytes.
///
/// A room of 1,000 members holds 1,000 of them in its tree.
pub const OWN_CERTIFICATE_LENGTH_MAX: usize = 400;

/// Longest lifetime of a KeyPackage that is accepted, in seconds: a year and a day.
///
/// RFC 9420 §7.3 demands a maximum; dormant leaves that expire keep others from joining, so it is generous.
pub const KEY_PACKAGE_LIFETIME_MAX_S: u64 = 366 * 86_400;

/// How far a KeyPackage or certificate of ours begins in the past, in seconds.
///
/// Receivers' clocks may be slow by that much.
pub const BACKDATING_S: u64 = 3_600;

/// How much longer than its KeyPackage a certificate is valid, in seconds: thirty days.
///
/// A KeyPackage claimed in its last hour must not become a member that nobody can verify.
pub const CERTIFICATE_MARGIN_S: u64 = 30 * 86_400;

/// Most identity roots of one domain.
///
/// Two for a rotation, a few more for a provider that has merged; each is tried for each unverified member.
pub const ROOTS_PER_DOMAIN_MAX: usize = 8;

/// Most proposals that wait for a commit in one room.
///
/// The next commit must cover them all, so their number bounds its size.
pub const PENDING_PROPOSALS_MAX: usize = 1_000;

/// Longest name of a network or an operator in a hosted user's leaf, in bytes.
///
/// It stands in every member's copy of the tree, and beside the member's name on a screen.
pub const BRIDGED_NAME_LENGTH_MAX: usize = 64;
