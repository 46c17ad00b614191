//! Commits of our own: made as any hosted leaf, pending until the hub has spoken.

use openmls::group::{CommitBuilder, CommitMessageBundle, LoadedPsks, MlsGroup};
use openmls::messages::group_info::GroupInfo;
use openmls::prelude::tls_codec::{Deserialize as _, Serialize as _};
use openmls::prelude::{
    AppDataUpdateProposal, KeyPackage, KeyPackageIn, LeafNodeIndex, MlsMessageOut, Proposal, ProtocolVersion,
    SafeAadItem as GroupSafeAadItem,
};
use openmls_traits::OpenMlsProvider as _;

use super::faults::HostedFault;
use super::keys::KeyPair;
use super::logic::ComponentChanges;
use super::reader::{Heard, Reader, Resolution};
use super::room::{HostedRoom, Standing};
use super::second::SecondReader;
use super::summary::{CommitSummary, HandshakeSender};
use crate::components::ComponentLogic;
use crate::group_info::PartialGroupInfo;
use crate::ids::{Epoch, LeafIndex};
use crate::message::MlsMessage;
use crate::tls::Reading;

/// What a commit of ours is to do; all pending proposals are included besides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommitPlan {
    /// TLS `KeyPackage`s of those to add.
    pub adds: Vec<Vec<u8>>,
    /// `AppDataUpdate` payloads by component.
    pub component_updates: Vec<(u16, Vec<u8>)>,
    /// Leaves to remove.
    pub removes: Vec<LeafIndex>,
    /// Whether the committer renews his keys, and his path's. Happens anyway where MLS demands it; without it a commit
    /// that only adds stays small whatever the size of the room.
    pub with_path: bool,
    /// Items for the `SafeAAD`, where the room demands one.
    pub safe_aad: Vec<(u16, Vec<u8>)>,
}

/// A commit of ours on its way to the hub.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnCommit {
    /// The commit, a `PublicMessage`.
    pub commit: MlsMessage,
    /// The Welcome for those it adds.
    pub welcome: Option<MlsMessage>,
    /// The `GroupInfo` of the new epoch as an `MLSMessage`, without the tree.
    pub group_info: Vec<u8>,
    /// What of that `GroupInfo` a hub cannot work out by itself.
    pub partial: PartialGroupInfo,
    /// The epoch that the commit begins.
    pub epoch: Epoch,
}

/// A commit of ours that has not been answered.
pub(super) struct OwnPending {
    pub(super) commit: MlsMessage,
    pub(super) sender: HandshakeSender,
    pub(super) changes: ComponentChanges,
    pub(super) next: NextReader,
}

/// Who reads once the commit is accepted.
pub(super) enum NextReader {
    /// The committer: his view has staged the commit, and knows all keys of his new path.
    Committer(Reader),
    /// The present reader, which hears the commit like anybody's: a commit without path teaches its committer no keys.
    Present,
    /// Somebody who comes back by external commit; his state is of the new epoch already.
    Joiner(Reader),
}

impl HostedRoom {
    /// Makes a commit as `leaf`. It stays pending until [`confirm_commit`](Self::confirm_commit) or
    /// [`abandon_commit`](Self::abandon_commit), or until another's commit wins.
    pub fn commit(
        &mut self,
        leaf: LeafIndex,
        plan: &CommitPlan,
        logic: &dyn ComponentLogic,
    ) -> Result<OwnCommit, HostedFault> {
        self.require_following()?;
        if self.pending.is_some() {
            return Err(HostedFault::CommitPending);
        }
        let hosted = self.hosted(leaf)?;
        let keys: &[KeyPair] = &[];
        let mut view = self.reader.view_as(leaf, keys)?;
        let (bundle, changes) = build(&mut view, &hosted.key, plan, logic)?;
        let has_path =
            view.group.pending_commit().is_some_and(|staged| staged.update_path_leaf_node().is_some());
        let own = own_commit(bundle, &view.group)?;
        let next = if has_path || leaf == self.reader.leaf() {
            NextReader::Committer(view)
        } else {
            NextReader::Present
        };
        self.pending = Some(OwnPending {
            commit: own.commit.clone(),
            sender: HandshakeSender::Member(leaf),
            changes,
            next,
        });
        Ok(own)
    }

    /// The commit that waits for the hub's answer, for sending it again.
    pub fn pending_commit(&self) -> Option<&MlsMessage> {
        self.pending.as_ref().map(|pending| &pending.commit)
    }

