//! A storage told as its difference to another.
//!
//! The second reader and a pending commit's view have the same members as the reader, in a tree that differs in a few
//! nodes. Told as a difference, each costs a snapshot a few kilobytes, not another copy of the tree.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::secret::Bytes;
use crate::provider::Provider;

/// Length of the pieces that are looked up in the base: shorter than any node of a tree, longer than a coincidence.
const BLOCK_LENGTH: usize = 64;

/// What is to be done to one storage so that it becomes another.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Difference {
    put: Vec<(Bytes, Vec<Piece>)>,
    delete: Vec<Bytes>,
}

/// A part of a value.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Piece {
    /// As many bytes, from this place on, of the value that the base has under the same key.
    Same(usize, usize),
    New(Bytes),
}

impl Difference {
    /// What makes `base` the same as `target`.
    pub(super) fn between(base: &Provider, target: &Provider) -> Self {
        let base: BTreeMap<Vec<u8>, Vec<u8>> = base.entries().into_iter().collect();
        let target: BTreeMap<Vec<u8>, Vec<u8>> = target.entries().into_iter().collect();
        let delete = base.keys().filter(|key| !target.contains_key(*key)).cloned().map(Bytes).collect();
        let changed = target.into_iter().filter(|(key, value)| base.get(key) != Some(value));
        let put = changed.map(|(key, value)| {
            let pieces = pieces(base.get(&key).map_or(&[][..], Vec::as_slice), &value);
            (Bytes(key), pieces)
        });
        Self { put: put.collect(), delete }
    }

    /// The storage that `base` was told to differ from; nothing if it was another base.
    pub(super) fn applied_to(self, base: &Provider) -> Option<Provider> {
        let mut all: BTreeMap<Vec<u8>, Vec<u8>> = base.entries().into_iter().collect();
        for key in self.delete {
            all.remove(&key.0);
        }
        for (key, pieces) in self.put {
            let value = joined(all.get(&key.0).map_or(&[][..], Vec::as_slice), pieces)?;
            all.insert(key.0, value);
        }
        Some(Provider::restore(all))
    }
}

fn pieces(base: &[u8], target: &[u8]) -> Vec<Piece> {
    let (blocks, _) = base.as_chunks::<BLOCK_LENGTH>();
    let known: HashMap<&[u8; BLOCK_LENGTH], usize> =
        blocks.iter().enumerate().map(|(place, block)| (block, place * BLOCK_LENGTH)).collect();
    let mut pieces = Vec::new();
    let (mut place, mut unknown_from) = (0, 0);
    while let Some(block) = target.get(place..).and_then(|rest| rest.first_chunk()) {
        let Some(&from) = known.get(block) else {
            place += 1;
            continue;
        };
        let length = common_length(&base[from..], &target[place..]);
        push_new(&mut pieces, &target[unknown_from..place]);
        pieces.push(Piece::Same(from, length));
        place += length;
        unknown_from = place;
    }
    push_new(&mut pieces, &target[unknown_from..]);
    pieces
}

fn push_new(pieces: &mut Vec<Piece>, bytes: &[u8]) {
    if !bytes.is_empty() {
        pieces.push(Piece::New(Bytes(bytes.to_vec())));
    }
}

fn common_length(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).take_while(|(one, other)| one == other).count()
}

fn joined(base: &[u8], pieces: Vec<Piece>) -> Option<Vec<u8>> {
    let mut value = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Same(from, length) => value.extend_from_slice(base.get(from..from.checked_add(length)?)?),
            Piece::New(bytes) => value.extend_from_slice(&bytes.0),
        }
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::{Piece, joined, pieces};

    /// Bytes without repetition, so that pieces can only match where they come from.
    fn text(length: u32) -> Vec<u8> {
        (0..length).flat_map(|place| place.wrapping_mul(0x9e37_79b9).to_be_bytes()).collect()
    }

    #[test]
    fn a_changed_node_in_a_long_tree_costs_little_more_than_the_node() {
        let base = text(10_000);
        let mut target = base.clone();
        target.splice(20_000..20_040, *b"a key that is longer than the one that stood there before");

        let pieces = pieces(&base, &target);

        let new: usize =
            pieces.iter().map(|piece| if let Piece::New(bytes) = piece { bytes.0.len() } else { 0 }).sum();
        assert!(new < 200, "{new}");
        assert_eq!(joined(&base, pieces), Some(target));
    }

    #[test]
    fn whatever_differs_is_told_exactly() {
        let long = text(100);
        let turned: Vec<u8> = long.iter().rev().copied().collect();
        for (base, target) in
            [(&long[..], &[][..]), (&[], &long), (&long, &turned), (&long[..70], &long[30..])]
        {
            assert_eq!(joined(base, pieces(base, target)).as_deref(), Some(target));
        }
    }

    #[test]
    fn another_base_is_noticed() {
        assert_eq!(joined(b"short", vec![Piece::Same(2, 9)]), None);
        assert_eq!(joined(b"short", vec![Piece::Same(usize::MAX, 2)]), None);
    }
}
