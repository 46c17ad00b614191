//! Whatever happens in whatever order, the room stays a room: its invariants are asserted by debug builds after every
//! accepted event, and every gateway can follow what it is sent.

use std::collections::BTreeSet;

use mimi_mls::hosted::{CommitPlan, HostedRoom};
use mimi_mls::{LeafIndex, MlsMessage};
use mimi_room::PolicyComponents;
use mimi_room_policy::ComponentId;
use mimi_room_policy::components::ParticipantListData;
use proptest::prelude::*;

use crate::world::*;

/// Somebody by his place among [`PEOPLE`].
type Person = usize;

const PEOPLE: [&str; 4] = ["alice@a", "bob@b", "carol@c", "dave@b"];
const ORDINARY: u32 = 2;
const BANNED: u32 = 1;

#[derive(Debug, Clone, Copy)]
enum Step {
    Say(Person),
    Renew(Person),
    Bring(Person, Person),
    Invite(Person, Person),
    LeaveGroup(Person),
    LeaveRoom(Person),
    Remove(Person, Person),
    Ban(Person, Person),
    Reload,
    Deliver,
}

fn step() -> impl Strategy<Value = Step> {
    let one = 0..PEOPLE.len();
    let two = (one.clone(), one.clone());
    prop_oneof![
        3 => one.clone().prop_map(Step::Say),
        3 => one.clone().prop_map(Step::Renew),
        2 => two.clone().prop_map(|(who, whom)| Step::Bring(who, whom)),
        3 => two.clone().prop_map(|(who, whom)| Step::Invite(who, whom)),
        1 => one.clone().prop_map(Step::LeaveGroup),
        1 => one.prop_map(Step::LeaveRoom),
        1 => two.clone().prop_map(|(who, whom)| Step::Remove(who, whom)),
        1 => two.prop_map(|(who, whom)| Step::Ban(who, whom)),
        1 => Just(Step::Reload),
        6 => Just(Step::Deliver),
    ]
}

/// A world, and who has asked in this epoch to leave its group.
///
/// Nobody else asks to remove those: the assertions of openmls do not expect it of whoever commits both.
struct Story {
    world: World,
    leaving: BTreeSet<LeafIndex>,
}

impl Story {
    /// What a provider sends for somebody who may be outdated or not allowed: refused then, and no more.
    fn take(&mut self, step: Step) {
        match step {
            Step::Say(who) => {
                if self.leaf(who).is_some() {
                    drop(self.world.says(PEOPLE[who]));
                }
            }
            Step::Renew(who) => self.commit(who, &CommitPlan { with_path: true, ..CommitPlan::default() }),
            Step::Bring(who, whom) => {
                let adds = vec![self.world.mint(PEOPLE[whom])];
                self.commit(who, &CommitPlan { adds, ..CommitPlan::default() });
            }
            Step::Invite(who, whom) => {
                let adds = vec![self.world.mint(PEOPLE[whom])];
                let component_updates = vec![list_update(&[], &[], &[(PEOPLE[whom], ORDINARY)])];
                self.commit(who, &CommitPlan { adds, component_updates, ..CommitPlan::default() });
            }
            Step::LeaveGroup(who) => self.leave(who, false),
            Step::LeaveRoom(who) => self.leave(who, true),
            Step::Remove(who, whom) => self.remove(who, whom),
            Step::Ban(who, whom) => self.ban(who, whom),
            Step::Reload => self.world.reload(),
            Step::Deliver => self.world.deliver(),
        }
    }

    fn leave(&mut self, who: Person, for_good: bool) {
        let Some(own) = self.leaf(who) else { return };
        let room = self.gateway(who);
        let off_the_list = place(room, who).filter(|_| for_good).map(|at| list_update(&[], &[at], &[]));
        let off_the_list = off_the_list
            .map(|(component, update)| room.propose_component_update(own, component, &update).unwrap());
        let proposals: Vec<_> =
            off_the_list.into_iter().chain([room.propose_self_remove(own).unwrap()]).collect();
        if self.propose(who, &proposals) {
            self.leaving.insert(own);
        }
    }

