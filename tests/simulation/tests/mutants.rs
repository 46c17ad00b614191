//! The checks can fail: what is spoilt on purpose is found, and called by its name.

use simulation::{Mutant, Violation, run_with};

/// What is found in the first seeds that a mutant spoils.
fn found_in(mutant: Mutant) -> Vec<Violation> {
    (0..20)
        .map(|seed| run_with(seed, Some(mutant)).violations)
        .find(|found| !found.is_empty())
        .unwrap_or_default()
}

#[test]
fn a_store_that_forgets_what_it_acknowledged_is_found() {
    let found = found_in(Mutant::ForgetsARow);

    assert!(found.iter().any(|it| matches!(it, Violation::Lost(_))), "{found:?}");
}

#[test]
fn a_follower_whose_log_is_in_another_order_is_found() {
    let found = found_in(Mutant::SwapsTheLog);

    assert!(found.iter().any(|it| matches!(it, Violation::LogsDiffer(_))), "{found:?}");
}

#[test]
fn a_message_that_is_shown_twice_is_found() {
    let found = found_in(Mutant::ShowsTwice);

    assert!(found.iter().any(|it| matches!(it, Violation::Doubled(_))), "{found:?}");
}

#[test]
fn a_message_under_another_name_is_found() {
    let found = found_in(Mutant::ShowsTheWrongSpeaker);

    assert!(found.iter().any(|it| matches!(it, Violation::Misattributed(_))), "{found:?}");
}

#[test]
fn a_message_before_an_earlier_one_is_found() {
    let found = found_in(Mutant::ShowsOutOfOrder);

    assert!(found.iter().any(|it| matches!(it, Violation::Reordered(_))), "{found:?}");
}
