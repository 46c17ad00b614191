use std::collections::{BTreeMap, BTreeSet};

use mimi_mls::hosted::{Application, CommitPlan, CommitSummary, HostedRoom, ProcessFault, Processed};
use mimi_mls::{
    ComponentLogic, ComponentOperation, ComponentRefused, Epoch, IdentityRoots, LeafIndex, MlsMessage,
    SafeAad, read_identity,
};
use mimi_room_policy::components::ParticipantListData;
use mimi_room_policy::{ComponentId, RoleIndex, apply_component};
use mimi_uri::{Domain, RoomUri, UserUri};
use mimi_wire::key_material::KEY_MATERIAL_REQUEST_LABEL;
use mimi_wire::{
    CipherSuite, Credential, FanoutEvent, FanoutMessage, HandshakeBundle, KeyMaterialRequest,
    RatchetTreeOption, RequiredCapabilities, SubmitMessageRequest, Timestamp, UpdateRequest,
};

use crate::fault::ClientFault;
use crate::franking;
use crate::group::Title;
use crate::reading::{Change, Listing, MessageRead, Reading};

/// One room, as all hosted users of this gateway are in it.
///
/// After a fault of anything that changes the room, drop it and load it again from what was stored.
pub struct RoomClient {
    pub(crate) room: RoomUri,
    pub(crate) hosted: HostedRoom,
    /// Users whose own leaf is proposed to go: they say nothing more.
    leaving: Vec<UserUri>,
    pub(crate) pending_proposals: usize,
    /// What the room shows since the last change: read once, and what the next one is told as a difference to.
    pub(crate) seen: Seen,
    /// Members whom nobody has vouched for yet; what they say is not shown.
    unproven: Vec<UserUri>,
}

/// What a room shows of itself.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) list: ParticipantListData,
    /// The list by its users.
    pub(crate) roles: BTreeMap<UserUri, RoleIndex>,
    title: Title,
}

/// The component rules of room policy, as MLS asks for them.
pub(crate) struct Rules;

impl ComponentLogic for Rules {
    fn apply(
        &self,
        component: u16,
        current: Option<&[u8]>,
        updates: &[ComponentOperation<'_>],
    ) -> Result<Option<Vec<u8>>, ComponentRefused> {
        let updates: Vec<_> = updates
            .iter()
            .map(|update| match update {
                ComponentOperation::Update(bytes) => mimi_room_policy::ComponentOperation::Update(bytes),
                ComponentOperation::Remove => mimi_room_policy::ComponentOperation::Remove,
            })
            .collect();
        apply_component(ComponentId(component), current, &updates)
            .map_err(|why| ComponentRefused::new(component, why.to_string()))
    }
}

impl RoomClient {
    pub(crate) fn of(room: &RoomUri, hosted: HostedRoom) -> Self {
        let mut client = Self {
            room: room.clone(),
            hosted,
            leaving: vec![],
            pending_proposals: 0,
            seen: Seen::default(),
            unproven: vec![],
        };
        client.seen = client.now_seen();
        client
    }

    fn now_seen(&self) -> Seen {
        let bytes = self.hosted.component(ComponentId::PARTICIPANT_LIST.0).unwrap_or_default();
        let list = ParticipantListData::decode(bytes).unwrap_or_default();
        let roles = list.participants.iter().map(|entry| (entry.user.clone(), entry.role_index)).collect();
        Seen { list, roles, title: self.title() }
    }

    /// Comes into a room by a Welcome, with the opened secrets of the `KeyPackages` it is for.
    pub fn join(room: &RoomUri, welcome: &FanoutMessage, secrets: &[Vec<u8>]) -> Result<Self, ClientFault> {
        let FanoutEvent::Welcome { message, ratchet_tree: RatchetTreeOption::Full(tree) } = &welcome.event
        else {
            return Err(ClientFault::NoTree);
        };
        let client = Self::of(room, HostedRoom::join(message, tree, secrets)?);
        // G3: the Welcome's path and the room it leads into must be the same room.
        if client.metadata_room().as_ref() != Some(room) {
            return Err(ClientFault::OtherRoom);
        }
        Ok(client)
    }

    /// The room as it was when the snapshot was taken.
    pub fn load(room: &RoomUri, snapshot: &[u8]) -> Result<Self, ClientFault> {
        let (leaving, pending_proposals, hosted): (Vec<UserUri>, usize, serde_bytes::ByteBuf) =
            rmp_serde::from_slice(snapshot).map_err(|fault| ClientFault::State(fault.to_string()))?;
        let loaded = Self::of(room, HostedRoom::load(&hosted)?);
        Ok(Self { leaving, pending_proposals, ..loaded })
    }

