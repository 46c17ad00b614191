//! The reader: the one MLS group state that follows a room for all its hosted leaves.

use openmls::prelude::tls_codec::{Deserialize as _, Serialize as _};
use openmls::prelude::{
    GroupId, MIXED_PLAINTEXT_WIRE_FORMAT_POLICY, MlsGroup, MlsGroupJoinConfig, MlsMessageIn,
    ProcessedMessageContent, Proposal, ProtocolMessage, QueuedProposal, Sender, SenderRatchetConfiguration,
    StagedCommit,
};

use super::epoch::EpochSecrets;
use super::faults::{HostedFault, ProcessFault};
use super::keys::KeyPair;
use super::limits::{GENERATIONS_AHEAD_MAX, GENERATIONS_BEHIND_MAX};
use super::logic::ComponentChanges;
use super::overlay;
use super::summary::HandshakeSender;
use crate::components::ComponentLogic;
use crate::ids::LeafIndex;
use crate::provider::Provider;

/// A group state and the storage it lives in.
pub(super) struct Reader {
    pub(super) provider: Provider,
    pub(super) group: MlsGroup,
}

/// A handshake that holds, before anything was changed by it.
pub(super) enum Heard {
    Proposal { sender: HandshakeSender, proposal: Box<QueuedProposal> },
    Commit { sender: HandshakeSender, staged: Box<StagedCommit>, changes: ComponentChanges },
}

