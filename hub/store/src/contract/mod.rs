//! What every store keeps to, as tests.
//!
//! A crate that implements [`Store`] says how its disk is opened and runs all of them:
//!
//! ```ignore
//! mimi_store::contract_tests!(MyDisk::new());
//! ```
#![expect(clippy::unwrap_used, reason = "these are tests that other crates run")]
#![expect(clippy::missing_panics_doc, reason = "a test panics when it fails")]
#![expect(missing_docs, reason = "the names of the tests are sentences")]

pub mod claims;
pub mod decisions;
pub mod durability;
pub mod lanes;
pub mod leases;
pub mod reads;
pub mod rows;
pub mod sample;

use std::sync::Arc;

use async_trait::async_trait;

use crate::{EventLimit, Seq, Store};

/// What survives a crash: opening it twice gives two stores over the same data.
#[async_trait]
pub trait Disk: Send + Sync {
    /// Opens a store over the data. Stores opened before may have been dropped without being closed.
    async fn open(&self) -> Arc<dyn Store>;
}

/// Runs every test of the contract against a new disk each, given by an expression.
#[macro_export]
macro_rules! contract_tests {
    ($disk:expr) => {
        $crate::contract_tests! { $disk =>
            decisions::a_decision_is_stored_as_a_whole,
            decisions::a_decision_that_conflicts_in_its_last_part_leaves_nothing,
            decisions::a_room_is_founded_once,
            decisions::a_room_that_was_never_founded_decides_nothing,
            decisions::only_a_decision_on_the_present_version_is_stored,
            decisions::a_message_leaves_the_version_alone,
            decisions::a_room_keeps_its_role,
            decisions::a_place_in_the_log_is_taken_once,
            decisions::a_request_enters_a_log_once,
            decisions::two_rooms_may_log_the_same_request,
            decisions::a_key_package_has_one_route_per_room,
            decisions::a_room_keeps_its_latest_trees,
            lanes::a_lane_opens_at_its_first_event,
            lanes::a_lane_is_a_set_of_intervals,
            lanes::an_open_lane_does_not_open_again,
            lanes::a_lane_that_is_not_open_does_not_close,
            lanes::a_lane_never_closes_before_what_was_sent,
            lanes::a_position_never_goes_backwards,
            lanes::a_position_never_leaves_its_interval,
            lanes::a_batch_that_was_rejected_may_be_split,
            lanes::a_batch_starts_where_the_lane_is,
            lanes::a_closed_interval_is_gone_once_it_is_delivered,
            lanes::one_bad_step_stores_no_step_of_its_batch,
            claims::a_claim_stores_its_key_packages,
            claims::the_same_request_is_answered_the_same_and_mints_nothing,
            claims::the_same_request_of_another_provider_is_another_claim,
            claims::an_answer_expires,
            claims::of_many_same_requests_at_once_one_mints,
            claims::a_reference_is_claimed_once,
            claims::a_key_package_is_used_once,
            rows::a_row_is_inserted_once,
            rows::a_put_counts_versions,
            rows::a_put_expects_the_present_version,
            rows::a_delete_expects_the_present_version,
            rows::a_batch_sees_its_own_changes,
            rows::a_batch_that_conflicts_leaves_nothing,
            rows::of_many_puts_on_one_version_one_is_stored,
            reads::rows_are_read_in_the_order_of_their_keys,
            reads::events_are_read_up_to_the_limit,
            reads::the_first_event_is_read_whatever_its_size,
            reads::rooms_are_listed_by_role,
            reads::what_is_not_there_is_not_found,
            reads::a_room_is_told_to_have_grown_once_it_can_be_read,
            reads::a_conflict_wakes_nobody,
            leases::what_one_holds_no_other_gets,
            leases::what_is_given_up_is_free,
            leases::what_ran_out_is_free_and_what_is_renewed_is_not,
            durability::everything_survives_a_crash,
            durability::what_was_acknowledged_to_many_writers_survives_a_crash,
            durability::a_conflict_does_not_touch_what_is_stored_beside_it,
            durability::messages_sent_without_waiting_are_stored_in_order,
            durability::a_reopened_store_goes_on_where_it_was,
        }
    };
    ($disk:expr => $($part:ident::$test:ident),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                let disk = $disk;

                $crate::contract::$part::$test(&disk).await;
            }
        )+
    };
}

async fn places(store: &dyn Store, room: &str) -> Vec<u64> {
    let limit = EventLimit { count: usize::MAX, bytes: usize::MAX };
    let events = store.events(&sample::room(room), Seq::FIRST, limit).await.unwrap();
    events.into_iter().map(|event| event.seq.0).collect()
}
