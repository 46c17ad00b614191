use mimi_mls::KeyPackageRef;
use mimi_uri::{ClientUri, Domain, RoomUri, UserUri};
use mimi_wire::{RequestHash, Timestamp};

use crate::KeyPackageRow;

/// `KeyPackages` handed out for one `keyMaterial` request: private keys and the answer, in one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The provider that asked.
    pub peer: Domain,
    /// Its request.
    pub request_hash: RequestHash,
    /// What it is answered.
    pub answer: Vec<u8>,
    /// Until when the same request gets the same answer.
    pub expires: Timestamp,
    /// The time of the claim; answers that expired by then are deleted.
    pub now: Timestamp,
    /// What was minted for the answer; a reference that exists already is a conflict.
    pub minted: Vec<NewKeyPackage>,
}

/// How a claim ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimed {
    /// The answer given is stored, and so is what was minted for it.
    Fresh,
    /// The same request was answered before, and this is that answer; nothing of this claim was stored.
    Replayed(Vec<u8>),
}

/// A `KeyPackage` that was minted for a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKeyPackage {
    /// By which a Welcome names it.
    pub reference: KeyPackageRef,
    /// The hosted user.
    pub user: UserUri,
    /// The hosted user's client.
    pub client: ClientUri,
    /// The user who wants to add the hosted user.
    pub requester: UserUri,
    /// The room to which the hosted user is to be added.
    pub room: RoomUri,
    /// Everything needed to join and to speak, sealed.
    pub secret: Vec<u8>,
    /// When its lifetime ends.
    pub not_after: Timestamp,
}

impl NewKeyPackage {
    /// The row that it becomes when this provider claims it.
    pub fn claimed_by(self, peer: Domain) -> KeyPackageRow {
        let Self { reference, user, client, requester, room, secret, not_after } = self;
        KeyPackageRow { reference, peer, user, client, requester, room, secret, not_after }
    }
}
