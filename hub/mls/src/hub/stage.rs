use std::collections::BTreeSet;

use openmls::component::ComponentData;
use openmls::prelude::LeafNodeIndex;
use openmls::prelude::tls_codec::Serialize as _;
use openmls_traits::OpenMlsProvider as _;

use super::examined::{Body, Examined, Sender, Stage};
use super::group::{ExternalSender, HubGroup, external_senders, verified};
use super::refusal::{MlsRefusal, WelcomeRefusal};
use crate::components::{ComponentChanges, ComponentRefused};
use crate::group_info::{Expected, GroupInfoOption};
use crate::ids::{Epoch, KeyPackageRef, LeafIndex};
use crate::message::{MessageKind, MlsMessage};
use crate::provider::{Provider, SUITE};

/// What comes with a commit (A4, `HandshakeBundle`).
#[derive(Debug, Clone, Copy)]
pub struct Attachments<'a> {
    /// The GroupInfo of the next epoch.
    pub group_info: GroupInfoOption<'a>,
    /// The Welcome for those who are added.
    pub welcome: Option<&'a MlsMessage>,
    /// The TLS `ratchet_tree` of the next epoch, if it was sent.
    pub ratchet_tree: Option<&'a [u8]>,
}

/// A commit with all that came with it, checked against each other; ready to be accepted.
pub struct StagedCommit {
    pub(super) inner: Box<openmls::group::StagedCommit>,
    pub(super) group_info: Vec<u8>,
    committer: LeafIndex,
    added: Vec<KeyPackageRef>,
}

impl StagedCommit {
    /// The epoch that the commit begins.
    pub fn epoch(&self) -> Epoch {
        Epoch(self.inner.epoch().as_u64())
    }

    /// The committer's leaf in that epoch.
    pub fn committer(&self) -> LeafIndex {
        self.committer
    }

    /// The KeyPackages of those who are added, in the order of the commit.
    pub fn added(&self) -> &[KeyPackageRef] {
        &self.added
    }

    /// The bare `GroupInfo` of that epoch.
    pub fn group_info(&self) -> &[u8] {
        &self.group_info
    }

    /// The value of an application component in that epoch.
    pub fn component(&self, component: u16) -> Option<&[u8]> {
        self.inner.group_context().extensions().app_data_dictionary()?.dictionary().get(&component)
    }

    /// Who may propose from outside in that epoch.
    pub fn external_senders(&self) -> Vec<ExternalSender> {
        external_senders(self.inner.group_context())
    }
}

impl std::fmt::Debug for StagedCommit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StagedCommit")
            .field("epoch", &self.epoch())
            .field("committer", &self.committer)
            .finish_non_exhaustive()
    }
}

impl HubGroup {
    /// Works out what an examined commit makes of the group, and compares all that came with it (A4 checks 5, 7, 8, 9).
    ///
    /// `changes` are the components' next values, one for each that the commit touches. Nothing changes yet.
    pub fn stage(
        &self,
        examined: Examined,
        changes: ComponentChanges,
        attachments: &Attachments<'_>,
    ) -> Result<StagedCommit, MlsRefusal> {
        if examined.epoch != self.epoch() {
            return Err(MlsRefusal::WrongEpoch { current: self.epoch() });
        }
        if !examined.uncovered.is_empty() {
            return Err(MlsRefusal::Uncovered(examined.uncovered));
        }
        check_changes(&examined, &changes)?;
        let added = examined.added();
        check_welcome(&added, attachments.welcome)?;
        let Body::Commit(commit) = examined.body else { return Err(MlsRefusal::NotAHandshake) };
        let inner = self.resolve(commit.stage, changes)?;
        let committer = self.committer(&examined.sender, &inner)?;
        let signature_key = match &commit.leaf {
            Some(leaf) => leaf.signature_key.clone(),
            None => self.signature_key(committer)?,
        };
        let group_context = inner
            .group_context()
            .tls_serialize_detached()
            .map_err(|why| MlsRefusal::Invalid(why.to_string()))?;
        let expected = Expected {
            group_context: &group_context,
            confirmation_tag: &commit.confirmation_tag,
            signer: committer,
            signature_key: &signature_key,
        };
        let group_info = expected.check(attachments.group_info)?;
        if let Some(tree) = attachments.ratchet_tree {
            verified(&Provider::default(), &group_info, tree)?;
        }
        Ok(StagedCommit { inner, group_info, committer, added })
    }

