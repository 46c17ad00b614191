use std::collections::{BTreeMap, BTreeSet};

use mimi_mls::hub::{Attachments, Examined, Proposal, ProposalView, Sender, StagedCommit};
use mimi_mls::{ClientIdentity, GroupInfoOption, HubGroup, LeafIndex, MlsMessage};
use mimi_room_policy::{ComponentId, RoomPolicy, Roster};
use mimi_uri::Domain;
use mimi_wire::{FanoutEvent, RatchetTreeOption, UpdateRoomResponse};

use super::{Asked, check_new_leaves, check_provider, examine, refused, success};
use crate::attribution::{Attribution, Scope};
use crate::create::{check_hosted, check_preemption, fatal_findings};
use crate::effects::{Audience, Decision, Effects, RoomEvent};
use crate::header::Header;
use crate::leaves::Leaves;
use crate::logic::PolicyComponents;
use crate::people::{NewLeaf, People, Speaker};
use crate::refusal::{Fault, No, Reason, Refusal};
use crate::room::Room;

/// What comes with a commit.
pub(super) struct Attached<'a> {
    pub(super) welcome: Option<&'a MlsMessage>,
    pub(super) group_info: &'a mimi_wire::GroupInfoOption,
    pub(super) ratchet_tree: &'a RatchetTreeOption,
}

/// A commit that was found good, and what it makes of the room.
struct Accepted {
    staged: StagedCommit,
    policy: RoomPolicy,
    departures: BTreeSet<LeafIndex>,
    arrivals: Arrivals,
}

/// Who comes, by the signature keys of their leaves: where they will sit, only the group knows.
type Arrivals = BTreeMap<Vec<u8>, ClientIdentity>;

/// Decides about a commit, in the order of A4.
pub(super) fn commit(
    room: &mut Room,
    asked: &Asked<'_>,
    commit: &MlsMessage,
    attached: &Attached<'_>,
) -> Result<Decision<UpdateRoomResponse>, No> {
    let group = room.group.open()?;
    let accepted = check(&room.header, group, asked, commit, attached)?;
    let welcomed = accepted.welcomed(attached.welcome);

    let before = room.header.followers();
    let Accepted { staged, policy, departures, arrivals } = accepted;
    let epoch = staged.epoch();
    group.accept_commit(staged)?;
    let leaves = seat(group, &room.header.leaves, &departures, arrivals)?;
    room.header.begin_epoch(epoch, policy, leaves);

    let (seq, timestamp) = room.head.take_next(asked.now);
    let event = FanoutEvent::Commit { message: commit.clone(), external_proposals: Vec::new() };
    let mut events = vec![RoomEvent::new((seq, timestamp), Audience::Everyone, event)];
    let mut effects = Effects { state_changed: true, ..Effects::default() };
    if let Some(welcome) = attached.welcome {
        let tree = group.ratchet_tree()?;
        for provider in welcomed {
            let ratchet_tree = RatchetTreeOption::Full(tree.clone());
            let event = FanoutEvent::Welcome { message: welcome.clone(), ratchet_tree };
            events.push(RoomEvent::new(room.head.take_next(asked.now), Audience::Only(provider), event));
        }
        effects.trees.push((epoch, tree));
    }
    effects.events = events;
    effects.lanes = before.changes(&room.header.followers(), seq);
    Ok(Decision { answer: success(timestamp), effects })
}

