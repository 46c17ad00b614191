//! Lanes: intervals that open, close, move forwards and end.

use super::{Disk, sample};
use crate::{Batch, LaneChange, LaneProgress, LaneRow, Seq, Store, StoreFault};

fn open(from: u64) -> LaneChange {
    LaneChange::Open { peer: sample::provider("b"), from: Seq(from) }
}

fn close(to: u64) -> LaneChange {
    LaneChange::Close { peer: sample::provider("b"), to: Seq(to) }
}

fn batch(from: u64, position: u64, batch_end: u64) -> LaneProgress {
    LaneProgress::BatchEnd {
        room: sample::room("r"),
        peer: sample::provider("b"),
        from: Seq(from),
        position: Seq(position),
        batch_end: Seq(batch_end),
    }
}

fn advance(from: u64, position: u64) -> LaneProgress {
    LaneProgress::Advance {
        room: sample::room("r"),
        peer: sample::provider("b"),
        from: Seq(from),
        position: Seq(position),
    }
}

async fn change(store: &dyn Store, change: LaneChange) -> Result<(), StoreFault> {
    store.decide(sample::changing("r", vec![change])).await
}

async fn step(store: &dyn Store, progress: LaneProgress) -> Result<(), StoreFault> {
    store.record(Batch { lanes: vec![progress], ..Batch::default() }).await
}

/// The intervals as (from, to, position, batch end).
async fn intervals(store: &dyn Store) -> Vec<(u64, Option<u64>, u64, Option<u64>)> {
    let rows = store.lanes().await.unwrap();
    rows.into_iter()
        .map(|row| (row.from.0, row.to.map(|to| to.0), row.position.0, row.batch_end.map(|end| end.0)))
        .collect()
}

pub async fn a_lane_opens_at_its_first_event(disk: &dyn Disk) {
    let store = disk.open().await;
    store.decide(sample::founding("r")).await.unwrap();

    change(&*store, open(5)).await.unwrap();

    let expected = LaneRow {
        room: sample::room("r"),
        peer: sample::provider("b"),
        from: Seq(5),
        to: None,
        position: Seq(5),
        batch_end: None,
    };
    assert_eq!(store.lanes().await.unwrap(), [expected]);
}

pub async fn a_lane_is_a_set_of_intervals(disk: &dyn Disk) {
    let store = disk.open().await;
    store.decide(sample::founding("r")).await.unwrap();

    store.decide(sample::changing("r", vec![open(5), close(9)])).await.unwrap();
    let overlapping = change(&*store, open(8)).await;
    change(&*store, open(9)).await.unwrap();

    assert_eq!(overlapping, Err(StoreFault::Conflict));
    assert_eq!(intervals(&*store).await, [(5, Some(9), 5, None), (9, None, 9, None)]);
}

pub async fn an_open_lane_does_not_open_again(disk: &dyn Disk) {
    let store = disk.open().await;
    store.decide(sample::founding("r")).await.unwrap();
    change(&*store, open(5)).await.unwrap();

    let outcomes = [change(&*store, open(5)).await, change(&*store, open(7)).await];

    assert_eq!(outcomes, [const { Err(StoreFault::Conflict) }; 2]);
    assert_eq!(intervals(&*store).await, [(5, None, 5, None)]);
}

pub async fn a_lane_that_is_not_open_does_not_close(disk: &dyn Disk) {
    let store = disk.open().await;
    store.decide(sample::founding("r")).await.unwrap();

    let never_opened = change(&*store, close(5)).await;
    store.decide(sample::changing("r", vec![open(5), close(9)])).await.unwrap();
    let closed_before = change(&*store, close(9)).await;

    assert_eq!([never_opened, closed_before], [const { Err(StoreFault::Conflict) }; 2]);
}

pub async fn a_lane_never_closes_before_what_was_sent(disk: &dyn Disk) {
    let store = disk.open().await;
    store.decide(sample::founding("r")).await.unwrap();
    change(&*store, open(1)).await.unwrap();
    step(&*store, advance(1, 4)).await.unwrap();
    step(&*store, batch(1, 4, 6)).await.unwrap();

    let outcomes = [change(&*store, close(3)).await, change(&*store, close(5)).await];
    change(&*store, close(6)).await.unwrap();

    assert_eq!(outcomes, [const { Err(StoreFault::Conflict) }; 2]);
    assert_eq!(intervals(&*store).await, [(1, Some(6), 4, Some(6))]);
}

