use std::{collections::BTreeSet, fmt};

/// What a role may be allowed to do, by its registered number.
///
/// Numbers that nobody registered are carried and allow nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Capability(pub u16);

/// Who can tell that a capability was used without leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enforcer {
    /// The hub alone.
    Hub,
    /// The receiving clients alone: the hub cannot read what it would have to judge.
    Clients,
    /// Both.
    HubAndClients,
}

/// What the registry says of a capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Registration {
    /// The number.
    pub capability: Capability,
    /// The registered name.
    pub name: &'static str,
    /// Who enforces it.
    pub enforcer: Enforcer,
    /// Named, but without semantics in the draft yet. Of these we honour 0505 and 0600, for nothing else covers what
    /// they say \[I\].
    pub reserved: bool,
}

macro_rules! registry {
    (@enforcer H) => { Enforcer::Hub };
    (@enforcer C) => { Enforcer::Clients };
    (@enforcer HC) => { Enforcer::HubAndClients };
    (@reserved) => { false };
    (@reserved reserved) => { true };
    ($($value:literal $constant:ident $name:literal $enforcer:ident $($reserved:ident)?;)+) => {
        impl Capability {
            $(#[doc = concat!("`", $name, "`")] pub const $constant: Self = Self($value);)+
        }

        /// The registry of the policy draft, ascending.
        pub const REGISTRY: &[Registration] = &[$(Registration {
            capability: Capability::$constant,
            name: $name,
            enforcer: registry!(@enforcer $enforcer),
            reserved: registry!(@reserved $($reserved)?),
        },)+];
    };
}

registry! {
    0x0000 ADD_PARTICIPANT "canAddParticipant" HC;
    0x0001 REMOVE_PARTICIPANT "canRemoveParticipant" HC;
    0x0002 ADD_OWN_CLIENT "canAddOwnClient" HC;
    0x0003 REMOVE_OWN_CLIENT "canRemoveOwnClient" HC;
    0x0004 OPEN_JOIN "canOpenJoin" HC;
    0x0005 JOIN_IF_PREAUTHORIZED "canJoinIfPreauthorized" HC;
    0x0006 REMOVE_SELF "canRemoveSelf" HC;
    0x0007 CREATE_JOIN_CODE "canCreateJoinCode" HC reserved;
    0x0008 DELETE_JOIN_CODE "canDeleteJoinCode" HC reserved;
    0x0009 USE_JOIN_CODE "canUseJoinCode" H;
    0x000a BAN "canBan" HC;
    0x000b UNBAN "canUnBan" HC;
    0x000c KICK "canKick" HC;
    0x000d KNOCK "canKnock" HC reserved;
    0x000e ACCEPT_KNOCK "canAcceptKnock" HC reserved;
    0x000f CHANGE_USER_ROLE "canChangeUserRole" HC;
    0x0010 CHANGE_OWN_ROLE "canChangeOwnRole" HC;
    0x0011 CREATE_SUBGROUP "canCreateSubgroup" HC reserved;
    0x0100 SEND_MESSAGE "canSendMessage" HC;
    0x0101 RECEIVE_MESSAGE "canReceiveMessage" HC;
    0x0102 COPY_MESSAGE "canCopyMessage" C;
    0x0103 REPORT_ABUSE "canReportAbuse" H;
    0x0104 REPLY_TO_MESSAGE "canReplyToMessage" C;
    0x0105 REACT_TO_MESSAGE "canReactToMessage" C;
    0x0106 EDIT_REACTION "canEditReaction" C;
    0x0107 DELETE_OWN_REACTION "canDeleteOwnReaction" C;
    0x0108 DELETE_OTHER_REACTION "canDeleteOtherReaction" C;
    0x0109 EDIT_OWN_MESSAGE "canEditOwnMessage" C;
    0x010a DELETE_OWN_MESSAGE "canDeleteOwnMessage" C;
    0x010b DELETE_OTHER_MESSAGE "canDeleteOtherMessage" C;
    0x010c START_TOPIC "canStartTopic" C;
    0x010d REPLY_IN_TOPIC "canReplyInTopic" C;
    0x010e EDIT_OWN_TOPIC "canEditOwnTopic" C;
    0x010f EDIT_OTHER_TOPIC "canEditOtherTopic" C;
    0x0110 SEND_DIRECT_MESSAGE "canSendDirectMessage" HC reserved;
    0x0111 TARGET_MESSAGE "canTargetMessage" HC reserved;
    0x0200 UPLOAD_IMAGE "canUploadImage" C;
    0x0201 UPLOAD_AUDIO "canUploadAudio" C;
    0x0202 UPLOAD_VIDEO "canUploadVideo" C;
    0x0203 UPLOAD_ATTACHMENT "canUploadAttachment" C;
    0x0204 DOWNLOAD_IMAGE "canDownloadImage" C;
    0x0205 DOWNLOAD_AUDIO "canDownloadAudio" C;
    0x0206 DOWNLOAD_VIDEO "canDownloadVideo" C;
    0x0207 DOWNLOAD_ATTACHMENT "canDownloadAttachment" C;
    0x0208 SEND_LINK "canSendLink" C;
    0x0209 SEND_LINK_PREVIEW "canSendLinkPreview" C;
    0x020a FOLLOW_LINK "canFollowLink" C;
    0x020b COPY_LINK "canCopyLink" C;
    0x0300 CHANGE_ROOM_NAME "canChangeRoomName" HC;
    0x0301 CHANGE_ROOM_DESCRIPTION "canChangeRoomDescription" HC;
    0x0302 CHANGE_ROOM_AVATAR "canChangeRoomAvatar" HC;
    0x0303 CHANGE_ROOM_SUBJECT "canChangeRoomSubject" HC;
    0x0304 CHANGE_ROOM_MOOD "canChangeRoomMood" HC;
    0x0380 CHANGE_OWN_NAME "canChangeOwnName" HC reserved;
    0x0381 CHANGE_OWN_PRESENCE "canChangeOwnPresence" HC reserved;
    0x0382 CHANGE_OWN_MOOD "canChangeOwnMood" HC reserved;
    0x0383 CHANGE_OWN_AVATAR "canChangeOwnAvatar" HC reserved;
    0x0400 START_CALL "canStartCall" C;
    0x0401 JOIN_CALL "canJoinCall" C;
    0x0402 SEND_AUDIO "canSendAudio" C;
    0x0403 RECEIVE_AUDIO "canReceiveAudio" C;
    0x0404 SEND_VIDEO "canSendVideo" C;
    0x0405 RECEIVE_VIDEO "canReceiveVideo" C;
    0x0406 SHARE_SCREEN "canShareScreen" C;
    0x0407 VIEW_SHARED_SCREEN "canViewSharedScreen" C;
    0x0500 CREATE_ROOM "canCreateRoom" HC reserved;
    0x0501 DESTROY_ROOM "canDestroyRoom" H;
    0x0502 CHANGE_ROOM_MEMBERSHIP_STYLE "canChangeRoomMembershipStyle" HC;
    0x0503 CHANGE_ROLE_DEFINITIONS "canChangeRoleDefinitions" HC;
    0x0504 CHANGE_PREAUTHORIZED_USER_LIST "canChangePreauthorizedUserList" HC;
    0x0505 CHANGE_OTHER_POLICY_ATTRIBUTE "canChangeOtherPolicyAttribute" HC reserved;
    0x0600 CHANGE_MLS_OPERATIONAL_POLICIES "canChangeMlsOperationalPolicies" HC reserved;
    0x0601 SEND_MLS_REINIT_PROPOSAL "canSendMLSReinitProposal" HC;
    0x0602 SEND_MLS_UPDATE_PROPOSAL "canSendMLSUpdateProposal" HC reserved;
    0x0603 SEND_MLS_PSK_PROPOSAL "canSendMLSPSKProposal" HC reserved;
    0x0604 SEND_MLS_EXTERNAL_PROPOSAL "canSendMLSExternalProposal" HC reserved;
    0x0605 SEND_MLS_EXTERNAL_COMMIT "canSendMLSExternalCommit" HC reserved;
}

impl Capability {
    /// First number of the range for private use.
    pub const PRIVATE_USE: u16 = 0xF000;

    /// Ours, of the private range: to add clients of participants of the own provider.
    ///
    /// A gateway lists the people of a native room long before they need a client (they get one with their first word),
    /// and no registered capability lets anybody add a client of a participant who is on the list \[X\].
    pub const ADD_CLIENT_OF_OWN_PROVIDER: Self = Self(Self::PRIVATE_USE);

    /// What the registry says of it; nothing of a number nobody registered.
    pub fn registration(self) -> Option<&'static Registration> {
        let at = REGISTRY.binary_search_by_key(&self, |registration| registration.capability).ok()?;
        REGISTRY.get(at)
    }

    /// The capability of this name.
    ///
    /// The draft writes `canUnBan` and `canUnban`; both are found.
    pub fn by_name(name: &str) -> Option<Self> {
        let name = if name == "canUnban" { "canUnBan" } else { name };
        REGISTRY.iter().find(|registration| registration.name == name).map(|found| found.capability)
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.registration() {
            Some(registration) => f.write_str(registration.name),
            None => write!(f, "{:#06x}", self.0),
        }
    }
}

