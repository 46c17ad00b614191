use std::fmt;

use mimi_uri::{Domain, UserUri};

/// What a peer wants of us, as far as it may be opened or closed to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PeerFunction {
    /// Reach a user in a direct chat.
    DirectText,
    /// Bring a user into a group.
    GroupText,
    /// Claim KeyPackages of a user.
    KeyMaterial,
    /// Change a room of ours.
    Update,
    /// Post to a room of ours.
    SubmitMessage,
    /// Deliver the events of a room of theirs.
    Notify,
    /// Read the group of a room of ours, to join it.
    GroupInfo,
    /// Ask a user for consent, or answer one.
    Consent,
    /// Look a user up.
    IdentifierQuery,
    /// Report abuse to us.
    ReportAbuse,
    /// Download assets through us.
    ProxyDownload,
}

impl PeerFunction {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::DirectText,
        Self::GroupText,
        Self::KeyMaterial,
        Self::Update,
        Self::SubmitMessage,
        Self::Notify,
        Self::GroupInfo,
        Self::Consent,
        Self::IdentifierQuery,
        Self::ReportAbuse,
        Self::ProxyDownload,
    ];

    /// The name in configuration and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DirectText => "direct_text",
            Self::GroupText => "group_text",
            Self::KeyMaterial => "key_material",
            Self::Update => "update",
            Self::SubmitMessage => "submit_message",
            Self::Notify => "notify",
            Self::GroupInfo => "group_info",
            Self::Consent => "consent",
            Self::IdentifierQuery => "identifier_query",
            Self::ReportAbuse => "report_abuse",
            Self::ProxyDownload => "proxy_download",
        }
    }

    /// The function of this name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|function| function.name() == name)
    }
}

impl fmt::Display for PeerFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What holds where the target has said nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DefaultRule {
    /// It goes through.
    Allow,
    /// The target is asked, and what comes meanwhile is held.
    Ask,
    /// It does not go through.
    Deny,
}

/// A rule of the operator: what is not named matches all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The peer that acts.
    pub peer: Option<Domain>,
    /// What it wants.
    pub function: Option<PeerFunction>,
    /// The user of ours whom it is about.
    pub user: Option<UserUri>,
    /// What holds then.
    pub rule: DefaultRule,
}

impl Rule {
    /// Whether the rule is about this.
    pub fn matches(&self, peer: &Domain, function: PeerFunction, user: Option<&UserUri>) -> bool {
        self.peer.as_ref().is_none_or(|it| it == peer)
            && self.function.is_none_or(|it| it == function)
            && (self.user.is_none() || self.user.as_ref() == user)
    }

    /// How specific it is: a user says more than a peer, a peer more than a function, each more than all below it.
    fn specificity(&self) -> (bool, bool, bool) {
        (self.user.is_some(), self.peer.is_some(), self.function.is_some())
    }
}

/// The operator's rules, and what holds where none of them matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// The rules, in any order.
    pub rules: Vec<Rule>,
    /// What holds otherwise.
    pub otherwise: DefaultRule,
}

impl Default for Rules {
    /// Everybody may reach everybody, of which [`warnings()`] warns.
    fn default() -> Self {
        Self { rules: Vec::new(), otherwise: DefaultRule::Allow }
    }
}

impl Rules {
    /// The most specific rule about this; of two that are equally specific, the stricter. None means
    /// [`Rules::otherwise`].
    pub fn decisive(&self, peer: &Domain, function: PeerFunction, user: Option<&UserUri>) -> Option<&Rule> {
        let matching = self.rules.iter().filter(|rule| rule.matches(peer, function, user));
        matching.max_by_key(|rule| (rule.specificity(), rule.rule))
    }
}

/// Something careless about the rules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    /// There is no rule, and all is allowed.
    #[error("everybody may reach everybody: no rule is set, and the default is allow")]
    EverybodyReachesEverybody,
    /// Peers that no rule names may reach users.
    #[error("peers that no rule names may {0}: the default is allow")]
    OpenByDefault(PeerFunction),
    /// Two rules about the same say different things; the stricter holds.
    #[error("rules {first} and {second} are about the same and differ; the stricter holds")]
    Contradiction {
        /// Position of the one.
        first: usize,
        /// Position of the other.
        second: usize,
    },
}

/// What an operator should be told about the rules before they are used.
pub fn warnings(rules: &Rules) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if rules.rules.is_empty() && rules.otherwise == DefaultRule::Allow {
        warnings.push(Warning::EverybodyReachesEverybody);
    } else {
        let reaching = [PeerFunction::DirectText, PeerFunction::GroupText, PeerFunction::KeyMaterial];
        let open = reaching.into_iter().filter(|function| is_open_to_strangers(rules, *function));
        warnings.extend(open.map(Warning::OpenByDefault));
    }
    for (first, a) in rules.rules.iter().enumerate() {
        for (second, b) in rules.rules.iter().enumerate().skip(first + 1) {
            let is_same = (&a.peer, a.function, &a.user) == (&b.peer, b.function, &b.user);
            if is_same && a.rule != b.rule {
                warnings.push(Warning::Contradiction { first, second });
            }
        }
    }
    warnings
}

/// Whether a peer that no rule names may do this to a user whom no rule names.
fn is_open_to_strangers(rules: &Rules, function: PeerFunction) -> bool {
    let general = rules.rules.iter().filter(|rule| {
        rule.peer.is_none() && rule.user.is_none() && rule.function.is_none_or(|it| it == function)
    });
    let decisive = general.max_by_key(|rule| (rule.specificity(), rule.rule));
    decisive.map_or(rules.otherwise, |rule| rule.rule) == DefaultRule::Allow
}

#[cfg(test)]
mod tests;
