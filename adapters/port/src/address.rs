use mimi_uri::UserUri;

use crate::NativeUserId;

/// How a network's people are named in MIMI, and MIMI's people on the network.
///
/// Pure, and bijective in both directions: two people never share a name, and each name has one spelling.
pub trait Addresses: Send + Sync {
    /// The localpart of a hosted user's URI (`mimi://<our domain>/u/<localpart>`).
    ///
    /// `None` for a native user we cannot host: a puppet of ours, a user of another server.
    fn localpart(&self, user: &NativeUserId) -> Option<String>;

    /// The native user whose localpart this is; `None` if it is nobody's, or not in its one canonical form.
    fn native(&self, localpart: &str) -> Option<NativeUserId>;

    /// The native name under which a MIMI user appears.
    fn puppet(&self, user: &UserUri) -> Result<NativeUserId, Unnameable>;

    /// The MIMI user behind a puppet; `None` if it is not a puppet of ours in its one canonical form.
    fn behind_puppet(&self, id: &NativeUserId) -> Option<UserUri>;
}

/// Why a MIMI user has no name on the native network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unnameable {
    /// The name would be longer than the network allows; a shortened one would no longer be his alone.
    #[error("the native name would have {length} bytes; the network allows {length_max}")]
    TooLong {
        /// How long the name would be, in bytes.
        length: usize,
        /// How long a name may be, in bytes.
        length_max: usize,
    },
}
