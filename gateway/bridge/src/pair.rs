//! Which link two people have: one at a time, whoever is first to make it.

use mimi_store::{Row, RowChange, RowVersion};
use mimi_uri::UserUri;

use crate::bridge::Core;
use crate::fault::Fault;
use crate::rows::{self, Key, LINK_PAIR, Link, LinkId, LinkState};

/// The link between a hosted user and somebody, as it was found.
pub(crate) struct Pair {
    key: Vec<u8>,
    version: Option<RowVersion>,
    link: Option<(LinkId, Link, Row)>,
}

impl Pair {
    /// Their link, if it is in one of these states.
    pub(crate) fn linked(&self, states: &[LinkState]) -> Option<(LinkId, Link, Row)> {
        self.link.clone().filter(|(_, link, _)| states.contains(&link.state))
    }

    /// Gives the two a new link, unless somebody else did so since the pair was looked up.
    pub(crate) fn put(&self, id: &LinkId) -> RowChange {
        let (kind, key, bytes) = (LINK_PAIR, self.key.clone(), rows::encode(id));
        match self.version {
            Some(version) => RowChange::Put { kind, key, expected: Some(version), bytes },
            None => RowChange::Insert { kind, key, bytes },
        }
    }

    /// The pair as bytes, for names made of it.
    pub(crate) fn key(&self) -> &[u8] {
        &self.key
    }
}

impl Core {
    /// Looks up the link of two people.
    pub(crate) async fn pair(&self, hosted: &UserUri, peer: &UserUri) -> Result<Pair, Fault> {
        let key = Key::of(hosted.as_str()).and(peer.as_str().as_bytes()).bytes();
        let Some(row) = self.store.row(LINK_PAIR, &key).await? else {
            return Ok(Pair { key, version: None, link: None });
        };
        let id: LinkId = rows::decode(LINK_PAIR, &row.bytes)?;
        let link = self.link(&id).await?.map(|(link, row)| (id, link, row));
        Ok(Pair { key, version: Some(row.version), link })
    }
}