pub async fn a_position_never_goes_backwards(disk: &dyn Disk) {
    let store = disk.open().await;
    store.decide(sample::founding("r")).await.unwrap();
    change(&*store, open(1)).await.unwrap();
    step(&*store, batch(1, 1, 4)).await.unwrap();
    step(&*store, advance(1, 4)).await.unwrap();

    let backwards = step(&*store, advance(1, 3)).await;
    let same_again = step(&*store, advance(1, 4)).await;
    let behind = step(&*store, batch(1, 4, 4)).await;

    assert_eq!((backwards, same_again), (Err(StoreFault::Conflict), Ok(())));
    assert_eq!(behind, Err(StoreFault::Conflict));
    assert_eq!(intervals(&*store).await, [(1, None, 4, None)]);
}

pub async fn a_position_never_leaves_its_interval(disk: &dyn Disk) {
    let store = disk.open().await;
    store.decide(sample::founding("r")).await.unwrap();
    store.decide(sample::changing("r", vec![open(2), close(5)])).await.unwrap();

    let outcomes = [
        step(&*store, advance(2, 6)).await,
        step(&*store, batch(2, 2, 6)).await,
        step(&*store, advance(2, 1)).await,
        step(&*store, advance(3, 4)).await,
        step(&*store, batch(3, 3, 4)).await,
    ];

    assert_eq!(outcomes, [const { Err(StoreFault::Conflict) }; 5]);
    assert_eq!(intervals(&*store).await, [(2, Some(5), 2, None)]);
}

pub async fn a_batch_that_was_rejected_may_be_split(disk: &dyn Disk) {
    let store = disk.open().await;
    store.decide(sample::founding("r")).await.unwrap();
    change(&*store, open(1)).await.unwrap();
    step(&*store, batch(1, 1, 9)).await.unwrap();

    step(&*store, batch(1, 1, 5)).await.unwrap();
    step(&*store, advance(1, 3)).await.unwrap();

    assert_eq!(intervals(&*store).await, [(1, None, 3, Some(5))]);
}

pub async fn a_batch_starts_where_the_lane_is(disk: &dyn Disk) {
    let store = disk.open().await;
    store.decide(sample::founding("r")).await.unwrap();
    change(&*store, open(1)).await.unwrap();
    step(&*store, advance(1, 3)).await.unwrap();
    step(&*store, batch(1, 3, 6)).await.unwrap();

    // Whoever does not know how far another process came.
    let of_before = step(&*store, batch(1, 1, 6)).await;
    let ahead = step(&*store, batch(1, 4, 6)).await;
    let again = step(&*store, batch(1, 3, 7)).await;

    assert_eq!([of_before, ahead], [const { Err(StoreFault::Conflict) }; 2]);
    assert_eq!(again, Ok(()));
    assert_eq!(intervals(&*store).await, [(1, None, 3, Some(7))]);
}

pub async fn a_closed_interval_is_gone_once_it_is_delivered(disk: &dyn Disk) {
    let store = disk.open().await;
    store.decide(sample::founding("r")).await.unwrap();
    store.decide(sample::changing("r", vec![open(1), close(4), open(6)])).await.unwrap();

    step(&*store, advance(1, 4)).await.unwrap();
    let again = step(&*store, advance(1, 4)).await;
    step(&*store, advance(6, 8)).await.unwrap();
    let before = intervals(&*store).await;
    change(&*store, close(8)).await.unwrap();

    assert_eq!(again, Err(StoreFault::Conflict));
    assert_eq!(before, [(6, None, 8, None)]);
    assert_eq!(intervals(&*store).await, []);
}

pub async fn one_bad_step_stores_no_step_of_its_batch(disk: &dyn Disk) {
    let store = disk.open().await;
    store.decide(sample::founding("r")).await.unwrap();
    change(&*store, open(1)).await.unwrap();

    let steps = vec![batch(1, 1, 4), advance(1, 4), advance(7, 8)];
    let outcome = store.record(Batch { lanes: steps, ..Batch::default() }).await;

    assert_eq!(outcome, Err(StoreFault::Conflict));
    assert_eq!(intervals(&*store).await, [(1, None, 1, None)]);
}
