//! Whether the homeserver has left a transaction out.
//!
//! Synapse keeps what it could not tell us, and its recoverer tells it later, oldest first. A transaction that is made at
//! the very moment in which the recoverer ends falls between two stools: the recoverer saw nothing more, the sender saw
//! us as down still. It is kept, but sent only when the recoverer runs again: late, after what was said later, or never.
//!
//! Its number betrays it: they are given one by one, so there is a jump in what we are told. Who refuses what comes
//! after a jump makes the recoverer run again, and it begins with the oldest that is kept: what was left out, or, if
//! that was nothing, what we refused. So what comes again after it was refused has nothing kept before it.
//!
//! A jump may also be innocent: Synapse numbers for all its application services together. So there is only a handful
//! of doubts, renewed by whatever can make the recoverer run (a session that opens, a transaction that failed) and by
//! one that was indeed left out. Alone at its homeserver a session sees no innocent jumps and so never stops looking.
//! What is left out with nothing after it is found by a `probe`.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::arrival::NotTaken;
use crate::limits::DOUBTS_MAX;

/// The numbers of the transactions of one session.
#[derive(Debug, Default)]
pub(crate) struct Sequence {
    state: Mutex<State>,
    /// Rings when a transaction has been looked at.
    pub(crate) stirred: Notify,
}

#[derive(Debug)]
struct State {
    /// The number of the last one taken.
    last: Option<u64>,
    /// The numbers of those refused only for a jump, until they are taken.
    held_back: BTreeSet<u64>,
    /// How many jumps may still be refused.
    doubts: usize,
    /// Whether the homeserver has one to tell again.
    is_behind: bool,
    /// Whether something may be left out that nothing has come after.
    is_probe_owed: bool,
}

/// A look at a transaction. One that ends without [`Attempt::done`] has failed, and the recoverer will run.
pub(crate) struct Attempt<'a> {
    sequence: &'a Sequence,
    /// Not all homeservers number theirs; where there is no number there is nothing to see.
    number: Option<u64>,
    is_over: bool,
}

impl Sequence {
    pub(crate) fn attempt(&self, txn_id: &str) -> Attempt<'_> {
        Attempt { sequence: self, number: txn_id.parse().ok(), is_over: false }
    }

    /// Whether a probe is to be sent once it is quiet; not while the homeserver will come again by itself.
    pub(crate) fn is_probe_due(&self) -> bool {
        let state = self.state();
        state.is_probe_owed && !state.is_behind
    }

    /// Notes that a probe is owed, or that it is on its way.
    pub(crate) fn owe_probe(&self, is_owed: bool) {
        self.state().is_probe_owed = is_owed;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt<'_> {
    /// Refuses a transaction before which one may be left out.
    pub(crate) fn check(&mut self, is_probe: bool) -> Result<(), NotTaken> {
        let Some(number) = self.number else { return Ok(()) };
        let mut state = self.sequence.state();
        if state.is_in_turn(number) || !state.may_hold_back(is_probe) {
            return Ok(());
        }
        state.held_back.insert(number);
        state.is_behind = true;
        self.is_over = true;
        Err(NotTaken::OutOfTurn { number, last: state.last })
    }

    /// Notes that the transaction was taken.
    pub(crate) fn done(mut self) {
        self.is_over = true;
        let mut state = self.sequence.state();
        state.is_behind = false;
        if let Some(number) = self.number {
            state.last = Some(number);
            state.held_back.retain(|&held_back| held_back > number);
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            let mut state = self.sequence.state();
            state.is_behind = true;
            state.expect_recovery();
        }
        self.sequence.stirred.notify_one();
    }
}

impl Default for State {
    fn default() -> Self {
        let held_back = BTreeSet::new();
        Self { last: None, held_back, doubts: DOUBTS_MAX, is_behind: false, is_probe_owed: true }
    }
}

impl State {
    /// Whether nothing can be kept before this one.
    fn is_in_turn(&mut self, number: u64) -> bool {
        // Synapse on SQLite begins anew after a restart, at the highest that is kept: before 1 there is nothing.
        if number <= 1 || self.held_back.contains(&number) {
            return true;
        }
        if self.last == Some(number) {
            // It did not hear that we took it, so its recoverer ran.
            self.expect_recovery();
            return true;
        }
        if self.held_back.first().is_some_and(|&held_back| number < held_back) {
            // What was left out, found.
            self.doubts = DOUBTS_MAX;
            return true;
        }
        self.last.is_some_and(|last| last.checked_add(1) == Some(number))
    }

