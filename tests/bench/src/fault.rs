//! A benchmark does not mend anything: whatever goes wrong ends the run, and says what it was.

/// What a step of a run comes to.
pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;
