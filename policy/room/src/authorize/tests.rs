//! The table B4: every row, allowed and denied.

mod bridged;
mod components;
mod constraints;
mod direct;
mod expansion;
mod invariants;
mod joining;
mod membership;
mod pending;
mod protocol;

use mimi_uri::{RoomUri, UserUri};

use super::*;
use crate::components::{ParticipantListData, Role, RoleData, UserRolePair};
use crate::{Capability, RoleIndex, template};

/// A room, and who is in it with how many leaves.
#[derive(Debug)]
struct World {
    policy: RoomPolicy,
    roster: Roster,
}

fn user(name: &str) -> UserUri {
    UserUri::parse(&format!("mimi://a.example/u/{name}")).unwrap()
}

fn room() -> RoomUri {
    RoomUri::parse("mimi://hub.example/r/1").unwrap()
}

fn read(components: &[(ComponentId, Vec<u8>)]) -> RoomPolicy {
    RoomPolicy::from_components(components.iter().map(|(id, bytes)| (id.0, bytes.as_slice()))).unwrap()
}

/// The cooperative room: the owner alice (4), the admin adam (3), bob and carol (2), and eve, who is banned (1).
fn cooperative() -> World {
    let policy = read(&template::cooperative(&room(), &user("alice")));
    World { policy, roster: Roster::default() }.listing(&[
        ("alice", 4, 2),
        ("adam", 3, 1),
        ("bob", 2, 1),
        ("carol", 2, 3),
        ("eve", 1, 0),
    ])
}

/// The direct chat of alice and bob, where only alice is active.
fn direct() -> World {
    let policy = read(&template::direct(&room(), &user("alice"), &user("bob")));
    World { policy, roster: Roster::default() }.listing(&[("alice", 2, 1), ("bob", 2, 0)])
}

impl World {
    /// The same room with these participants: name, role, leaves.
    fn listing(self, people: &[(&str, u32, usize)]) -> Self {
        let pairs = people
            .iter()
            .map(|(name, role, _)| UserRolePair { user: user(name), role_index: RoleIndex(*role) });
        let list = ParticipantListData { participants: pairs.collect() };
        let leaves: Vec<UserUri> =
            people.iter().flat_map(|(name, _, leaves)| std::iter::repeat_n(user(name), *leaves)).collect();
        let policy = self.policy.with(ComponentId::PARTICIPANT_LIST, Some(list.encode())).unwrap();
        World { roster: Roster::new(&list, &leaves), policy }
    }

    /// The same room with another definition of a role.
    fn with_role(self, index: u32, change: impl FnOnce(&mut Role)) -> Self {
        let mut roles: RoleData = self.policy.roles.clone();
        change(roles.roles.iter_mut().find(|role| role.role_index == RoleIndex(index)).unwrap());
        let policy = self.policy.with(ComponentId::ROLES_LIST, Some(roles.encode())).unwrap();
        World { policy, ..self }
    }

    fn with_base(self, change: impl FnOnce(&mut crate::components::BaseRoomPolicy)) -> Self {
        let mut base = self.policy.base.clone();
        change(&mut base);
        let policy = self.policy.with(ComponentId::BASE_ROOM_POLICY, Some(base.encode())).unwrap();
        World { policy, ..self }
    }

    /// What the named member is told who proposes one action.
    fn ask(&self, name: &str, action: Action) -> Result<(), DenyReason> {
        self.ask_as(&Actor::user(&user(name)), action)
    }

    fn ask_as(&self, actor: &Actor, action: Action) -> Result<(), DenyReason> {
        authorize(&self.policy, &self.roster, actor, &[action]).map_err(|denied| denied.reason)
    }

    /// What the named member is told who commits these actions.
    fn commit(&self, name: &str, actions: &[Action]) -> Result<(), DenyReason> {
        let actor = Actor::user(&user(name));
        let attributed: Vec<_> = actions.iter().map(|action| (&actor, action)).collect();
        authorize_commit(&self.policy, &self.roster, &attributed).map_err(|denied| denied.reason)
    }

    fn accept(mut self, action: &Action) -> Self {
        self.roster.propose(action);
        self
    }
}

fn add(name: &str, role: u32, clients: u32) -> Action {
    Action::AddParticipant { user: user(name), role: RoleIndex(role), clients }
}

fn remove(name: &str, clients: u32) -> Action {
    Action::RemoveParticipant { user: user(name), clients }
}

fn change(name: &str, role: u32, removed_clients: u32) -> Action {
    Action::ChangeRole { user: user(name), role: RoleIndex(role), removed_clients }
}

fn add_clients(name: &str, clients: u32) -> Action {
    Action::AddClients { user: user(name), clients }
}

fn remove_clients(name: &str, clients: u32) -> Action {
    Action::RemoveClients { user: user(name), clients }
}

fn lacks(capability: Capability) -> Result<(), DenyReason> {
    Err(DenyReason::MissingCapability(capability))
}

fn no_change(from: u32, to: u32) -> Result<(), DenyReason> {
    Err(DenyReason::RoleChangeNotAuthorized { from: RoleIndex(from), to: RoleIndex(to) })
}

/// Takes a capability from a role.
fn without(capability: Capability) -> impl FnOnce(&mut Role) {
    move |role| role.role_capabilities.retain(|it| *it != capability.0)
}

/// Gives a role a capability.
fn having(capability: Capability) -> impl FnOnce(&mut Role) {
    move |role| role.role_capabilities.push(capability.0)
}