    /// Enters the epoch of our own commit: the hub has accepted it, or has sent it back to us.
    pub fn confirm_commit(&mut self) -> Result<CommitSummary, HostedFault> {
        let OwnPending { commit, sender, changes, next } =
            self.pending.take().ok_or(HostedFault::NoCommitPending)?;
        match next {
            NextReader::Present => {
                let heard = self.reader.hear(commit.as_bytes(), &Resolution::Known(&changes));
                let Heard::Commit { staged, .. } = heard.map_err(HostedFault::internal)? else {
                    return Err(HostedFault::internal("our own commit was heard as something else"));
                };
                self.reader.merge(*staged)?;
                self.retain(&commit, &changes);
                self.begin_epoch(None, sender, &changes)
            }
            NextReader::Committer(mut view) => {
                view.group.merge_pending_commit(&view.provider).map_err(HostedFault::internal)?;
                if view.leaf() == self.reader.leaf() {
                    self.retain(&commit, &changes);
                } else {
                    self.second = Some(SecondReader::retire(&self.reader));
                    self.retain(&commit, &changes);
                }
                self.begin_epoch(Some(view), sender, &changes)
            }
            NextReader::Joiner(reader) => {
                self.second = None;
                let summary = self.begin_epoch(Some(reader), sender, &changes)?;
                self.standing = Standing::Following;
                Ok(summary)
            }
        }
    }

    /// Gives up our own commit: the hub has refused it.
    pub fn abandon_commit(&mut self) {
        self.pending = None;
    }
}

/// Builds and stages the commit in `view`.
fn build(
    view: &mut Reader,
    signer: &crate::key_package::SigningKey,
    plan: &CommitPlan,
    logic: &dyn ComponentLogic,
) -> Result<(CommitMessageBundle, ComponentChanges), HostedFault> {
    let provider = &view.provider;
    let adds = plan.adds.iter().map(|bytes| key_package(provider, bytes)).collect::<Result<Vec<_>, _>>()?;
    let updates = plan.component_updates.iter().map(|(component, update)| {
        Proposal::AppDataUpdate(Box::new(AppDataUpdateProposal::update(*component, update.clone())))
    });
    let items = plan.safe_aad.iter().map(|(component, data)| GroupSafeAadItem::new(*component, data.clone()));
    view.group.set_safe_aad(items.collect()).map_err(HostedFault::refused)?;
    let mut builder = view
        .group
        .commit_builder()
        .force_self_update(plan.with_path)
        .add_proposals(updates)
        .propose_removals(plan.removes.iter().map(|leaf| LeafNodeIndex::new(leaf.0)))
        .propose_adds(adds)
        .load_psks(provider.storage())
        .map_err(HostedFault::refused)?
        .create_group_info(true)
        .use_ratchet_tree_extension(false);
    let changes = resolve(&builder, logic)?;
    let updates = changes.updates(builder.app_data_dictionary_updater());
    builder.with_app_data_dictionary_updates(updates);
    let bundle = builder
        .build(provider.rand(), provider.crypto(), signer, |_| true)
        .map_err(HostedFault::refused)?
        .stage_commit(provider)
        .map_err(HostedFault::internal)?;
    Ok((bundle, changes))
}

fn resolve(
    builder: &CommitBuilder<'_, LoadedPsks, &mut MlsGroup>,
    logic: &dyn ComponentLogic,
) -> Result<ComponentChanges, HostedFault> {
    let updater = builder.app_data_dictionary_updater();
    Ok(ComponentChanges::resolve(logic, &updater, builder.app_data_update_proposals())?)
}

fn key_package(provider: &crate::provider::Provider, bytes: &[u8]) -> Result<KeyPackage, HostedFault> {
    KeyPackageIn::tls_deserialize_exact(bytes)
        .map_err(|_| HostedFault::Malformed("the KeyPackage"))?
        .validate(provider.crypto(), ProtocolVersion::Mls10)
        .map_err(HostedFault::refused)
}

/// Puts a commit bundle into bytes.
pub(super) fn own_commit(bundle: CommitMessageBundle, group: &MlsGroup) -> Result<OwnCommit, HostedFault> {
    let epoch = group.pending_commit().map_or_else(|| group.epoch(), openmls::prelude::StagedCommit::epoch);
    let (commit, welcome, group_info) = bundle.into_contents();
    let group_info: GroupInfo =
        group_info.ok_or_else(|| HostedFault::internal("the commit has no GroupInfo"))?;
    let signature = group_info.signature().tls_serialize_detached().map_err(HostedFault::internal)?;
    let partial = PartialGroupInfo {
        extensions: group_info.extensions().tls_serialize_detached().map_err(HostedFault::internal)?,
        signature: Reading(&signature).vector().unwrap_or_default().to_vec(),
    };
    let welcome = welcome.map(|welcome| MlsMessageOut::from_welcome(welcome, ProtocolVersion::Mls10));
    Ok(OwnCommit {
        commit: message(&commit)?,
        welcome: welcome.as_ref().map(message).transpose()?,
        group_info: MlsMessageOut::from(group_info)
            .tls_serialize_detached()
            .map_err(HostedFault::internal)?,
        partial,
        epoch: Epoch(epoch.as_u64()),
    })
}

pub(super) fn message(out: &MlsMessageOut) -> Result<MlsMessage, HostedFault> {
    let bytes = out.tls_serialize_detached().map_err(HostedFault::internal)?;
    MlsMessage::decode(&bytes).map_err(HostedFault::internal)
}
