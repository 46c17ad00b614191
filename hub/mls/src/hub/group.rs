use openmls::group::{ProposalStore, PublicGroup};
use openmls::messages::group_info::VerifiableGroupInfo;
use openmls::prelude::tls_codec::{Deserialize as _, Serialize as _};
use openmls::prelude::{CreationFromExternalError, LeafNodeIndex, RatchetTreeIn};
use openmls_traits::OpenMlsProvider as _;

use super::examined::{Body, Examined, Proposal};
use super::pending::PendingProposal;
use super::refusal::{GroupInfoRefusal, MlsRefusal};
use super::stage::StagedCommit;
use crate::Member;
use crate::fault::MlsFault;
use crate::group_info::{bare_group_info, require_joinable};
use crate::ids::{Epoch, GroupId, LeafIndex};
use crate::limits::PENDING_PROPOSALS_MAX;
use crate::provider::{Provider, SUITE, ScratchFault};
use crate::structure::read_group_info;
use crate::tls::whole;

/// The public state of one MLS group, as its hub keeps it.
///
/// After a fault of [`accept_commit`](Self::accept_commit) or [`accept_proposal`](Self::accept_proposal), drop the object
/// and load it again: what openmls does there is not atomic.
pub struct HubGroup {
    pub(super) provider: Provider,
    pub(super) group: PublicGroup,
    pub(super) group_info: Vec<u8>,
    pub(super) pending: Vec<PendingProposal>,
}

/// Who may propose from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalSender {
    /// The TLS `Credential`.
    pub credential: Vec<u8>,
    /// The signature key.
    pub signature_key: Vec<u8>,
}

impl HubGroup {
    /// Begins a room with a `GroupInfo`, bare or as an `MLSMessage`, and the TLS `ratchet_tree` of its epoch.
    ///
    /// Everything is verified that is public: tree, leaves, their lifetimes, the signer's signature.
    pub fn found(group_info: &[u8], ratchet_tree: &[u8]) -> Result<Self, MlsRefusal> {
        let group_info = bare_group_info(group_info);
        let read = whole(group_info, read_group_info).ok_or(GroupInfoRefusal::Malformed)?;
        require_joinable(&read.extensions)?;
        let provider = Provider::default();
        let group = verified(&provider, group_info, ratchet_tree)?;
        Ok(Self { provider, group, group_info: group_info.to_vec(), pending: Vec::new() })
    }

    /// The group's name.
    pub fn group_id(&self) -> GroupId {
        GroupId::new(self.group.group_id().as_slice())
    }

    /// The group's epoch.
    pub fn epoch(&self) -> Epoch {
        Epoch(self.group.group_context().epoch().as_u64())
    }

    /// The members, by leaf.
    pub fn members(&self) -> Vec<Member> {
        let members = self.group.members().filter_map(|member| {
            let credential = member.credential.tls_serialize_detached().ok()?;
            Some(Member {
                leaf: LeafIndex(member.index.u32()),
                credential,
                signature_key: member.signature_key,
            })
        });
        members.collect()
    }

    /// The member at a leaf.
    pub fn member(&self, leaf: LeafIndex) -> Option<Member> {
        let node = self.group.leaf(LeafNodeIndex::new(leaf.0))?;
        Some(Member {
            leaf,
            credential: node.credential().tls_serialize_detached().ok()?,
            signature_key: node.signature_key().as_slice().to_vec(),
        })
    }

    /// The value of an application component.
    pub fn component(&self, component: u16) -> Option<&[u8]> {
        self.group.group_context().extensions().app_data_dictionary()?.dictionary().get(&component)
    }

    /// All application components, ascending.
    pub fn components(&self) -> impl Iterator<Item = (u16, &[u8])> {
        let dictionary = self.group.group_context().extensions().app_data_dictionary();
        dictionary
            .into_iter()
            .flat_map(|extension| extension.dictionary().entries())
            .map(|entry| (entry.id(), entry.data()))
    }

    /// Who may propose from outside, in the order of their places.
    pub fn external_senders(&self) -> Vec<ExternalSender> {
        external_senders(self.group.group_context())
    }

    /// The TLS `ratchet_tree` of this epoch; kept per epoch, it serves Welcomes that are read late.
    pub fn ratchet_tree(&self) -> Result<Vec<u8>, MlsFault> {
        self.group.export_ratchet_tree().tls_serialize_detached().map_err(MlsFault::internal)
    }

    /// The bare `GroupInfo` of this epoch, without the tree.
    pub fn group_info(&self) -> &[u8] {
        &self.group_info
    }

