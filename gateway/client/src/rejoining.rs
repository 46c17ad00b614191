//! Coming back to a room that cannot be followed any more: its present epoch from the hub, an external commit into it.

use mimi_mls::hosted::PresentEpoch;
use mimi_mls::{HpkeKeyPair, MlsMessage, open_with_label, verify_with_label};
use mimi_uri::UserUri;
use mimi_wire::group_info::{
    GROUP_INFO_ENCRYPTION_LABEL, GROUP_INFO_REQUEST_LABEL, GROUP_INFO_RESPONSE_LABEL,
};
use mimi_wire::{
    CipherSuite, Credential, GroupInfoOption, GroupInfoRatchetTree, GroupInfoRequest, GroupInfoSuccess,
    HandshakeBundle, RatchetTreeOption, UpdateRequest,
};

use crate::fault::ClientFault;
use crate::room::RoomClient;

/// A return that has been asked for: who comes back, and the key that opens the answer.
pub struct Rejoining {
    user: UserUri,
    keys: HpkeKeyPair,
}

impl RoomClient {
    /// Gives up following the room; [`needs_resync`](Self::needs_resync) from here on.
    pub fn stop_following(&mut self) {
        self.hosted.stop_following();
    }

    /// Asks the hub for its present epoch, on behalf of one of the hosted users: the one who will come back.
    pub fn ask_to_rejoin(&self) -> Result<(GroupInfoRequest, Rejoining), ClientFault> {
        let leaf = self.committer().ok_or_else(|| ClientFault::NotInTheRoom("no hosted user".to_owned()))?;
        let nobody = || ClientFault::NotInTheRoom(format!("leaf {}", leaf.0));
        let member = self.hosted.member(leaf).ok_or_else(nobody)?;
        let user = self.user_of(leaf).ok_or_else(nobody)?;
        let keys = HpkeKeyPair::generate().map_err(|fault| ClientFault::Request(fault.to_string()))?;
        let mut request = GroupInfoRequest {
            cipher_suite: CipherSuite::X25519_AES128GCM_SHA256_ED25519,
            requesting_signature_key: member.signature_key.clone(),
            requesting_credential: Credential::decode(&member.credential)
                .map_err(|fault| ClientFault::Request(fault.to_string()))?,
            group_info_public_key: keys.public.clone(),
            joining_code: None,
            signature: vec![],
        };
        request.signature = self.hosted.sign_as(leaf, GROUP_INFO_REQUEST_LABEL, &request.to_be_signed())?;
        Ok((request, Rejoining { user, keys }))
    }

    /// Makes the external commit with which he comes back. Once it is confirmed, he reads for all hosted users.
    pub fn rejoin(
        &mut self,
        rejoining: &Rejoining,
        given: &GroupInfoSuccess,
    ) -> Result<UpdateRequest, ClientFault> {
        let present = self.opened(rejoining, given)?;
        let RatchetTreeOption::Full(ratchet_tree) = &present.ratchet_tree else {
            return Err(ClientFault::NoTree);
        };
        let pending: Vec<MlsMessage> =
            present.pending_proposals.into_iter().map(|pending| pending.proposal).collect();
        let epoch = PresentEpoch { group_info: &present.group_info, ratchet_tree, pending: &pending };
        let own = self.hosted.resync(epoch, self.leaf(&rejoining.user)?)?;
        // A8: the hub that answers is the one that the group names.
        let hub = &given.hub_sender;
        let is_hub = |sender: &mimi_mls::hub::ExternalSender| {
            sender.signature_key == hub.signature_key && sender.credential == hub.credential.as_bytes()
        };
        if !self.hosted.external_senders().iter().any(is_hub) {
            self.hosted.abandon_commit();
            return Err(ClientFault::Answer("the group does not name the hub that answered"));
        }
        let ratchet_tree = RatchetTreeOption::DistributionService;
        let group_info = GroupInfoOption::full(&own.group_info);
        let bundle =
            HandshakeBundle::Commit { commit: own.commit, welcome: own.welcome, group_info, ratchet_tree };
        Ok(UpdateRequest { bundle })
    }

    fn opened(
        &self,
        rejoining: &Rejoining,
        given: &GroupInfoSuccess,
    ) -> Result<GroupInfoRatchetTree, ClientFault> {
        let (room, hub) = (self.uri(), &given.hub_sender);
        let signed = given.to_be_signed(room);
        if !verify_with_label(&hub.signature_key, GROUP_INFO_RESPONSE_LABEL, &signed, &given.signature) {
            return Err(ClientFault::Answer("the hub's signature does not verify"));
        }
        let sealed = mimi_mls::HpkeCiphertext {
            kem_output: given.encrypted_groupinfo_and_tree.kem_output.clone(),
            ciphertext: given.encrypted_groupinfo_and_tree.ciphertext.clone(),
        };
        let context = room.as_str().as_bytes();
        let plain = open_with_label(&rejoining.keys.private, GROUP_INFO_ENCRYPTION_LABEL, context, &sealed)
            .map_err(|_| ClientFault::Answer("what the hub sealed does not open"))?;
        GroupInfoRatchetTree::decode(&plain)
            .map_err(|_| ClientFault::Answer("what the hub sealed does not read"))
    }
}
