use openmls::group::PublicProcessMessageError;
use openmls::prelude::tls_codec::Deserialize as _;
use openmls::prelude::{MlsMessageIn, ProcessedMessage, ProcessedMessageContent, ProtocolMessage};
use openmls_traits::OpenMlsProvider as _;

use super::examined::{Body, Commit, Examined, Proposal, ProposalView, Proposer, Sender, Stage};
use super::group::HubGroup;
use super::pending::{proposal_reference, uncovered};
use super::refusal::MlsRefusal;
use crate::components::{ComponentOperations, Dictionary, SAFE_AAD};
use crate::ids::{Epoch, LeafIndex, ProposalRef};
use crate::key_package::LeafView;
use crate::limits::PENDING_PROPOSALS_MAX;
use crate::message::{ContentType, MessageKind, MlsMessage};
use crate::safe_aad::SafeAad;
use crate::structure::{self, Content, Listed, PublicMessage, read_extensions, read_public_message};
use crate::tls::whole;

/// Extension type of the `app_data_dictionary`.
const DICTIONARY: u16 = 0x0006;

const MALFORMED: MlsRefusal = MlsRefusal::Malformed("the handshake");

impl HubGroup {
    /// Takes a proposal or commit apart and checks all that MLS demands of it. Nothing changes.
    pub fn examine(&self, handshake: &MlsMessage) -> Result<Examined, MlsRefusal> {
        let read = self.read(handshake)?;
        let safe_aad = self.safe_aad(&read)?;
        let proposals = self.proposals(&read)?;
        let sender = sender(&read, &proposals)?;
        let missing = match &read.content {
            Content::Proposal(_) => {
                self.check_proposal(&proposals)?;
                Vec::new()
            }
            Content::Commit { .. } => {
                self.check_commit(&sender, &proposals)?;
                uncovered(&self.pending, &proposals, Proposer::of(read.sender))
            }
        };
        let body = self.body(handshake, &read)?;
        Ok(Examined {
            message: handshake.clone(),
            epoch: self.epoch(),
            sender,
            safe_aad,
            proposals,
            uncovered: missing,
            body,
        })
    }

