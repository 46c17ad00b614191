//! Alice, Bob and Carol, as openmls means members, and the hub that watches them.

use mimi_uri::{ClientUri, Domain, UserUri};
use openmls::extensions::{AppDataDictionary, AppDataDictionaryExtension};
use openmls::group::{CommitMessageBundle, GroupId, MlsGroup, MlsGroupJoinConfig, Propose, StagedWelcome};
use openmls::messages::group_info::GroupInfo;
use openmls::prelude::tls_codec::{Deserialize as _, Serialize as _};
use openmls::prelude::{
    AppDataUpdateOperation, AppDataUpdateProposal, Credential, CredentialType, CredentialWithKey, Extension,
    ExtensionType, Extensions, ExternalSender, KeyPackage, LeafNodeIndex, LeafNodeParameters,
    MIXED_PLAINTEXT_WIRE_FORMAT_POLICY, MlsGroupCreateConfig, MlsMessageBodyIn, MlsMessageIn, MlsMessageOut,
    ProcessedMessageContent, Proposal, ProposalOrRefType, ProposalType, ProtocolVersion, RatchetTreeIn,
    RequiredCapabilitiesExtension,
};
use openmls_traits::OpenMlsProvider as _;
use openmls_traits::storage::StorageProvider as _;

use super::super::{Attachments, HubGroup, MlsRefusal, StagedCommit};
use crate::components::{
    ComponentLogic, ComponentOperation, ComponentRefused, FRANK_AAD, SAFE_AAD, encode_component_list,
};
use crate::group_info::{GroupInfoOption, PartialGroupInfo};
use crate::ids::KeyPackageRef;
use crate::key_package::{
    HostedClient, HostedSecret, SigningKey, leaf_capabilities, leaf_extensions, mint_key_package,
};
use crate::message::MlsMessage;
use crate::provider::{Provider, SUITE};
use crate::tls::{Reading, whole};
use crate::{IdentityAuthority, LeafIndex};

pub(super) const ROSTER: u16 = 0x0022;
pub(super) const TOPIC: u16 = 0x0023;
pub(super) const NOW_S: u64 = 1_700_000_000;
/// Long past the end of any test run, for openmls reads the system's clock.
pub(super) const LIFETIME_S: u64 = 100 * 365 * 86_400;

/// The last update wins.
pub(super) struct LastWins;

impl ComponentLogic for LastWins {
    fn apply(
        &self,
        _component: u16,
        _current: Option<&[u8]>,
        updates: &[ComponentOperation<'_>],
    ) -> Result<Option<Vec<u8>>, ComponentRefused> {
        Ok(updates.last().and_then(|update| match update {
            ComponentOperation::Update(bytes) => Some(bytes.to_vec()),
            ComponentOperation::Remove => None,
        }))
    }
}

/// One provider, its hub's key, and the members by name.
pub(super) struct World {
    pub(super) authority: IdentityAuthority,
    pub(super) hub_key: SigningKey,
    pub(super) hub: HubGroup,
    pub(super) alice: Member,
}

pub(super) struct Member {
    pub(super) provider: Provider,
    pub(super) client: HostedClient,
    pub(super) group: MlsGroup,
}

/// Somebody with a KeyPackage who is not a member yet.
pub(super) struct Candidate {
    pub(super) reference: KeyPackageRef,
    pub(super) key_package: KeyPackage,
    secret: HostedSecret,
    client: HostedClient,
}

/// A commit and what comes with it.
pub(super) struct Made {
    pub(super) commit: MlsMessage,
    pub(super) welcome: Option<MlsMessage>,
    pub(super) group_info: Vec<u8>,
    pub(super) partial: PartialGroupInfo,
}

impl Made {
    pub(super) fn attachments(&self) -> Attachments<'_> {
        Attachments {
            group_info: GroupInfoOption::Full(&self.group_info),
            welcome: self.welcome.as_ref(),
            ratchet_tree: None,
        }
    }
}

impl World {
    /// A room with Alice alone, known to the hub.
    pub(super) fn new() -> Self {
        let authority = IdentityAuthority::generate(&Domain::parse("a.example").unwrap()).unwrap();
        let hub_key = SigningKey::generate().unwrap();
        let alice = Member::found(client(&authority, "alice"), &hub_key);
        let hub = HubGroup::found(&alice.group_info(), &alice.tree()).unwrap();
        Self { authority, hub_key, hub, alice }
    }

    /// A room with Alice and others, who were added one after the other.
    pub(super) fn with<const N: usize>(names: [&str; N]) -> (Self, [Member; N]) {
        let mut world = Self::new();
        let mut others = Vec::new();
        for name in names {
            let candidate = world.candidate(name);
            let made = world.alice.commit(vec![], vec![candidate.key_package.clone()]);
            world.accept(&made).unwrap();
            world.alice.merge();
            for other in &mut others {
                Member::follow(other, &made.commit);
            }
            others.push(candidate.join(made.welcome.as_ref().unwrap(), &world.hub.ratchet_tree().unwrap()));
        }
        let Ok(others) = others.try_into() else { unreachable!() };
        (world, others)
    }

