//! A hundred rounds, in two worlds side by side.

use std::sync::Arc;

use crash::schedule::POINTS;
use crash::{Plan, Store};

#[tokio::test]
async fn whoever_is_killed_a_hundred_times_loses_doubles_reorders_and_misattributes_nothing() {
    let plan = Plan {
        rounds: 100,
        seed: 1,
        store: Store::Sqlite,
        rounds_per_world: 50,
        power_cuts: false,
        worlds_at_once: 2,
    };

    let report = plan.run(Arc::new(|round| println!("{round}"))).await.unwrap();

    println!("{report}");
    assert_eq!(report.rounds, 100);
    assert_eq!(report.heard, report.acknowledged);
    assert!(report.undelivered.iter().all(|undelivered| *undelivered > 0));
    assert!(POINTS.iter().all(|point| report.deaths.contains_key(point.name)));
}
