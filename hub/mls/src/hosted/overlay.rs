//! The overlay: everything that leans on how openmls stores a group, in one file.
//!
//! openmls has no API to take the secrets of an epoch out of a group, nor to open one group state as another of its
//! leaves. Both are possible through its public storage trait, for what it stores is what it later believes. This file
//! relies on, and `self_test` proves at every start of the program:
//!
//! 1. `message_secrets` returns a value that serialises like [`MessageSecretsStore`] below: same field names, same
//!    order (so that self-describing and compact codecs both fit). The fields are private in openmls.
//! 2. Right after an epoch change exactly one node of the secret tree is set, and it is the root. It stays so, because
//!    application messages never pass through openmls here, and handshakes are public.
//! 3. A pair of HPKE keys serialises like [`EncryptionKeyPair`], a `KeyPackageBundle` like [`KeyPackageBundle`].
//! 4. `MlsGroup::load` believes `own_leaf_index`, and looks for its private keys under (group, epoch, that leaf).
//!
//! The version of openmls is pinned for the sake of this file.

use openmls::group::{GroupEpoch, GroupId, MlsGroup};
use openmls::prelude::LeafNodeIndex;
use openmls::prelude::tls_codec::Serialize as _;
use openmls::treesync::EncryptionKey;
use openmls_traits::OpenMlsProvider as _;
use openmls_traits::storage::{CURRENT_VERSION, Entity, StorageProvider as _, traits};
use openmls_traits::types::HpkePrivateKey;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tls_codec::SecretVLBytes;

use super::epoch::EpochSecrets;
use super::faults::HostedFault;
use super::keys::KeyPair;
use super::secret::{Bytes, Secret};
use crate::ids::LeafIndex;
use crate::provider::Provider;
use crate::tls::Reading;

/// Takes the secrets of the epoch that `group` is in out of its storage.
pub(super) fn capture(provider: &Provider, group: &MlsGroup) -> Result<EpochSecrets, HostedFault> {
    let stored: MessageSecretsStore = provider
        .storage()
        .message_secrets(group.group_id())
        .map_err(HostedFault::internal)?
        .ok_or_else(|| HostedFault::internal("the group has no message secrets"))?;
    let secrets = stored.message_secrets;
    let tree = secrets.secret_tree;
    let width = u32::try_from(tree.leaf_nodes.len()).map_err(HostedFault::internal)?;
    let mut set = tree.leaf_nodes.into_iter().chain(tree.parent_nodes).flatten();
    let (Some(root), None) = (set.next(), set.next()) else {
        return Err(HostedFault::internal("the secret tree does not consist of its root alone"));
    };
    let group_context =
        group.public_group().group_context().tls_serialize_detached().map_err(HostedFault::internal)?;
    Ok(EpochSecrets {
        group_id: Bytes(group.group_id().as_slice().to_vec()),
        epoch: group.epoch().as_u64(),
        group_context: Bytes(group_context),
        sender_data_secret: secrets.sender_data_secret.into_secret()?,
        membership_key: secrets.membership_key.into_secret()?,
        encryption_secret: root.secret.into_secret()?,
        tree_width: width,
    })
}

/// Opens a copy of `group`'s state as `leaf`, with the private keys `keys` of that leaf's direct path.
///
/// A leaf that only commits needs no keys; one that is to read path commits afterwards needs all of its path's.
pub(super) fn view_as(
    provider: &Provider,
    group: &MlsGroup,
    leaf: LeafIndex,
    keys: &[KeyPair],
) -> Result<(Provider, MlsGroup), HostedFault> {
    let view = provider.fork();
    let storage = view.storage();
    let (group_id, epoch, own) = (group.group_id(), group.epoch(), group.own_leaf_index().u32());
    if leaf.0 != own {
        let keys: Vec<EncryptionKeyPair> = keys.iter().map(EncryptionKeyPair::from).collect();
        storage.write_own_leaf_index(group_id, &LeafNodeIndex::new(leaf.0)).map_err(HostedFault::internal)?;
        storage.delete_encryption_epoch_key_pairs(group_id, &epoch, own).map_err(HostedFault::internal)?;
        storage
            .write_encryption_epoch_key_pairs(group_id, &epoch, leaf.0, &keys)
            .map_err(HostedFault::internal)?;
    }
    let group = load(&view, group_id)?;
    Ok((view, group))
}

/// Loads a group from its storage.
pub(super) fn load(provider: &Provider, group_id: &GroupId) -> Result<MlsGroup, HostedFault> {
    MlsGroup::load(provider.storage(), group_id)
        .map_err(HostedFault::internal)?
        .ok_or_else(|| HostedFault::internal("the stored group is incomplete"))
}