    pub(super) fn candidate(&self, name: &str) -> Candidate {
        let (user, device) = names(name);
        let minted = mint_key_package(&self.authority, &user, &device, LIFETIME_S, NOW_S).unwrap();
        let secret = HostedSecret::decode(&minted.secret).unwrap();
        Candidate {
            reference: minted.reference,
            key_package: secret.bundle().key_package().clone(),
            client: client(&self.authority, name),
            secret,
        }
    }

    pub(super) fn stage(
        &self,
        commit: &MlsMessage,
        with: &Attachments<'_>,
    ) -> Result<StagedCommit, MlsRefusal> {
        let examined = self.hub.examine(commit)?;
        let operations = examined.component_operations();
        let changes = operations.resolve(&LastWins, |id| self.hub.component(id).map(<[u8]>::to_vec))?;
        self.hub.stage(examined, changes, with)
    }

    pub(super) fn accept(&mut self, made: &Made) -> Result<(), MlsRefusal> {
        let staged = self.stage(&made.commit, &made.attachments())?;
        self.hub.accept_commit(staged).unwrap();
        Ok(())
    }

    pub(super) fn propose(&mut self, proposal: &MlsMessage) -> Result<(), MlsRefusal> {
        let examined = self.hub.examine(proposal)?;
        self.hub.accept_proposal(examined, 7).unwrap();
        Ok(())
    }
}

impl Member {
    pub(super) fn found(client: HostedClient, hub_key: &SigningKey) -> Self {
        let provider = Provider::default();
        let config = MlsGroupCreateConfig::builder()
            .ciphersuite(SUITE)
            .wire_format_policy(MIXED_PLAINTEXT_WIRE_FORMAT_POLICY)
            .capabilities(leaf_capabilities())
            .with_leaf_node_extensions(leaf_extensions(None).unwrap())
            .unwrap()
            .with_group_context_extensions(group_extensions(hub_key))
            .build();
        let credential = credential_with_key(client.credential(), client.signing_key());
        let name = GroupId::from_slice(b"mimi://a.example/g/room");
        let group =
            MlsGroup::new_with_group_id(&provider, client.signing_key(), &config, name, credential).unwrap();
        Self { provider, client, group }
    }

    pub(super) fn group_info(&self) -> Vec<u8> {
        self.exported_group_info(false)
    }

    pub(super) fn exported_group_info(&self, with_tree: bool) -> Vec<u8> {
        let signer = self.client.signing_key();
        let group_info = self.group.export_group_info(self.provider.crypto(), signer, with_tree).unwrap();
        group_info.tls_serialize_detached().unwrap()
    }

    pub(super) fn tree(&self) -> Vec<u8> {
        self.group.export_ratchet_tree().tls_serialize_detached().unwrap()
    }

    pub(super) fn context(&self) -> Vec<u8> {
        self.group.public_group().group_context().tls_serialize_detached().unwrap()
    }

    pub(super) fn leaf(&self) -> LeafIndex {
        LeafIndex(self.group.own_leaf_index().u32())
    }

    /// Commits everything that is pending, `proposals` and Adds, and waits for the hub.
    pub(super) fn commit(&mut self, proposals: Vec<Proposal>, adds: Vec<KeyPackage>) -> Made {
        self.commit_all(proposals, adds, None)
    }

    /// Commits the removal of a leaf.
    pub(super) fn remove(&mut self, leaf: LeafIndex) -> Made {
        self.commit_all(vec![], vec![], Some(LeafNodeIndex::new(leaf.0)))
    }

    fn commit_all(
        &mut self,
        proposals: Vec<Proposal>,
        adds: Vec<KeyPackage>,
        removed: Option<LeafNodeIndex>,
    ) -> Made {
        let builder = self.group.commit_builder().add_proposals(proposals).propose_adds(adds);
        let builder = builder.propose_removals(removed);
        let mut builder = builder
            .load_psks(self.provider.storage())
            .unwrap()
            .create_group_info(true)
            .use_ratchet_tree_extension(false);
        let mut updater = builder.app_data_dictionary_updater();
        for proposal in builder.app_data_update_proposals() {
            match proposal.operation() {
                AppDataUpdateOperation::Update(value) => updater.set(
                    openmls::component::ComponentData::from_parts(proposal.component_id(), value.clone()),
                ),
                AppDataUpdateOperation::Remove => updater.remove(&proposal.component_id()),
            }
        }
        let changes = updater.changes();
        builder.with_app_data_dictionary_updates(changes);
        let bundle = builder
            .build(self.provider.rand(), self.provider.crypto(), self.client.signing_key(), |_| true)
            .unwrap()
            .stage_commit(&self.provider)
            .unwrap();
        made(bundle)
    }

