use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

use super::Uri;
use crate::codec::{always_consistent, doors};

/// How join links are made (`join_link_policy`).
#[derive(Debug, Clone, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct JoinLinkPolicy {
    /// A link is fetched or made when one is wanted, and at most one is kept.
    #[tls_codec(with = "crate::codec::boolean")]
    pub on_request: bool,
    /// Where a code can be asked for (the draft's text calls it `link_requests`).
    pub join_link: Uri,
    /// A link may serve several users.
    #[tls_codec(with = "crate::codec::boolean")]
    pub multiuser: bool,
    /// Seconds that a new link is valid.
    pub expiration_s: u32,
}

/// A join link.
#[derive(Debug, Clone, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct JoinLink {
    /// The link.
    pub join_link: Vec<u8>,
}

/// The join links there are (`join_links`): a bare vector.
#[derive(Debug, Clone, Default, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct JoinLinksData {
    /// The links; updates name them by their position.
    pub links: Vec<JoinLink>,
}

/// A change of the join links.
#[derive(Debug, Clone, Default, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct JoinLinksUpdate {
    /// Positions, before the commit, of the links that go.
    pub removed_indices: Vec<u32>,
    /// Links that are appended.
    pub added_links: Vec<JoinLink>,
}

always_consistent!(JoinLinkPolicy, JoinLinksData, JoinLinksUpdate);
doors!(JoinLinkPolicy, JoinLinksData, JoinLinksUpdate);
