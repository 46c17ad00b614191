//! Other providers' identity roots: asked of the provider itself, never of a hub, and remembered for a while.

use std::sync::PoisonError;

use mimi_uri::Domain;
use mimi_wire::{Endpoint, IdentityRootsDocument};

use crate::failure::Fault;
use crate::limits::IDENTITY_ROOTS_KEPT;
use crate::server::Inner;

impl Inner {
    /// Sees to it that a provider's identity roots are known; whether they are.
    pub(crate) async fn fetch_roots(&self, domain: &Domain) -> bool {
        if *domain == self.domain {
            return true;
        }
        match self.fetch_roots_now(domain).await {
            Ok(()) => true,
            Err(fault) => {
                tracing::warn!(%domain, %fault, "identity roots cannot be fetched");
                false
            }
        }
    }

    async fn fetch_roots_now(&self, domain: &Domain) -> Result<(), Fault> {
        let now = self.now().map_err(Fault::new)?;
        let fetched = self.roots_fetched.lock().unwrap_or_else(PoisonError::into_inner).get(domain).copied();
        if fetched.is_some_and(|at| now.since(at) < IDENTITY_ROOTS_KEPT)
            && !self.known_roots().await.of(domain).is_empty()
        {
            return Ok(());
        }
        let answer = self.fetch(domain, Endpoint::IdentityRoots).await.map_err(Fault::new)?;
        if !answer.status.is_success() {
            return Err(Fault::new(format!("{domain} answered {}", answer.status)));
        }
        let document = IdentityRootsDocument::decode(&answer.body).map_err(Fault::new)?;
        self.learn_roots(domain, &document.roots).await?;
        self.roots_fetched.lock().unwrap_or_else(PoisonError::into_inner).insert(domain.clone(), now);
        Ok(())
    }
}
