//! The seeds that every change runs through, and those that once found something.

use simulation::run;

/// Runs some seeds; what does not hold is told with the command that runs the seed again.
fn seeds(range: std::ops::Range<u64>) {
    let mut failed = Vec::new();
    for seed in range {
        let outcome = run(seed);
        if !outcome.violations.is_empty() {
            let told: Vec<String> = outcome.violations.iter().map(ToString::to_string).collect();
            failed.push(format!("cargo xtask simulate --seed {seed}\n    {}", told.join("\n    ")));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// A thousand seeds in twenty parts, for as many cores as there are.
macro_rules! parts {
    ($($name:ident $from:literal)*) => {
        $(#[test]
        fn $name() {
            seeds($from..$from + 50);
        })*
    };
}

parts! {
    seeds_from_0 0
    seeds_from_50 50
    seeds_from_100 100
    seeds_from_150 150
    seeds_from_200 200
    seeds_from_250 250
    seeds_from_300 300
    seeds_from_350 350
    seeds_from_400 400
    seeds_from_450 450
    seeds_from_500 500
    seeds_from_550 550
    seeds_from_600 600
    seeds_from_650 650
    seeds_from_700 700
    seeds_from_750 750
    seeds_from_800 800
    seeds_from_850 850
    seeds_from_900 900
    seeds_from_950 950
}

/// What is stored without an answer woke nobody: a message waited in the inbox, or in the outbox, for the next start.
#[test]
fn what_a_failing_disk_stored_is_carried_on() {
    for seed in [9, 27, 67, 208] {
        seeds(seed..seed + 1);
    }
}

/// A person wrote into a chat that was being opened for him, in the moment in which it was linked, or while he opened
/// one himself: nobody knew the chat, and what he wrote was dropped.
#[test]
fn what_is_said_while_a_chat_is_opened_is_not_dropped() {
    seeds(223..224);
}

#[test]
fn a_seed_has_one_schedule() {
    for seed in [0, 1, 2, 3] {
        let (once, again) = (run(seed), run(seed));

        let differ = once.trace.iter().zip(&again.trace).position(|(one, other)| one != other);
        assert_eq!(differ.map(|at| (&once.trace[at], &again.trace[at])), None, "seed {seed}");
        assert_eq!(once.digest, again.digest, "seed {seed}");
    }
}

#[test]
fn two_seeds_have_two_schedules() {
    assert_ne!(run(1).digest, run(2).digest);
}
