//! `claim`: exactly once per request; and the use of what was claimed.

use std::sync::Arc;

use mimi_wire::Timestamp;
use tokio::task::JoinSet;

use super::{Disk, sample};
use crate::{Batch, Claim, Claimed, StoreFault};

pub async fn a_claim_stores_its_key_packages(disk: &dyn Disk) {
    let store = disk.open().await;

    let claimed = store.claim(sample::claim(1, "answer", vec![sample::key_package(1)])).await;

    assert_eq!(claimed, Ok(Claimed::Fresh));
    let expected = sample::key_package(1).claimed_by(sample::provider("a"));
    assert_eq!(store.key_package(&sample::reference(1)).await.unwrap(), Some(expected));
}

pub async fn the_same_request_is_answered_the_same_and_mints_nothing(disk: &dyn Disk) {
    let store = disk.open().await;
    store.claim(sample::claim(1, "first", vec![sample::key_package(1)])).await.unwrap();

    let replayed = store.claim(sample::claim(1, "second", vec![sample::key_package(2)])).await;

    assert_eq!(replayed, Ok(Claimed::Replayed(b"first".to_vec())));
    assert_eq!(store.key_package(&sample::reference(2)).await.unwrap(), None);
}

pub async fn the_same_request_of_another_provider_is_another_claim(disk: &dyn Disk) {
    let store = disk.open().await;
    store.claim(sample::claim(1, "first", vec![])).await.unwrap();

    let other = Claim { peer: sample::provider("c"), ..sample::claim(1, "second", vec![]) };

    assert_eq!(store.claim(other).await, Ok(Claimed::Fresh));
}

pub async fn an_answer_expires(disk: &dyn Disk) {
    let store = disk.open().await;
    let at = |now, expires, answer, number| Claim {
        now: Timestamp(now),
        expires: Timestamp(expires),
        ..sample::claim(1, answer, vec![sample::key_package(number)])
    };
    store.claim(at(1_000, 2_000, "first", 1)).await.unwrap();

    let just_before = store.claim(at(1_999, 2_999, "second", 2)).await;
    let just_then = store.claim(at(2_000, 3_000, "third", 3)).await;
    let after = store.claim(at(2_001, 3_001, "fourth", 4)).await;

    assert_eq!(just_before, Ok(Claimed::Replayed(b"first".to_vec())));
    assert_eq!(just_then, Ok(Claimed::Fresh));
    assert_eq!(after, Ok(Claimed::Replayed(b"third".to_vec())));
}

pub async fn of_many_same_requests_at_once_one_mints(disk: &dyn Disk) {
    let store = disk.open().await;
    let mut claims = JoinSet::new();

    for number in 1..=32 {
        let store = Arc::clone(&store);
        let claim = sample::claim(1, &number.to_string(), vec![sample::key_package(number)]);
        claims.spawn(async move { (number, store.claim(claim).await.unwrap()) });
    }
    let outcomes = claims.join_all().await;

    let fresh: Vec<u8> = outcomes
        .iter()
        .filter(|(_, claimed)| *claimed == Claimed::Fresh)
        .map(|(number, _)| *number)
        .collect();
    let [first] = fresh[..] else { panic!("{fresh:?} were all first") };
    let answer = Claimed::Replayed(first.to_string().into_bytes());
    for (number, claimed) in outcomes {
        let stored = store.key_package(&sample::reference(number)).await.unwrap();
        assert_eq!(stored.is_some(), number == first);
        assert!(number == first || claimed == answer, "{number}: {claimed:?}");
    }
}

pub async fn a_reference_is_claimed_once(disk: &dyn Disk) {
    let store = disk.open().await;
    store.claim(sample::claim(1, "first", vec![sample::key_package(1)])).await.unwrap();
    let minted = vec![sample::key_package(2), sample::key_package(1)];

    let conflicting = store.claim(sample::claim(2, "second", minted)).await;
    let retried = store.claim(sample::claim(2, "third", vec![sample::key_package(2)])).await;

    assert_eq!((conflicting, retried), (Err(StoreFault::Conflict), Ok(Claimed::Fresh)));
}

pub async fn a_key_package_is_used_once(disk: &dyn Disk) {
    let store = disk.open().await;
    store.claim(sample::claim(1, "answer", vec![sample::key_package(1)])).await.unwrap();
    let using = || Batch { used_key_packages: vec![sample::reference(1)], ..Batch::default() };

    let outcomes = (store.record(using()).await, store.record(using()).await);

    assert_eq!(outcomes, (Ok(()), Err(StoreFault::Conflict)));
    assert_eq!(store.key_package(&sample::reference(1)).await.unwrap(), None);
}
