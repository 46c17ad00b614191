//! How a room begins for us: founded by a hosted user, or entered with a Welcome.

use openmls::component::ComponentId;
use openmls::extensions::{AppDataDictionary, AppDataDictionaryExtension};
use openmls::group::GroupId;
use openmls::prelude::tls_codec::{Deserialize as _, Serialize as _};
use openmls::prelude::{
    Credential, CredentialType, CredentialWithKey, Extension, ExtensionType, Extensions, ExternalSender,
    GroupContext, MIXED_PLAINTEXT_WIRE_FORMAT_POLICY, MlsGroup, MlsGroupCreateConfig, MlsMessageBodyIn,
    MlsMessageIn, ProposalType, RatchetTreeIn, RequiredCapabilitiesExtension, StagedWelcome, Welcome,
};
use openmls_traits::OpenMlsProvider as _;
use openmls_traits::storage::StorageProvider as _;

use super::faults::HostedFault;
use super::overlay;
use super::reader::{Reader, join_config};
use super::room::HostedRoom;
use crate::ids::LeafIndex;
use crate::key_package::{HostedClient, HostedSecret, leaf_capabilities, leaf_extensions};
use crate::message::MlsMessage;
use crate::provider::{Provider, SUITE};

/// A room that does not exist yet.
#[derive(Debug, Clone)]
pub struct NewRoom<'a> {
    /// The MLS group's id.
    pub group_id: Vec<u8>,
    /// The room's application components.
    pub components: Vec<(u16, Vec<u8>)>,
    /// Who may propose from outside, as (TLS credential, signature key): the hub.
    pub external_senders: Vec<(Vec<u8>, Vec<u8>)>,
    /// The hosted user who founds the room.
    pub creator: &'a HostedClient,
}

/// What the hub needs to know of a founded room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Founding {
    /// The `GroupInfo` as an `MLSMessage`, without the tree.
    pub group_info: Vec<u8>,
    /// The TLS `ratchet_tree`.
    pub ratchet_tree: Vec<u8>,
}

impl HostedRoom {
    /// Founds a room with a hosted user as its only member.
    pub fn create(room: &NewRoom<'_>) -> Result<(Self, Founding), HostedFault> {
        let provider = Provider::default();
        let creator = room.creator;
        let config = MlsGroupCreateConfig::builder()
            .ciphersuite(SUITE)
            .wire_format_policy(MIXED_PLAINTEXT_WIRE_FORMAT_POLICY)
            .use_ratchet_tree_extension(false)
            .sender_ratchet_configuration(*join_config().sender_ratchet_configuration())
            .max_past_epochs(0)
            .capabilities(leaf_capabilities())
            .with_leaf_node_extensions(leaf_extensions(creator.bridged()).map_err(HostedFault::internal)?)
            .map_err(HostedFault::internal)?
            .with_group_context_extensions(group_context_extensions(room)?)
            .build();
        let group = MlsGroup::new_with_group_id(
            &provider,
            creator.signing_key(),
            &config,
            GroupId::from_slice(&room.group_id),
            credential_with_key(creator.credential(), creator.signing_key().public().as_slice())?,
        )
        .map_err(HostedFault::refused)?;
        let group_info = group
            .export_group_info(provider.crypto(), creator.signing_key(), false)
            .map_err(HostedFault::internal)?
            .tls_serialize_detached()
            .map_err(HostedFault::internal)?;
        let ratchet_tree =
            group.export_ratchet_tree().tls_serialize_detached().map_err(HostedFault::internal)?;

        let mut hosted = Self::enter(Reader { provider, group })?;
        hosted.host(creator.signing_key().clone())?;
        Ok((hosted, Founding { group_info, ratchet_tree }))
    }

    /// Enters a room with a Welcome for one or more of `keys`, the secrets of minted `KeyPackage`s.
    ///
    /// The first of them becomes the reader. All become hosted leaves, except those that the room's tree does not have.
    /// Lifetimes of leaves are not checked: a dormant member must not keep others from entering.
    pub fn join(welcome: &MlsMessage, ratchet_tree: &[u8], keys: &[Vec<u8>]) -> Result<Self, HostedFault> {
        let secrets = keys.iter().map(|bytes| HostedSecret::decode(bytes)).collect::<Result<Vec<_>, _>>();
        let secrets = secrets.map_err(|_| HostedFault::Malformed("the secret of a KeyPackage"))?;
        let welcomed = welcome.welcome_references();
        let reader = secrets
            .iter()
            .find(|secret| welcomed.contains(secret.reference()))
            .ok_or(HostedFault::NotOurWelcome)?;
        let provider = Provider::default();
        let group = join_as(&provider, reader, welcome, ratchet_tree)?;

        let mut hosted = Self::enter(Reader { provider, group })?;
        for secret in &secrets {
            hosted.add_secret(secret)?;
        }
        Ok(hosted)
    }