/// The private keys that `group` holds in its epoch: of its own leaf and of the nodes above it.
pub(super) fn path_keys(provider: &Provider, group: &MlsGroup) -> Result<Vec<KeyPair>, HostedFault> {
    let epoch: GroupEpoch = group.epoch();
    let pairs: Vec<EncryptionKeyPair> = provider
        .storage()
        .encryption_epoch_key_pairs(group.group_id(), &epoch, group.own_leaf_index().u32())
        .map_err(HostedFault::internal)?;
    pairs.iter().map(EncryptionKeyPair::to_key_pair).collect()
}

/// The leaf's HPKE key pair inside a `KeyPackage` bundle; openmls gives out only the init key.
pub(super) fn leaf_keys(bundle: &openmls::prelude::KeyPackageBundle) -> Result<KeyPair, HostedFault> {
    let stored = rmp_serde::to_vec(bundle).map_err(HostedFault::internal)?;
    let stored: KeyPackageBundle = rmp_serde::from_slice(&stored).map_err(HostedFault::internal)?;
    let public_key = bundle.key_package().leaf_node().encryption_key().clone();
    EncryptionKeyPair { public_key, private_key: stored.private_encryption_key }.to_key_pair()
}

/// The bytes of a public HPKE key.
pub(super) fn public_key_bytes(key: &EncryptionKey) -> Result<Vec<u8>, HostedFault> {
    let encoded = key.tls_serialize_detached().map_err(HostedFault::internal)?;
    Reading(&encoded)
        .vector()
        .map(<[u8]>::to_vec)
        .ok_or_else(|| HostedFault::internal("a public key without length"))
}

/// openmls' `MessageSecretsStore`, read only.
#[derive(Deserialize)]
#[expect(dead_code, reason = "fields that are not read keep the others in their places")]
struct MessageSecretsStore {
    max_epochs: usize,
    past_epoch_trees: Skipped,
    message_secrets: MessageSecrets,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "fields that are not read keep the others in their places")]
struct MessageSecrets {
    sender_data_secret: Wrapped,
    membership_key: Wrapped,
    confirmation_key: Skipped,
    serialized_context: Skipped,
    secret_tree: SecretTree,
    added_at: Skipped,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "fields that are not read keep the others in their places")]
struct SecretTree {
    own_index: Skipped,
    leaf_nodes: Vec<Option<Wrapped>>,
    parent_nodes: Vec<Option<Wrapped>>,
    handshake_sender_ratchets: Skipped,
    application_sender_ratchets: Skipped,
    size: Skipped,
}

/// A secret in the struct that gives it its role.
#[derive(Deserialize)]
struct Wrapped {
    secret: Valued,
}

impl Wrapped {
    fn into_secret(self) -> Result<Secret, HostedFault> {
        self.secret.into_secret()
    }
}

#[derive(Deserialize)]
struct Valued {
    value: SecretVLBytes,
}

impl Valued {
    fn into_secret(self) -> Result<Secret, HostedFault> {
        Secret::from_slice(self.value.as_slice()).ok_or(HostedFault::UnsupportedSuite)
    }
}

/// openmls' `EncryptionKeyPair`, which it does not export.
#[derive(Serialize, Deserialize)]
struct EncryptionKeyPair {
    public_key: EncryptionKey,
    private_key: EncryptionPrivateKey,
}

#[derive(Serialize, Deserialize)]
struct EncryptionPrivateKey {
    key: HpkePrivateKey,
}

impl EncryptionKeyPair {
    fn to_key_pair(&self) -> Result<KeyPair, HostedFault> {
        Ok(KeyPair {
            public: Bytes(public_key_bytes(&self.public_key)?),
            private: Secret::from_slice(&self.private_key.key).ok_or(HostedFault::UnsupportedSuite)?,
        })
    }
}

impl From<&KeyPair> for EncryptionKeyPair {
    fn from(pair: &KeyPair) -> Self {
        Self {
            public_key: EncryptionKey::from(pair.public.0.clone()),
            private_key: EncryptionPrivateKey { key: HpkePrivateKey::from(pair.private.as_slice()) },
        }
    }
}

/// openmls' `KeyPackageBundle`, read only.
#[derive(Deserialize)]
#[expect(dead_code, reason = "fields that are not read keep the others in their places")]
struct KeyPackageBundle {
    key_package: Skipped,
    private_init_key: Skipped,
    private_encryption_key: EncryptionPrivateKey,
}

/// A field whose value does not matter here.
struct Skipped;

impl<'de> Deserialize<'de> for Skipped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

/// The storage trait wants entities that could also be written; this one is never.
impl Serialize for MessageSecretsStore {
    fn serialize<S: Serializer>(&self, _serializer: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("captured message secrets are read only"))
    }
}

impl Entity<CURRENT_VERSION> for MessageSecretsStore {}
impl traits::MessageSecrets<CURRENT_VERSION> for MessageSecretsStore {}
impl Entity<CURRENT_VERSION> for EncryptionKeyPair {}
impl traits::HpkeKeyPair<CURRENT_VERSION> for EncryptionKeyPair {}