    /// Everything, as bytes; secret through and through.
    pub fn snapshot(&self) -> Result<Vec<u8>, ClientFault> {
        let hosted = serde_bytes::ByteBuf::from(self.hosted.snapshot()?);
        rmp_serde::to_vec(&(&self.leaving, self.pending_proposals, hosted))
            .map_err(|fault| ClientFault::State(fault.to_string()))
    }

    /// The epoch, and the next generation of every hosted leaf that spoke in it: to be stored before anything sealed
    /// is sent.
    pub fn generations(&self) -> (u64, Vec<(u32, u32)>) {
        let used = self.hosted.hosted_leaves().into_iter().filter_map(|(leaf, _)| {
            let next = self.hosted.next_generation(leaf).ok()?;
            (next > 0).then_some((leaf.0, next))
        });
        (self.hosted.epoch().0, used.collect())
    }

    /// After loading: no generation that was stored as used is used again.
    pub fn resume(&mut self, epoch: u64, generations: &[(u32, u32)]) -> Result<(), ClientFault> {
        for (leaf, next) in generations {
            self.hosted.advance_generation(Epoch(epoch), LeafIndex(*leaf), *next)?;
        }
        Ok(())
    }

    /// Another hosted user was welcomed to a room that we follow; whether his leaf is there.
    pub fn add_hosted(&mut self, secret: &[u8]) -> Result<bool, ClientFault> {
        Ok(self.hosted.add_hosted(secret)?.is_some())
    }

    /// The room's name.
    pub fn uri(&self) -> &RoomUri {
        &self.room
    }

    /// The room's epoch.
    pub fn epoch(&self) -> u64 {
        self.hosted.epoch().0
    }

    /// The users on the room's list, except the banned.
    pub fn participants(&self) -> Vec<UserUri> {
        self.list()
            .participants
            .iter()
            .filter(|entry| entry.role_index > RoleIndex::BANNED)
            .map(|entry| entry.user.clone())
            .collect()
    }

    /// Whether a user has a client in the room.
    pub fn is_active(&self, user: &UserUri) -> bool {
        self.hosted
            .members()
            .iter()
            .any(|member| read_identity(&member.credential).is_ok_and(|who| who.user == *user))
    }

    /// Whether a hosted user's leaving waits for a commit.
    pub fn is_leaving(&self, user: &UserUri) -> bool {
        self.leaving.contains(user)
    }

    /// Whether any hosted user is in the room.
    pub fn has_hosted(&self) -> bool {
        !self.hosted.hosted_leaves().is_empty()
    }

    /// Whether the room cannot be followed any more without rejoining it.
    pub fn needs_resync(&self) -> bool {
        self.hosted.needs_resync()
    }

    /// The providers whose users have clients in the room.
    pub fn providers(&self) -> BTreeSet<Domain> {
        let users = self.hosted.members();
        users
            .iter()
            .filter_map(|member| read_identity(&member.credential).ok())
            .map(|who| who.user.domain().clone())
            .collect()
    }

    /// Checks every member's credential against his provider's roots; from now on only those who pass are heard.
    ///
    /// To be called after joining, loading and every change. Returns whoever does not pass.
    pub fn prove(&mut self, roots: &IdentityRoots, now: Timestamp) -> &[UserUri] {
        let proven = |member: &mimi_mls::Member| {
            mimi_mls::verify_credential(&member.credential, &member.signature_key, roots, now.seconds())
                .is_ok()
        };
        let members = self.hosted.members();
        let unproven = members.iter().filter(|member| !proven(member));
        self.unproven = unproven
            .filter_map(|member| read_identity(&member.credential).ok())
            .map(|who| who.user)
            .collect();
        &self.unproven
    }

    /// Reads an event of the room's log: all its proposals, or the one message or commit that it is.
    pub fn read(&mut self, event: &FanoutMessage) -> Result<Reading, ClientFault> {
        let more: &[MlsMessage] = match &event.event {
            FanoutEvent::Proposal { more_proposals, .. } => more_proposals,
            FanoutEvent::Commit { .. } | FanoutEvent::Application { .. } | FanoutEvent::Welcome { .. } => &[],
        };
        let reading = self.read_one(event, event.message())?;
        for message in more {
            self.read_one(event, message)?;
        }
        Ok(reading)
    }

