//! A hundred rounds with each store, in two worlds side by side.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "these are tests")]

use std::sync::Arc;

use crash::schedule::POINTS;
use crash::{Plan, Store};

async fn a_hundred_rounds(store: Store) {
    let plan =
        Plan { rounds: 100, seed: 1, store, rounds_per_world: 50, power_cuts: false, worlds_at_once: 2 };

    let report = plan.run(Arc::new(|round| println!("{round}"))).await.unwrap();

    println!("{report}");
    assert_eq!(report.rounds, 100);
    assert_eq!(report.heard, report.acknowledged);
    assert!(report.undelivered.iter().all(|undelivered| *undelivered > 0));
    assert!(POINTS.iter().all(|point| report.deaths.contains_key(point.name)));
}

#[tokio::test]
async fn whoever_is_killed_a_hundred_times_loses_doubles_reorders_and_misattributes_nothing() {
    a_hundred_rounds(Store::Sqlite).await;
}

#[tokio::test]
async fn nor_does_he_with_a_database_that_lives_on() {
    a_hundred_rounds(Store::Postgres).await;
}
