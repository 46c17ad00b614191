//! Coming back to a room that could not be followed any more, by external commit (RFC 9420 §12.4.3.2).

use openmls::messages::group_info::VerifiableGroupInfo;
use openmls::prelude::tls_codec::Deserialize as _;
use openmls::prelude::{
    LeafNodeIndex, LeafNodeParameters, MlsGroup, MlsMessageBodyIn, MlsMessageIn, PublicMessageIn,
    RatchetTreeIn,
};
use openmls_traits::OpenMlsProvider as _;

use super::commit::{NextReader, OwnCommit, OwnPending, own_commit};
use super::faults::HostedFault;
use super::found::credential_with_key;
use super::logic::ComponentChanges;
use super::reader::{Reader, join_config};
use super::room::{HostedRoom, Standing};
use super::summary::HandshakeSender;
use crate::group_info::bare_group_info;
use crate::hub::{ExternalSender, external_senders};
use crate::ids::LeafIndex;
use crate::message::MlsMessage;
use crate::provider::{Provider, SUITE};

/// What the hub gives to one who comes back from outside, of its present epoch.
#[derive(Debug, Clone, Copy)]
pub struct PresentEpoch<'a> {
    /// The `GroupInfo`, bare or as an `MLSMessage`.
    pub group_info: &'a [u8],
    /// The TLS `ratchet_tree`.
    pub ratchet_tree: &'a [u8],
    /// Proposals that wait for a commit; the `SelfRemove`s among them are committed with the return (EM8).
    pub pending: &'a [MlsMessage],
}

impl HostedRoom {
    /// Gives up following, for a handshake of the room could not be followed: all that comes behind it is of epochs that
    /// we know nothing of. What is of this epoch can still be read; nobody speaks before a
    /// [`resync`](Self::resync).
    pub fn stop_following(&mut self) {
        self.standing = if self.hosted.is_empty() { Standing::Gone } else { Standing::NeedsResync };
        self.pending = None;
        self.second = None;
        self.current.senders.clear();
    }

    /// Makes an external commit with which `leaf`'s user comes back: same user, same client, same signature key, his old
    /// leaf removed. Once it is confirmed he reads for all hosted leaves, who stayed where they were.
    ///
    /// A commit of ours that was pending is given up.
    pub fn resync(&mut self, present: PresentEpoch<'_>, leaf: LeafIndex) -> Result<OwnCommit, HostedFault> {
        let hosted = self.hosted(leaf)?;
        let member = self.roster.member(leaf).ok_or(HostedFault::NotHosted(leaf))?;
        let group_info = decode_group_info(present.group_info)?;
        if group_info.ciphersuite() != SUITE {
            return Err(HostedFault::UnsupportedSuite);
        }
        if group_info.group_id().as_slice() != self.group_id() {
            return Err(HostedFault::Refused("the GroupInfo is of another group".to_owned()));
        }
        let tree = RatchetTreeIn::tls_deserialize_exact(present.ratchet_tree)
            .map_err(|_| HostedFault::Malformed("the ratchet tree"))?;
        let pending = present.pending.iter().map(public_message).collect::<Result<_, _>>()?;
        let provider = Provider::default();
        let credential = credential_with_key(&member.credential, &member.signature_key)?;
        let (group, bundle) = MlsGroup::external_commit_builder()
            .with_ratchet_tree(tree)
            .with_proposals(pending)
            .with_config(join_config())
            .skip_lifetime_validation()
            .build_group(&provider, group_info, credential)
            .map_err(HostedFault::refused)?
            .leaf_node_parameters(self.leaf_parameters(leaf)?)
            .load_psks(provider.storage())
            .map_err(HostedFault::refused)?
            .create_group_info(true)
            .use_ratchet_tree_extension(false)
            .build(provider.rand(), provider.crypto(), &hosted.key, |_| true)
            .map_err(HostedFault::refused)?
            .finalize(&provider)
            .map_err(HostedFault::refused)?;
        let own = own_commit(bundle, &group)?;
        let reader = Reader { provider, group };
        self.pending = Some(OwnPending {
            commit: own.commit.clone(),
            sender: HandshakeSender::Joiner(reader.leaf()),
            changes: ComponentChanges::default(),
            next: NextReader::Joiner(reader),
        });
        Ok(own)
    }

    /// Who may propose from outside; of the epoch that we come back to, once a return is pending.
    pub fn external_senders(&self) -> Vec<ExternalSender> {
        let reader = match self.pending.as_ref().map(|pending| &pending.next) {
            Some(NextReader::Joiner(reader)) => reader,
            Some(NextReader::Committer(_) | NextReader::Present) | None => &self.reader,
        };
        external_senders(reader.group.public_group().group_context())
    }

    /// The new leaf says of itself what the old one said.
    fn leaf_parameters(&self, leaf: LeafIndex) -> Result<LeafNodeParameters, HostedFault> {
        let old = self
            .reader
            .group
            .public_group()
            .leaf(LeafNodeIndex::new(leaf.0))
            .ok_or(HostedFault::NotHosted(leaf))?;
        Ok(LeafNodeParameters::builder()
            .with_capabilities(old.capabilities().clone())
            .with_extensions(old.extensions().clone())
            .build())
    }
}

fn decode_group_info(bytes: &[u8]) -> Result<VerifiableGroupInfo, HostedFault> {
    VerifiableGroupInfo::tls_deserialize_exact(bare_group_info(bytes))
        .map_err(|_| HostedFault::Malformed("the GroupInfo"))
}

fn public_message(message: &MlsMessage) -> Result<PublicMessageIn, HostedFault> {
    let malformed = || HostedFault::Malformed("a pending proposal");
    match MlsMessageIn::tls_deserialize_exact(message.as_bytes()).map_err(|_| malformed())?.extract() {
        MlsMessageBodyIn::PublicMessage(message) => Ok(message),
        MlsMessageBodyIn::GroupInfo(_)
        | MlsMessageBodyIn::PrivateMessage(_)
        | MlsMessageBodyIn::Welcome(_)
        | MlsMessageBodyIn::KeyPackage(_) => Err(malformed()),
    }
}