    fn read_one(&mut self, event: &FanoutMessage, message: &MlsMessage) -> Result<Reading, ClientFault> {
        match self.hosted.process(message, &Rules) {
            Ok(Processed::Application(application)) => Ok(self.message(application, event)),
            Ok(Processed::Commit(summary)) => Ok(Reading::Changed(self.changed(&summary))),
            Ok(Processed::Proposal(proposal)) => {
                self.pending_proposals += 1;
                let user = proposal.removes.and_then(|leaf| self.user_of(leaf));
                self.leaving.extend(user);
                Ok(Reading::Proposed)
            }
            Ok(Processed::Ignored(_)) => {
                Ok(Reading::Nothing("a handshake of the past, or none of this room"))
            }
            Err(ProcessFault::AlreadyRead { .. }) => Ok(Reading::Nothing("a message that was read before")),
            Err(fault @ ProcessFault::Internal(_)) => Err(ClientFault::State(fault.to_string())),
            Err(fault) if matches!(event.event, FanoutEvent::Application { .. }) => {
                Ok(self.unreadable(&fault))
            }
            Err(ProcessFault::NeedsResync) => {
                Ok(Reading::Nothing("a handshake that is not followed before we are back"))
            }
            // A handshake skipped would cost all that follows it.
            Err(fault) => {
                self.hosted.stop_following();
                Ok(Reading::Lost(fault.to_string()))
            }
        }
    }

    /// A message that cannot be read is only itself; it is missed if the epoch is what is missing.
    fn unreadable(&mut self, fault: &ProcessFault) -> Reading {
        match fault {
            // The log is in order: the commit that began this epoch never came.
            ProcessFault::EpochNotBegun { .. } => {
                self.hosted.stop_following();
                Reading::Missed
            }
            ProcessFault::NeedsResync | ProcessFault::EpochTooOld { .. } => Reading::Missed,
            fault => Reading::SetAside(fault.to_string()),
        }
    }

    /// A message of a hosted user, sealed with his own leaf. Store [`generations`](Self::generations) before sending.
    pub fn seal(
        &mut self,
        sender: &UserUri,
        data: &[u8],
        tag: &[u8; 32],
    ) -> Result<SubmitMessageRequest, ClientFault> {
        let leaf = self.leaf(sender)?;
        let items = [(ComponentId::FRANK_AAD.0, tag.to_vec())];
        let sealed = self.hosted.seal(leaf, &items, data)?;
        Ok(SubmitMessageRequest { app_message: sealed.message, sending_user: sender.clone() })
    }

    /// Asks for key material of somebody, on behalf of a hosted user.
    pub fn key_material_request(
        &self,
        requester: &UserUri,
        target: &UserUri,
    ) -> Result<KeyMaterialRequest, ClientFault> {
        let leaf = self.leaf(requester)?;
        let member =
            self.hosted.member(leaf).ok_or_else(|| ClientFault::NotInTheRoom(requester.to_string()))?;
        let mut request = KeyMaterialRequest {
            requesting_user: requester.clone(),
            target_user: target.clone(),
            room: Some(self.room.clone()),
            acceptable_ciphersuites: vec![CipherSuite::X25519_AES128GCM_SHA256_ED25519],
            required_capabilities: required_capabilities(),
            requester_signature_key: member.signature_key.clone(),
            requester_credential: Credential::decode(&member.credential)
                .map_err(|fault| ClientFault::Request(fault.to_string()))?,
            signature: vec![],
        };
        request.signature = self.hosted.sign_as(leaf, KEY_MATERIAL_REQUEST_LABEL, &request.to_be_signed())?;
        Ok(request)
    }

    /// Adds somebody's clients, with all that is pending.
    pub fn commit_add(
        &mut self,
        user: &UserUri,
        key_packages: &[Vec<u8>],
        roots: &IdentityRoots,
        now: Timestamp,
    ) -> Result<UpdateRequest, ClientFault> {
        check_key_packages(user, key_packages, roots, now)?;
        let plan = CommitPlan { adds: key_packages.to_vec(), ..CommitPlan::default() };
        self.commit(&plan)
    }

    /// Whether there is something to commit, and a hosted user who may commit it.
    pub fn can_commit_pending(&self) -> bool {
        self.pending_proposals > 0 && self.committer().is_some()
    }

    /// Commits what is pending.
    pub fn commit_pending(&mut self) -> Result<UpdateRequest, ClientFault> {
        self.commit(&CommitPlan::default())
    }

    /// Proposes that a hosted user leaves; somebody else has to commit it.
    pub fn propose_leave(&mut self, user: &UserUri) -> Result<UpdateRequest, ClientFault> {
        let message = self.hosted.propose_self_remove(self.leaf(user)?)?;
        Ok(UpdateRequest { bundle: HandshakeBundle::Proposal { proposal: message, more_proposals: vec![] } })
    }

    /// The hub accepted our commit.
    pub fn confirm(&mut self) -> Result<Change, ClientFault> {
        let summary = self.hosted.confirm_commit()?;
        Ok(self.changed(&summary))
    }

    /// The hub did not accept our commit.
    pub fn abandon(&mut self) {
        self.hosted.abandon_commit();
    }

    fn commit(&mut self, plan: &CommitPlan) -> Result<UpdateRequest, ClientFault> {
        let leaf = self.committer().ok_or_else(|| ClientFault::NotInTheRoom("no hosted user".to_owned()))?;
        self.commit_as(leaf, plan)
    }

