//! `lease`: who works on what.

use std::time::Duration;

use super::Disk;
use crate::{Holder, Lease, LeaseKey, Store};

const LONG: Duration = Duration::from_mins(10);

fn holder(name: &str) -> Holder {
    Holder { name: name.into(), place: format!("{name}.example:8443") }
}

fn keys(names: &[&str]) -> Vec<LeaseKey> {
    names.iter().map(|name| LeaseKey((*name).to_owned())).collect()
}

fn wanting(name: &str, wanted: &[&str], lasts: Duration) -> Lease {
    Lease { holder: holder(name), wanted: keys(wanted), given_up: vec![], lasts }
}

/// All that is held afterwards, as (key, holder).
async fn held(store: &dyn Store, lease: Lease) -> Vec<(String, Holder)> {
    store.lease(lease).await.unwrap().into_iter().map(|row| (row.key.0, row.holder)).collect()
}

fn expected(pairs: &[(&str, &str)]) -> Vec<(String, Holder)> {
    pairs.iter().map(|(key, name)| ((*key).to_owned(), holder(name))).collect()
}

pub async fn what_one_holds_no_other_gets(disk: &dyn Disk) {
    let store = disk.open().await;

    let first = held(&*store, wanting("a", &["x", "y"], LONG)).await;
    let second = held(&*store, wanting("b", &["y", "z"], LONG)).await;

    assert_eq!(first, expected(&[("x", "a"), ("y", "a")]));
    assert_eq!(second, expected(&[("x", "a"), ("y", "a"), ("z", "b")]));
}

pub async fn what_is_given_up_is_free(disk: &dyn Disk) {
    let store = disk.open().await;
    held(&*store, wanting("a", &["x", "y"], LONG)).await;

    let not_its_own = Lease { given_up: keys(&["x"]), ..wanting("b", &[], LONG) };
    let unchanged = held(&*store, not_its_own).await;
    let given_up = held(&*store, Lease { given_up: keys(&["x"]), ..wanting("a", &["y"], LONG) }).await;
    let taken = held(&*store, wanting("b", &["x", "y"], LONG)).await;

    assert_eq!(unchanged, expected(&[("x", "a"), ("y", "a")]));
    assert_eq!(given_up, expected(&[("y", "a")]));
    assert_eq!(taken, expected(&[("x", "b"), ("y", "a")]));
}

pub async fn what_ran_out_is_free_and_what_is_renewed_is_not(disk: &dyn Disk) {
    let store = disk.open().await;
    held(&*store, wanting("a", &["x", "y"], Duration::ZERO)).await;
    held(&*store, wanting("a", &["y"], LONG)).await;

    let taken = held(&*store, wanting("b", &["x", "y"], LONG)).await;

    assert_eq!(taken, expected(&[("x", "b"), ("y", "a")]));
}
