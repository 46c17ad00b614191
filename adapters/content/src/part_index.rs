//! Part numbers, and the `cid:` URIs that refer to them (CM8).

use std::fmt;

use thiserror::Error;

use crate::part::{Cardinality, NestedPart};

/// The place of a part in its message: depth first, the root is 0. Implied, never on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartIndex(pub u32);

/// A content-id URI that refers to no body of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CidError {
    /// Not of the form `cid:<index>@local.invalid`.
    #[error("not a content id of this message")]
    NotLocal,
    /// The message has fewer parts.
    #[error("no part {0:?}")]
    NoSuchPart(PartIndex),
    /// CM8: only single and external parts can be referred to.
    #[error("part {0:?} has no body")]
    NotABody(PartIndex),
}

const SCHEME: &str = "cid:";
const HOST: &str = "@local.invalid";
/// Digits of the largest index.
const DIGITS_MAX: usize = 10;

impl PartIndex {
    /// The index that a content-id URI names; it has one form only, without sign or leading zeros.
    pub fn from_cid(uri: &str) -> Option<Self> {
        let digits = uri.strip_prefix(SCHEME)?.strip_suffix(HOST)?;
        let index = Self(digits.parse().ok()?);
        (index.0.to_string() == digits).then_some(index)
    }

    /// The content-id URI of this part.
    pub fn to_cid(self) -> String {
        format!("{SCHEME}{self}{HOST}")
    }
}

impl fmt::Display for PartIndex {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl NestedPart {
    /// This part and all within it, numbered.
    pub fn indexed(&self) -> impl Iterator<Item = (PartIndex, &Self)> {
        let mut waiting = vec![self];
        let parts = std::iter::from_fn(move || {
            let part = waiting.pop()?;
            if let Cardinality::Multi(multi) = &part.cardinality {
                waiting.extend(multi.parts.iter().rev());
            }
            Some(part)
        });
        (0..).map(PartIndex).zip(parts)
    }

    /// The body that a `cid:` URI within this message means.
    pub fn resolve_cid(&self, uri: &str) -> Result<(PartIndex, &Self), CidError> {
        let wanted = PartIndex::from_cid(uri).ok_or(CidError::NotLocal)?;
        let (index, part) =
            self.indexed().find(|&(index, _)| index == wanted).ok_or(CidError::NoSuchPart(wanted))?;
        match part.cardinality {
            Cardinality::Single(_) | Cardinality::External(_) => Ok((index, part)),
            Cardinality::Null | Cardinality::Multi(_) => Err(CidError::NotABody(index)),
        }
    }
}

/// The parts that a text refers to, in their order of appearance. Linear in the text, whatever it is full of.
pub(crate) fn cids_in(text: &str) -> impl Iterator<Item = PartIndex> {
    text.match_indices(SCHEME).filter_map(|(start, _)| {
        let reference = &text[start..];
        let digits =
            reference[SCHEME.len()..].bytes().take(DIGITS_MAX).take_while(u8::is_ascii_digit).count();
        let end = SCHEME.len() + digits + HOST.len();
        PartIndex::from_cid(reference.get(..end)?)
    })
}
