//! A plain member: one openmls group object, used as openmls means it, to judge what hosted leaves send.

use openmls::prelude::tls_codec::{Deserialize as _, Serialize as _};
use openmls::prelude::{
    KeyPackageIn, MlsMessageIn, ProcessedMessageContent, ProtocolMessage, ProtocolVersion, Sender,
};
use openmls_traits::OpenMlsProvider as _;

use super::commit::message;
use super::faults::HostedFault;
use super::found::NewRoom;
use super::reader::{Heard, Reader, Resolution};
use super::room::HostedRoom;
use crate::components::ComponentLogic;
use crate::ids::LeafIndex;
use crate::key_package::SigningKey;
use crate::message::MlsMessage;

/// A member of the room that knows nothing of hosting.
pub(super) struct PlainMember {
    pub(super) reader: Reader,
    pub(super) key: SigningKey,
}

/// What the others need after a plain member has added somebody.
pub(super) struct Added {
    pub(super) welcome: MlsMessage,
    pub(super) ratchet_tree: Vec<u8>,
}

impl PlainMember {
    pub(super) fn found(room: &NewRoom<'_>) -> Result<Self, HostedFault> {
        let key = room.creator.signing_key().clone();
        let (founded, _) = HostedRoom::create(room)?;
        Ok(Self { reader: founded.reader, key })
    }

    pub(super) fn authenticator(&self) -> Vec<u8> {
        self.reader.group.epoch_authenticator().as_slice().to_vec()
    }

    pub(super) fn ratchet_tree(&self) -> Result<Vec<u8>, HostedFault> {
        self.reader.group.export_ratchet_tree().tls_serialize_detached().map_err(HostedFault::internal)
    }

    /// Adds the owners of TLS `KeyPackage`s, and merges at once.
    pub(super) fn add(&mut self, key_packages: &[Vec<u8>]) -> Result<Added, HostedFault> {
        let Reader { provider, group } = &mut self.reader;
        let mut adds = Vec::new();
        for bytes in key_packages {
            let key_package = KeyPackageIn::tls_deserialize_exact(bytes)
                .map_err(|_| HostedFault::Malformed("the KeyPackage"))?;
            let key_package = key_package.validate(provider.crypto(), ProtocolVersion::Mls10);
            adds.push(key_package.map_err(HostedFault::refused)?);
        }
        let (_, welcome, _) = group.add_members(provider, &self.key, &adds).map_err(HostedFault::refused)?;
        group.merge_pending_commit(provider).map_err(HostedFault::internal)?;
        let ratchet_tree = self.ratchet_tree()?;
        Ok(Added { welcome: message(&welcome)?, ratchet_tree })
    }

    /// Seals an application message.
    pub(super) fn say(&mut self, data: &[u8]) -> Result<MlsMessage, HostedFault> {
        let Reader { provider, group } = &mut self.reader;
        message(&group.create_message(provider, &self.key, data).map_err(HostedFault::refused)?)
    }

    /// Opens an application message: who said what.
    pub(super) fn read(&mut self, message: &MlsMessage) -> Result<(LeafIndex, Vec<u8>), HostedFault> {
        let Reader { provider, group } = &mut self.reader;
        let message = MlsMessageIn::tls_deserialize_exact(message.as_bytes())
            .map_err(|_| HostedFault::Malformed("the message"))?;
        let message: ProtocolMessage =
            message.try_into_protocol_message().map_err(|_| HostedFault::Malformed("the message"))?;
        let read = group.process_message(provider, message).map_err(HostedFault::refused)?;
        let sender = match read.sender() {
            Sender::Member(leaf) => LeafIndex(leaf.u32()),
            Sender::External(_) | Sender::NewMemberProposal | Sender::NewMemberCommit => {
                return Err(HostedFault::Refused("not from a member".to_owned()));
            }
        };
        match read.into_content() {
            ProcessedMessageContent::ApplicationMessage(data) => Ok((sender, data.into_bytes())),
            other => Err(HostedFault::Refused(format!("not an application message: {other:?}"))),
        }
    }

    /// Follows a handshake.
    pub(super) fn follow(
        &mut self,
        message: &MlsMessage,
        logic: &dyn ComponentLogic,
    ) -> Result<(), HostedFault> {
        match self.reader.hear(message.as_bytes(), &Resolution::Logic(logic)).map_err(HostedFault::refused)? {
            Heard::Proposal { proposal, .. } => self.reader.keep(*proposal).map(drop),
            Heard::Commit { staged, .. } => self.reader.merge(*staged),
        }
    }
}
