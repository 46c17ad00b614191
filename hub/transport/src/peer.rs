use std::sync::Arc;

use mimi_uri::Domain;

/// Who is at the other end of a connection: the domains that its client certificate proved.
///
/// [`crate::serve`] puts it into the extensions of every request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer(Arc<[Domain]>);

impl Peer {
    /// A peer that has proven these domains.
    pub fn new(domains: impl IntoIterator<Item = Domain>) -> Self {
        Self(domains.into_iter().collect())
    }

    /// The proven domains; none once the peer is no longer one of ours.
    pub fn domains(&self) -> &[Domain] {
        &self.0
    }

    /// Whether this domain was proven.
    pub fn is(&self, domain: &Domain) -> bool {
        self.0.contains(domain)
    }
}