    fn read<'a>(&self, handshake: &'a MlsMessage) -> Result<PublicMessage<'a>, MlsRefusal> {
        let MessageKind::Public(ContentType::Proposal | ContentType::Commit) = handshake.kind() else {
            return Err(MlsRefusal::NotAHandshake);
        };
        let read = whole(handshake.body(), read_public_message).ok_or(MALFORMED)?;
        if read.group_id != self.group.group_id().as_slice() {
            return Err(MlsRefusal::OtherGroup);
        }
        if Epoch(read.epoch) != self.epoch() {
            return Err(MlsRefusal::WrongEpoch { current: self.epoch() });
        }
        Ok(read)
    }

    /// EM6: where the dictionary has `safe_aad`, every authenticated data is a SafeAAD and nothing else.
    fn safe_aad(&self, read: &PublicMessage<'_>) -> Result<Option<SafeAad>, MlsRefusal> {
        let demanded = self.component(SAFE_AAD).is_some();
        Ok(demanded.then(|| SafeAad::decode(read.authenticated_data)).transpose()?)
    }

    /// The proposals that the handshake makes or commits.
    fn proposals(&self, read: &PublicMessage<'_>) -> Result<Vec<ProposalView>, MlsRefusal> {
        let proposer = Proposer::of(read.sender);
        let commit = match &read.content {
            Content::Proposal(proposal) => {
                let reference = Some(proposal_reference(read));
                return Ok(vec![view(proposer, reference, proposal)?]);
            }
            Content::Commit { commit, .. } => commit,
        };
        let listed = commit.proposals.iter().map(|listed| match listed {
            Listed::ByValue(proposal) => view(proposer, None, proposal),
            Listed::ByReference(reference) => self.find_pending(reference),
        });
        listed.collect()
    }

    fn find_pending(&self, reference: &[u8]) -> Result<ProposalView, MlsRefusal> {
        let found = self.pending.iter().find(|pending| pending.reference.0 == reference);
        found
            .map(|pending| pending.view.clone())
            .ok_or_else(|| MlsRefusal::UnknownProposal(ProposalRef(reference.to_vec())))
    }

    fn check_proposal(&self, proposals: &[ProposalView]) -> Result<(), MlsRefusal> {
        if self.pending.len() >= PENDING_PROPOSALS_MAX {
            return Err(MlsRefusal::TooManyPending);
        }
        self.check_context_extensions(proposals)?;
        self.check_operations(self.pending.iter().map(|pending| &pending.view).chain(proposals))?;
        for view in proposals {
            if self.pending.iter().any(|pending| Some(&pending.reference) == view.reference.as_ref()) {
                return Err(MlsRefusal::AlreadyPending);
            }
            if view.proposal != Proposal::SelfRemove {
                continue;
            }
            let Proposer::Member(leaf) = view.proposer else {
                return Err(MlsRefusal::SelfRemove("comes from a member"));
            };
            if self.is_leaving(leaf) {
                return Err(MlsRefusal::SelfRemove("comes once per member and epoch"));
            }
        }
        Ok(())
    }

    fn check_commit(&self, sender: &Sender, proposals: &[ProposalView]) -> Result<(), MlsRefusal> {
        // EM7: "MUST NOT be sent by value".
        let by_value = |view: &&ProposalView| view.reference.is_none();
        if proposals.iter().filter(by_value).any(|view| view.proposal == Proposal::SelfRemove) {
            return Err(MlsRefusal::SelfRemove("is committed by reference only"));
        }
        if matches!(sender, Sender::NewMember(_)) {
            check_external_commit(proposals)?;
        }
        self.check_context_extensions(proposals)?;
        self.check_operations(proposals.iter())
    }

    /// EM2, EM3; also of all proposals that wait together, for the next commit must cover them all (I5).
    fn check_operations<'a>(&self, views: impl Iterator<Item = &'a ProposalView>) -> Result<(), MlsRefusal> {
        let operations = views.filter_map(ProposalView::operation);
        ComponentOperations::collect(operations, |component| self.component(component).is_some())?;
        Ok(())
    }

    /// EM4: `GroupContextExtensions` "MUST NOT add, remove, or modify the `app_data_dictionary`".
    fn check_context_extensions(&self, proposals: &[ProposalView]) -> Result<(), MlsRefusal> {
        for view in proposals {
            let Proposal::GroupContextExtensions(extensions) = &view.proposal else { continue };
            let extensions = whole(extensions, read_extensions).ok_or(MALFORMED)?;
            let proposed = extensions.iter().find(|extension| extension.extension_type == DICTIONARY);
            let proposed = proposed.map(|extension| Dictionary::decode(extension.data).ok_or(MALFORMED));
            let present: Dictionary =
                self.components().map(|(component, value)| (component, value.to_vec())).collect();
            if proposed.transpose()?.unwrap_or_default() != present {
                return Err(MlsRefusal::DictionaryTouched);
            }
        }
        Ok(())
    }

    /// Has openmls verify the handshake.
    fn body(&self, handshake: &MlsMessage, read: &PublicMessage<'_>) -> Result<Body, MlsRefusal> {
        let processed = self.process(handshake)?;
        let stage = match processed.into_content() {
            ProcessedMessageContent::ProposalMessage(queued)
            | ProcessedMessageContent::ExternalJoinProposalMessage(queued) => {
                return Ok(Body::Proposal(queued));
            }
            ProcessedMessageContent::StagedCommitMessage(staged) => Stage::Staged(staged),
            ProcessedMessageContent::UnresolvedAppDataCommit(unresolved) => Stage::Unresolved(unresolved),
            ProcessedMessageContent::ApplicationMessage(_)
            | ProcessedMessageContent::OwnPrivateMessage
            | ProcessedMessageContent::OwnPendingCommit => return Err(MlsRefusal::NotAHandshake),
        };
        let Content::Commit { commit, confirmation_tag } = &read.content else {
            return Err(MlsRefusal::NotAHandshake);
        };
        let leaf = commit.leaf_node.as_ref().map(|leaf| LeafView::of(leaf).ok_or(MALFORMED)).transpose()?;
        Ok(Body::Commit(Commit { leaf, confirmation_tag: confirmation_tag.to_vec(), stage }))
    }

    fn process(&self, handshake: &MlsMessage) -> Result<ProcessedMessage, MlsRefusal> {
        let message = MlsMessageIn::tls_deserialize_exact(handshake.as_bytes()).map_err(|_| MALFORMED)?;
        let message: ProtocolMessage =
            message.try_into_protocol_message().map_err(|_| MlsRefusal::NotAHandshake)?;
        self.group
            .process_message(self.provider.crypto(), message)
            .map_err(|why: PublicProcessMessageError| MlsRefusal::Invalid(why.to_string()))
    }
}

