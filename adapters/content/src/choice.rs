//! Which parts of a message a receiver shows (G25).
//!
//! A malicious sender can give every receiver another text among the alternatives. Our answer is to be
//! predictable: the choice depends on the message and on the receiver's own list, and on nothing else; and
//! the receiver is told that there was something to choose from.

use std::collections::BTreeMap;

use crate::media_type::MediaType;
use crate::part::{Cardinality, MultiPart, NestedPart, PartSemantics};
use crate::part_index::{PartIndex, cids_in};

/// What is shown of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice<'p> {
    /// The bodies to show, in their order. Empty if nothing is readable.
    pub shown: Vec<Shown<'p>>,
    /// The sender offered alternatives: others may see something else.
    pub has_alternatives: bool,
}

/// A body to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown<'p> {
    /// Its place in the message.
    pub index: PartIndex,
    /// The part; single or external.
    pub part: &'p NestedPart,
    /// An earlier shown text that refers to this body by `cid:`, and shows it in its place.
    pub inlined_in: Option<PartIndex>,
}

/// Chooses what to show of `root` to someone who reads `accepted`, best first.
///
/// Of alternatives the one wins whose type comes first in `accepted`; among equals the sender's first. A
/// single unit is shown whole or not at all; of other parts, as many as are readable.
pub fn choose<'p>(root: &'p NestedPart, accepted: &[MediaType]) -> Choice<'p> {
    let mut walk = Walk { accepted, next: 0, has_alternatives: false };
    let mut shown = walk.visit(root).map_or_else(Vec::new, |plan| plan.shown);
    note_inlined(&mut shown);
    Choice { shown, has_alternatives: walk.has_alternatives }
}

impl<'p> Choice<'p> {
    /// The bodies that are not shown by others already.
    pub fn outermost(&self) -> impl Iterator<Item = &Shown<'p>> {
        self.shown.iter().filter(|shown| shown.inlined_in.is_none())
    }

    /// The first shown text.
    pub fn text(&self) -> Option<&'p str> {
        self.shown.iter().find_map(Shown::text)
    }
}

impl<'p> Shown<'p> {
    /// The body, if it is text.
    pub fn text(&self) -> Option<&'p str> {
        match &self.part.cardinality {
            Cardinality::Single(single) => single.text(),
            Cardinality::Null | Cardinality::External(_) | Cardinality::Multi(_) => None,
        }
    }
}

struct Walk<'a> {
    accepted: &'a [MediaType],
    next: u32,
    has_alternatives: bool,
}

/// How a part would be shown, and how well: the rank of its best type in the receiver's list.
struct Plan<'p> {
    rank: usize,
    shown: Vec<Shown<'p>>,
}

impl Walk<'_> {
    /// `None` if the part cannot be shown. Visits all parts, for that is how they are numbered.
    fn visit<'p>(&mut self, part: &'p NestedPart) -> Option<Plan<'p>> {
        let index = PartIndex(self.next);
        self.next += 1;
        match &part.cardinality {
            Cardinality::Null => None,
            Cardinality::Multi(multi) => self.visit_multi(multi),
            Cardinality::Single(_) | Cardinality::External(_) => {
                let rank = self.rank(part)?;
                Some(Plan { rank, shown: vec![Shown { index, part, inlined_in: None }] })
            }
        }
    }

    fn visit_multi<'p>(&mut self, multi: &'p MultiPart) -> Option<Plan<'p>> {
        let plans: Vec<_> = multi.parts.iter().map(|part| self.visit(part)).collect();
        match multi.semantics {
            PartSemantics::ChooseOne => {
                self.has_alternatives = true;
                plans.into_iter().flatten().min_by_key(|plan| plan.rank)
            }
            // As good as its worst part, for they are one.
            PartSemantics::SingleUnit => {
                let plans: Vec<_> = plans.into_iter().collect::<Option<_>>()?;
                let rank = plans.iter().map(|plan| plan.rank).max()?;
                Some(Plan { rank, shown: plans.into_iter().flat_map(|plan| plan.shown).collect() })
            }
            PartSemantics::ProcessAll => {
                let plans: Vec<_> = plans.into_iter().flatten().collect();
                let rank = plans.iter().map(|plan| plan.rank).min()?;
                Some(Plan { rank, shown: plans.into_iter().flat_map(|plan| plan.shown).collect() })
            }
        }
    }

    fn rank(&self, part: &NestedPart) -> Option<usize> {
        let offered = part.media_type().unwrap_or_default();
        let is_garbled = match &part.cardinality {
            Cardinality::Single(single) => offered.is_text() && single.text().is_none(),
            Cardinality::Null | Cardinality::External(_) | Cardinality::Multi(_) => false,
        };
        if is_garbled { None } else { self.accepted.iter().position(|ours| ours.accepts(&offered)) }
    }
}

/// Draft, Message Bodies: parts are handled in order, "skipping any Parts already referenced by a previously
/// handled Part".
fn note_inlined(shown: &mut [Shown<'_>]) {
    let mut referenced = BTreeMap::new();
    for shown in shown {
        shown.inlined_in = referenced.get(&shown.index).copied();
        for cid in shown.text().into_iter().flat_map(cids_in) {
            referenced.entry(cid).or_insert(shown.index);
        }
    }
}
