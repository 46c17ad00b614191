use mimi_uri::UserUri;

use super::{Action, DenyReason, Pending, Request};
use crate::components::{Claim, Role};
use crate::{Capability, RoleIndex, RoomPolicy};

/// Who does something, as the signature on it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A member of the group.
    User {
        /// The user of the leaf.
        user: UserUri,
        /// What its credential claims.
        claims: Vec<Claim>,
    },
    /// A client outside the group, by an external commit or a proposal of its own; its user may be on the list.
    NewUser {
        /// The user of the credential.
        user: UserUri,
        /// What the credential claims.
        claims: Vec<Claim>,
        /// The role of the join code that was presented and is valid.
        code: Option<RoleIndex>,
    },
    /// One of the group's external senders.
    External {
        /// Which one.
        sender: ExternalSender,
        /// The user that it is on the list, if it is.
        user: Option<UserUri>,
        /// What its credential claims.
        claims: Vec<Claim>,
    },
}

/// Which of the group's external senders it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExternalSender {
    /// The hub of the room.
    Hub,
    /// Another provider, or an agent.
    Other,
}

impl Actor {
    /// A member whose credential claims nothing.
    pub fn user(user: &UserUri) -> Self {
        Self::User { user: user.clone(), claims: Vec::new() }
    }

    /// A client outside the group whose credential claims nothing, without a join code.
    pub fn new_user(user: &UserUri) -> Self {
        Self::NewUser { user: user.clone(), claims: Vec::new(), code: None }
    }

    /// The hub as itself.
    pub fn hub() -> Self {
        Self::External { sender: ExternalSender::Hub, user: None, claims: Vec::new() }
    }

    fn as_user(&self) -> Option<&UserUri> {
        match self {
            Self::User { user, .. } | Self::NewUser { user, .. } => Some(user),
            Self::External { user, .. } => user.as_ref(),
        }
    }

    fn claims(&self) -> &[Claim] {
        match self {
            Self::User { claims, .. } | Self::NewUser { claims, .. } | Self::External { claims, .. } => {
                claims
            }
        }
    }
}

/// What an actor may do at all, before it is asked what exactly it does.
pub(super) struct Rights<'r> {
    pub(super) request: &'r Request<'r>,
    pub(super) policy: &'r RoomPolicy,
    actor: &'r Actor,
    standing: Place,
    /// A capability counts if *all* of these have it: the committed role, and the one that is pending. So a demotion
    /// takes away at once, and a promotion gives nothing before it is committed.
    roles: Vec<&'r Role>,
}

/// Where an actor stands towards the list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Listed,
    Outside,
    Leaving,
    Banned,
}

impl<'r> Rights<'r> {
    pub(super) fn of(
        request: &'r Request<'r>,
        actor: &'r Actor,
        action: &Action,
    ) -> Result<Self, DenyReason> {
        let policy = request.policy;
        let (standing, indexes) = place(request, actor, action);
        let roles = indexes.into_iter().map(|index| policy.role(index).ok_or(DenyReason::UnknownRole(index)));
        let rights = Self { request, policy, actor, standing, roles: roles.collect::<Result<_, _>>()? };
        rights.check_place(action)?;
        Ok(rights)
    }

    /// Step 2 of the algorithm: the banned, the leaving and the unknown may only take their own leaves away (PM13), an
    /// outsider may ask to join, the hub has rows of its own.
    fn check_place(&self, action: &Action) -> Result<(), DenyReason> {
        let takes_own_leaves = matches!(action, Action::RemoveClients { user, .. } if self.is_self(user));
        let joins = matches!((self.actor, action), (Actor::NewUser { user, .. }, Action::AddParticipant { user: added, .. }) if user == added);
        match self.standing {
            Place::Listed => Ok(()),
            _ if takes_own_leaves || self.is_hub() => Ok(()),
            Place::Outside if joins => Ok(()),
            Place::Outside => Err(DenyReason::NotAParticipant),
            Place::Leaving => Err(DenyReason::Leaving),
            Place::Banned => Err(DenyReason::Banned),
        }
    }