/// A set of capabilities: what somebody may do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Capabilities(BTreeSet<Capability>);

impl Capabilities {
    /// Whether the capability is among them.
    pub fn allow(&self, capability: Capability) -> bool {
        self.0.contains(&capability)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The capabilities, ascending.
    pub fn iter(&self) -> impl Iterator<Item = Capability> + '_ {
        self.0.iter().copied()
    }
}

impl FromIterator<Capability> for Capabilities {
    fn from_iter<I: IntoIterator<Item = Capability>>(capabilities: I) -> Self {
        Self(capabilities.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_is_ascending_and_every_name_leads_back_to_its_number() {
        assert!(REGISTRY.is_sorted_by_key(|registration| registration.capability));
        assert_eq!(REGISTRY.len(), 77);
        for registration in REGISTRY {
            assert_eq!(Capability::by_name(registration.name), Some(registration.capability));
            assert_eq!(registration.capability.registration(), Some(registration));
        }
    }

    #[test]
    fn both_spellings_of_unban_are_one_capability() {
        assert_eq!(Capability::by_name("canUnban"), Some(Capability::UNBAN));
        assert_eq!(Capability::by_name("canUnBan"), Some(Capability::UNBAN));
    }

    #[test]
    fn names_without_a_number_are_nothing() {
        assert_eq!(Capability::by_name("canGrantVoice"), None);
        assert_eq!(Capability(Capability::PRIVATE_USE).registration(), None);
    }

    #[test]
    fn the_hub_enforces_sending_and_cannot_enforce_reactions() {
        let enforcer = |capability: Capability| capability.registration().unwrap().enforcer;

        assert_eq!(enforcer(Capability::SEND_MESSAGE), Enforcer::HubAndClients);
        assert_eq!(enforcer(Capability::REACT_TO_MESSAGE), Enforcer::Clients);
        assert_eq!(enforcer(Capability::REPORT_ABUSE), Enforcer::Hub);
    }
}
