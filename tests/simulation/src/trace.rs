use std::collections::hash_map::DefaultHasher;
use std::fmt::Display;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

/// All that happened in a run, in its order: two runs of one seed tell the same.
#[derive(Clone, Default)]
pub(crate) struct Trace(Arc<Mutex<Vec<String>>>);

impl Trace {
    /// Notes something, with the simulated time.
    pub(crate) fn note(&self, who: &str, what: &dyn Display) {
        let at = turmoil::sim_elapsed().map_or_else(|| "-".to_owned(), |at| at.as_millis().to_string());
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.push(format!("{at:>8} {who:<10} {what}"));
    }

    /// The trace as it stands.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A number that stands for a whole trace.
pub(crate) fn digest(lines: &[String]) -> u64 {
    let mut hasher = DefaultHasher::new();
    lines.hash(&mut hasher);
    hasher.finish()
}