    /// The hub has accepted the commit.
    pub(super) fn merge(&mut self) {
        self.group.merge_pending_commit(&self.provider).unwrap();
    }

    /// Follows another's handshake.
    pub(super) fn follow(&mut self, message: &MlsMessage) {
        let message = MlsMessageIn::tls_deserialize_exact(message.as_bytes()).unwrap();
        let message = message.try_into_protocol_message().unwrap();
        match self.group.process_message(&self.provider, message).unwrap().into_content() {
            ProcessedMessageContent::ProposalMessage(proposal) => {
                self.group.store_pending_proposal(self.provider.storage(), *proposal).unwrap();
            }
            ProcessedMessageContent::StagedCommitMessage(staged) => {
                self.group.merge_staged_commit(&self.provider, *staged).unwrap();
            }
            ProcessedMessageContent::UnresolvedAppDataCommit(unresolved) => {
                let mut updater = self.group.app_data_dictionary_updater();
                for proposal in unresolved.app_data_update_proposals() {
                    if let AppDataUpdateOperation::Update(value) = proposal.operation() {
                        let id = proposal.component_id();
                        updater.set(openmls::component::ComponentData::from_parts(id, value.clone()));
                    }
                }
                let changes = updater.changes();
                let staged = self.group.stage_app_data_commit(&self.provider, *unresolved, changes).unwrap();
                self.group.merge_staged_commit(&self.provider, staged).unwrap();
            }
            other => panic!("not a handshake: {other:?}"),
        }
    }

    pub(super) fn propose_self_remove(&mut self) -> MlsMessage {
        let signer = self.client.signing_key();
        message(&self.group.leave_group_via_self_remove(&self.provider, signer).unwrap())
    }

    pub(super) fn propose_remove(&mut self, leaf: LeafIndex) -> MlsMessage {
        let signer = self.client.signing_key();
        let leaf = LeafNodeIndex::new(leaf.0);
        message(&self.group.propose_remove_member(&self.provider, signer, leaf).unwrap().0)
    }

    pub(super) fn propose_component(&mut self, component: u16, value: Option<&[u8]>) -> MlsMessage {
        let propose = match value {
            Some(value) => {
                Propose::UpdateAppDataComponent { component_id: component, update: value.to_vec() }
            }
            None => Propose::RemoveAppDataComponent { component_id: component },
        };
        let signer = self.client.signing_key();
        let by_reference = ProposalOrRefType::Reference;
        message(&self.group.propose(&self.provider, signer, propose, by_reference).unwrap().0)
    }

    pub(super) fn propose_update(&mut self) -> MlsMessage {
        let parameters = LeafNodeParameters::default();
        let signer = self.client.signing_key();
        message(&self.group.propose_self_update(&self.provider, signer, parameters).unwrap().0)
    }
}

impl Candidate {
    pub(super) fn join(self, welcome: &MlsMessage, tree: &[u8]) -> Member {
        let provider = Provider::default();
        let reference = self.key_package.hash_ref(provider.crypto()).unwrap();
        provider.storage().write_key_package(&reference, self.secret.bundle()).unwrap();
        let MlsMessageBodyIn::Welcome(welcome) =
            MlsMessageIn::tls_deserialize_exact(welcome.as_bytes()).unwrap().extract()
        else {
            panic!("not a Welcome")
        };
        let tree = RatchetTreeIn::tls_deserialize_exact(tree).unwrap();
        let group = StagedWelcome::new_from_welcome(&provider, &join_config(), welcome, Some(tree))
            .unwrap()
            .into_group(&provider)
            .unwrap();
        Member { provider, client: self.secret.client().clone(), group }
    }

    /// Joins from outside, with the hub's state, and updates the topic on the way.
    pub(super) fn join_externally(self, hub: &HubGroup) -> (Member, Made) {
        enter(hub, self.client, &[AppDataUpdateProposal::update(TOPIC, b"carol is here".to_vec())])
    }
}

