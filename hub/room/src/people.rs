//! Whose leaf is whose, and who speaks.

use mimi_mls::hub::{Examined, ExternalSender, Proposal, ProposalView, Proposer, Sender};
use mimi_mls::{ClientIdentity, LeafIndex, LeafView, read_identity, verify_credential};
use mimi_room_policy::Actor;
use mimi_uri::Domain;
use mimi_wire::Timestamp;

use crate::facts::HubFacts;
use crate::header::Header;
use crate::refusal::{Reason, Refusal};

/// Who sent a handshake, as its signature and credential say.
pub(crate) struct Speaker {
    pub(crate) actor: Actor,
    /// The provider that speaks for him.
    pub(crate) domain: Domain,
    /// Nobody's, if it is the hub.
    pub(crate) identity: Option<ClientIdentity>,
}

/// A leaf that a handshake brings, and whose it says it is.
pub(crate) struct NewLeaf<'a> {
    pub(crate) view: &'a LeafView,
    pub(crate) identity: ClientIdentity,
    /// It was proved when its proposal was accepted. It is not asked for again: a certificate that has expired since
    /// would make the proposal one that nobody could commit, and nobody leave out (I5).
    pub(crate) is_proved: bool,
}

/// Finds out about the people of a handshake: by their leaves, or by what the credentials of new leaves say.
///
/// What a credential says is proved last ([`NewLeaf::verify`]), once it is clear that it would be allowed: nobody
/// can have the hub fetch the roots of any provider for nothing.
pub(crate) struct People<'a> {
    pub(crate) header: &'a Header,
    pub(crate) hub: &'a HubFacts,
    pub(crate) external_senders: &'a [ExternalSender],
}

impl<'a> People<'a> {
    pub(crate) fn speaker(&self, sender: &Sender) -> Result<Speaker, Refusal> {
        match sender {
            Sender::Member(leaf) => {
                let identity = self.at(*leaf)?.clone();
                let actor = Actor::user(&identity.user);
                Ok(Speaker { actor, domain: identity.user.domain().clone(), identity: Some(identity) })
            }
            Sender::NewMember(view) => {
                let identity = identity_of(view)?;
                let actor = Actor::new_user(&identity.user);
                Ok(Speaker { actor, domain: identity.user.domain().clone(), identity: Some(identity) })
            }
            Sender::External(place) => {
                let actor = self.external(*place)?;
                Ok(Speaker { actor, domain: self.hub.domain.clone(), identity: None })
            }
        }
    }

    /// The author of a proposal, which may be another one than who commits it.
    pub(crate) fn author(&self, view: &ProposalView) -> Result<Actor, Refusal> {
        match (view.proposer, &view.proposal) {
            (Proposer::Member(leaf), _) => Ok(Actor::user(&self.at(leaf)?.user)),
            (Proposer::External(place), _) => self.external(place),
            (Proposer::NewMember, Proposal::Add { leaf, .. }) => {
                Ok(Actor::new_user(&identity_of(leaf)?.user))
            }
            (Proposer::NewMember, _) => Err(Reason::NoSuchLeaf.into()),
        }
    }

    pub(crate) fn at(&self, leaf: LeafIndex) -> Result<&'a ClientIdentity, Refusal> {
        self.header.leaves.at(leaf).ok_or(Refusal::InvalidProposal(Reason::NoSuchLeaf))
    }

    /// The leaves that a handshake brings. A12: a leaf that is renewed keeps its user and client.
    pub(crate) fn new_leaves<'e>(
        &self,
        examined: &'e Examined,
        speaker: &Speaker,
    ) -> Result<Vec<NewLeaf<'e>>, Refusal> {
        let mut leaves = Vec::new();
        for view in examined.proposals() {
            let is_proved = examined.is_commit() && view.reference.is_some();
            match (&view.proposal, view.proposer) {
                (Proposal::Add { leaf, .. }, _) => leaves.push(NewLeaf { is_proved, ..NewLeaf::read(leaf)? }),
                (Proposal::Update(leaf), Proposer::Member(own)) => {
                    let leaf = NewLeaf::read(leaf)?.require(Some(self.at(own)?))?;
                    leaves.push(NewLeaf { is_proved, ..leaf });
                }
                (_, _) => {}
            }
        }
        if let Some(leaf) = examined.committer_leaf() {
            leaves.push(NewLeaf::read(leaf)?.require(speaker.identity.as_ref())?);
        }
        Ok(leaves)
    }

    fn external(&self, place: u32) -> Result<Actor, Refusal> {
        let sender = usize::try_from(place).ok().and_then(|place| self.external_senders.get(place));
        if sender == Some(&self.hub.external_sender) {
            Ok(Actor::hub())
        } else {
            Err(Reason::UnknownExternalSender.into())
        }
    }
}

impl<'a> NewLeaf<'a> {
    fn read(view: &'a LeafView) -> Result<Self, Refusal> {
        Ok(Self { view, identity: identity_of(view)?, is_proved: false })
    }

    fn require(self, identity: Option<&ClientIdentity>) -> Result<Self, Refusal> {
        if Some(&self.identity) == identity {
            Ok(self)
        } else {
            Err(Refusal::InvalidProposal(Reason::OtherIdentity))
        }
    }

    /// Proves that the leaf is whose it says it is; a root of D vouches only for `mimi://D/` (A12).
    pub(crate) fn verify(&self, hub: &HubFacts, now: Timestamp) -> Result<(), Refusal> {
        let LeafView { credential, signature_key, .. } = self.view;
        verify_credential(credential, signature_key, &hub.roots, now.seconds())?;
        Ok(())
    }
}

pub(crate) fn identity_of(view: &LeafView) -> Result<ClientIdentity, Refusal> {
    Ok(read_identity(&view.credential)?)
}