    pub(super) fn require(&self, capability: Capability) -> Result<(), DenyReason> {
        if self.has(capability) { Ok(()) } else { Err(DenyReason::MissingCapability(capability)) }
    }

    pub(super) fn has(&self, capability: Capability) -> bool {
        !self.roles.is_empty() && self.roles.iter().all(|role| role.has(capability))
    }

    pub(super) fn require_change(&self, from: RoleIndex, to: RoleIndex) -> Result<(), DenyReason> {
        if !self.roles.is_empty() && self.roles.iter().all(|role| role.may_change(from, to)) {
            Ok(())
        } else {
            Err(DenyReason::RoleChangeNotAuthorized { from, to })
        }
    }

    pub(super) fn is_self(&self, user: &UserUri) -> bool {
        self.actor.as_user() == Some(user)
    }

    pub(super) fn is_of_own_provider(&self, user: &UserUri) -> bool {
        self.actor.as_user().is_some_and(|actor| actor.domain() == user.domain())
    }

    pub(super) fn is_hub(&self) -> bool {
        matches!(self.actor, Actor::External { sender: ExternalSender::Hub, .. })
    }

    pub(super) fn is_listed(&self) -> bool {
        self.standing == Place::Listed
    }

    pub(super) fn is_new_client(&self) -> bool {
        matches!(self.actor, Actor::NewUser { .. })
    }

    pub(super) fn is_member(&self) -> bool {
        matches!(self.actor, Actor::User { .. })
    }

    /// The role that a valid join code gives.
    pub(super) fn code(&self) -> Option<RoleIndex> {
        match self.actor {
            Actor::NewUser { code, .. } => *code,
            Actor::User { .. } | Actor::External { .. } => None,
        }
    }

    /// The first role that the credential is preauthorized for (RM18).
    pub(super) fn preauthorized(&self) -> Option<RoleIndex> {
        self.policy.preauth.first_match(self.actor.claims())
    }
}

/// Where the actor stands, and the roles that it acts in.
fn place(request: &Request<'_>, actor: &Actor, action: &Action) -> (Place, Vec<RoleIndex>) {
    let standing = actor.as_user().and_then(|user| request.roster.standing(user));
    let Some((role, pending)) = standing.and_then(|standing| Some((standing.role?, standing.pending))) else {
        return outside(request.policy, actor);
    };
    // What is pending is being committed by this very action: its proposer is judged as of before.
    let is_this = request.is_commit && actor.as_user() == action.user() && action.pending() == pending;
    let pending = pending.filter(|_| !is_this);
    if role == RoleIndex::BANNED || pending == Some(Pending::Role(RoleIndex::BANNED)) {
        return (Place::Banned, Vec::new());
    }
    match pending {
        Some(Pending::Removal) => (Place::Leaving, Vec::new()),
        Some(Pending::Role(pending)) => (Place::Listed, vec![role, pending]),
        None => (Place::Listed, vec![role]),
    }
}

/// Who is not on the list: outsiders have role 0; an external sender the first role that it is preauthorized for (the
/// drafts' policy enforcer), which is as good as being listed.
fn outside(policy: &RoomPolicy, actor: &Actor) -> (Place, Vec<RoleIndex>) {
    match actor {
        Actor::NewUser { .. } => (Place::Outside, vec![RoleIndex::OUTSIDER]),
        Actor::User { .. } => (Place::Outside, Vec::new()),
        Actor::External { claims, .. } => match policy.preauth.first_match(claims) {
            Some(role) if role != RoleIndex::OUTSIDER && role != RoleIndex::BANNED => {
                (Place::Listed, vec![role])
            }
            Some(_) | None => (Place::Outside, Vec::new()),
        },
    }
}