/// Makes an external commit as `client`.
pub(super) fn enter(
    hub: &HubGroup,
    client: HostedClient,
    updates: &[AppDataUpdateProposal],
) -> (Member, Made) {
    let provider = Provider::default();
    let group_info =
        openmls::messages::group_info::VerifiableGroupInfo::tls_deserialize_exact(hub.group_info()).unwrap();
    let tree = RatchetTreeIn::tls_deserialize_exact(hub.ratchet_tree().unwrap()).unwrap();
    let self_removes =
        hub.pending_proposals().iter().map(|pending| {
            match MlsMessageIn::tls_deserialize_exact(pending.message.as_bytes()).unwrap().extract() {
                MlsMessageBodyIn::PublicMessage(message) => message,
                other => panic!("not public: {other:?}"),
            }
        });
    let builder = MlsGroup::external_commit_builder()
        .with_ratchet_tree(tree)
        .with_config(join_config())
        .with_proposals(self_removes.collect())
        .build_group(&provider, group_info, credential_with_key(client.credential(), client.signing_key()))
        .unwrap();
    let parameters = LeafNodeParameters::builder()
        .with_capabilities(leaf_capabilities())
        .with_extensions(leaf_extensions(None).unwrap())
        .build();
    let mut builder = builder.leaf_node_parameters(parameters);
    for update in updates {
        builder = builder.add_app_data_update_proposal(update.clone());
    }
    let mut builder = builder
        .load_psks(provider.storage())
        .unwrap()
        .create_group_info(true)
        .use_ratchet_tree_extension(false);
    let mut dictionary = builder.app_data_dictionary_updater();
    for update in updates {
        if let AppDataUpdateOperation::Update(value) = update.operation() {
            dictionary
                .set(openmls::component::ComponentData::from_parts(update.component_id(), value.clone()));
        }
    }
    let changes = dictionary.changes();
    builder.with_app_data_dictionary_updates(changes);
    let (group, bundle) = builder
        .build(provider.rand(), provider.crypto(), client.signing_key(), |_| true)
        .unwrap()
        .finalize(&provider)
        .unwrap();
    (Member { provider, client, group }, made(bundle))
}

pub(super) fn update(component: u16, value: &[u8]) -> Proposal {
    Proposal::AppDataUpdate(Box::new(AppDataUpdateProposal::update(component, value.to_vec())))
}

pub(super) fn removal(component: u16) -> Proposal {
    Proposal::AppDataUpdate(Box::new(AppDataUpdateProposal::remove(component)))
}

pub(super) fn names(name: &str) -> (UserUri, ClientUri) {
    let domain = Domain::parse("a.example").unwrap();
    (UserUri::new(&domain, &[name]).unwrap(), ClientUri::new(&domain, &[name, "1"]).unwrap())
}

fn client(authority: &IdentityAuthority, name: &str) -> HostedClient {
    let (user, device) = names(name);
    HostedClient::generate(authority, &user, &device, LIFETIME_S, NOW_S).unwrap()
}

fn made(bundle: CommitMessageBundle) -> Made {
    let (commit, welcome, group_info) = bundle.into_contents();
    let group_info: GroupInfo = group_info.unwrap();
    let signature = group_info.signature().tls_serialize_detached().unwrap();
    let partial = PartialGroupInfo {
        extensions: group_info.extensions().tls_serialize_detached().unwrap(),
        signature: whole(&signature, Reading::vector).unwrap().to_vec(),
    };
    Made {
        commit: message(&commit),
        welcome: welcome
            .map(|welcome| message(&MlsMessageOut::from_welcome(welcome, ProtocolVersion::Mls10))),
        group_info: group_info.tls_serialize_detached().unwrap(),
        partial,
    }
}

fn message(out: &MlsMessageOut) -> MlsMessage {
    MlsMessage::decode(&out.tls_serialize_detached().unwrap()).unwrap()
}

fn join_config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder().wire_format_policy(MIXED_PLAINTEXT_WIRE_FORMAT_POLICY).build()
}

fn credential_with_key(credential: &[u8], key: &SigningKey) -> CredentialWithKey {
    CredentialWithKey {
        credential: Credential::tls_deserialize_exact(credential).unwrap(),
        signature_key: key.public().into(),
    }
}

/// A MIMI room's extensions: what is required, the hub as external sender, SafeAAD and two components.
fn group_extensions(hub_key: &SigningKey) -> Extensions<openmls::group::GroupContext> {
    let mut dictionary = AppDataDictionary::new();
    dictionary.insert(SAFE_AAD, encode_component_list(&[FRANK_AAD]));
    dictionary.insert(ROSTER, b"alice".to_vec());
    dictionary.insert(TOPIC, b"none".to_vec());
    let hub = Credential::new(CredentialType::Basic, b"hub.example".to_vec());
    Extensions::from_vec(vec![
        Extension::RequiredCapabilities(RequiredCapabilitiesExtension::new(
            &[ExtensionType::AppDataDictionary],
            &[ProposalType::AppDataUpdate, ProposalType::AppEphemeral, ProposalType::SelfRemove],
            &[CredentialType::X509],
        )),
        Extension::ExternalSenders(vec![ExternalSender::new(hub_key.public().into(), hub)]),
        Extension::AppDataDictionary(AppDataDictionaryExtension::new(dictionary)),
    ])
    .unwrap()
}
