use mimi_uri::{Domain, RoomUri, UserUri};

use crate::{ConsentRecord, ConsentState, DefaultRule, PeerFunction, Rule, Rules, Scope, Seconds};

/// What a peer wants, of whom, for whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request<'a> {
    /// The peer that proved who it is.
    pub peer: &'a Domain,
    /// What it wants.
    pub function: PeerFunction,
    /// The user for whom it wants it.
    pub requester: &'a UserUri,
    /// The user of ours whom it is about.
    pub target: &'a UserUri,
    /// The room in which.
    pub room: Option<&'a RoomUri>,
}

/// What is to be done with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It goes through.
    Allow,
    /// It waits until the target is asked.
    Ask,
    /// It is followed, and its effect on the native side is held until the target is asked.
    Quarantine,
    /// It does not go through.
    Deny,
}

/// What a request comes to, and why: `drawbridge why` shows it, a peer never hears it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What is to be done.
    pub outcome: Outcome,
    /// What decided.
    pub why: Why,
}

/// What decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// The user reaches herself.
    Oneself,
    /// The target's own word, in this scope.
    Consent {
        /// The scope.
        scope: Scope,
        /// What holds in it.
        state: ConsentState,
    },
    /// The operator closed it; no consent opens it.
    Closed(Rule),
    /// The operator's rule, for the target has said nothing.
    Rule(Rule),
    /// What holds otherwise, for neither the target nor a rule says anything.
    Otherwise(DefaultRule),
}

/// Decides what is to be done with a request.
///
/// The operator's *deny* stands above all; below it stands the target's own word, and where that is silent, the
/// operator's default. Of the target's words the most specific no wins over the most specific yes: a no for this room
/// over a yes for any; a no for any room over a yes for this one that is older. Blocks win over everything.
pub fn evaluate(request: &Request<'_>, rules: &Rules, records: &[ConsentRecord], now: Seconds) -> Verdict {
    if request.requester == request.target {
        return Verdict { outcome: Outcome::Allow, why: Why::Oneself };
    }
    let (default, why) = default_rule(rules, request.peer, request.function, Some(request.target));
    if let Why::Closed(_) = why {
        return Verdict { outcome: Outcome::Deny, why };
    }
    if let Some(record) = decisive(request, records, now) {
        let state = record.state_at(now);
        let outcome = if state == ConsentState::Granted { Outcome::Allow } else { Outcome::Deny };
        return Verdict { outcome, why: Why::Consent { scope: record.scope.clone(), state } };
    }
    let outcome = match default {
        DefaultRule::Allow => Outcome::Allow,
        DefaultRule::Ask => undecided(request.function),
        DefaultRule::Deny => Outcome::Deny,
    };
    Verdict { outcome, why }
}

/// Decides whether a peer may use a function that is about no particular user of ours.
pub fn admit(peer: &Domain, function: PeerFunction, rules: &Rules) -> Verdict {
    let (default, why) = default_rule(rules, peer, function, None);
    let outcome = match default {
        DefaultRule::Allow => Outcome::Allow,
        // There is nobody to ask: such a function is open to the peer, and each user is asked when it is about her.
        DefaultRule::Ask => Outcome::Quarantine,
        DefaultRule::Deny => Outcome::Deny,
    };
    Verdict { outcome, why }
}

fn default_rule(
    rules: &Rules,
    peer: &Domain,
    function: PeerFunction,
    user: Option<&UserUri>,
) -> (DefaultRule, Why) {
    match rules.decisive(peer, function, user) {
        Some(rule) if rule.rule == DefaultRule::Deny => (rule.rule, Why::Closed(rule.clone())),
        Some(rule) => (rule.rule, Why::Rule(rule.clone())),
        None => (rules.otherwise, Why::Otherwise(rules.otherwise)),
    }
}

/// What happens to a stranger's request while the target decides: keys can wait for the answer; what arrives in a room
/// must be followed, or the room is lost, so only its effect is held.
fn undecided(function: PeerFunction) -> Outcome {
    match function {
        PeerFunction::DirectText
        | PeerFunction::GroupText
        | PeerFunction::Update
        | PeerFunction::SubmitMessage
        | PeerFunction::Notify => Outcome::Quarantine,
        PeerFunction::KeyMaterial
        | PeerFunction::GroupInfo
        | PeerFunction::Consent
        | PeerFunction::IdentifierQuery
        | PeerFunction::ReportAbuse
        | PeerFunction::ProxyDownload => Outcome::Ask,
    }
}

/// The record that speaks for the target now, if any does.
fn decisive<'c>(
    request: &Request<'_>,
    records: &'c [ConsentRecord],
    now: Seconds,
) -> Option<&'c ConsentRecord> {
    let covering =
        records.iter().filter(|it| it.scope.covers(request.requester, request.target, request.room));
    let strongest = |state: ConsentState| {
        let said = covering.clone().filter(move |record| record.state_at(now) == state);
        said.max_by_key(|record| (record.scope.room.is_some(), record.updated_at))
    };
    let blocked = strongest(ConsentState::Blocked);
    let (denied, granted) = (strongest(ConsentState::Denied), strongest(ConsentState::Granted));
    blocked.or(match (denied, granted) {
        (Some(denied), Some(granted)) => Some(later_word(denied, granted)),
        (denied, granted) => denied.or(granted),
    })
}

/// Which of a no and a yes holds: the no, unless the yes is for this room, and was said after a no for any.
fn later_word<'c>(denied: &'c ConsentRecord, granted: &'c ConsentRecord) -> &'c ConsentRecord {
    let is_exception =
        granted.scope.room.is_some() && denied.scope.room.is_none() && granted.updated_at > denied.updated_at;
    if is_exception { granted } else { denied }
}

#[cfg(test)]
mod tests;
