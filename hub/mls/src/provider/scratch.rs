//! The scratch storage: one ordered table in memory, behind openmls' typed methods.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use openmls_traits::storage::{CURRENT_VERSION, StorageProvider};
use rmp_serde::config::BytesMode;
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

/// A storage access failed: an entity did not encode, or stored bytes did not decode.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ScratchFault {
    #[error("an entity or key does not encode: {0}")]
    Encode(#[from] rmp_serde::encode::Error),
    #[error("a stored entity does not decode: {0}")]
    Decode(#[from] rmp_serde::decode::Error),
}

type Stored<T> = Result<T, ScratchFault>;
type Value = Arc<Zeroizing<Vec<u8>>>;
type Table = BTreeMap<Vec<u8>, Value>;

/// openmls' storage as a table: slot and keys in front, the entity in compact `MessagePack` behind.
///
/// It is synchronous, without transactions, and belongs to one group object; durable storage gets it as a whole, after
/// an operation of openmls has succeeded.
#[derive(Debug, Default)]
pub(crate) struct Scratch(RwLock<Table>);

impl Scratch {
    pub(super) fn fork(&self) -> Self {
        Self(RwLock::new(self.read().clone()))
    }

    pub(super) fn restore(entries: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>) -> Self {
        let table = entries.into_iter().map(|(key, value)| (key, Arc::new(Zeroizing::new(value)))).collect();
        Self(RwLock::new(table))
    }

    pub(super) fn entries(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.read().iter().map(|(key, value)| (key.clone(), value.to_vec())).collect()
    }

    fn read(&self) -> RwLockReadGuard<'_, Table> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Table> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, key: Vec<u8>, entity: &impl Serialize) -> Stored<()> {
        // openmls tells its bytes to serde as lists of numbers; as bytes, a large tree is written and read in half the time.
        let mut value = Vec::new();
        entity.serialize(&mut rmp_serde::Serializer::new(&mut value).with_bytes(BytesMode::ForceAll))?;
        self.write().insert(key, Arc::new(Zeroizing::new(value)));
        Ok(())
    }

    fn find<T: DeserializeOwned>(&self, key: &[u8]) -> Stored<Option<T>> {
        let value = self.read().get(key).cloned();
        value.map(|value| rmp_serde::from_slice(&value).map_err(ScratchFault::from)).transpose()
    }

    fn forget(&self, key: &[u8]) {
        self.write().remove(key);
    }

    /// Appends to the list that lives under `prefix`.
    fn append(&self, prefix: &[u8], name: &[u8], entity: &impl Serialize) -> Stored<()> {
        let last = self.under(prefix).pop();
        let next = last.and_then(|(key, _)| place(&key, prefix)).map_or(0, |place| place.saturating_add(1));
        let key = [prefix, &next.to_be_bytes(), name].concat();
        self.put(key, entity)
    }

    /// Everything under `prefix`, in order.
    fn under(&self, prefix: &[u8]) -> Vec<(Vec<u8>, Value)> {
        let table = self.read();
        let from_prefix = table.range(prefix.to_vec()..);
        from_prefix
            .take_while(|(key, _)| key.starts_with(prefix))
            .map(|(key, value)| (key.clone(), Arc::clone(value)))
            .collect()
    }

    /// Removes the entries of the list under `prefix` that have this name.
    fn forget_named(&self, prefix: &[u8], reference: &impl Serialize) -> Stored<()> {
        let reference = rmp_serde::to_vec(reference)?;
        self.write().retain(|key, _| !(key.starts_with(prefix) && name(key, prefix) == reference));
        Ok(())
    }

    fn forget_under(&self, prefix: &[u8]) {
        self.write().retain(|key, _| !key.starts_with(prefix));
    }
}

/// Which kind of entity a key is for. The numbers are part of stored snapshots.
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
enum Slot {
    JoinConfig = 1,
    OwnLeafNodes = 2,
    Proposals = 3,
    Tree = 4,
    InterimTranscriptHash = 5,
    GroupContext = 6,
    ConfirmationTag = 7,
    GroupState = 8,
    MessageSecrets = 9,
    ResumptionPsks = 10,
    OwnLeafIndex = 11,
    EpochSecrets = 12,
    ExportTree = 13,
    SignatureKeyPair = 14,
    EncryptionKeyPair = 15,
    EpochKeyPairs = 16,
    KeyPackage = 17,
    Psk = 18,
}

