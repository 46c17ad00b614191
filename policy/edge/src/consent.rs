use mimi_uri::{RoomUri, UserUri};

use crate::limits::{ASKED_LIFETIME, GRANT_LIFETIME, REQUEST_COUNT_MAX};

/// A moment or a span, in seconds; moments count from the Unix epoch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seconds(pub u64);

impl Seconds {
    fn after(self, span: Self) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

/// What a statement is about: may this user reach that one, in this room or in any.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    /// Who wants to reach.
    pub requester: UserUri,
    /// Who is reached, and decides.
    pub target: UserUri,
    /// In this room only; in any if there is none.
    pub room: Option<RoomUri>,
}

impl Scope {
    /// Whether a statement of this scope speaks about that user reaching this one in that room.
    pub fn covers(&self, requester: &UserUri, target: &UserUri, room: Option<&RoomUri>) -> bool {
        self.requester == *requester
            && self.target == *target
            && (self.room.is_none() || self.room.as_ref() == room)
    }

    /// Whether both are about the same two users.
    pub fn is_same_pair(&self, other: &Self) -> bool {
        self.requester == other.requester && self.target == other.target
    }
}

/// What was said last in a scope. The numbers are stable: they are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConsentState {
    /// Nothing.
    None = 0,
    /// The requester asked.
    Asked = 1,
    /// The target said yes.
    Granted = 2,
    /// The target said no, or took a yes back.
    Denied = 3,
    /// A question or a yes ran out.
    Expired = 4,
    /// The target wants to hear nothing of it; stays until the target says otherwise.
    Blocked = 5,
}

/// What happens in a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsentEvent {
    /// The requester asks.
    Request,
    /// The requester takes the question back (PM16: of the same scope).
    Cancel,
    /// The target says yes, until then.
    Grant {
        /// When the yes ends; after the usual span if none is named.
        until: Option<Seconds>,
    },
    /// The target says no, or takes a yes back.
    Revoke,
    /// The target wants to hear nothing more.
    Block,
    /// The target lifts the block.
    Unblock,
    /// Time passed.
    Expire,
}

/// Why an event does nothing. None of these is ever told to a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConsentError {
    /// The scope is blocked, and only its target changes that.
    #[error("the scope is blocked")]
    Blocked,
    /// There is no open question to take back (PM16).
    #[error("there is no open question")]
    NothingAsked,
    /// There is no block to lift.
    #[error("the scope is not blocked")]
    NotBlocked,
    /// What would run out has not, yet.
    #[error("nothing has run out")]
    NotDue,
}

/// All that is remembered of one scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentRecord {
    /// What it is about.
    pub scope: Scope,
    /// What was said last.
    pub state: ConsentState,
    /// When it was said.
    pub updated_at: Seconds,
    /// When it runs out, if it does.
    pub expires_at: Option<Seconds>,
    /// How often the requester asked.
    pub requests: u32,
}

impl ConsentRecord {
    /// A scope in which nothing was said.
    pub fn new(scope: Scope) -> Self {
        Self { scope, state: ConsentState::None, updated_at: Seconds(0), expires_at: None, requests: 0 }
    }

    /// What holds now: what has run out no longer does.
    pub fn state_at(&self, now: Seconds) -> ConsentState {
        match self.state {
            ConsentState::Asked | ConsentState::Granted if self.expires_at.is_some_and(|at| at <= now) => {
                ConsentState::Expired
            }
            state => state,
        }
    }

    /// The record after an event; unchanged, with the reason, if the event does nothing.
    pub fn apply(&self, event: ConsentEvent, now: Seconds) -> Result<Self, ConsentError> {
        let state = self.state_at(now);
        match event {
            ConsentEvent::Request => self.requested(state, now),
            ConsentEvent::Cancel if state == ConsentState::Asked => {
                Ok(self.to(ConsentState::None, now, None))
            }
            ConsentEvent::Cancel => Err(ConsentError::NothingAsked),
            // A block outlives a peer's word: who blocked here must lift the block here.
            ConsentEvent::Grant { .. } | ConsentEvent::Revoke if state == ConsentState::Blocked => {
                Err(ConsentError::Blocked)
            }
            ConsentEvent::Grant { until } => {
                Ok(self.to(ConsentState::Granted, now, Some(until.unwrap_or(now.after(GRANT_LIFETIME)))))
            }
            ConsentEvent::Revoke => Ok(self.to(ConsentState::Denied, now, None)),
            ConsentEvent::Block => Ok(self.to(ConsentState::Blocked, now, None)),
            ConsentEvent::Unblock if state == ConsentState::Blocked => {
                Ok(self.to(ConsentState::None, now, None))
            }
            ConsentEvent::Unblock => Err(ConsentError::NotBlocked),
            ConsentEvent::Expire if state != self.state => Ok(self.to(ConsentState::Expired, now, None)),
            ConsentEvent::Expire => Err(ConsentError::NotDue),
        }
    }

    /// A question never changes an answer: it is counted, and asked only where there is none.
    fn requested(&self, state: ConsentState, now: Seconds) -> Result<Self, ConsentError> {
        let requests = self.requests.saturating_add(1).min(REQUEST_COUNT_MAX);
        let counted = Self { requests, ..self.clone() };
        match state {
            ConsentState::None | ConsentState::Expired => {
                Ok(counted.to(ConsentState::Asked, now, Some(now.after(ASKED_LIFETIME))))
            }
            ConsentState::Asked | ConsentState::Granted | ConsentState::Denied => Ok(counted),
            ConsentState::Blocked => Err(ConsentError::Blocked),
        }
    }

    fn to(&self, state: ConsentState, updated_at: Seconds, expires_at: Option<Seconds>) -> Self {
        Self { scope: self.scope.clone(), state, updated_at, expires_at, requests: self.requests }
    }
}

/// What an event in one scope does to all records of the same two users; gives back those that changed.
///
/// A revocation or block for *any room* is a no to everything that was granted before it, room by room.
pub fn apply_to_all(
    records: &[ConsentRecord],
    scope: &Scope,
    event: ConsentEvent,
    now: Seconds,
) -> Result<Vec<ConsentRecord>, ConsentError> {
    let own = records.iter().find(|record| record.scope == *scope).cloned();
    let mut changed = vec![own.unwrap_or_else(|| ConsentRecord::new(scope.clone())).apply(event, now)?];
    let is_no = matches!(event, ConsentEvent::Revoke | ConsentEvent::Block);
    if is_no && scope.room.is_none() {
        let granted = records.iter().filter(|record| {
            record.scope.is_same_pair(scope)
                && record.scope.room.is_some()
                && record.state == ConsentState::Granted
        });
        changed.extend(granted.map(|record| record.to(ConsentState::Denied, now, None)));
    }
    Ok(changed)
}

#[cfg(test)]
mod tests;
