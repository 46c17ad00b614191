//! Founding a room: provider-local, for the drafts leave it to each provider \[X\].

use mimi_mls::{ClientIdentity, HubGroup, IdentityError, LeafIndex, Member, MlsRefusal, verify_credential};
use mimi_room_policy::components::Role;
use mimi_room_policy::lint::{Facts, is_fatal};
use mimi_room_policy::{ComponentId, Finding, RoleIndex, RoomPolicy, Roster, lint, may_commit};
use mimi_uri::RoomUri;
use mimi_wire::{CreateRoomRequest, RequestHash, Timestamp};

use crate::effects::Effects;
use crate::facts::HubFacts;
use crate::group::Group;
use crate::head::Head;
use crate::header::{Founded, Header};
use crate::invariants;
use crate::leaves::Leaves;
use crate::past::PastEpochs;
use crate::pending::PendingActions;
use crate::refusal::{Reason, Refusal};
use crate::room::Room;

impl Room {
    /// Founds a room with its creator as the only member.
    ///
    /// `by` is the hash of the request: the same request founds the same room ([`Room::founded_by`]).
    pub fn create(
        hub: &HubFacts,
        request: &CreateRoomRequest,
        by: &RequestHash,
        now: Timestamp,
    ) -> Result<(Self, Effects), Refusal> {
        if request.room.domain() != &hub.domain || request.creator.domain() != &hub.domain {
            return Err(Reason::OtherDomain.into());
        }
        let group = HubGroup::found(&request.group_info, &request.ratchet_tree).map_err(mls)?;
        // PM22, PM23: there are external senders, and the hub is one of them.
        if !group.external_senders().contains(&hub.external_sender) {
            return Err(Reason::HubNotExternalSender.into());
        }
        let policy =
            RoomPolicy::from_components(group.components()).map_err(|why| Reason::Policy(Box::new(why)))?;
        let (leaf, creator) = creator(hub, request, &group, now)?;
        let leaves: Leaves = [(leaf, creator)].into_iter().collect();
        let roster = Roster::new(&policy.participants, leaves.users());
        check_policy(hub, request, &policy, &roster)?;

        let epoch = group.epoch();
        let header = Header {
            uri: request.room.clone(),
            founded: Founded { by: *by, at: now },
            group_id: group.group_id(),
            epoch,
            policy,
            leaves,
            pending: PendingActions::default(),
            past: PastEpochs::default(),
            roster,
        };
        let head = Head { seq: 0, timestamp: now };
        let room = Self { header, group: Group::Open(Box::new(group)), head };
        debug_assert_eq!(invariants::violations(&room, hub), Vec::<String>::new());
        let trees = vec![(epoch, request.ratchet_tree.clone())];
        Ok((room, Effects { trees, state_changed: true, ..Effects::default() }))
    }
}

/// The only member, who is the creator and can prove it.
fn creator(
    hub: &HubFacts,
    request: &CreateRoomRequest,
    group: &HubGroup,
    now: Timestamp,
) -> Result<(LeafIndex, ClientIdentity), Refusal> {
    let [Member { leaf, credential, signature_key }] =
        group.members().try_into().map_err(|_| Reason::NotCreatorAlone)?;
    let identity = verify_credential(&credential, &signature_key, &hub.roots, now.seconds()).map_err(
        |why| match why {
            IdentityError::UnknownRoot(domain) => Refusal::UnknownRoots(domain),
            why => Reason::Identity(Box::new(why)).into(),
        },
    )?;
    if identity.user != request.creator {
        return Err(Reason::NotCreatorAlone.into());
    }
    Ok((leaf, identity))
}

/// The policy is this room's, does not contradict itself, and lets the creator be there.
fn check_policy(
    hub: &HubFacts,
    request: &CreateRoomRequest,
    policy: &RoomPolicy,
    roster: &Roster,
) -> Result<(), Refusal> {
    if let Some(finding) = fatal_findings(&request.room, policy, roster).into_iter().next() {
        return Err(Reason::Inconsistent(Box::new(finding)).into());
    }
    // G30: only a listed participant creates a room.
    may_commit(policy, roster, &request.creator).map_err(|_| Reason::CreatorNotListed)?;
    check_preemption(policy, roster)?;
    Ok(check_hosted(hub, policy, 1)?)
}

/// What no room may have (B3), as far as its policy and its people show it.
pub(crate) fn fatal_findings(room: &RoomUri, policy: &RoomPolicy, roster: &Roster) -> Vec<Finding> {
    let facts = Facts { room: Some(room), roster: Some(roster), ..Facts::default() };
    lint(policy, &facts).into_iter().filter(is_fatal).collect()
}

/// I1: every leaf's user is on the list, in a role that may have clients; with one leaf, if one is all there may be.
pub(crate) fn check_preemption(policy: &RoomPolicy, roster: &Roster) -> Result<(), Reason> {
    for (user, standing) in roster.iter().filter(|(_, standing)| standing.leaves > 0) {
        let role = policy.role_of(user).filter(|role| *role > RoleIndex::BANNED);
        let may_be_active = role.and_then(|role| policy.role(role)).is_some_and(Role::may_be_active);
        if !may_be_active || !(policy.base.multi_device || standing.leaves == 1) {
            return Err(Reason::Preemption(user.clone()));
        }
    }
    Ok(())
}

/// What a hub can host: handshakes that it can read, franks that are its own, and not more than it takes (I9).
pub(crate) fn check_hosted(hub: &HubFacts, policy: &RoomPolicy, clients: usize) -> Result<(), Reason> {
    const PUBLIC_MESSAGE: u16 = 1;
    let formats = policy.operational.as_ref().map_or(&[][..], |parameters| &parameters.handshake_formats);
    if !formats.is_empty() && !formats.contains(&PUBLIC_MESSAGE) {
        return Err(Reason::HandshakeFormats);
    }
    let agent = policy.component(ComponentId::FRANKING_AGENT);
    if agent.is_some_and(|agent| agent != hub.franking.agent) {
        return Err(Reason::FrankingAgent);
    }
    let participants = policy.participants.participants.len();
    if participants > hub.envelope.participants_max || clients > hub.envelope.clients_max {
        return Err(Reason::Envelope);
    }
    Ok(())
}

fn mls(refusal: MlsRefusal) -> Refusal {
    Reason::Mls(Box::new(refusal)).into()
}