/// Slot, length of the owner's name, owner: no key is a prefix of another owner's.
fn key(slot: Slot, owner: &impl Serialize) -> Stored<Vec<u8>> {
    let owner = rmp_serde::to_vec(owner)?;
    let mut key = vec![slot as u8];
    key.extend_from_slice(&u64::try_from(owner.len()).unwrap_or(u64::MAX).to_be_bytes());
    key.extend_from_slice(&owner);
    Ok(key)
}

fn epoch_key(group: &impl Serialize, epoch: &impl Serialize, leaf: u32) -> Stored<Vec<u8>> {
    key(Slot::EpochKeyPairs, &(group, epoch, leaf))
}

/// The place in its list that a list entry's key names.
fn place(key: &[u8], prefix: &[u8]) -> Option<u32> {
    let place = key.strip_prefix(prefix)?.first_chunk()?;
    Some(u32::from_be_bytes(*place))
}

/// The name behind the place in a list entry's key.
fn name<'a>(key: &'a [u8], prefix: &[u8]) -> &'a [u8] {
    key.get(prefix.len() + size_of::<u32>()..).unwrap_or_default()
}

/// Group `G`, entity `E` and key `K` are openmls' own types; they are asked for no more than to serialise.
impl StorageProvider<CURRENT_VERSION> for Scratch {
    type Error = ScratchFault;

    fn write_mls_join_config<G: Serialize, E: Serialize>(&self, owner: &G, entity: &E) -> Stored<()> {
        self.put(key(Slot::JoinConfig, owner)?, entity)
    }

    fn mls_group_join_config<G: Serialize, E: DeserializeOwned>(&self, owner: &G) -> Stored<Option<E>> {
        self.find(&key(Slot::JoinConfig, owner)?)
    }

    fn delete_group_config<G: Serialize>(&self, owner: &G) -> Stored<()> {
        self.forget(&key(Slot::JoinConfig, owner)?);
        Ok(())
    }

    fn write_tree<G: Serialize, E: Serialize>(&self, owner: &G, entity: &E) -> Stored<()> {
        self.put(key(Slot::Tree, owner)?, entity)
    }

    fn tree<G: Serialize, E: DeserializeOwned>(&self, owner: &G) -> Stored<Option<E>> {
        self.find(&key(Slot::Tree, owner)?)
    }

    fn delete_tree<G: Serialize>(&self, owner: &G) -> Stored<()> {
        self.forget(&key(Slot::Tree, owner)?);
        Ok(())
    }

    fn write_interim_transcript_hash<G: Serialize, E: Serialize>(&self, owner: &G, entity: &E) -> Stored<()> {
        self.put(key(Slot::InterimTranscriptHash, owner)?, entity)
    }

    fn interim_transcript_hash<G: Serialize, E: DeserializeOwned>(&self, owner: &G) -> Stored<Option<E>> {
        self.find(&key(Slot::InterimTranscriptHash, owner)?)
    }

    fn delete_interim_transcript_hash<G: Serialize>(&self, owner: &G) -> Stored<()> {
        self.forget(&key(Slot::InterimTranscriptHash, owner)?);
        Ok(())
    }

    fn write_context<G: Serialize, E: Serialize>(&self, owner: &G, entity: &E) -> Stored<()> {
        self.put(key(Slot::GroupContext, owner)?, entity)
    }

    fn group_context<G: Serialize, E: DeserializeOwned>(&self, owner: &G) -> Stored<Option<E>> {
        self.find(&key(Slot::GroupContext, owner)?)
    }

    fn delete_context<G: Serialize>(&self, owner: &G) -> Stored<()> {
        self.forget(&key(Slot::GroupContext, owner)?);
        Ok(())
    }

    fn write_confirmation_tag<G: Serialize, E: Serialize>(&self, owner: &G, entity: &E) -> Stored<()> {
        self.put(key(Slot::ConfirmationTag, owner)?, entity)
    }

    fn confirmation_tag<G: Serialize, E: DeserializeOwned>(&self, owner: &G) -> Stored<Option<E>> {
        self.find(&key(Slot::ConfirmationTag, owner)?)
    }

    fn delete_confirmation_tag<G: Serialize>(&self, owner: &G) -> Stored<()> {
        self.forget(&key(Slot::ConfirmationTag, owner)?);
        Ok(())
    }

    fn write_group_state<E: Serialize, G: Serialize>(&self, owner: &G, entity: &E) -> Stored<()> {
        self.put(key(Slot::GroupState, owner)?, entity)
    }

    fn group_state<E: DeserializeOwned, G: Serialize>(&self, owner: &G) -> Stored<Option<E>> {
        self.find(&key(Slot::GroupState, owner)?)
    }

