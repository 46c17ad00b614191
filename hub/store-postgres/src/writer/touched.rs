use std::collections::BTreeMap;
use std::ops::RangeBounds;

/// The rows of one table that a group touches: as the database holds them, and as the group leaves them.
///
/// What one verb did can be undone, so that a conflict leaves nothing.
pub(super) struct Touched<K, V> {
    rows: BTreeMap<K, Touch<V>>,
    undo: Vec<(K, Option<Touch<V>>)>,
}

#[derive(Debug, Clone)]
struct Touch<V> {
    was_stored: bool,
    is_changed: bool,
    now: Option<V>,
}

impl<K, V> Default for Touched<K, V> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), undo: Vec::new() }
    }
}

impl<K: Ord + Clone, V> Touched<K, V> {
    /// Notes a row that the database holds.
    pub(super) fn found(&mut self, key: K, value: V) {
        self.rows.insert(key, Touch { was_stored: true, is_changed: false, now: Some(value) });
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.rows.get(key)?.now.as_ref()
    }

    /// The rows of a range that are there now.
    pub(super) fn range(&self, range: impl RangeBounds<K>) -> impl Iterator<Item = (&K, &V)> {
        self.rows.range(range).filter_map(|(key, touch)| Some((key, touch.now.as_ref()?)))
    }

    pub(super) fn put(&mut self, key: K, value: V) {
        self.set(key, Some(value));
    }

    pub(super) fn delete(&mut self, key: K) {
        self.set(key, None);
    }

    fn set(&mut self, key: K, now: Option<V>) {
        let was_stored = self.rows.get(&key).is_some_and(|touch| touch.was_stored);
        let before = self.rows.insert(key.clone(), Touch { was_stored, is_changed: true, now });
        self.undo.push((key, before));
    }

    /// What was done so far stays.
    pub(super) fn keep(&mut self) {
        self.undo.clear();
    }

    /// Takes back what was done since the last `keep`.
    pub(super) fn take_back(&mut self) {
        while let Some((key, before)) = self.undo.pop() {
            match before {
                Some(touch) => self.rows.insert(key, touch),
                None => self.rows.remove(&key),
            };
        }
    }

    /// The rows that the group adds.
    pub(super) fn inserted(&self) -> impl Iterator<Item = (&K, &V)> {
        self.left(|touch| !touch.was_stored)
    }

    /// The rows that were there and that the group overwrites.
    pub(super) fn updated(&self) -> impl Iterator<Item = (&K, &V)> {
        self.left(|touch| touch.was_stored && touch.is_changed)
    }

    /// The rows that were there and are gone.
    pub(super) fn deleted(&self) -> impl Iterator<Item = &K> {
        self.rows.iter().filter(|(_, touch)| touch.was_stored && touch.now.is_none()).map(|(key, _)| key)
    }

    fn left(&self, which: fn(&Touch<V>) -> bool) -> impl Iterator<Item = (&K, &V)> {
        self.rows
            .iter()
            .filter(move |(_, touch)| which(touch))
            .filter_map(|(key, touch)| Some((key, touch.now.as_ref()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_different_in_the_end_is_written() {
        let mut rows = Touched::default();
        for key in ["kept", "changed", "gone"] {
            rows.found(key, 1);
        }
        rows.put("changed", 2);
        rows.put("new", 1);
        rows.delete("gone");
        rows.put("brief", 1);
        rows.delete("brief");

        assert!(rows.inserted().eq([(&"new", &1)]));
        assert!(rows.updated().eq([(&"changed", &2)]));
        assert!(rows.deleted().eq([&"gone"]));
    }

    #[test]
    fn what_is_taken_back_leaves_nothing() {
        let mut rows = Touched::default();
        rows.found("a", 1);
        rows.put("a", 2);
        rows.keep();

        rows.put("a", 3);
        rows.delete("a");
        rows.put("b", 1);
        rows.take_back();

        assert_eq!((rows.get(&"a"), rows.get(&"b")), (Some(&2), None));
        assert!(rows.inserted().next().is_none() && rows.deleted().next().is_none());
    }
}