/// Where the next value of a commit's components comes from.
pub(super) enum Resolution<'a> {
    /// From the components' rules.
    Logic(&'a dyn ComponentLogic),
    /// From an earlier answer of the rules.
    Known(&'a ComponentChanges),
}

impl Reader {
    pub(super) fn load(provider: Provider, group_id: &[u8]) -> Result<Self, HostedFault> {
        let group = overlay::load(&provider, &GroupId::from_slice(group_id))?;
        Ok(Self { provider, group })
    }

    /// A copy of this state that is free to go another way, as `leaf`, with that leaf's private `keys`.
    pub(super) fn view_as(&self, leaf: LeafIndex, keys: &[KeyPair]) -> Result<Self, HostedFault> {
        let (provider, group) = overlay::view_as(&self.provider, &self.group, leaf, keys)?;
        Ok(Self { provider, group })
    }

    pub(super) fn leaf(&self) -> LeafIndex {
        LeafIndex(self.group.own_leaf_index().u32())
    }

    pub(super) fn capture(&self) -> Result<EpochSecrets, HostedFault> {
        overlay::capture(&self.provider, &self.group)
    }

    pub(super) fn path_keys(&self) -> Result<Vec<KeyPair>, HostedFault> {
        overlay::path_keys(&self.provider, &self.group)
    }

    pub(super) fn component(&self, component: u16) -> Option<&[u8]> {
        self.group.extensions().app_data_dictionary()?.dictionary().get(&component)
    }

    /// Checks a public handshake message completely and stages its effect.
    pub(super) fn hear(
        &mut self,
        message: &[u8],
        resolution: &Resolution<'_>,
    ) -> Result<Heard, ProcessFault> {
        let message = MlsMessageIn::tls_deserialize_exact(message).map_err(|_| ProcessFault::Malformed)?;
        let message: ProtocolMessage =
            message.try_into_protocol_message().map_err(|_| ProcessFault::Malformed)?;
        let heard = self.group.process_message(&self.provider, message).map_err(ProcessFault::handshake)?;
        // Extensions draft: "the authenticated_data field MUST be a SafeAAD", which leaves room for nothing behind it.
        if heard.safe_aad().is_some() && !heard.tail_aad().is_empty() {
            return Err(ProcessFault::MalformedSafeAad);
        }
        let sender = heard.sender().clone();
        match heard.into_content() {
            ProcessedMessageContent::ProposalMessage(proposal)
            | ProcessedMessageContent::ExternalJoinProposalMessage(proposal) => {
                Ok(Heard::Proposal { sender: HandshakeSender::of_proposal(&sender), proposal })
            }
            ProcessedMessageContent::StagedCommitMessage(staged) => {
                let sender = self.committer(&sender, &staged)?;
                Ok(Heard::Commit { sender, staged, changes: ComponentChanges::default() })
            }
            ProcessedMessageContent::UnresolvedAppDataCommit(unresolved) => {
                let changes = match resolution {
                    Resolution::Logic(logic) => ComponentChanges::resolve(
                        *logic,
                        &self.group.app_data_dictionary_updater(),
                        unresolved.app_data_update_proposals(),
                    )?,
                    Resolution::Known(changes) => (*changes).clone(),
                };
                let updates = changes.updates(self.group.app_data_dictionary_updater());
                let staged = self
                    .group
                    .stage_app_data_commit(&self.provider, *unresolved, updates)
                    .map_err(ProcessFault::handshake)?;
                let sender = self.committer(&sender, &staged)?;
                Ok(Heard::Commit { sender, staged: Box::new(staged), changes })
            }
            ProcessedMessageContent::ApplicationMessage(_)
            | ProcessedMessageContent::OwnPrivateMessage
            | ProcessedMessageContent::OwnPendingCommit => {
                Err(ProcessFault::internal("a foreign public handshake was taken for something else"))
            }
        }
    }

    /// Keeps a proposal until it is committed or the epoch ends; says whether it is new.
    pub(super) fn keep(&mut self, proposal: QueuedProposal) -> Result<bool, HostedFault> {
        let reference = proposal.proposal_reference_ref();
        if self.group.pending_proposals().any(|pending| pending.proposal_reference_ref() == reference) {
            return Ok(false);
        }
        self.group
            .store_pending_proposal(self.provider.storage_ref(), proposal)
            .map_err(HostedFault::internal)?;
        Ok(true)
    }

    /// Enters the epoch that `staged` begins. If that fails, the reader is as it was before.
    pub(super) fn merge(&mut self, staged: StagedCommit) -> Result<(), HostedFault> {
        let before = self.provider.fork();
        if let Err(why) = self.group.merge_staged_commit(&self.provider, staged) {
            let group_id = self.group.group_id().as_slice().to_vec();
            *self = Self::load(before, &group_id)?;
            return Err(HostedFault::internal(why));
        }
        Ok(())
    }

    /// Hears and applies a handshake whose component changes are known; used to replay.
    pub(super) fn replay(
        &mut self,
        message: &[u8],
        changes: &ComponentChanges,
    ) -> Result<Replayed, ProcessFault> {
        match self.hear(message, &Resolution::Known(changes))? {
            Heard::Proposal { proposal, .. } => {
                self.keep(*proposal)?;
                Ok(Replayed::Following)
            }
            Heard::Commit { staged, .. } if staged.self_removed() => Ok(Replayed::Removed),
            Heard::Commit { staged, .. } => {
                self.merge(*staged)?;
                Ok(Replayed::Following)
            }
        }
    }

    fn committer(&self, sender: &Sender, staged: &StagedCommit) -> Result<HandshakeSender, ProcessFault> {
        match sender {
            Sender::Member(leaf) => Ok(HandshakeSender::Member(LeafIndex(leaf.u32()))),
            Sender::NewMemberCommit => {
                let leaf = self.group.ext_commit_sender_index(staged).map_err(ProcessFault::internal)?;
                Ok(HandshakeSender::Joiner(LeafIndex(leaf.u32())))
            }
            Sender::External(_) | Sender::NewMemberProposal => {
                Err(ProcessFault::handshake("a commit from a sender that cannot commit"))
            }
        }
    }
}

/// What a replayed handshake did to the one who replayed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Replayed {
    Following,
    Removed,
}

/// How readers and joiners read: handshakes public, application messages not at all (see the opener).
pub(super) fn join_config() -> MlsGroupJoinConfig {
    let behind = u32::try_from(GENERATIONS_BEHIND_MAX).unwrap_or(u32::MAX);
    MlsGroupJoinConfig::builder()
        .wire_format_policy(MIXED_PLAINTEXT_WIRE_FORMAT_POLICY)
        .use_ratchet_tree_extension(false)
        .sender_ratchet_configuration(SenderRatchetConfiguration::new(behind, GENERATIONS_AHEAD_MAX))
        .max_past_epochs(0)
        .build()
}

/// The serialised form of a proposal.
pub(super) fn encode_proposal(proposal: &Proposal) -> Result<Vec<u8>, HostedFault> {
    proposal.tls_serialize_detached().map_err(HostedFault::internal)
}