    fn delete_group_state<G: Serialize>(&self, owner: &G) -> Stored<()> {
        self.forget(&key(Slot::GroupState, owner)?);
        Ok(())
    }

    fn write_message_secrets<G: Serialize, E: Serialize>(&self, owner: &G, entity: &E) -> Stored<()> {
        self.put(key(Slot::MessageSecrets, owner)?, entity)
    }

    fn message_secrets<G: Serialize, E: DeserializeOwned>(&self, owner: &G) -> Stored<Option<E>> {
        self.find(&key(Slot::MessageSecrets, owner)?)
    }

    fn delete_message_secrets<G: Serialize>(&self, owner: &G) -> Stored<()> {
        self.forget(&key(Slot::MessageSecrets, owner)?);
        Ok(())
    }

    fn write_resumption_psk_store<G: Serialize, E: Serialize>(&self, owner: &G, entity: &E) -> Stored<()> {
        self.put(key(Slot::ResumptionPsks, owner)?, entity)
    }

    fn resumption_psk_store<G: Serialize, E: DeserializeOwned>(&self, owner: &G) -> Stored<Option<E>> {
        self.find(&key(Slot::ResumptionPsks, owner)?)
    }

    fn delete_all_resumption_psk_secrets<G: Serialize>(&self, owner: &G) -> Stored<()> {
        self.forget(&key(Slot::ResumptionPsks, owner)?);
        Ok(())
    }

    fn write_own_leaf_index<G: Serialize, E: Serialize>(&self, owner: &G, entity: &E) -> Stored<()> {
        self.put(key(Slot::OwnLeafIndex, owner)?, entity)
    }

    fn own_leaf_index<G: Serialize, E: DeserializeOwned>(&self, owner: &G) -> Stored<Option<E>> {
        self.find(&key(Slot::OwnLeafIndex, owner)?)
    }

    fn delete_own_leaf_index<G: Serialize>(&self, owner: &G) -> Stored<()> {
        self.forget(&key(Slot::OwnLeafIndex, owner)?);
        Ok(())
    }

    fn write_group_epoch_secrets<G: Serialize, E: Serialize>(&self, owner: &G, entity: &E) -> Stored<()> {
        self.put(key(Slot::EpochSecrets, owner)?, entity)
    }

    fn group_epoch_secrets<G: Serialize, E: DeserializeOwned>(&self, owner: &G) -> Stored<Option<E>> {
        self.find(&key(Slot::EpochSecrets, owner)?)
    }

    fn delete_group_epoch_secrets<G: Serialize>(&self, owner: &G) -> Stored<()> {
        self.forget(&key(Slot::EpochSecrets, owner)?);
        Ok(())
    }

    fn write_application_export_tree<G: Serialize, E: Serialize>(&self, owner: &G, entity: &E) -> Stored<()> {
        self.put(key(Slot::ExportTree, owner)?, entity)
    }

    fn application_export_tree<G: Serialize, E: DeserializeOwned>(&self, owner: &G) -> Stored<Option<E>> {
        self.find(&key(Slot::ExportTree, owner)?)
    }

    fn delete_application_export_tree<G: Serialize, E: DeserializeOwned>(&self, owner: &G) -> Stored<()> {
        self.forget(&key(Slot::ExportTree, owner)?);
        Ok(())
    }

    fn write_signature_key_pair<G: Serialize, E: Serialize>(&self, owner: &G, entity: &E) -> Stored<()> {
        self.put(key(Slot::SignatureKeyPair, owner)?, entity)
    }

    fn signature_key_pair<G: Serialize, E: DeserializeOwned>(&self, owner: &G) -> Stored<Option<E>> {
        self.find(&key(Slot::SignatureKeyPair, owner)?)
    }

    fn delete_signature_key_pair<G: Serialize>(&self, owner: &G) -> Stored<()> {
        self.forget(&key(Slot::SignatureKeyPair, owner)?);
        Ok(())
    }

    fn write_encryption_key_pair<G: Serialize, E: Serialize>(&self, owner: &G, entity: &E) -> Stored<()> {
        self.put(key(Slot::EncryptionKeyPair, owner)?, entity)
    }

    fn encryption_key_pair<E: DeserializeOwned, G: Serialize>(&self, owner: &G) -> Stored<Option<E>> {
        self.find(&key(Slot::EncryptionKeyPair, owner)?)
    }

    fn delete_encryption_key_pair<G: Serialize>(&self, owner: &G) -> Stored<()> {
        self.forget(&key(Slot::EncryptionKeyPair, owner)?);
        Ok(())
    }