    fn resolve(
        &self,
        stage: Stage,
        changes: ComponentChanges,
    ) -> Result<Box<openmls::group::StagedCommit>, MlsRefusal> {
        let unresolved = match stage {
            Stage::Staged(staged) => return Ok(staged),
            Stage::Unresolved(unresolved) => unresolved,
        };
        let mut updater = self.group.app_data_dictionary_updater();
        for (component, next) in changes {
            match next {
                Some(next) => updater.set(ComponentData::from_parts(component, next.into())),
                None => updater.remove(&component),
            }
        }
        let resolved = updater.changes();
        self.group
            .stage_app_data_commit(self.provider.crypto(), *unresolved, resolved)
            .map(Box::new)
            .map_err(|why| MlsRefusal::Invalid(why.to_string()))
    }

    fn committer(
        &self,
        sender: &Sender,
        staged: &openmls::group::StagedCommit,
    ) -> Result<LeafIndex, MlsRefusal> {
        match sender {
            Sender::Member(leaf) => Ok(*leaf),
            Sender::NewMember(_) => {
                let leaf = self.group.ext_commit_sender_index(staged);
                leaf.map(|leaf| LeafIndex(leaf.u32())).map_err(|why| MlsRefusal::Invalid(why.to_string()))
            }
            Sender::External(_) => Err(MlsRefusal::NotAHandshake),
        }
    }

    fn signature_key(&self, leaf: LeafIndex) -> Result<Vec<u8>, MlsRefusal> {
        let node = self.group.leaf(LeafNodeIndex::new(leaf.0)).ok_or(MlsRefusal::NotAHandshake)?;
        Ok(node.signature_key().as_slice().to_vec())
    }
}

/// Every component that the commit touches has its next value, and no other has.
fn check_changes(examined: &Examined, changes: &ComponentChanges) -> Result<(), ComponentRefused> {
    let operations = examined.component_operations();
    let touched: BTreeSet<u16> = operations.iter().map(|(component, _)| component).collect();
    let resolved: BTreeSet<u16> = changes.iter().map(|(component, _)| *component).collect();
    match touched.symmetric_difference(&resolved).next() {
        Some(component) => {
            Err(ComponentRefused::new(*component, "its next value and its updates do not agree"))
        }
        None => Ok(()),
    }
}

/// A4 check 8: every Add's KeyPackage is in the Welcome, and nobody else's.
fn check_welcome(added: &[KeyPackageRef], welcome: Option<&MlsMessage>) -> Result<(), WelcomeRefusal> {
    let welcome = match welcome {
        Some(welcome) if !added.is_empty() => welcome,
        None if added.is_empty() => return Ok(()),
        Some(_) | None => return Err(WelcomeRefusal::MissingOrIdle),
    };
    let suite = u16::from(SUITE).to_be_bytes();
    if welcome.kind() != MessageKind::Welcome || !welcome.body().starts_with(&suite) {
        return Err(WelcomeRefusal::NotAWelcome);
    }
    let mut extra = welcome.welcome_references();
    let mut missing = Vec::new();
    for reference in added {
        match extra.iter().position(|welcomed| welcomed == reference) {
            Some(place) => drop(extra.swap_remove(place)),
            None => missing.push(reference.clone()),
        }
    }
    if !missing.is_empty() {
        return Err(WelcomeRefusal::Missing(missing));
    }
    if !extra.is_empty() {
        return Err(WelcomeRefusal::Extra(extra));
    }
    Ok(())
}
