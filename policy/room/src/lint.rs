//! What is wrong with a policy: the consistency rules B3 of the room, as far as objects can show them.
//!
//! A room whose policy has a fatal finding is not founded, and an update that brings one about is refused. Rules about
//! one component alone (R1, R9, R10, R13) are part of its decoding; R18 and R19 are about commits and about several
//! rooms.

mod base;
mod policies;
mod roles;

use std::collections::BTreeSet;
use std::fmt;

use mimi_uri::{RoomUri, UserUri};

use crate::{RoomPolicy, Roster};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Probably not what was meant.
    Warning,
    /// No room has such a policy.
    Fatal,
}

/// Something that the linter found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule, by its id on the specification pages.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What was found, for people.
    pub text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.text)
    }
}

/// Whether no room has a policy with this finding.
pub fn is_fatal(finding: &Finding) -> bool {
    finding.severity == Severity::Fatal
}

/// What the linter may be told about a room beyond its policy; it checks what it is told.
#[derive(Debug, Clone, Copy, Default)]
pub struct Facts<'a> {
    /// The room that the policy is for.
    pub room: Option<&'a RoomUri>,
    /// Who is there, with how many leaves.
    pub roster: Option<&'a Roster>,
    /// The participants of the parent room.
    pub parent_participants: Option<&'a BTreeSet<UserUri>>,
    /// The group's own context.
    pub group: Option<GroupFacts<'a>>,
}

/// What the group context says beside the components.
#[derive(Debug, Clone, Copy)]
pub struct GroupFacts<'a> {
    /// Extension types of the required capabilities.
    pub required_extensions: &'a [u16],
    /// Proposal types of the required capabilities.
    pub required_proposals: &'a [u16],
    /// The hub is among the external senders.
    pub has_hub: bool,
    /// Somebody in the group has a pseudonymous credential.
    pub has_pseudonym: bool,
}

/// All that is wrong with the policy, in the order of the rules.
pub fn lint(policy: &RoomPolicy, facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Findings::default();
    roles::outsiders_and_banned(policy, &mut findings);
    roles::capabilities(policy, &mut findings);
    roles::references(policy, &mut findings);
    roles::bounds(policy, facts, &mut findings);
    base::membership(policy, &mut findings);
    base::parent(policy, facts, &mut findings);
    policies::history(policy, &mut findings);
    policies::bots(policy, &mut findings);
    policies::assets(policy, &mut findings);
    base::listed_components(policy, &mut findings);
    base::group(policy, facts, &mut findings);
    policies::preauth(policy, &mut findings);
    base::totals(policy, facts, &mut findings);
    base::discoverable(policy, &mut findings);
    policies::join_links(policy, &mut findings);
    base::address(policy, facts, &mut findings);
    findings.0
}

/// The findings so far.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn fatal(&mut self, rule: &'static str, text: impl Into<String>) {
        self.push(rule, Severity::Fatal, text.into());
    }

    fn warning(&mut self, rule: &'static str, text: impl Into<String>) {
        self.push(rule, Severity::Warning, text.into());
    }

    fn note(&mut self, rule: &'static str, text: impl Into<String>) {
        self.push(rule, Severity::Note, text.into());
    }

    fn push(&mut self, rule: &'static str, severity: Severity, text: String) {
        self.0.push(Finding { rule, severity, text });
    }
}

#[cfg(test)]
mod tests;
