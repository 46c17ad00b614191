use std::collections::{BTreeSet, VecDeque};

use mimi_mls::Epoch;
use mimi_uri::UserUri;
use serde::{Deserialize, Serialize};

/// Who was active in the epochs whose messages are still accepted, kept as what each commit changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PastEpochs(VecDeque<Ending>);

/// What the commit that ended an epoch changed about who is active.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Ending {
    epoch: u64,
    arrived: BTreeSet<UserUri>,
    departed: BTreeSet<UserUri>,
}

impl PastEpochs {
    /// Notes the end of an epoch, and forgets those that nobody may speak in any more.
    pub(crate) fn end(
        &mut self,
        epoch: Epoch,
        before: &BTreeSet<UserUri>,
        after: &BTreeSet<UserUri>,
        tolerance: u8,
    ) {
        self.0.push_back(Ending {
            epoch: epoch.0,
            arrived: after.difference(before).cloned().collect(),
            departed: before.difference(after).cloned().collect(),
        });
        while self.0.len() > usize::from(tolerance) {
            self.0.pop_front();
        }
    }

    /// How many epochs before the present one are still known.
    pub(crate) fn known(&self) -> u64 {
        self.0.len() as u64
    }

    /// Whether somebody who is active now was active in an epoch that is still known.
    pub(crate) fn was_active(&self, user: &UserUri, epoch: Epoch) -> bool {
        let mut active = true;
        for ending in self.0.iter().rev().take_while(|ending| ending.epoch >= epoch.0) {
            if ending.arrived.contains(user) {
                active = false;
            } else if ending.departed.contains(user) {
                active = true;
            }
        }
        active
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users(names: &[&str]) -> BTreeSet<UserUri> {
        names.iter().map(|name| UserUri::parse(&format!("mimi://a.example/u/{name}")).unwrap()).collect()
    }

    fn user(name: &str) -> UserUri {
        users(&[name]).pop_first().unwrap()
    }

    /// Epoch 0: alice, bob. Epoch 1: alice. Epoch 2: alice, bob. Epoch 3: alice, bob, carol.
    fn history(tolerance: u8) -> PastEpochs {
        let epochs = [&["alice", "bob"][..], &["alice"], &["alice", "bob"], &["alice", "bob", "carol"]];
        let mut past = PastEpochs::default();
        for (epoch, (before, after)) in (0..).zip(epochs.iter().zip(&epochs[1..])) {
            past.end(Epoch(epoch), &users(before), &users(after), tolerance);
        }
        past
    }

    #[test]
    fn who_left_and_came_back_was_not_there_in_between() {
        let past = history(3);

        let bob = [0, 1, 2, 3].map(|epoch| past.was_active(&user("bob"), Epoch(epoch)));

        assert_eq!(bob, [true, false, true, true]);
    }

    #[test]
    fn who_has_just_come_was_in_no_epoch_before() {
        let past = history(3);

        let carol = [0, 1, 2, 3].map(|epoch| past.was_active(&user("carol"), Epoch(epoch)));

        assert_eq!(carol, [false, false, false, true]);
    }

    #[test]
    fn no_more_epochs_are_kept_than_the_room_tolerates() {
        assert_eq!(history(3).known(), 3);
        assert_eq!(history(1).known(), 1);
        assert_eq!(history(0).known(), 0);
    }
}