    /// Uses up a doubt. A probe needs none: it is what the recoverer runs for, at the latest.
    fn may_hold_back(&mut self, is_probe: bool) -> bool {
        let Some(doubts) = self.doubts.checked_sub(1) else { return is_probe };
        self.doubts = doubts;
        // The recoverer will run, and leave out something else when it ends.
        self.is_probe_owed = true;
        true
    }

    fn expect_recovery(&mut self) {
        self.doubts = DOUBTS_MAX;
        self.is_probe_owed = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(sequence: &Sequence, txn_id: &str) -> bool {
        take(sequence, txn_id, false)
    }

    fn take(sequence: &Sequence, txn_id: &str, is_probe: bool) -> bool {
        let mut attempt = sequence.attempt(txn_id);
        let is_taken = attempt.check(is_probe).is_ok();
        if is_taken {
            attempt.done();
        }
        is_taken
    }

    /// A sequence in the midst of a session, and whether each of these is taken.
    fn after_140(numbers: &[&str]) -> Vec<bool> {
        let sequence = Sequence::default();
        taken(&sequence, "140");
        assert!(taken(&sequence, "140"));
        numbers.iter().map(|number| taken(&sequence, number)).collect()
    }

    #[test]
    fn what_follows_and_what_is_told_again_is_taken() {
        assert_eq!(after_140(&["141", "142", "142", "143"]), [true; 4]);
    }

    #[test]
    fn what_comes_after_a_jump_is_taken_after_what_was_left_out() {
        assert_eq!(after_140(&["142", "141", "142", "143"]), [false, true, true, true]);
    }

    #[test]
    fn what_comes_again_after_a_jump_is_taken() {
        assert_eq!(after_140(&["145", "145", "146"]), [false, true, true]);
    }

    #[test]
    fn what_is_sent_before_the_recoverer_runs_waits_for_it_too() {
        assert_eq!(after_140(&["142", "143", "141", "142", "143"]), [false, false, true, true, true]);
    }

    #[test]
    fn the_first_of_a_session_and_of_a_homeserver_that_counts_anew_may_have_one_before_it() {
        let sequence = Sequence::default();

        assert_eq!(["8", "7", "8"].map(|number| taken(&sequence, number)), [false, true, true]);
        assert_eq!(after_140(&["8", "7", "8", "9"]), [false, true, true, true]);
        assert_eq!(after_140(&["1", "2"]), [true, true]);
    }

    #[test]
    fn innocent_jumps_are_refused_a_handful_of_times_until_something_fails() {
        let sequence = Sequence::default();
        let jumps = |from: usize| {
            let numbers = (from..from + 2 * DOUBTS_MAX).map(|n| (n * 10).to_string());
            numbers.filter(|number| !taken(&sequence, number) && taken(&sequence, number)).count()
        };

        assert_eq!(jumps(1), DOUBTS_MAX);
        assert_eq!(jumps(100), 0);
        drop(sequence.attempt("2000"));
        assert_eq!(jumps(200), DOUBTS_MAX);
    }

    #[test]
    fn a_homeserver_that_does_not_number_is_believed() {
        let sequence = Sequence::default();

        assert_eq!(["a", "m1718.1", "a"].map(|txn_id| taken(&sequence, txn_id)), [true; 3]);
    }

    #[test]
    fn a_probe_is_owed_by_a_session_a_failure_and_a_jump_but_not_while_something_comes_again() {
        let sequence = Sequence::default();
        let paid = || {
            let is_due = sequence.is_probe_due();
            sequence.owe_probe(!is_due && sequence.state().is_probe_owed);
            is_due
        };

        assert!(paid() && !paid());
        assert!(!taken(&sequence, "5") && !paid());
        assert!(taken(&sequence, "5") && paid() && !paid());
        drop(sequence.attempt("6"));
        assert!(!paid());
        assert!(taken(&sequence, "6") && paid() && !paid());
        assert!(taken(&sequence, "7") && !paid());
    }

    #[test]
    fn a_probe_after_a_jump_is_refused_in_any_case_but_does_not_lead_to_another() {
        let sequence = Sequence::default();
        let innocent = (1..=DOUBTS_MAX).map(|n| (n * 10).to_string());
        innocent.for_each(|number| assert!(!taken(&sequence, &number) && taken(&sequence, &number)));
        sequence.owe_probe(false);

        assert_eq!([take(&sequence, "900", true), take(&sequence, "900", true)], [false, true]);
        assert!(!sequence.is_probe_due());
    }
}
