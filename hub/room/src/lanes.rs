//! To whom a room is delivered: the providers with an active participant, each from its first to its last.
//!
//! A participant whose removal was accepted gets no messages any more (PM11), but his clients need the commit that
//! removes them (PS2) and the proposals that it refers to (I6). So a provider that has only such participants left
//! gets handshakes, one by one, and nothing in between.

use std::collections::{BTreeMap, BTreeSet};

use mimi_room_policy::Roster;
use mimi_uri::Domain;

use crate::effects::LaneChange;

/// The providers with participants in the group, and whether any of these still gets messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Followers(BTreeMap<Domain, bool>);

impl Followers {
    /// The followers of a room; its hub is none.
    pub(crate) fn of(roster: &Roster, hub: &Domain) -> Self {
        let mut followers: BTreeMap<Domain, bool> = BTreeMap::new();
        for (user, standing) in
            roster.iter().filter(|(user, standing)| standing.leaves > 0 && user.domain() != hub)
        {
            *followers.entry(user.domain().clone()).or_default() |= standing.effective_leaves() > 0;
        }
        Self(followers)
    }

    /// What becomes of the lanes by a handshake at place `seq`; a Welcome behind it belongs to who comes.
    pub(crate) fn changes(&self, after: &Self, seq: u64) -> Vec<LaneChange> {
        let peers: BTreeSet<&Domain> = self.0.keys().chain(after.0.keys()).collect();
        let mut changes = Vec::new();
        for peer in peers {
            let was_open = self.0.get(peer).copied();
            let is_open = after.0.get(peer).copied().unwrap_or_default();
            let open = LaneChange::Open { peer: peer.clone(), from: seq };
            let close = LaneChange::Close { peer: peer.clone(), to: seq + 1 };
            match (was_open, is_open) {
                (Some(true), true) | (None, false) => {}
                (Some(true), false) => changes.push(close),
                (Some(false) | None, true) => changes.push(open),
                (Some(false), false) => changes.extend([open, close]),
            }
        }
        changes
    }
}