    /// Makes the user of a minted `KeyPackage`'s secret one of ours, if the room has his leaf; the Welcome for him need
    /// not be read, for we follow the room already.
    pub fn add_hosted(&mut self, secret: &[u8]) -> Result<Option<LeafIndex>, HostedFault> {
        let secret =
            HostedSecret::decode(secret).map_err(|_| HostedFault::Malformed("the secret of a KeyPackage"))?;
        self.add_secret(&secret)
    }

    fn add_secret(&mut self, secret: &HostedSecret) -> Result<Option<LeafIndex>, HostedFault> {
        let leaf = self.host(secret.signing_key().clone())?;
        if leaf.is_some() {
            self.pool.insert(overlay::leaf_keys(secret.bundle())?);
        }
        Ok(leaf)
    }
}

/// Reads the Welcome with one `KeyPackage`; its init key is not needed afterwards and forgotten.
fn join_as(
    provider: &Provider,
    secret: &HostedSecret,
    welcome: &MlsMessage,
    ratchet_tree: &[u8],
) -> Result<MlsGroup, HostedFault> {
    let bundle = secret.bundle();
    let reference = bundle.key_package().hash_ref(provider.crypto()).map_err(HostedFault::internal)?;
    provider.storage().write_key_package(&reference, bundle).map_err(HostedFault::internal)?;
    let tree = RatchetTreeIn::tls_deserialize_exact(ratchet_tree)
        .map_err(|_| HostedFault::Malformed("the ratchet tree"))?;
    let group = StagedWelcome::build_from_welcome(provider, &join_config(), decode_welcome(welcome)?)
        .map_err(HostedFault::refused)?
        .with_ratchet_tree(tree)
        .skip_lifetime_validation()
        .build()
        .map_err(HostedFault::refused)?
        .into_group(provider)
        .map_err(HostedFault::internal)?;
    provider.storage().delete_key_package(&reference).map_err(HostedFault::internal)?;
    if group.ciphersuite() != SUITE {
        return Err(HostedFault::UnsupportedSuite);
    }
    Ok(group)
}

fn decode_welcome(message: &MlsMessage) -> Result<Welcome, HostedFault> {
    let malformed = || HostedFault::Malformed("the Welcome");
    match MlsMessageIn::tls_deserialize_exact(message.as_bytes()).map_err(|_| malformed())?.extract() {
        MlsMessageBodyIn::Welcome(welcome) => Ok(welcome),
        MlsMessageBodyIn::PublicMessage(_)
        | MlsMessageBodyIn::PrivateMessage(_)
        | MlsMessageBodyIn::GroupInfo(_)
        | MlsMessageBodyIn::KeyPackage(_) => Err(malformed()),
    }
}

/// A TLS `Credential` with its key, as openmls wants it.
pub(super) fn credential_with_key(credential: &[u8], key: &[u8]) -> Result<CredentialWithKey, HostedFault> {
    let credential = Credential::tls_deserialize_exact(credential)
        .map_err(|_| HostedFault::Malformed("the credential"))?;
    Ok(CredentialWithKey { credential, signature_key: key.into() })
}

/// The `GroupContext` of a MIMI room: what its members must understand, who may speak from outside, its components.
fn group_context_extensions(room: &NewRoom<'_>) -> Result<Extensions<GroupContext>, HostedFault> {
    let mut dictionary = AppDataDictionary::new();
    for (component, value) in &room.components {
        dictionary.insert(ComponentId::from(*component), value.clone());
    }
    let external_senders = room
        .external_senders
        .iter()
        .map(|(credential, key)| {
            let sender = credential_with_key(credential, key)?;
            Ok(ExternalSender::new(sender.signature_key, sender.credential))
        })
        .collect::<Result<Vec<_>, HostedFault>>()?;
    let required = RequiredCapabilitiesExtension::new(
        &[ExtensionType::AppDataDictionary],
        &[ProposalType::AppDataUpdate, ProposalType::AppEphemeral, ProposalType::SelfRemove],
        &[CredentialType::X509],
    );
    let mut extensions = vec![
        Extension::RequiredCapabilities(required),
        Extension::AppDataDictionary(AppDataDictionaryExtension::new(dictionary)),
    ];
    if !external_senders.is_empty() {
        extensions.push(Extension::ExternalSenders(external_senders));
    }
    Extensions::from_vec(extensions).map_err(HostedFault::internal)
}
