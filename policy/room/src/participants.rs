//! How updates change the participant list.

use std::collections::BTreeSet;

use mimi_uri::UserUri;

use crate::RoleIndex;
use crate::components::{ParticipantListData, ParticipantListUpdate};

/// Why updates do not fit a participant list, or each other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParticipantListError {
    /// Nobody stands at that position of the list before the commit.
    #[error("nobody stands at position {0} of the participant list")]
    NobodyAt(u32),
    /// The updates of one commit touch a user twice (PM25).
    #[error("{0} is touched twice in one commit")]
    TouchedTwice(UserUri),
    /// A user who is on the list is added.
    #[error("{0} is already on the participant list")]
    AlreadyListed(UserUri),
    /// Somebody would be on the list with the role of those who are not (RM1).
    #[error("nobody on the participant list has role 0")]
    OutsiderRole,
}

/// The list after all the updates of one commit.
///
/// All positions in all updates mean the list *before* the commit \[I\]: role changes first, then removals, of which the
/// survivors keep their order, then additions in the order of the proposals. So proposals that were made without
/// knowledge of each other still mean whom they meant.
pub fn apply<'u>(
    list: &ParticipantListData,
    updates: impl IntoIterator<Item = &'u ParticipantListUpdate>,
) -> Result<ParticipantListData, ParticipantListError> {
    let mut next = Changes { list: list.clone(), touched: BTreeSet::new(), removed: BTreeSet::new() };
    let mut added = Vec::new();
    for update in updates {
        for change in &update.changed_role_participants {
            next.change_role(change.user_index, change.role_index)?;
        }
        for user_index in &update.removed_indices {
            next.remove(*user_index)?;
        }
        added.extend(&update.added_participants);
    }
    for pair in added {
        if list.role_of(&pair.user).is_some() && !next.touched.contains(&pair.user) {
            return Err(ParticipantListError::AlreadyListed(pair.user.clone()));
        }
        next.touch(&pair.user)?;
        next.list.participants.push(pair.clone());
    }
    next.finish()
}

struct Changes {
    list: ParticipantListData,
    touched: BTreeSet<UserUri>,
    removed: BTreeSet<UserUri>,
}

impl Changes {
    fn change_role(&mut self, user_index: u32, role: RoleIndex) -> Result<(), ParticipantListError> {
        let user = self.user_at(user_index)?;
        self.touch(&user)?;
        for pair in self.list.participants.iter_mut().filter(|pair| pair.user == user) {
            pair.role_index = role;
        }
        Ok(())
    }

    fn remove(&mut self, user_index: u32) -> Result<(), ParticipantListError> {
        let user = self.user_at(user_index)?;
        self.touch(&user)?;
        self.removed.insert(user);
        Ok(())
    }

    /// PM25: "operate on the same user in the participant list more than once" makes the commit invalid.
    fn touch(&mut self, user: &UserUri) -> Result<(), ParticipantListError> {
        if self.touched.insert(user.clone()) {
            Ok(())
        } else {
            Err(ParticipantListError::TouchedTwice(user.clone()))
        }
    }

    /// Positions stay those of the list before the commit: nothing is taken out of it before the end.
    fn user_at(&self, user_index: u32) -> Result<UserUri, ParticipantListError> {
        let pair = self.list.at(user_index).ok_or(ParticipantListError::NobodyAt(user_index))?;
        Ok(pair.user.clone())
    }

    fn finish(self) -> Result<ParticipantListData, ParticipantListError> {
        let Self { mut list, removed, .. } = self;
        list.participants.retain(|pair| !removed.contains(&pair.user));
        if list.participants.iter().any(|pair| pair.role_index == RoleIndex::OUTSIDER) {
            return Err(ParticipantListError::OutsiderRole);
        }
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::{UserIndexRolePair, UserRolePair};

    fn user(name: &str) -> UserUri {
        UserUri::parse(&format!("mimi://a.example/u/{name}")).unwrap()
    }

    fn pair(name: &str, role: u32) -> UserRolePair {
        UserRolePair { user: user(name), role_index: RoleIndex(role) }
    }

    fn list(participants: &[(&str, u32)]) -> ParticipantListData {
        ParticipantListData {
            participants: participants.iter().map(|(name, role)| pair(name, *role)).collect(),
        }
    }

    fn update(changed: &[(u32, u32)], removed: &[u32], added: &[(&str, u32)]) -> ParticipantListUpdate {
        let changed = changed.iter().map(|(user_index, role)| UserIndexRolePair {
            user_index: *user_index,
            role_index: RoleIndex(*role),
        });
        ParticipantListUpdate {
            changed_role_participants: changed.collect(),
            removed_indices: removed.to_vec(),
            added_participants: list(added).participants,
        }
    }

    #[test]
    fn positions_of_every_proposal_mean_the_list_before_the_commit() {
        let before = list(&[("alice", 2), ("bob", 2), ("carol", 2), ("dave", 2)]);
        let updates = [update(&[], &[0], &[("erin", 2)]), update(&[(3, 3)], &[1], &[("frank", 2)])];

        let after = apply(&before, &updates);

        assert_eq!(after, Ok(list(&[("carol", 2), ("dave", 3), ("erin", 2), ("frank", 2)])));
    }

    #[test]
    fn a_position_beyond_the_list_is_refused_even_where_an_addition_would_stand() {
        let before = list(&[("alice", 2)]);

        let after = apply(&before, &[update(&[], &[], &[("bob", 2)]), update(&[(1, 3)], &[], &[])]);

        assert_eq!(after, Err(ParticipantListError::NobodyAt(1)));
    }

    #[test]
    fn pm25_a_commit_touches_a_user_at_most_once() {
        let before = list(&[("alice", 2), ("bob", 2)]);
        let twice = Err(ParticipantListError::TouchedTwice(user("bob")));

        assert_eq!(apply(&before, &[update(&[(1, 3), (1, 4)], &[], &[])]), twice);
        assert_eq!(apply(&before, &[update(&[(1, 3)], &[], &[]), update(&[], &[1], &[])]), twice);
        assert_eq!(apply(&before, &[update(&[], &[1, 1], &[])]), twice);
        assert_eq!(apply(&before, &[update(&[], &[1], &[("bob", 2)])]), twice);
        assert_eq!(
            apply(&before, &[update(&[], &[], &[("carol", 2)]), update(&[], &[], &[("carol", 3)])]),
            Err(ParticipantListError::TouchedTwice(user("carol")))
        );
    }

    #[test]
    fn who_is_listed_is_not_added_again() {
        let after = apply(&list(&[("alice", 2)]), &[update(&[], &[], &[("alice", 3)])]);

        assert_eq!(after, Err(ParticipantListError::AlreadyListed(user("alice"))));
    }

    #[test]
    fn rm1_nobody_on_the_list_gets_role_zero() {
        let before = list(&[("alice", 2)]);

        assert_eq!(apply(&before, &[update(&[(0, 0)], &[], &[])]), Err(ParticipantListError::OutsiderRole));
        assert_eq!(
            apply(&before, &[update(&[], &[], &[("bob", 0)])]),
            Err(ParticipantListError::OutsiderRole)
        );
    }
}
