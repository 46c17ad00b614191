use openmls::group::{QueuedProposal, StagedCommit};
use openmls::prelude::UnresolvedAppDataCommit;

use crate::components::{ComponentOperation, ComponentOperations};
use crate::ids::{Epoch, KeyPackageRef, LeafIndex, ProposalRef};
use crate::key_package::{LeafView, key_package_reference};
use crate::message::MlsMessage;
use crate::safe_aad::SafeAad;
use crate::structure;
use crate::tls::vector;

/// A handshake that MLS allows, laid open for the room to decide about. The group has not changed.
pub struct Examined {
    pub(super) message: MlsMessage,
    pub(super) epoch: Epoch,
    pub(super) sender: Sender,
    pub(super) safe_aad: Option<SafeAad>,
    pub(super) proposals: Vec<ProposalView>,
    pub(super) uncovered: Vec<ProposalRef>,
    pub(super) body: Body,
}

/// What openmls made of it.
pub(super) enum Body {
    Proposal(Box<QueuedProposal>),
    Commit(Commit),
}

pub(super) struct Commit {
    pub(super) leaf: Option<LeafView>,
    pub(super) confirmation_tag: Vec<u8>,
    pub(super) stage: Stage,
}

pub(super) enum Stage {
    Staged(Box<StagedCommit>),
    /// The application has to say first what becomes of its components.
    Unresolved(Box<UnresolvedAppDataCommit>),
}

/// Who sent a handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sender {
    /// A member.
    Member(LeafIndex),
    /// An external sender, by its place in the group's list.
    External(u32),
    /// Somebody who comes, or comes back, from outside, with the leaf that he wants to have.
    NewMember(Box<LeafView>),
}

/// Who made a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proposer {
    /// A member.
    Member(LeafIndex),
    /// An external sender, by its place in the group's list.
    External(u32),
    /// Somebody who wants to become a member.
    NewMember,
}

/// A proposal in a handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposalView {
    /// Who made it; of a proposal by value in a commit, the committer.
    pub proposer: Proposer,
    /// Its name, unless it stands by value in a commit.
    pub reference: Option<ProposalRef>,
    /// What it asks for.
    pub proposal: Proposal,
}

/// What a proposal asks for (RFC 9420 §12.1, MLS extensions draft).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proposal {
    /// To add a client.
    Add {
        /// His KeyPackage.
        reference: KeyPackageRef,
        /// His leaf.
        leaf: Box<LeafView>,
    },
    /// To renew the proposer's leaf.
    Update(Box<LeafView>),
    /// To remove a leaf.
    Remove(LeafIndex),
    /// To remove the proposer's leaf.
    SelfRemove,
    /// To mix a pre-shared key in.
    PreSharedKey,
    /// To replace the group by another one.
    ReInit,
    /// To join from outside; only in external commits.
    ExternalInit,
    /// To replace the extensions of the group, by this TLS vector of them.
    GroupContextExtensions(Vec<u8>),
    /// To change a component.
    AppDataUpdate {
        /// The component.
        component: u16,
        /// The update in the component's format; none to remove it.
        update: Option<Vec<u8>>,
    },
    /// To tell all members something that changes nothing.
    AppEphemeral {
        /// The component.
        component: u16,
        /// Its bytes.
        data: Vec<u8>,
    },
}

impl Examined {
    /// The handshake itself.
    pub fn message(&self) -> &MlsMessage {
        &self.message
    }

    /// The epoch it is of.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Who sent it; his signature holds.
    pub fn sender(&self) -> &Sender {
        &self.sender
    }

    /// Whether it is a commit.
    pub fn is_commit(&self) -> bool {
        matches!(self.body, Body::Commit(_))
    }

    /// What it says in clear, if the room demands a SafeAAD.
    pub fn safe_aad(&self) -> Option<&SafeAad> {
        self.safe_aad.as_ref()
    }

    /// The commit's proposals in its order, those by reference filled in; or the one proposal.
    pub fn proposals(&self) -> &[ProposalView] {
        &self.proposals
    }

