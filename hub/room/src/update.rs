//! `update`: a commit, or proposals (A4).

mod commit;
mod proposal;

use mimi_mls::hub::Examined;
use mimi_mls::{HubGroup, MlsMessage, MlsRefusal};
use mimi_uri::Domain;
use mimi_wire::{ErrorDescription, HandshakeBundle, Timestamp, UpdateRoomResponse, UpdateVerdict};

use crate::facts::HubFacts;
use crate::header::Header;
use crate::invariants;
use crate::people::{NewLeaf, Speaker};
use crate::refusal::{Fault, No, Reason, Refusal};
use crate::room::{Room, Verdict};

/// The circumstances of a request.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) hub: &'a HubFacts,
    pub(crate) provider: &'a Domain,
    pub(crate) now: Timestamp,
}

pub(crate) fn update(
    room: &mut Room,
    asked: &Asked<'_>,
    bundle: &HandshakeBundle,
) -> Result<Verdict<UpdateRoomResponse>, Fault> {
    let decided =
        room.header.check_handshake(asked.provider, bundle).map_err(No::from).and_then(|()| match bundle {
            HandshakeBundle::Commit { commit, welcome, group_info, ratchet_tree } => {
                let attached = commit::Attached { welcome: welcome.as_ref(), group_info, ratchet_tree };
                commit::commit(room, asked, commit, &attached)
            }
            HandshakeBundle::Proposal { proposal, more_proposals } => {
                proposal::propose(room, asked, proposal, more_proposals)
            }
        });
    match decided {
        Ok(decision) => {
            debug_assert_eq!(invariants::violations(room, asked.hub), Vec::<String>::new());
            Ok(Ok(decision))
        }
        Err(No::Refusal(refusal)) => Ok(Err(refusal)),
        Err(No::Fault(fault)) => Err(fault),
    }
}

/// The answer to whoever brought an accepted handshake.
fn success(accepted: Timestamp) -> UpdateRoomResponse {
    let verdict = UpdateVerdict::Success { accepted };
    UpdateRoomResponse { error_description: ErrorDescription::default(), verdict }
}

impl Header {
    /// What can be said of a handshake without looking at the group.
    fn check_handshake(&self, provider: &Domain, bundle: &HandshakeBundle) -> Result<(), Refusal> {
        let message = bundle.proposal_or_commit();
        if message.group_id() != Some(self.group_id.as_bytes()) {
            return Err(Reason::OtherGroup.into());
        }
        // I4: one accepted commit per epoch. The epoch is nothing to those who have nobody here.
        if message.epoch() != Some(self.epoch) {
            return Err(self.wrong_epoch(provider));
        }
        Ok(())
    }

    fn wrong_epoch(&self, provider: &Domain) -> Refusal {
        if self.lists(provider) {
            Refusal::WrongEpoch { current: self.epoch }
        } else {
            Reason::NotThatProvider.into()
        }
    }
}

/// G2: the provider speaks for the user whose handshake it is, and the hub for itself.
fn check_provider(asked: &Asked<'_>, speaker: &Speaker) -> Result<(), Refusal> {
    if speaker.domain == *asked.provider { Ok(()) } else { Err(Reason::NotThatProvider.into()) }
}

/// Everybody who comes, or renews a leaf, is who he says he is, and came in time.
fn check_new_leaves(header: &Header, asked: &Asked<'_>, leaves: &[NewLeaf<'_>]) -> Result<(), Refusal> {
    let longest = header.policy.operational.as_ref().map_or(0, |parameters| parameters.max_kp_lifetime);
    for leaf in leaves.iter().filter(|leaf| !leaf.is_proved) {
        leaf.verify(asked.hub, asked.now)?;
        // G7: "unexpired at acceptance, lifetime ≤ policy"; no lifetime is longer than what is left of it.
        let now_s = asked.now.seconds();
        let is_timely = leaf
            .view
            .not_after_s
            .is_none_or(|end_s| end_s > now_s && (longest == 0 || end_s <= now_s.saturating_add(longest)));
        if !is_timely {
            return Err(Refusal::InvalidProposal(Reason::KeyPackageLifetime));
        }
    }
    Ok(())
}

/// Has MLS examine a handshake, and says its refusals in the room's words.
fn examine(group: &HubGroup, message: &MlsMessage) -> Result<Examined, Refusal> {
    group.examine(message).map_err(refused)
}

fn refused(refusal: MlsRefusal) -> Refusal {
    match refusal {
        MlsRefusal::WrongEpoch { current } => Refusal::WrongEpoch { current },
        MlsRefusal::OtherGroup => Reason::OtherGroup.into(),
        MlsRefusal::SafeAad(why) => Reason::SafeAad(why).into(),
        MlsRefusal::Uncovered(_) => Reason::MissingPendingProposals.into(),
        MlsRefusal::TooManyPending => Reason::TooManyPending.into(),
        // A4: "a proposal was invalid".
        MlsRefusal::UnknownProposal(_)
        | MlsRefusal::SelfRemove(_)
        | MlsRefusal::DictionaryTouched
        | MlsRefusal::AlreadyPending
        | MlsRefusal::Component(_) => Refusal::InvalidProposal(Reason::Mls(Box::new(refusal))),
        MlsRefusal::NotAHandshake
        | MlsRefusal::Malformed(_)
        | MlsRefusal::Suite(_)
        | MlsRefusal::Invalid(_)
        | MlsRefusal::ExternalCommit(_)
        | MlsRefusal::GroupInfo(_)
        | MlsRefusal::Welcome(_)
        | MlsRefusal::RatchetTree(_) => Reason::Mls(Box::new(refusal)).into(),
    }
}
