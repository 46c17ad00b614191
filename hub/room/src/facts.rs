//! What a hub knows and has, given to every decision.

use mimi_mls::hub::ExternalSender;
use mimi_mls::{IdentityRoots, SigningKey};
use mimi_uri::Domain;
use mimi_wire::HubKey;

use crate::limits::{CLIENTS_MAX, PARTICIPANTS_MAX};

/// The facts of a hub, as its rooms are given them.
#[derive(Debug, Clone)]
pub struct HubFacts {
    /// The hub's domain, in which all its rooms are.
    pub domain: Domain,
    /// The identity roots that are known now; with them members prove who they are.
    pub roots: IdentityRoots,
    /// With what the hub franks.
    pub franking: FrankingKeys,
    /// The hub's own entry among the external senders of every group (PM22, PM23); of the key that it franks with.
    pub external_sender: ExternalSender,
    /// What no policy of a room can exceed (I9).
    pub envelope: Envelope,
}

/// With what a hub franks (A6).
#[derive(Debug, Clone)]
pub struct FrankingKeys {
    /// The key of the server frank, which never leaves the hub.
    pub hub_key: HubKey,
    /// The key of the integrity signature, and of all else that the hub signs.
    pub signing_key: SigningKey,
    /// The component `franking_agent` that announces it.
    pub agent: Vec<u8>,
}

/// What no policy of a room can exceed (I9); what it is made of is the hub's own business \[I\].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Envelope {
    /// Most users on the participant list.
    pub participants_max: usize,
    /// Most leaves in the group.
    pub clients_max: usize,
}

impl Default for Envelope {
    fn default() -> Self {
        Self { participants_max: PARTICIPANTS_MAX, clients_max: CLIENTS_MAX }
    }
}