    /// The committer's new leaf, if the commit has a path.
    pub fn committer_leaf(&self) -> Option<&LeafView> {
        match &self.body {
            Body::Commit(commit) => commit.leaf.as_ref(),
            Body::Proposal(_) => None,
        }
    }

    /// Whether the commit covers every pending proposal that it must (I5); a proposal covers nothing and need not.
    pub fn covers_all_pending(&self) -> bool {
        self.uncovered.is_empty()
    }

    /// The pending proposals that the commit should have covered.
    pub fn uncovered(&self) -> &[ProposalRef] {
        &self.uncovered
    }

    /// The commit's component updates by component. Holes in the draft's rules are closed already (EM2, EM3).
    pub fn component_operations(&self) -> ComponentOperations<'_> {
        let is_commit = self.is_commit();
        let operations = self.proposals.iter().filter(|_| is_commit).filter_map(ProposalView::operation);
        ComponentOperations::collect(operations, |_| true).unwrap_or_default()
    }

    pub(super) fn added(&self) -> Vec<KeyPackageRef> {
        let added = self.proposals.iter().filter_map(|view| match &view.proposal {
            Proposal::Add { reference, .. } => Some(reference.clone()),
            Proposal::Update(_)
            | Proposal::Remove(_)
            | Proposal::SelfRemove
            | Proposal::PreSharedKey
            | Proposal::ReInit
            | Proposal::ExternalInit
            | Proposal::GroupContextExtensions(_)
            | Proposal::AppDataUpdate { .. }
            | Proposal::AppEphemeral { .. } => None,
        });
        added.collect()
    }
}

impl std::fmt::Debug for Examined {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Examined")
            .field("sender", &self.sender)
            .field("proposals", &self.proposals)
            .field("uncovered", &self.uncovered)
            .finish_non_exhaustive()
    }
}

impl ProposalView {
    /// The leaf that loses its place.
    pub fn removes(&self) -> Option<LeafIndex> {
        match (&self.proposal, self.proposer) {
            (Proposal::Remove(leaf), _) => Some(*leaf),
            (Proposal::SelfRemove, Proposer::Member(leaf)) => Some(leaf),
            (_, _) => None,
        }
    }

    pub(super) fn operation(&self) -> Option<(u16, ComponentOperation<'_>)> {
        let Proposal::AppDataUpdate { component, update } = &self.proposal else { return None };
        let operation = update.as_deref().map_or(ComponentOperation::Remove, ComponentOperation::Update);
        Some((*component, operation))
    }
}

impl Proposal {
    /// The proposal as the room sees it; nothing if a leaf's dictionary is malformed.
    pub(super) fn of(read: &structure::Proposal<'_>) -> Option<Self> {
        Some(match read {
            structure::Proposal::Add(package, bytes) => Self::Add {
                reference: key_package_reference(bytes),
                leaf: Box::new(LeafView::of(&package.leaf_node)?),
            },
            structure::Proposal::Update(leaf) => Self::Update(Box::new(LeafView::of(leaf)?)),
            structure::Proposal::Remove(leaf) => Self::Remove(LeafIndex(*leaf)),
            structure::Proposal::PreSharedKey => Self::PreSharedKey,
            structure::Proposal::ReInit => Self::ReInit,
            structure::Proposal::ExternalInit => Self::ExternalInit,
            structure::Proposal::GroupContextExtensions(extensions) => {
                Self::GroupContextExtensions(encode_extensions(extensions))
            }
            structure::Proposal::AppDataUpdate(component, operation) => Self::AppDataUpdate {
                component: *component,
                update: match operation {
                    ComponentOperation::Update(update) => Some(update.to_vec()),
                    ComponentOperation::Remove => None,
                },
            },
            structure::Proposal::AppEphemeral(component, data) => {
                Self::AppEphemeral { component: *component, data: data.to_vec() }
            }
            structure::Proposal::SelfRemove => Self::SelfRemove,
        })
    }
}

fn encode_extensions(extensions: &[structure::Extension<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    for extension in extensions {
        out.extend_from_slice(&extension.extension_type.to_be_bytes());
        out.extend(vector(extension.data));
    }
    vector(&out)
}