/// All that can be said against a commit. Nothing changes.
fn check(
    header: &Header,
    group: &HubGroup,
    asked: &Asked<'_>,
    commit: &MlsMessage,
    attached: &Attached<'_>,
) -> Result<Accepted, No> {
    let examined = examine(group, commit)?;
    let external_senders = group.external_senders();
    let people = People { header, hub: asked.hub, external_senders: &external_senders };
    let speaker = people.speaker(examined.sender())?;
    check_provider(asked, &speaker)?;
    check_committer(header, group, &examined, &speaker)?;
    let leaves = people.new_leaves(&examined, &speaker)?;
    authorize(&people, &speaker, &examined, &leaves)?;
    check_new_leaves(header, asked, &leaves)?;

    let arrivals = arrivals(&examined, &leaves);
    let departures = examined.proposals().iter().filter_map(ProposalView::removes).collect();
    let operations = examined.component_operations();
    let changes = operations
        .resolve(&PolicyComponents, |component| group.component(component).map(<[u8]>::to_vec))
        .map_err(|why| refused(why.into()))?;
    let policy = changes.iter().try_fold(header.policy.clone(), |policy, (component, value)| {
        policy.with(ComponentId(*component), value.clone()).map_err(|why| Reason::Policy(Box::new(why)))
    })?;
    drop(leaves);
    let staged = group.stage(examined, changes, &attached.read()?).map_err(refused)?;
    // I8: the hub stays among the external senders.
    if !staged.external_senders().contains(&asked.hub.external_sender) {
        return Err(Reason::HubNotExternalSender.into());
    }
    let accepted = Accepted { staged, policy, departures, arrivals };
    accepted.check_result(header, asked)?;
    Ok(accepted)
}

