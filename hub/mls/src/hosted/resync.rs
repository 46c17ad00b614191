//! Coming back to a room that could not be followed any more, by external commit (RFC 9420 §12.4.3.2).

use openmls::messages::group_info::VerifiableGroupInfo;
use openmls::prelude::tls_codec::Deserialize as _;
use openmls::prelude::{
    LeafNodeIndex, LeafNodeParameters, MlsGroup, MlsMessageBodyIn, MlsMessageIn, RatchetTreeIn,
};
use openmls_traits::OpenMlsProvider as _;

use super::commit::{NextReader, OwnCommit, OwnPending, own_commit};
use super::faults::HostedFault;
use super::found::credential_with_key;
use super::logic::ComponentChanges;
use super::reader::{Reader, join_config};
use super::room::HostedRoom;
use super::summary::HandshakeSender;
use crate::ids::LeafIndex;
use crate::provider::{Provider, SUITE};

impl HostedRoom {
    /// Makes an external commit with which `leaf`'s user comes back: same user, same client, same signature key, his old
    /// leaf removed. Once it is confirmed he reads for all hosted leaves, who stayed where they were.
    ///
    /// `group_info` (an `MLSMessage`) and `ratchet_tree` are the hub's, of its present epoch. A commit of ours that was
    /// pending is given up.
    pub fn resync(
        &mut self,
        group_info: &[u8],
        ratchet_tree: &[u8],
        leaf: LeafIndex,
    ) -> Result<OwnCommit, HostedFault> {
        let hosted = self.hosted(leaf)?;
        let member = self.roster.member(leaf).ok_or(HostedFault::NotHosted(leaf))?;
        let group_info = decode_group_info(group_info)?;
        if group_info.ciphersuite() != SUITE {
            return Err(HostedFault::UnsupportedSuite);
        }
        if group_info.group_id().as_slice() != self.group_id() {
            return Err(HostedFault::Refused("the GroupInfo is of another group".to_owned()));
        }
        let tree = RatchetTreeIn::tls_deserialize_exact(ratchet_tree)
            .map_err(|_| HostedFault::Malformed("the ratchet tree"))?;
        let provider = Provider::default();
        let credential = credential_with_key(&member.credential, &member.signature_key)?;
        let (group, bundle) = MlsGroup::external_commit_builder()
            .with_ratchet_tree(tree)
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
    let malformed = || HostedFault::Malformed("the GroupInfo");
    match MlsMessageIn::tls_deserialize_exact(bytes).map_err(|_| malformed())?.extract() {
        MlsMessageBodyIn::GroupInfo(group_info) => Ok(group_info),
        MlsMessageBodyIn::PublicMessage(_)
        | MlsMessageBodyIn::PrivateMessage(_)
        | MlsMessageBodyIn::Welcome(_)
        | MlsMessageBodyIn::KeyPackage(_) => Err(malformed()),
    }
}
