use mimi_uri::UserUri;

use crate::{Capability, ComponentError, ComponentId, Finding, PolicyError, RoleIndex};

/// A no, with its reason and the action that it is about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Denied {
    /// Why.
    pub reason: DenyReason,
    /// Position of the action that is denied; none if each is allowed, but not what they come to.
    pub action: Option<usize>,
}

impl Denied {
    pub(super) fn of_the_whole(reason: DenyReason) -> Self {
        Self { reason, action: None }
    }
}

/// Why something is denied. For the operator and the own client; what a peer hears is the hub's decision.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DenyReason {
    /// The actor is not on the participant list.
    #[error("not a participant")]
    NotAParticipant,
    /// The actor is banned (PM11–13).
    #[error("banned")]
    Banned,
    /// The actor's removal was accepted and counts already (PM11–13).
    #[error("leaving the room")]
    Leaving,
    /// The actor has no client in the group.
    #[error("no client in the group")]
    Inactive,
    /// The actor's role does not have the capability.
    #[error("the role lacks {0}")]
    MissingCapability(Capability),
    /// The actor's role does not authorize this change of role.
    #[error("the role does not authorize a change from role {from} to {to}")]
    RoleChangeNotAuthorized {
        /// The role that would be left; 0 for who is not on the list.
        from: RoleIndex,
        /// The role that would be taken; 0 for leaving the list.
        to: RoleIndex,
    },
    /// The room has no such role, or nobody may be given it.
    #[error("role {0} cannot be taken")]
    UnknownRole(RoleIndex),
    /// The user is on the list already.
    #[error("already a participant")]
    AlreadyAParticipant,
    /// The user that is acted upon is not on the list (PM10, I1).
    #[error("the user acted upon is not a participant")]
    TargetNotAParticipant,
    /// The user that is acted upon is banned.
    #[error("the user acted upon is banned")]
    TargetBanned,
    /// The participants of this room are fixed (RM5).
    #[error("the participants of this room are fixed")]
    FixedMembership,
    /// Nothing lets this outsider in with that role.
    #[error("neither open, nor preauthorized, nor by a valid join code")]
    NotAdmitted,
    /// An own change of role goes to the first role one is preauthorized for, and nowhere else (RM18).
    #[error("not preauthorized for that role")]
    NotPreauthorized,
    /// Only a user's own clients add clients of that user; no capability covers another (RM19).
    #[error("clients of a participant are added by that participant")]
    NotOwnClient,
    /// The room takes no proposals from outside the group.
    #[error("no proposals from outside")]
    ExternalProposals,
    /// The room takes no commits from outside the group.
    #[error("no commits from outside")]
    ExternalCommits,
    /// A pending proposal touches the user already.
    #[error("a pending proposal touches the user already")]
    AlreadyPending,
    /// The same user is touched twice (PM25).
    #[error("a user is touched twice")]
    TouchedTwice,
    /// A role update stands beside a change of the list (RM3).
    #[error("a role update stands alone beside the participant list")]
    NotBesideRoleUpdate,
    /// A preauthorization update stands beside a change of the list that is no removal (RM4).
    #[error("a preauthorization update stands beside removals only")]
    NotBesidePreAuthUpdate,
    /// Clients would stay in the group whose user may have none (RM15, RM16, I1).
    #[error("clients of {0} would remain")]
    ClientsRemain(UserUri),
    /// More clients of one user than the one that this room allows.
    #[error("one client for each user")]
    OneClientOnly(UserUri),
    /// More participants than the role takes (R6).
    #[error("role {0} has all the participants it takes")]
    MaximumParticipants(RoleIndex),
    /// Fewer participants than the role needs (R12).
    #[error("role {0} would have too few participants")]
    MinimumParticipants(RoleIndex),
    /// More active participants than the role takes (R6).
    #[error("role {0} has all the active participants it takes")]
    MaximumActive(RoleIndex),
    /// Fewer active participants than the role needs (R12).
    #[error("role {0} would have too few active participants")]
    MinimumActive(RoleIndex),
    /// More participants than the room takes (RM8, R20).
    #[error("the room has all the participants it takes")]
    MaxUsers,
    /// More clients than the room takes (RM7, R20).
    #[error("the room has all the clients it takes")]
    MaxClients,
    /// The participant list is changed through its own actions.
    #[error("the participant list is changed user by user")]
    NotExpanded,
    /// What the updates make of the component is invalid.
    #[error(transparent)]
    Component(#[from] ComponentError),
    /// The updates leave no policy.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The updates leave a policy that contradicts itself.
    #[error("{0}")]
    Inconsistent(Finding),
    /// The room's own address never changes (I11).
    #[error("a room keeps its address")]
    RoomUriChanges,
    /// Only the hub sets this, once it is set.
    #[error("{0} is the hub's")]
    HubOnly(ComponentId),
    /// The dictionary is changed by `AppDataUpdate` alone (EM4).
    #[error("the dictionary is changed by AppDataUpdate alone")]
    DictionaryByExtensions,
    /// The hub stays an external sender (PM22, PM23).
    #[error("the hub stays an external sender")]
    DropsHub,
    /// Only a member renews a leaf.
    #[error("not a member")]
    NotAMember,
    /// A pre-shared key that a room does not use.
    #[error("no such pre-shared key")]
    Psk,
    /// An ephemeral of a component that has none.
    #[error("{0} has no ephemerals")]
    Ephemeral(ComponentId),
}