    fn remove(&mut self, who: Person, whom: Person) {
        let (Some(_), Some(last)) = (self.leaf(who), self.removable(whom)) else { return };
        let at = place(self.gateway(who), whom);
        let component_updates = at.map(|at| list_update(&[], &[at], &[])).into_iter().collect();
        let plan = CommitPlan { removes: vec![last], component_updates, ..CommitPlan::default() };
        self.commit(who, &plan);
    }

    fn ban(&mut self, who: Person, whom: Person) {
        let (Some(own), Some(banned)) = (self.leaf(who), self.removable(whom)) else { return };
        let room = self.gateway(who);
        let (Some(at), Ok(removal)) = (place(room, whom), room.propose_remove(own, banned)) else { return };
        let (component, ban) = list_update(&[(at, BANNED)], &[], &[]);
        let ban = room.propose_component_update(own, component, &ban).unwrap();
        self.propose(who, &[ban, removal]);
    }

    fn gateway(&self, who: Person) -> &HostedRoom {
        self.world.gateways[user(PEOPLE[who]).domain()].room.as_ref().unwrap()
    }

    fn leaf(&self, who: Person) -> Option<LeafIndex> {
        let who = user(PEOPLE[who]);
        self.world.gateways[who.domain()].room.as_ref()?.leaf_of(&who)
    }

    fn removable(&self, whom: Person) -> Option<LeafIndex> {
        self.leaf(whom).filter(|leaf| !self.leaving.contains(leaf))
    }

    fn propose(&mut self, who: Person, proposals: &[MlsMessage]) -> bool {
        accepted(&self.world.propose(user(PEOPLE[who]).domain().as_str(), proposals))
    }

    fn commit(&mut self, who: Person, plan: &CommitPlan) {
        let Some(own) = self.leaf(who) else { return };
        let who = user(PEOPLE[who]);
        let Ok(own) = self.world.hosted(&who).commit(own, plan, &PolicyComponents) else { return };
        if accepted(&self.world.update(who.domain().as_str(), &bundle(&own))) {
            self.leaving.clear();
            self.world.deliver();
        } else {
            self.world.hosted(&who).abandon_commit();
        }
    }
}

/// Where somebody stands on the list, as this gateway knows it.
fn place(room: &HostedRoom, who: Person) -> Option<u32> {
    let list = room.component(ComponentId::PARTICIPANT_LIST.0).unwrap();
    ParticipantListData::decode(list).unwrap().index_of(&user(PEOPLE[who]))
}

/// A group that all are in; Alice owns it.
fn group() -> World {
    let mut world = Beginning::cooperative().world();
    let others = &PEOPLE[1..];
    let list: Vec<_> = others.iter().map(|other| (*other, ORDINARY)).collect();
    let plan = CommitPlan {
        adds: others.iter().map(|other| world.mint(other)).collect(),
        component_updates: vec![list_update(&[], &[], &list)],
        ..CommitPlan::default()
    };
    world.commit(PEOPLE[0], &plan).unwrap();
    world.deliver();
    world
}

fn everybody_keeps_up(world: World, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut story = Story { world, leaving: BTreeSet::new() };

    for step in steps {
        story.take(step);
    }
    story.world.deliver();

    for provider in PROVIDERS {
        if let Some(room) = &story.world.gateways[&domain(provider)].room {
            prop_assert_eq!(room.epoch(), story.world.room.epoch());
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 20,
        max_shrink_iters: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_direct_chat_keeps_its_invariants_and_its_followers_keep_up(
        steps in prop::collection::vec(step(), 5..30),
    ) {
        everybody_keeps_up(World::direct(), steps)?;
    }

    #[test]
    fn a_group_keeps_its_invariants_and_its_followers_keep_up(steps in prop::collection::vec(step(), 10..50)) {
        everybody_keeps_up(group(), steps)?;
    }
}
