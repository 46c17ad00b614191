//! Who may do what in a MIMI room.
//!
//! A room's policy is not configuration of its hub: it is a set of components in the group's own, agreed state, and the
//! hub and every client judge each other by it. So this crate is the one place where it is read, changed and applied,
//! and it is pure: facts in, decision out.
//!
//! * [`components`] are the structures of the drafts, with one strict door (`decode`) each.
//! * [`apply_component`] says what the updates of one commit make of a component.
//! * [`RoomPolicy`] is the parsed view over all components of a room; [`lint()`] says what is wrong with it (R1–R24).
//! * [`authorize()`] decides whether somebody may do something now, given the effective [`Roster`]: the table B4.
//!   [`expand`] turns the proposals of a handshake into the [`Action`]s of that table.
//! * [`template`] has rooms that lint clean: the direct chat, the cooperative group.
//!
//! Ids such as RM5, R18, PM25, EM3, I1 are rows of the specification pages; they stand where a rule is enforced and in
//! the tests that show it. **\[I\]** marks our reading of a gap.

mod apply;
pub mod authorize;
mod capability;
mod codec;
mod component_id;
pub mod components;
pub mod limits;
pub mod lint;
pub mod participants;
mod policy;
pub mod template;

pub use apply::{ComponentError, ComponentOperation, apply_component, check_component};
pub use authorize::{
    Action, Actor, Denied, DenyReason, Proposal, Roster, authorize, authorize_commit, can_receive, can_send,
    expand, may_claim_key_material, may_commit, may_read_group_info,
};
pub use capability::{Capabilities, Capability, Enforcer, REGISTRY, Registration};
pub use codec::DecodeError;
pub use component_id::ComponentId;
pub use components::RoleIndex;
pub use lint::{Finding, lint};
pub use participants::ParticipantListError;
pub use policy::{PolicyError, RoomPolicy};
