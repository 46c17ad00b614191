//! `x-identityRoots` \[X\]: the certificates that vouch for the clients of our users (DESIGN §5).

use std::sync::Arc;

use axum::extract::State;
use mimi_wire::IdentityRootsDocument;

use crate::extract::{Provider, Wire};
use crate::server::Inner;

pub(crate) async fn identity_roots(
    State(inner): State<Arc<Inner>>,
    _: Provider,
) -> Wire<IdentityRootsDocument> {
    Wire(IdentityRootsDocument { roots: inner.identity_roots.clone() })
}
