//! `x-identityRoots` \[X\]: the certificates that vouch for the clients of our users (DESIGN §5).

use mimi_wire::IdentityRootsDocument;

use crate::server::Inner;

pub(crate) fn identity_roots(inner: &Inner) -> IdentityRootsDocument {
    IdentityRootsDocument { roots: inner.identity_roots.clone() }
}
