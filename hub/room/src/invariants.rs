//! What is true of every room after every accepted event (I1–I11).
//!
//! Debug builds check it, and so do all tests. What is about the log rather than the room (I4, I6) is in the tests of
//! the lanes and of the log.

use mimi_mls::{HubGroup, read_identity};
use mimi_room_policy::can_send;
use mimi_uri::UserUri;

use crate::create::{check_hosted, check_preemption};
use crate::facts::HubFacts;
use crate::group::Group;
use crate::header::Header;
use crate::pending::PendingActions;
use crate::room::Room;

/// What is not as it should be; nothing, unless there is a bug.
pub(crate) fn violations(room: &Room, hub: &HubFacts) -> Vec<String> {
    let mut found = Violations(Vec::new());
    found.preemption(&room.header);
    found.effect_at_once(&room.header);
    found.names(&room.header, hub);
    if let Group::Open(group) = &room.group {
        found.confirmation(&room.header, group);
        found.leaves(&room.header, group);
        // I8: the hub can always propose.
        found.unless(
            group.external_senders().contains(&hub.external_sender),
            "I8",
            "the hub is no external sender",
        );
    }
    found.0
}

struct Violations(Vec<String>);

impl Violations {
    fn unless(&mut self, holds: bool, id: &str, what: impl std::fmt::Display) {
        if !holds {
            self.0.push(format!("{id}: {what}"));
        }
    }

    /// I1, I3: policy before list before group. Every leaf's user is on the committed list, in a role with clients.
    fn preemption(&mut self, header: &Header) {
        let checked = check_preemption(&header.policy, &header.roster);
        self.unless(checked.is_ok(), "I1", format!("{checked:?}"));
    }

    /// I7: what is taken from somebody is gone as soon as that is accepted. I10: the roster counts the leaves.
    fn effect_at_once(&mut self, header: &Header) {
        for (user, standing) in header.roster.iter().filter(|(_, standing)| standing.effective_leaves() == 0)
        {
            let silent = can_send(&header.policy, &header.roster, user).is_err();
            self.unless(silent, "I7", format!("{user} has {standing:?} and speaks"));
        }
        let mut roster = header.committed();
        header.pending.apply(&mut roster);
        self.unless(
            roster == header.roster,
            "I10",
            "the roster is not that of list, leaves and pending actions",
        );
    }

    /// I11: the room keeps its address. I9: and stays within what the hub takes.
    fn names(&mut self, header: &Header, hub: &HubFacts) {
        self.unless(header.policy.metadata.room_uri == header.uri, "I11", "the policy is of another room");
        let hosted = check_hosted(hub, &header.policy, header.leaves.len());
        self.unless(hosted.is_ok(), "I9", format!("{hosted:?}"));
    }

    /// I2: the group's dictionary is the room's policy, byte for byte. I4, I5: one epoch, and nothing forgotten in it.
    fn confirmation(&mut self, header: &Header, group: &HubGroup) {
        let policy = header.policy.components().map(|(id, bytes)| (id.0, bytes));
        self.unless(policy.eq(group.components()), "I2", "policy and dictionary differ");
        self.unless(group.epoch() == header.epoch, "I4", "room and group are of different epochs");
        self.unless(group.group_id() == header.group_id, "I11", "the group is another one");
        let nothing = group.pending_proposals().is_empty();
        self.unless(
            !nothing || header.pending == PendingActions::default(),
            "I5",
            "actions are pending without proposals",
        );
    }

    /// I1: the leaves are the group's, with the names that their credentials say.
    fn leaves(&mut self, header: &Header, group: &HubGroup) {
        let said = group.members().into_iter().map(|member| {
            let user: Option<UserUri> = read_identity(&member.credential).ok().map(|identity| identity.user);
            (member.leaf, user)
        });
        let known = header.leaves.iter().map(|(leaf, identity)| (leaf, Some(identity.user.clone())));
        self.unless(said.eq(known), "I1", "the leaves are not those of the group");
    }
}
