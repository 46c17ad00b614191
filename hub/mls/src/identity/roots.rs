use std::collections::{BTreeMap, BTreeSet};

use mimi_uri::Domain;

use super::certificate::Certificate;
use super::error::IdentityError;
use crate::limits::ROOTS_PER_DOMAIN_MAX;

/// The identity roots that we know, each for its own domain only; given to decisions as a fact.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IdentityRoots {
    roots: BTreeMap<String, Vec<Vec<u8>>>,
    basic: BTreeSet<String>,
}

impl IdentityRoots {
    /// Learns a root (DER) of `domain`; the same one twice is one.
    pub fn insert(&mut self, domain: &Domain, root: Vec<u8>) -> Result<(), IdentityError> {
        Certificate::parse(&root)?.require_root()?;
        let roots = self.roots.entry(domain.as_str().to_owned()).or_default();
        if roots.contains(&root) {
            return Ok(());
        }
        if roots.len() >= ROOTS_PER_DOMAIN_MAX {
            return Err(IdentityError::TooManyRoots);
        }
        roots.push(root);
        Ok(())
    }

    /// Accepts members of `domain` on their word, because the operator said so.
    pub fn accept_basic(&mut self, domain: &Domain) {
        self.basic.insert(domain.as_str().to_owned());
    }

    /// The roots of `domain`.
    pub fn of(&self, domain: &Domain) -> &[Vec<u8>] {
        self.roots.get(domain.as_str()).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn accepts_basic(&self, domain: &Domain) -> bool {
        self.basic.contains(domain.as_str())
    }
}
