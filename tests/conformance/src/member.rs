use mimi_mls::hosted::{CommitPlan, HostedRoom};
use mimi_mls::{ComponentLogic, FRANK_AAD, LeafIndex, MlsMessage};
use mimi_room::PolicyComponents;
use mimi_room_policy::components::{ParticipantListUpdate, UserIndexRolePair, UserRolePair};
use mimi_room_policy::{ComponentId, RoleIndex};
use mimi_uri::{RoomUri, UserUri};
use mimi_wire::{
    CipherSuite, Credential, FanoutEvent, FanoutMessage, GroupInfoOption, HandshakeBundle,
    KeyMaterialRequest, RatchetTreeOption, RequiredCapabilities, SubmitMessageRequest, UpdateRequest,
};

/// The franking tag of what members say; to a hub it is 32 bytes like any.
pub const TAG: [u8; 32] = [5; 32];

/// A user with one client, hosted by his provider: a real member of a real group.
pub struct Member {
    /// Who he is.
    pub user: UserUri,
    pub(crate) room: Option<HostedRoom>,
    pub(crate) secrets: Vec<Vec<u8>>,
    pub(crate) heard: usize,
}

impl Member {
    pub(crate) fn new(user: UserUri) -> Self {
        Self { user, room: None, secrets: Vec::new(), heard: 0 }
    }

    /// Whether he is in the group.
    pub fn is_in(&self) -> bool {
        self.room.is_some()
    }

    /// The secrets of `KeyPackage`s that others were given of him.
    pub fn secrets(&self) -> &[Vec<u8>] {
        &self.secrets
    }

    /// The room as he knows it.
    pub fn room(&mut self) -> &mut HostedRoom {
        self.room.as_mut().unwrap()
    }

    /// His leaf.
    pub fn leaf(&mut self) -> LeafIndex {
        let user = self.user.clone();
        self.room().leaf_of(&user).unwrap()
    }

    /// Something he says, franked with [`TAG`].
    pub fn says(&mut self, text: &str) -> SubmitMessageRequest {
        self.says_with(text, &[(FRANK_AAD, TAG.to_vec())])
    }

    /// Something he says, with these items in its `SafeAAD`.
    pub fn says_with(&mut self, text: &str, items: &[(u16, Vec<u8>)]) -> SubmitMessageRequest {
        let leaf = self.leaf();
        let sealed = self.room().seal(leaf, items, text.as_bytes()).unwrap();
        SubmitMessageRequest { app_message: sealed.message, sending_user: self.user.clone() }
    }

    /// A commit of his, which waits for the hub's answer.
    pub fn commits(&mut self, plan: &CommitPlan) -> UpdateRequest {
        self.commits_by(plan, &PolicyComponents)
    }

    /// The same by other rules of components than everybody's.
    pub fn commits_by(&mut self, plan: &CommitPlan, rules: &dyn ComponentLogic) -> UpdateRequest {
        let leaf = self.leaf();
        let own = self.room().commit(leaf, plan, rules).unwrap();
        let bundle = HandshakeBundle::Commit {
            commit: own.commit,
            welcome: own.welcome,
            group_info: GroupInfoOption::full(&own.group_info),
            ratchet_tree: RatchetTreeOption::DistributionService,
        };
        UpdateRequest { bundle }
    }

    /// A commit of his that only renews his keys.
    pub fn renews(&mut self) -> UpdateRequest {
        self.commits(&CommitPlan { with_path: true, ..CommitPlan::default() })
    }

    /// The hub refused his commit.
    pub fn gives_up(&mut self) {
        self.room().abandon_commit();
    }

    /// His proposal to leave the group.
    pub fn leaves(&mut self) -> MlsMessage {
        let leaf = self.leaf();
        self.room().propose_self_remove(leaf).unwrap()
    }

    /// His proposal that somebody is removed from the group.
    pub fn would_remove(&mut self, removed: LeafIndex) -> MlsMessage {
        let leaf = self.leaf();
        self.room().propose_remove(leaf, removed).unwrap()
    }

    /// His proposal to update a component.
    pub fn would_update(&mut self, (component, update): (u16, Vec<u8>)) -> MlsMessage {
        let leaf = self.leaf();
        self.room().propose_component_update(leaf, component, &update).unwrap()
    }

    /// Asks for key material of somebody, for a room.
    pub fn asks_for(&mut self, target: &UserUri, room: &RoomUri) -> KeyMaterialRequest {
        self.asks(target, |request| request.room = Some(room.clone()))
    }

    /// Asks for key material of somebody, with something else than usual in the request, properly signed.
    pub fn asks(
        &mut self,
        target: &UserUri,
        other: impl FnOnce(&mut KeyMaterialRequest),
    ) -> KeyMaterialRequest {
        let leaf = self.leaf();
        let member = self.room().member(leaf).unwrap().clone();
        let mut request = KeyMaterialRequest {
            requesting_user: self.user.clone(),
            target_user: target.clone(),
            room: None,
            acceptable_ciphersuites: vec![CipherSuite::X25519_AES128GCM_SHA256_ED25519],
            required_capabilities: RequiredCapabilities {
                extension_types: vec![6],
                proposal_types: vec![8, 9, 10],
                credential_types: vec![2],
            },
            requester_signature_key: member.signature_key.clone(),
            requester_credential: Credential::decode(&member.credential).unwrap(),
            signature: vec![],
        };
        other(&mut request);
        request.signature =
            self.room().sign_as(leaf, "KeyMaterialRequestTBS", &request.to_be_signed()).unwrap();
        request
    }

    /// Hears what is next in the room; what he heard before he came is nothing to him.
    pub fn hears(&mut self, message: &FanoutMessage) {
        match &message.event {
            FanoutEvent::Welcome { message, ratchet_tree } => self.enters(message, ratchet_tree),
            FanoutEvent::Proposal { message, more_proposals } => {
                std::iter::once(message).chain(more_proposals).for_each(|message| self.processes(message));
            }
            FanoutEvent::Application { message, .. } | FanoutEvent::Commit { message, .. } => {
                self.processes(message);
            }
        }
    }

    fn enters(&mut self, welcome: &MlsMessage, tree: &RatchetTreeOption) {
        let RatchetTreeOption::Full(tree) = tree else { panic!("a Welcome needs the full tree") };
        if self.room.is_none() {
            self.room = Some(HostedRoom::join(welcome, tree, &self.secrets).unwrap());
        }
    }

    fn processes(&mut self, message: &MlsMessage) {
        let Some(room) = &mut self.room else { return };
        room.process(message, &PolicyComponents).unwrap();
        if room.hosted_leaves().is_empty() {
            self.room = None;
        }
    }
}

/// An update of the participant list: (position, role), positions, (user, role).
pub fn list_update(changed: &[(u32, u32)], removed: &[u32], added: &[(&UserUri, u32)]) -> (u16, Vec<u8>) {
    let changed =
        changed.iter().map(|(at, role)| UserIndexRolePair { user_index: *at, role_index: RoleIndex(*role) });
    let added =
        added.iter().map(|(user, role)| UserRolePair { user: (*user).clone(), role_index: RoleIndex(*role) });
    let update = ParticipantListUpdate {
        changed_role_participants: changed.collect(),
        removed_indices: removed.to_vec(),
        added_participants: added.collect(),
    };
    (ComponentId::PARTICIPANT_LIST.0, update.encode())
}