    /// The serialised `GroupContext` of this epoch.
    pub fn group_context(&self) -> Result<Vec<u8>, MlsFault> {
        self.group.group_context().tls_serialize_detached().map_err(MlsFault::internal)
    }

    /// Accepted proposals that wait for a commit, in the order of their acceptance.
    pub fn pending_proposals(&self) -> &[PendingProposal] {
        &self.pending
    }

    /// Keeps a proposal, accepted at this time, until the epoch ends.
    pub fn accept_proposal(&mut self, examined: Examined, accepted_ms: u64) -> Result<(), MlsFault> {
        let Body::Proposal(queued) = examined.body else {
            return Err(MlsFault::Internal("a commit was to be accepted as a proposal".to_owned()));
        };
        if examined.epoch != self.epoch() || self.pending.len() >= PENDING_PROPOSALS_MAX {
            return Err(MlsFault::Internal(
                "the group has moved on since the proposal was examined".to_owned(),
            ));
        }
        let pending = PendingProposal::read(&examined.message, accepted_ms)
            .ok_or_else(|| MlsFault::internal("an examined proposal does not decode"))?;
        self.group.add_proposal(self.provider.storage(), *queued).map_err(MlsFault::internal)?;
        self.pending.push(pending);
        Ok(())
    }

    /// Enters the epoch that the commit begins. Proposals that waited are committed, or gone with their epoch.
    pub fn accept_commit(&mut self, staged: StagedCommit) -> Result<(), MlsFault> {
        if self.epoch().next() != Some(staged.epoch()) {
            return Err(MlsFault::Internal("the group has moved on since the commit was staged".to_owned()));
        }
        let StagedCommit { inner, group_info, .. } = staged;
        self.group.merge_commit(self.provider.storage(), *inner).map_err(MlsFault::internal)?;
        self.pending.clear();
        self.group_info = group_info;
        Ok(())
    }

    /// Whether a member's `SelfRemove` waits already (EM7: one per member and epoch).
    pub(super) fn is_leaving(&self, leaf: LeafIndex) -> bool {
        self.pending.iter().any(|pending| {
            pending.view.proposal == Proposal::SelfRemove && pending.view.removes() == Some(leaf)
        })
    }
}

impl std::fmt::Debug for HubGroup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HubGroup")
            .field("group_id", &self.group_id())
            .field("epoch", &self.epoch())
            .field("pending", &self.pending.len())
            .finish_non_exhaustive()
    }
}

/// Verifies a tree against a bare `GroupInfo`, and opens the group they describe.
pub(super) fn verified(
    provider: &Provider,
    group_info: &[u8],
    ratchet_tree: &[u8],
) -> Result<PublicGroup, MlsRefusal> {
    let group_info =
        VerifiableGroupInfo::tls_deserialize_exact(group_info).map_err(|_| GroupInfoRefusal::Malformed)?;
    if group_info.ciphersuite() != SUITE {
        return Err(MlsRefusal::Suite(group_info.ciphersuite().into()));
    }
    let ratchet_tree = RatchetTreeIn::tls_deserialize_exact(ratchet_tree)
        .map_err(|_| MlsRefusal::Malformed("the ratchet tree"))?;
    let proposals = ProposalStore::new();
    PublicGroup::from_external(provider.crypto(), provider.storage(), ratchet_tree, group_info, proposals)
        .map(|(group, _)| group)
        .map_err(refusal)
}

fn refusal(why: CreationFromExternalError<ScratchFault>) -> MlsRefusal {
    match why {
        CreationFromExternalError::UnknownSender | CreationFromExternalError::InvalidGroupInfoSignature => {
            GroupInfoRefusal::Signature.into()
        }
        CreationFromExternalError::LeafNodeValidation(why) => MlsRefusal::Invalid(why.to_string()),
        why => MlsRefusal::RatchetTree(why.to_string()),
    }
}

pub(crate) fn external_senders(context: &openmls::group::GroupContext) -> Vec<ExternalSender> {
    let senders = context.extensions().external_senders();
    let senders = senders.into_iter().flatten().filter_map(|sender| {
        // The two fields are private in openmls; their encoding is not.
        let encoded = sender.tls_serialize_detached().ok()?;
        let (signature_key, credential) = whole(&encoded, |reading| {
            let signature_key = reading.vector()?;
            Some((signature_key, reading.span(crate::structure::read_credential)?.1))
        })?;
        Some(ExternalSender { credential: credential.to_vec(), signature_key: signature_key.to_vec() })
    });
    senders.collect()
}
