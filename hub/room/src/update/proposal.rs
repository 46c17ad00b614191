use std::collections::BTreeSet;

use mimi_mls::hub::{Examined, Proposal, ProposalView};
use mimi_mls::limits::PENDING_PROPOSALS_MAX;
use mimi_mls::{HubGroup, MlsMessage};
use mimi_room_policy::Action;
use mimi_wire::{FanoutEvent, UpdateRoomResponse};

use super::{Asked, check_new_leaves, check_provider, examine, success};
use crate::attribution::{Attribution, Scope};
use crate::effects::{Audience, Decision, Effects, RoomEvent};
use crate::header::Header;
use crate::people::{NewLeaf, People};
use crate::refusal::{No, Reason, Refusal};
use crate::room::Room;

/// Decides about the proposals of one request: all of them or none.
pub(super) fn propose(
    room: &mut Room,
    asked: &Asked<'_>,
    first: &MlsMessage,
    more: &[MlsMessage],
) -> Result<Decision<UpdateRoomResponse>, No> {
    let group = room.group.open()?;
    let examined = check_each(group, first, more)?;
    let actions = check(&room.header, group, asked, &examined)?;

    let before = room.header.followers();
    let (seq, timestamp) = room.head.take_next(asked.now);
    for examined in examined {
        group.accept_proposal(examined, timestamp.0)?;
    }
    // B4, I7: what it takes away counts at once.
    room.header.propose(&actions);

    // PM14: "moreProposals identical on fan-out".
    let event = FanoutEvent::Proposal { message: first.clone(), more_proposals: more.to_vec() };
    let effects = Effects {
        events: vec![RoomEvent::new((seq, timestamp), Audience::Everyone, event)],
        lanes: before.changes(&room.header.followers(), seq),
        state_changed: true,
        ..Effects::default()
    };
    Ok(Decision { answer: success(timestamp), effects })
}

/// Each proposal for itself, and none of them twice.
fn check_each(group: &HubGroup, first: &MlsMessage, more: &[MlsMessage]) -> Result<Vec<Examined>, Refusal> {
    if group.pending_proposals().len() + 1 + more.len() > PENDING_PROPOSALS_MAX {
        return Err(Reason::TooManyPending.into());
    }
    let messages = std::iter::once(first).chain(more);
    let examined: Vec<_> = messages.map(|message| examine(group, message)).collect::<Result<_, _>>()?;
    let mut references = BTreeSet::new();
    let mut leaving = BTreeSet::new();
    for view in examined.iter().flat_map(Examined::proposals) {
        // EM7: one SelfRemove for each member and epoch.
        let is_new =
            references.insert(&view.reference) && (!is_self_remove(view) || leaving.insert(view.removes()));
        if !is_new {
            return Err(Refusal::InvalidProposal(Reason::ProposedTwice));
        }
    }
    Ok(examined)
}

fn is_self_remove(view: &ProposalView) -> bool {
    view.proposal == Proposal::SelfRemove
}

/// Whether all of them may be proposed together; gives what they bring about.
fn check(
    header: &Header,
    group: &HubGroup,
    asked: &Asked<'_>,
    examined: &[Examined],
) -> Result<Vec<Action>, Refusal> {
    let external_senders = group.external_senders();
    let people = People { header, hub: asked.hub, external_senders: &external_senders };
    let mut speakers = Vec::new();
    let mut leaves: Vec<Vec<NewLeaf<'_>>> = Vec::new();
    for examined in examined {
        let speaker = people.speaker(examined.sender())?;
        check_provider(asked, &speaker)?;
        leaves.push(people.new_leaves(examined, &speaker)?);
        speakers.push(speaker);
    }
    let speaker = speakers.first().ok_or(Reason::SeveralAuthors)?;
    if speakers.iter().any(|other| other.actor != speaker.actor) {
        return Err(Reason::SeveralAuthors.into());
    }
    let examined = examined.iter().zip(leaves.iter().map(Vec::as_slice));
    let actions = Attribution::of(&people, speaker, examined, Scope::All)?.authorize_proposals(&people)?;
    for leaves in &leaves {
        check_new_leaves(header, asked, leaves)?;
    }
    Ok(actions)
}
