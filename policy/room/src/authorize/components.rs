//! The rows about components.

use std::collections::BTreeMap;

use super::actor::Rights;
use super::{Action, DenyReason, Request};
use crate::components::RoomMetaData;
use crate::lint::{Facts, is_fatal};
use crate::{Capability, ComponentId, ComponentOperation, Finding, RoomPolicy, apply_component, lint};

/// An update of a component.
pub(super) fn update(rights: &Rights<'_>, component: ComponentId, update: &[u8]) -> Result<(), DenyReason> {
    match component {
        ComponentId::PARTICIPANT_LIST => Err(DenyReason::NotExpanded),
        ComponentId::ROOM_METADATA => metadata(rights, update),
        // The hub brings its franking agent; a participant may, as long as there is none [I]. That the key is the
        // hub's is the hub's own check.
        ComponentId::FRANKING_AGENT => {
            let is_there = rights.policy.component(component).is_some();
            let may = rights.is_hub() || (rights.is_listed() && !is_there);
            if may { Ok(()) } else { Err(DenyReason::HubOnly(component)) }
        }
        _ => rights.require(capability_for(component)),
    }
}

/// The removal of a component; that some are never removed is the component logic's rule.
pub(super) fn remove(rights: &Rights<'_>, component: ComponentId) -> Result<(), DenyReason> {
    rights.require(capability_for(component))
}

/// The capability that a change needs. 0505 and 0600 are reserved in the draft; nothing else covers these components,
/// so we honour them \[I\].
fn capability_for(component: ComponentId) -> Capability {
    match component {
        ComponentId::BASE_ROOM_POLICY => Capability::CHANGE_ROOM_MEMBERSHIP_STYLE,
        ComponentId::ROLES_LIST => Capability::CHANGE_ROLE_DEFINITIONS,
        ComponentId::PREAUTH_LIST => Capability::CHANGE_PREAUTHORIZED_USER_LIST,
        ComponentId::MLS_OPERATIONAL_POLICY
        | ComponentId::APP_COMPONENTS
        | ComponentId::SAFE_AAD
        | ComponentId::CONTENT_MEDIA_TYPES
        | ComponentId::FRANKING_AGENT => Capability::CHANGE_MLS_OPERATIONAL_POLICIES,
        ComponentId(_) => Capability::CHANGE_OTHER_POLICY_ATTRIBUTE,
    }
}

/// Every field that changes needs its own capability; the address never changes (I11).
fn metadata(rights: &Rights<'_>, update: &[u8]) -> Result<(), DenyReason> {
    let next = RoomMetaData::decode(update).map_err(crate::ComponentError::from)?;
    let now = &rights.policy.metadata;
    if next.room_uri != now.room_uri {
        return Err(DenyReason::RoomUriChanges);
    }
    let fields = [
        (next.room_name != now.room_name, Capability::CHANGE_ROOM_NAME),
        (next.room_descriptions != now.room_descriptions, Capability::CHANGE_ROOM_DESCRIPTION),
        (next.room_avatar != now.room_avatar, Capability::CHANGE_ROOM_AVATAR),
        (next.room_subject != now.room_subject, Capability::CHANGE_ROOM_SUBJECT),
        (next.room_mood != now.room_mood, Capability::CHANGE_ROOM_MOOD),
    ];
    let mut changed = fields.into_iter().filter(|(changed, _)| *changed);
    changed.try_for_each(|(_, capability)| rights.require(capability))
}

/// All updates together must be valid (EM2, EM3, PM26), and leave a policy that does not contradict itself (B3).
pub(super) fn check_result(request: &Request<'_>) -> Result<(), DenyReason> {
    let operations = operations(request);
    if operations.is_empty() {
        return Ok(());
    }
    let mut next = request.policy.clone();
    for (component, operations) in operations {
        let value = apply_component(component, request.policy.component(component), &operations)?;
        next = next.with(component, value)?;
    }
    let known = fatal_findings(request.policy);
    match fatal_findings(&next).into_iter().find(|finding| !known.contains(finding)) {
        Some(finding) => Err(DenyReason::Inconsistent(finding)),
        None => Ok(()),
    }
}

fn operations<'r>(request: &Request<'r>) -> BTreeMap<ComponentId, Vec<ComponentOperation<'r>>> {
    let mut operations: BTreeMap<ComponentId, Vec<ComponentOperation<'r>>> = BTreeMap::new();
    for (_, action) in request.attributed {
        if let Action::UpdateComponent { component, update } = action {
            operations.entry(*component).or_default().push(ComponentOperation::Update(update));
        } else if let Action::RemoveComponent { component } = action {
            operations.entry(*component).or_default().push(ComponentOperation::Remove);
        }
    }
    operations
}

fn fatal_findings(policy: &RoomPolicy) -> Vec<Finding> {
    lint(policy, &Facts::default()).into_iter().filter(is_fatal).collect()
}