    fn write_key_package<G: Serialize, E: Serialize>(&self, owner: &G, entity: &E) -> Stored<()> {
        self.put(key(Slot::KeyPackage, owner)?, entity)
    }

    fn key_package<G: Serialize, E: DeserializeOwned>(&self, owner: &G) -> Stored<Option<E>> {
        self.find(&key(Slot::KeyPackage, owner)?)
    }

    fn delete_key_package<G: Serialize>(&self, owner: &G) -> Stored<()> {
        self.forget(&key(Slot::KeyPackage, owner)?);
        Ok(())
    }

    fn write_psk<G: Serialize, E: Serialize>(&self, owner: &G, entity: &E) -> Stored<()> {
        self.put(key(Slot::Psk, owner)?, entity)
    }

    fn psk<E: DeserializeOwned, G: Serialize>(&self, owner: &G) -> Stored<Option<E>> {
        self.find(&key(Slot::Psk, owner)?)
    }

    fn delete_psk<G: Serialize>(&self, owner: &G) -> Stored<()> {
        self.forget(&key(Slot::Psk, owner)?);
        Ok(())
    }

    fn write_encryption_epoch_key_pairs<G: Serialize, K: Serialize, E: Serialize>(
        &self,
        group: &G,
        epoch: &K,
        leaf: u32,
        pairs: &[E],
    ) -> Stored<()> {
        self.put(epoch_key(group, epoch, leaf)?, &pairs)
    }

    fn encryption_epoch_key_pairs<G: Serialize, K: Serialize, E: DeserializeOwned>(
        &self,
        group: &G,
        epoch: &K,
        leaf: u32,
    ) -> Stored<Vec<E>> {
        Ok(self.find(&epoch_key(group, epoch, leaf)?)?.unwrap_or_default())
    }

    fn delete_encryption_epoch_key_pairs<G: Serialize, K: Serialize>(
        &self,
        group: &G,
        epoch: &K,
        leaf: u32,
    ) -> Stored<()> {
        self.forget(&epoch_key(group, epoch, leaf)?);
        Ok(())
    }

    fn append_own_leaf_node<G: Serialize, E: Serialize>(&self, group: &G, leaf_node: &E) -> Stored<()> {
        self.append(&key(Slot::OwnLeafNodes, group)?, &[], leaf_node)
    }

    fn own_leaf_nodes<G: Serialize, E: DeserializeOwned>(&self, group: &G) -> Stored<Vec<E>> {
        let stored = self.under(&key(Slot::OwnLeafNodes, group)?);
        stored.iter().map(|(_, value)| Ok(rmp_serde::from_slice(value)?)).collect()
    }

    fn delete_own_leaf_nodes<G: Serialize>(&self, group: &G) -> Stored<()> {
        self.forget_under(&key(Slot::OwnLeafNodes, group)?);
        Ok(())
    }

    fn queue_proposal<G: Serialize, K: Serialize, E: Serialize>(
        &self,
        group: &G,
        reference: &K,
        proposal: &E,
    ) -> Stored<()> {
        self.forget_named(&key(Slot::Proposals, group)?, reference)?;
        self.append(&key(Slot::Proposals, group)?, &rmp_serde::to_vec(reference)?, proposal)
    }

    fn queued_proposal_refs<G: Serialize, K: DeserializeOwned>(&self, group: &G) -> Stored<Vec<K>> {
        let prefix = key(Slot::Proposals, group)?;
        let stored = self.under(&prefix);
        stored.iter().map(|(key, _)| Ok(rmp_serde::from_slice(name(key, &prefix))?)).collect()
    }

    fn queued_proposals<G: Serialize, K: DeserializeOwned, E: DeserializeOwned>(
        &self,
        group: &G,
    ) -> Stored<Vec<(K, E)>> {
        let prefix = key(Slot::Proposals, group)?;
        let stored = self.under(&prefix);
        stored
            .iter()
            .map(|(key, value)| {
                Ok((rmp_serde::from_slice(name(key, &prefix))?, rmp_serde::from_slice(value)?))
            })
            .collect()
    }

    fn remove_proposal<G: Serialize, K: Serialize>(&self, group: &G, reference: &K) -> Stored<()> {
        self.forget_named(&key(Slot::Proposals, group)?, reference)
    }

    fn clear_proposal_queue<G: Serialize, K: DeserializeOwned>(&self, group: &G) -> Stored<()> {
        self.forget_under(&key(Slot::Proposals, group)?);
        Ok(())
    }
}