    /// The first hosted leaf that is not about to go.
    pub(crate) fn committer(&self) -> Option<LeafIndex> {
        let leaves = self.hosted.hosted_leaves();
        leaves.into_iter().find(|(_, who)| !self.leaving.contains(&who.user)).map(|(leaf, _)| leaf)
    }

    pub(crate) fn leaf(&self, user: &UserUri) -> Result<LeafIndex, ClientFault> {
        self.hosted.leaf_of(user).ok_or_else(|| ClientFault::NotInTheRoom(user.to_string()))
    }

    pub(crate) fn user_of(&self, leaf: LeafIndex) -> Option<UserUri> {
        let members = self.hosted.members();
        let member = members.iter().find(|member| member.leaf == leaf)?;
        read_identity(&member.credential).ok().map(|who| who.user)
    }

    fn message(&self, application: Application, event: &FanoutMessage) -> Reading {
        let Ok(who) = read_identity(&application.credential) else {
            return Reading::SetAside("the sender's credential does not read".to_owned());
        };
        if self.unproven.contains(&who.user) {
            return Reading::SetAside("nobody vouches for the sender".to_owned());
        }
        if let FanoutEvent::Application { frank: Some(frank), .. } = &event.event {
            let agent = self.hosted.component(ComponentId::FRANKING_AGENT.0);
            if let Err(why) = franking::check(frank, agent, (&who.user, &self.room, event.timestamp)) {
                return Reading::SetAside(why.to_string());
            }
        }
        let safe_aad = SafeAad::decode(&application.authenticated_data).ok();
        let franking_tag = safe_aad.and_then(|items| items.item(ComponentId::FRANK_AAD.0)?.try_into().ok());
        Reading::Message(MessageRead { sender: who.user, data: application.data, franking_tag })
    }

    fn changed(&mut self, summary: &CommitSummary) -> Change {
        self.leaving.clear();
        self.pending_proposals = 0;
        let users = |members: &[mimi_mls::Member]| -> Vec<UserUri> {
            members
                .iter()
                .filter_map(|member| read_identity(&member.credential).ok())
                .map(|who| who.user)
                .collect()
        };
        let (added, removed) = (users(&summary.added), users(&summary.removed));
        let now = self.now_seen();
        let before = std::mem::replace(&mut self.seen, now);
        Change {
            listings: listings(&before.roles, &self.seen.roles),
            title: (before.title != self.seen.title).then(|| self.seen.title.clone()),
            joined: added.iter().filter(|user| !removed.contains(user)).cloned().collect(),
            left: removed.into_iter().filter(|user| !self.is_active(user)).collect(),
        }
    }

    fn metadata_room(&self) -> Option<RoomUri> {
        self.metadata().map(|metadata| metadata.room_uri)
    }
}

/// What our rooms require of everybody's clients \[I\]: the application data dictionary and its updates, ephemeral data,
/// `SelfRemove`, X.509.
fn required_capabilities() -> RequiredCapabilities {
    RequiredCapabilities {
        extension_types: vec![6],
        proposal_types: vec![8, 9, 10],
        credential_types: vec![2],
    }
}

/// Whose place on the list is another than before.
fn listings(before: &BTreeMap<UserUri, RoleIndex>, after: &BTreeMap<UserUri, RoleIndex>) -> Vec<Listing> {
    let users: BTreeSet<&UserUri> = before.keys().chain(after.keys()).collect();
    let listing = |user: &UserUri| Listing {
        user: user.clone(),
        before: before.get(user).copied(),
        after: after.get(user).copied(),
    };
    users.into_iter().map(listing).filter(|listing| listing.before != listing.after).collect()
}

/// Whether key material may be added for `user`.
pub(crate) fn check_key_packages(
    user: &UserUri,
    key_packages: &[Vec<u8>],
    roots: &IdentityRoots,
    now: Timestamp,
) -> Result<(), ClientFault> {
    let no_good = |fault: &dyn std::fmt::Display| ClientFault::KeyPackage(fault.to_string());
    for bytes in key_packages {
        let view = mimi_mls::read_key_package(bytes).map_err(|fault| no_good(&fault))?;
        view.require_valid_at(now.seconds()).map_err(|fault| no_good(&fault))?;
        let leaf = &view.leaf;
        let who = mimi_mls::verify_credential(&leaf.credential, &leaf.signature_key, roots, now.seconds())
            .map_err(|fault| no_good(&fault))?;
        // G7: the material is of the user that was asked for, vouched for by his own provider.
        if who.user != *user {
            return Err(ClientFault::KeyPackage(format!("it is of {}, not of {user}", who.user)));
        }
    }
    Ok(())
}
