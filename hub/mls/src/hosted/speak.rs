//! Speaking as a hosted leaf: application messages and proposals, without an MLS group object.

use openmls::prelude::{AppDataUpdateProposal, Proposal, ProposalType};

use super::faults::HostedFault;
use super::framing::{Content, FRAMED_CONTENT_LABEL, FramedContent};
use super::reader::encode_proposal;
use super::room::HostedRoom;
use super::sender::{LeafSender, Said};
use crate::components::SAFE_AAD;
use crate::ids::{Epoch, LeafIndex};
use crate::label::sign_with_label;
use crate::message::MlsMessage;
use crate::safe_aad::{SafeAad, SafeAadItem};

/// A sealed application message and the place in the ratchet that it used up.
#[derive(Debug, Clone)]
pub struct Sealed {
    /// The `PrivateMessage`.
    pub message: MlsMessage,
    /// The epoch it belongs to.
    pub epoch: Epoch,
    /// Its generation; to be made durable, by compare-and-set on (room, epoch, leaf), before the message is sent.
    pub generation: u32,
}

impl HostedRoom {
    /// Seals `data` as `leaf`, with `safe_aad` items in the clear part where the room demands a `SafeAAD`.
    pub fn seal(
        &mut self,
        leaf: LeafIndex,
        safe_aad: &[(u16, Vec<u8>)],
        data: &[u8],
    ) -> Result<Sealed, HostedFault> {
        self.require_following()?;
        let authenticated_data = self.authenticated_data(safe_aad)?;
        self.sender(leaf)?;
        let hosted = self.hosted.get(&leaf).ok_or(HostedFault::NotHosted(leaf))?;
        let sender = self.current.senders.get_mut(&leaf).ok_or(HostedFault::NotHosted(leaf))?;
        let generation = sender.generation();
        let said = Said { authenticated_data: &authenticated_data, data };
        let bytes = sender.seal(&self.crypto, &self.current.secrets, &hosted.key, &said)?;
        let message = MlsMessage::decode(&bytes).map_err(HostedFault::internal)?;
        Ok(Sealed { message, epoch: self.epoch(), generation })
    }

    /// The generation that `leaf`'s next message will have.
    pub fn next_generation(&self, leaf: LeafIndex) -> Result<u32, HostedFault> {
        self.hosted(leaf)?;
        Ok(self.current.senders.get(&leaf).map_or(0, LeafSender::generation))
    }

    /// Gives up all generations of `leaf` below `at_least`, as the durable record says; never goes back.
    ///
    /// To be called after [`load`](Self::load) with what was recorded for the room's epoch: a snapshot may be older
    /// than the last message sent. A record of another epoch changes nothing.
    pub fn advance_generation(
        &mut self,
        epoch: Epoch,
        leaf: LeafIndex,
        at_least: u32,
    ) -> Result<(), HostedFault> {
        if epoch != self.epoch() {
            return Ok(());
        }
        let crypto = std::mem::take(&mut self.crypto);
        let advanced = self.sender(leaf).and_then(|sender| sender.advance_to(&crypto, at_least));
        self.crypto = crypto;
        advanced
    }

    /// Proposes that `leaf` leaves (`SelfRemove`); somebody else has to commit it.
    pub fn propose_self_remove(&self, leaf: LeafIndex) -> Result<MlsMessage, HostedFault> {
        self.propose(leaf, &encode_proposal(&Proposal::SelfRemove)?)
    }

    /// Proposes, as `leaf`, that `removed` is removed.
    pub fn propose_remove(&self, leaf: LeafIndex, removed: LeafIndex) -> Result<MlsMessage, HostedFault> {
        if self.roster.member(removed).is_none() {
            return Err(HostedFault::Refused(format!("leaf {} has no member", removed.0)));
        }
        let remove =
            [u16::from(ProposalType::Remove).to_be_bytes().as_slice(), &removed.0.to_be_bytes()].concat();
        self.propose(leaf, &remove)
    }

    /// Proposes, as `leaf`, an update of an application component.
    pub fn propose_component_update(
        &self,
        leaf: LeafIndex,
        component: u16,
        update: &[u8],
    ) -> Result<MlsMessage, HostedFault> {
        let update = AppDataUpdateProposal::update(component, update.to_vec());
        self.propose(leaf, &encode_proposal(&Proposal::AppDataUpdate(Box::new(update)))?)
    }

    /// Signs something outside of the group, as `leaf`: a request for key material.
    pub fn sign_as(&self, leaf: LeafIndex, label: &str, content: &[u8]) -> Result<Vec<u8>, HostedFault> {
        Ok(sign_with_label(&self.hosted(leaf)?.key, label, content))
    }

    fn propose(&self, leaf: LeafIndex, proposal: &[u8]) -> Result<MlsMessage, HostedFault> {
        self.require_following()?;
        let hosted = self.hosted(leaf)?;
        let framed = FramedContent {
            secrets: &self.current.secrets,
            leaf,
            authenticated_data: &self.authenticated_data(&[])?,
            content: Content::Proposal(proposal),
        };
        let signature = sign_with_label(&hosted.key, FRAMED_CONTENT_LABEL, &framed.to_be_signed());
        let bytes = framed.public_message(&self.crypto, &signature)?;
        MlsMessage::decode(&bytes).map_err(HostedFault::internal)
    }

    /// The authenticated data of a message of ours: a `SafeAAD` if the room demands one, else nothing.
    fn authenticated_data(&self, items: &[(u16, Vec<u8>)]) -> Result<Vec<u8>, HostedFault> {
        if self.component(SAFE_AAD).is_none() {
            if items.is_empty() {
                return Ok(Vec::new());
            }
            return Err(HostedFault::Refused("the room has no SafeAAD to carry items in".to_owned()));
        }
        let items =
            items.iter().map(|(component, data)| SafeAadItem { component: *component, data: data.clone() });
        let safe_aad = SafeAad::new(items.collect()).map_err(HostedFault::refused)?;
        Ok(safe_aad.encode())
    }

    fn sender(&mut self, leaf: LeafIndex) -> Result<&mut LeafSender, HostedFault> {
        self.hosted(leaf)?;
        if !self.current.senders.contains_key(&leaf) {
            let sender = LeafSender::derive(&self.crypto, &self.current.secrets, leaf)?;
            self.current.senders.insert(leaf, sender);
        }
        self.current.senders.get_mut(&leaf).ok_or(HostedFault::NotHosted(leaf))
    }
}