fn view(
    proposer: Proposer,
    reference: Option<ProposalRef>,
    proposal: &structure::Proposal<'_>,
) -> Result<ProposalView, MlsRefusal> {
    let proposal = Proposal::of(proposal).ok_or(MALFORMED)?;
    Ok(ProposalView { proposer, reference, proposal })
}

/// Who sent it; a newcomer shows his leaf in the path of his commit, or in the Add that he proposes.
fn sender(read: &PublicMessage<'_>, proposals: &[ProposalView]) -> Result<Sender, MlsRefusal> {
    match (read.sender, &read.content, proposals) {
        (structure::Sender::Member(leaf), _, _) => Ok(Sender::Member(LeafIndex(leaf))),
        (structure::Sender::External(place), Content::Proposal(_), _) => Ok(Sender::External(place)),
        (structure::Sender::NewMemberCommit, Content::Commit { commit, .. }, _) => {
            let leaf = commit.leaf_node.as_ref().ok_or(MlsRefusal::ExternalCommit("has a path"))?;
            Ok(Sender::NewMember(Box::new(LeafView::of(leaf).ok_or(MALFORMED)?)))
        }
        (
            structure::Sender::NewMemberProposal,
            Content::Proposal(_),
            [ProposalView { proposal: Proposal::Add { leaf, .. }, .. }],
        ) => Ok(Sender::NewMember(leaf.clone())),
        (_, _, _) => Err(MlsRefusal::Invalid("the sender may not send this".to_owned())),
    }
}

/// RFC 9420 §12.4.3.2 and A4 check 5: a joiner initialises, may remove his old leaf, and brings no other news of members.
fn check_external_commit(proposals: &[ProposalView]) -> Result<(), MlsRefusal> {
    let mut removals = 0_u32;
    for view in proposals {
        match (&view.proposal, &view.reference) {
            (
                Proposal::ExternalInit
                | Proposal::PreSharedKey
                | Proposal::AppDataUpdate { .. }
                | Proposal::AppEphemeral { .. },
                None,
            )
            | (Proposal::SelfRemove, Some(_)) => {}
            (Proposal::Remove(_), None) => removals += 1,
            (_, Some(_)) => return Err(MlsRefusal::ExternalCommit("refers to SelfRemoves only")),
            (_, None) => return Err(MlsRefusal::ExternalCommit("changes nobody else")),
        }
    }
    if removals > 1 {
        return Err(MlsRefusal::ExternalCommit("removes at most one leaf, the joiner's old one"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check_external_commit;
    use crate::hub::{MlsRefusal, Proposal, ProposalView, Proposer};
    use crate::ids::{LeafIndex, ProposalRef};

    fn list(proposals: &[(Proposal, bool)]) -> Result<(), MlsRefusal> {
        let views: Vec<_> = proposals
            .iter()
            .map(|(proposal, is_referenced)| ProposalView {
                proposer: Proposer::NewMember,
                reference: is_referenced.then(|| ProposalRef(vec![1])),
                proposal: proposal.clone(),
            })
            .collect();
        check_external_commit(&views)
    }

    #[test]
    fn a4_a_joiner_brings_no_news_of_others() {
        let remove = |leaf| Proposal::Remove(LeafIndex(leaf));
        let init = Proposal::ExternalInit;
        let ephemeral = Proposal::AppEphemeral { component: 5, data: vec![] };
        let update = Proposal::AppDataUpdate { component: 0x22, update: None };
        let refused = |why| Err(MlsRefusal::ExternalCommit(why));

        let joining =
            [(init.clone(), false), (remove(1), false), (update.clone(), false), (ephemeral, false)];
        assert_eq!(list(&joining), Ok(()));
        assert_eq!(list(&[(init.clone(), false), (Proposal::SelfRemove, true)]), Ok(()));
        assert_eq!(
            list(&[(init.clone(), false), (remove(1), false), (remove(2), false)]),
            refused("removes at most one leaf, the joiner's old one")
        );
        assert_eq!(list(&[(init.clone(), false), (remove(1), true)]), refused("refers to SelfRemoves only"));
        assert_eq!(list(&[(init.clone(), false), (update, true)]), refused("refers to SelfRemoves only"));
        let extensions = Proposal::GroupContextExtensions(vec![0]);
        assert_eq!(list(&[(init.clone(), false), (extensions, false)]), refused("changes nobody else"));
        assert_eq!(list(&[(init, false), (Proposal::ReInit, false)]), refused("changes nobody else"));
    }
}
