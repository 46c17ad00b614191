use super::examined::{Proposal, ProposalView, Proposer};
use crate::ids::{LeafIndex, ProposalRef};
use crate::label::reference_hash;
use crate::message::MlsMessage;
use crate::structure::{Content, PublicMessage, Sender, read_public_message};
use crate::tls::whole;

const WIRE_FORMAT_PUBLIC: u16 = 1;

/// An accepted proposal that waits for a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingProposal {
    /// Its name.
    pub reference: ProposalRef,
    /// Who asks for what.
    pub view: ProposalView,
    /// The message it came as, for those who need it later.
    pub message: MlsMessage,
    /// When the hub accepted it, in milliseconds since 1970.
    pub accepted_ms: u64,
}

impl PendingProposal {
    /// Reads an accepted proposal's message again.
    pub(super) fn read(message: &MlsMessage, accepted_ms: u64) -> Option<Self> {
        let public = whole(message.body(), read_public_message)?;
        let Content::Proposal(proposal) = &public.content else { return None };
        let reference = proposal_reference(&public);
        let view = ProposalView {
            proposer: Proposer::of(public.sender),
            reference: Some(reference.clone()),
            proposal: Proposal::of(proposal)?,
        };
        Some(Self { reference, view, message: message.clone(), accepted_ms })
    }
}

impl Proposer {
    pub(super) fn of(sender: Sender) -> Self {
        match sender {
            Sender::Member(leaf) => Self::Member(LeafIndex(leaf)),
            Sender::External(place) => Self::External(place),
            Sender::NewMemberProposal | Sender::NewMemberCommit => Self::NewMember,
        }
    }
}

/// `ProposalRef`: the hash of the `AuthenticatedContent` that the proposal came in (RFC 9420 §5.2).
pub(super) fn proposal_reference(message: &PublicMessage<'_>) -> ProposalRef {
    let content = [WIRE_FORMAT_PUBLIC.to_be_bytes().as_slice(), message.authenticated].concat();
    ProposalRef(reference_hash("MLS 1.0 Proposal Reference", &content))
}

/// The pending proposals that a commit by `committer` should cover and does not (I5, EM8).
///
/// A proposal is covered if the commit refers to it, or leaves it nothing to do. A joiner need only, and may only, cover
/// `SelfRemove`s.
pub(super) fn uncovered(
    pending: &[PendingProposal],
    proposals: &[ProposalView],
    committer: Proposer,
) -> Vec<ProposalRef> {
    let is_demanded = |view: &ProposalView| {
        !matches!(committer, Proposer::NewMember) || view.proposal == Proposal::SelfRemove
    };
    let is_listed = |reference| proposals.iter().any(|view| view.reference.as_ref() == Some(reference));
    let missing = pending.iter().filter(|pending| {
        is_demanded(&pending.view)
            && !is_listed(&pending.reference)
            && !is_moot(&pending.view, proposals, committer)
    });
    missing.map(|pending| pending.reference.clone()).collect()
}

/// Whether a commit with these proposals leaves `pending` nothing to do, or nothing that it could do.
///
/// That is the removal of a leaf that goes anyway, the update of a leaf that goes or that the committer's path renews, the
/// addition of a client that is added already, and a second replacement of the extensions, of which a commit has one.
fn is_moot(pending: &ProposalView, proposals: &[ProposalView], committer: Proposer) -> bool {
    let goes = |leaf| proposals.iter().any(|view| view.removes() == Some(leaf));
    match (&pending.proposal, pending.proposer) {
        (Proposal::Update(_), Proposer::Member(leaf)) => committer == Proposer::Member(leaf) || goes(leaf),
        (Proposal::Remove(leaf), _) => goes(*leaf),
        (Proposal::SelfRemove, Proposer::Member(leaf)) => goes(leaf),
        (Proposal::Add { leaf, .. }, _) => proposals.iter().any(|view| match &view.proposal {
            Proposal::Add { leaf: added, .. } => added.signature_key == leaf.signature_key,
            _ => false,
        }),
        (Proposal::GroupContextExtensions(_), _) => {
            proposals.iter().any(|view| matches!(view.proposal, Proposal::GroupContextExtensions(_)))
        }
        (_, _) => false,
    }
}