/// B4: what the committer brings is judged by the effective state; and all of it together by the committed one, as every
/// member will judge it.
///
/// So what somebody has proposed stays good when he is banned afterwards \[I\]: else nobody could commit it, and nobody
/// leave it out (I5).
fn authorize(
    people: &People<'_>,
    speaker: &Speaker,
    examined: &Examined,
    leaves: &[NewLeaf<'_>],
) -> Result<(), Refusal> {
    let (header, committer) = (people.header, &speaker.actor);
    let own = Attribution::of(people, speaker, [(examined, leaves)], Scope::ByValue)?;
    own.authorize_commit(&header.policy, &header.roster, committer)?;
    let all = Attribution::of(people, speaker, [(examined, leaves)], Scope::All)?;
    all.authorize_commit(&header.policy, &header.committed(), committer)
}

/// PM12: who was removed or banned commits nothing. And nobody from outside overtakes what members have decided.
fn check_committer(
    header: &Header,
    group: &HubGroup,
    examined: &Examined,
    speaker: &Speaker,
) -> Result<(), Refusal> {
    let identity = speaker.identity.as_ref().ok_or(Reason::UnknownExternalSender)?;
    match examined.sender() {
        Sender::Member(_) => {
            Ok(mimi_room_policy::may_commit(&header.policy, &header.roster, &identity.user)?)
        }
        // I5 [I]: it would void pending removals, and the hub cannot propose these anew.
        Sender::NewMember(_) if group.pending_proposals().iter().any(|it| is_decision(&it.view.proposal)) => {
            Err(Reason::PendingProposalsFirst.into())
        }
        Sender::NewMember(_) | Sender::External(_) => Ok(()),
    }
}

/// Whether a proposal may take something from somebody, and is not committed by those who join.
fn is_decision(proposal: &Proposal) -> bool {
    match proposal {
        Proposal::Remove(_) | Proposal::AppDataUpdate { .. } | Proposal::GroupContextExtensions(_) => true,
        Proposal::Add { .. }
        | Proposal::Update(_)
        | Proposal::SelfRemove
        | Proposal::PreSharedKey
        | Proposal::ReInit
        | Proposal::ExternalInit
        | Proposal::AppEphemeral { .. } => false,
    }
}

/// Those who have no leaf yet, or not this one.
fn arrivals(examined: &Examined, leaves: &[NewLeaf<'_>]) -> Arrivals {
    let is_joiner = matches!(examined.sender(), Sender::NewMember(_));
    let added = examined.proposals().iter().filter_map(|view| match &view.proposal {
        Proposal::Add { leaf, .. } => Some(leaf.as_ref()),
        Proposal::Update(_)
        | Proposal::Remove(_)
        | Proposal::SelfRemove
        | Proposal::PreSharedKey
        | Proposal::ReInit
        | Proposal::ExternalInit
        | Proposal::GroupContextExtensions(_)
        | Proposal::AppDataUpdate { .. }
        | Proposal::AppEphemeral { .. } => None,
    });
    let joined = examined.committer_leaf().filter(|_| is_joiner);
    let arriving: Vec<_> = added.chain(joined).collect();
    leaves
        .iter()
        .filter(|leaf| arriving.iter().any(|arriving| std::ptr::eq(*arriving, leaf.view)))
        .map(|leaf| (leaf.view.signature_key.clone(), leaf.identity.clone()))
        .collect()
}

/// Where everybody sits once the commit is accepted.
fn seat(
    group: &HubGroup,
    before: &Leaves,
    departures: &BTreeSet<LeafIndex>,
    mut arrivals: Arrivals,
) -> Result<Leaves, Fault> {
    let mut leaves = before.clone();
    for leaf in departures {
        leaves.remove(*leaf);
    }
    if arrivals.is_empty() {
        return Ok(leaves);
    }
    for member in group.members() {
        if leaves.at(member.leaf).is_none() {
            let identity = arrivals.remove(&member.signature_key);
            let unknown = || Fault(format!("leaf {} has a member that nobody added", member.leaf));
            leaves.insert(member.leaf, identity.ok_or_else(unknown)?);
        }
    }
    if arrivals.is_empty() { Ok(leaves) } else { Err(Fault("an added member has no leaf".to_owned())) }
}

impl Accepted {
    /// A4 check 6: the room that this makes is as rooms are (D1), though no action of it alone says so: a new list of
    /// roles, say, may leave clients behind whose role may have none.
    fn check_result(&self, header: &Header, asked: &Asked<'_>) -> Result<(), Refusal> {
        let stay = header.leaves.iter().filter(|(leaf, _)| !self.departures.contains(leaf));
        let clients: Vec<_> = stay.map(|(_, identity)| identity).chain(self.arrivals.values()).collect();
        check_hosted(asked.hub, &self.policy, clients.len())?;
        let roster = Roster::new(&self.policy.participants, clients.iter().map(|identity| &identity.user));
        check_preemption(&self.policy, &roster)?;
        let known = fatal_findings(&header.uri, &header.policy, &header.roster);
        match fatal_findings(&header.uri, &self.policy, &roster).into_iter().find(|it| !known.contains(it)) {
            Some(finding) => Err(Reason::Inconsistent(Box::new(finding)).into()),
            None => Ok(()),
        }
    }

    /// The providers to whom the Welcome goes. Who an Add is of is proved, so that its provider needs no route.
    fn welcomed(&self, welcome: Option<&MlsMessage>) -> BTreeSet<Domain> {
        let arrived = self.arrivals.values().filter(|_| welcome.is_some());
        arrived.map(|identity| identity.user.domain().clone()).collect()
    }
}

impl<'a> Attached<'a> {
    /// A4 check 9: the tree is here, or the hub works it out.
    fn read(&self) -> Result<Attachments<'a>, Reason> {
        let ratchet_tree = match self.ratchet_tree {
            RatchetTreeOption::Full(tree) => Some(tree.as_slice()),
            RatchetTreeOption::DistributionService => None,
            RatchetTreeOption::HttpsUri(_) | RatchetTreeOption::OutOfBand => {
                return Err(Reason::RatchetTreeElsewhere);
            }
        };
        let group_info = match self.group_info {
            mimi_wire::GroupInfoOption::Full(bytes) => GroupInfoOption::Full(bytes),
            mimi_wire::GroupInfoOption::Partial(partial) => GroupInfoOption::Partial(&partial.parts),
        };
        Ok(Attachments { group_info, welcome: self.welcome, ratchet_tree })
    }
}
