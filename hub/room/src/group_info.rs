//! `groupInfo`, as far as it is the room's (A8): may he have it, and what it is.

use mimi_mls::{seal_with_label, sign_with_label};
use mimi_room_policy::may_read_group_info;
use mimi_uri::{Domain, UserUri};
use mimi_wire::group_info::{GROUP_INFO_ENCRYPTION_LABEL, GROUP_INFO_RESPONSE_LABEL, PendingProposal};
use mimi_wire::{
    CipherSuite, Credential, ExternalSender, GroupInfoGrant, GroupInfoRatchetTree, GroupInfoRequest,
    GroupInfoResponse, GroupInfoSuccess, HpkeCiphertext, RatchetTreeOption, Timestamp,
};

use crate::facts::HubFacts;
use crate::refusal::{Fault, No, Reason, Refusal};
use crate::room::Room;

impl Room {
    /// Gives a participant's client what it needs to come back by itself, sealed for its key and signed by the hub.
    ///
    /// That `user` has signed the request, and proves who he is, was checked before.
    pub fn group_info(
        &mut self,
        hub: &HubFacts,
        provider: &Domain,
        user: &UserUri,
        request: &GroupInfoRequest,
    ) -> Result<Result<GroupInfoResponse, Refusal>, Fault> {
        match self.grant(hub, provider, user, request) {
            Ok(response) => Ok(Ok(response)),
            Err(No::Refusal(refusal)) => Ok(Err(refusal)),
            Err(No::Fault(fault)) => Err(fault),
        }
    }

    fn grant(
        &mut self,
        hub: &HubFacts,
        provider: &Domain,
        user: &UserUri,
        request: &GroupInfoRequest,
    ) -> Result<GroupInfoResponse, No> {
        // G2: a provider speaks for its own users.
        if user.domain() != provider {
            return Err(Reason::NotThatProvider.into());
        }
        let (policy, roster) = (&self.header.policy, &self.header.roster);
        may_read_group_info(policy, roster, user).map_err(Refusal::from)?;
        let plain = self.present_epoch()?.encode();
        let room = &self.header.uri;
        let (key, context) = (&request.group_info_public_key, room.as_str().as_bytes());
        let sealed = seal_with_label(key, GROUP_INFO_ENCRYPTION_LABEL, context, &plain)
            .map_err(|_| Reason::HpkeKey)?;
        let sender = &hub.external_sender;
        let credential = Credential::decode(&sender.credential)
            .map_err(|fault| Fault(format!("the hub's own credential does not read: {fault}")))?;
        let mut success = GroupInfoSuccess {
            cipher_suite: CipherSuite::X25519_AES128GCM_SHA256_ED25519,
            hub_sender: ExternalSender { signature_key: sender.signature_key.clone(), credential },
            encrypted_groupinfo_and_tree: HpkeCiphertext {
                kem_output: sealed.kem_output,
                ciphertext: sealed.ciphertext,
            },
            signature: vec![],
        };
        let signed = success.to_be_signed(room);
        success.signature = sign_with_label(&hub.franking.signing_key, GROUP_INFO_RESPONSE_LABEL, &signed);
        Ok(GroupInfoResponse { room: room.clone(), grant: GroupInfoGrant::Success(success) })
    }

    /// Everything that is public of the group as it is now, with all that waits for a commit \[I\].
    fn present_epoch(&mut self) -> Result<GroupInfoRatchetTree, No> {
        let group = self.group.open()?;
        let pending = group.pending_proposals().iter().map(|pending| PendingProposal {
            proposal: pending.message.clone(),
            hub_accepted_time: Timestamp(pending.accepted_ms),
        });
        Ok(GroupInfoRatchetTree {
            group_info: group.group_info().to_vec(),
            ratchet_tree: RatchetTreeOption::Full(group.ratchet_tree()?),
            pending_proposals: pending.collect(),
        })
    }
}
