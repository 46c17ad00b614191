//! From the proposals of MLS to the actions of the policy, each with its author (B4, steps 1 and 3).

use std::collections::BTreeSet;

use mimi_mls::ClientIdentity;
use mimi_mls::hub::{Examined, Proposal, ProposalView, Proposer, Sender};
use mimi_room_policy as policy;
use mimi_room_policy::authorize::{Ephemeral, ExtensionsChange, PskUse};
use mimi_room_policy::{
    Action, Actor, ComponentId, ComponentOperation, Denied, RoomPolicy, Roster, authorize_commit, expand,
};

use crate::people::{NewLeaf, People, Speaker};
use crate::refusal::{Reason, Refusal};

/// What a handshake, or several, want to do, and who wants each.
pub(crate) struct Attribution(Vec<(Actor, Vec<Action>)>);

/// Which proposals of a handshake are meant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    All,
    /// Those that the committer brings himself.
    ByValue,
}

impl Attribution {
    /// The actions of examined handshakes of one speaker.
    pub(crate) fn of<'e>(
        people: &People<'_>,
        speaker: &Speaker,
        examined: impl IntoIterator<Item = (&'e Examined, &'e [NewLeaf<'e>])>,
        scope: Scope,
    ) -> Result<Self, Refusal> {
        let mut reading = Reading { people, speaker, scope, authors: Vec::new(), removed: BTreeSet::new() };
        for (examined, leaves) in examined {
            reading.read(examined, leaves)?;
        }
        let list = &people.header.policy.participants;
        let expanded = reading.authors.into_iter().map(|(author, proposals)| {
            let actions = expand(list, &proposals)
                .map_err(|why| Refusal::InvalidProposal(Reason::Component(Box::new(why))))?;
            Ok((author, actions))
        });
        expanded.collect::<Result<_, Refusal>>().map(Self)
    }

    /// Whether all of it may be committed together, by `committer`, in a room of these people.
    pub(crate) fn authorize_commit(
        &self,
        policy: &RoomPolicy,
        roster: &Roster,
        committer: &Actor,
    ) -> Result<(), Refusal> {
        let by_author =
            self.0.iter().map(|(author, actions)| actions.iter().map(move |action| (author, action)));
        let attributed: Vec<_> = by_author.flatten().collect();
        authorize_commit(policy, roster, &attributed).map_err(|denied| {
            let author = denied.action.and_then(|at| attributed.get(at)).map(|(author, _)| *author);
            // A4: a proposal of somebody else is what is invalid then, not the commit.
            refused(denied, author.is_some_and(|author| author != committer))
        })
    }

    /// Whether it may all be proposed; gives what it brings about.
    pub(crate) fn authorize_proposals(self, people: &People<'_>) -> Result<Vec<Action>, Refusal> {
        let mut authors = self.0.into_iter();
        let (author, actions) = authors.next().ok_or(Reason::NoSuchLeaf)?;
        if authors.next().is_some() {
            return Err(Reason::SeveralAuthors.into());
        }
        policy::authorize(&people.header.policy, &people.header.roster, &author, &actions)
            .map_err(|denied| refused(denied, true))?;
        Ok(actions)
    }
}

fn refused(denied: Denied, is_a_proposal: bool) -> Refusal {
    let reason = Reason::Denied(Box::new(denied.reason));
    if is_a_proposal { Refusal::InvalidProposal(reason) } else { Refusal::NotAllowed(reason) }
}

/// The proposals read so far, by author: what one author proposes is judged as one.
struct Reading<'p, 'e> {
    people: &'p People<'p>,
    speaker: &'p Speaker,
    scope: Scope,
    authors: Vec<(Actor, Vec<policy::Proposal<'e>>)>,
    /// EM7: a leaf is removed once, though its own and others' proposals may ask for it.
    removed: BTreeSet<mimi_mls::LeafIndex>,
}

impl<'p, 'e> Reading<'p, 'e>
where
    'p: 'e,
{
    fn read(&mut self, examined: &'e Examined, leaves: &'e [NewLeaf<'e>]) -> Result<(), Refusal> {
        let joiner = match (examined.sender(), examined.is_commit()) {
            (Sender::NewMember(_), true) => leaves.last().map(|leaf| &leaf.identity),
            (_, _) => None,
        };
        let mut is_resync = false;
        for view in examined.proposals() {
            if self.scope == Scope::ByValue && view.reference.is_some() {
                continue;
            }
            let author = self.people.author_or(view, self.speaker, examined.is_commit())?;
            let proposal = match (joiner, view) {
                (Some(joiner), ProposalView { proposal: Proposal::Remove(_), reference: None, .. }) => {
                    is_resync = true;
                    Some(self.resync(joiner, view)?)
                }
                (_, _) => self.proposal(view, leaves)?,
            };
            self.authors_of(author).extend(proposal);
        }
        if let Some(joiner) = joiner.filter(|_| !is_resync) {
            self.authors_of(self.speaker.actor.clone()).push(policy::Proposal::Add(&joiner.user));
        }
        Ok(())
    }

    fn authors_of(&mut self, author: Actor) -> &mut Vec<policy::Proposal<'e>> {
        let place = self.authors.iter().position(|(known, _)| *known == author).unwrap_or_else(|| {
            self.authors.push((author, Vec::new()));
            self.authors.len() - 1
        });
        &mut self.authors[place].1
    }

    /// G11: an external commit removes only what the same user's same client had before.
    fn resync(
        &mut self,
        joiner: &ClientIdentity,
        view: &ProposalView,
    ) -> Result<policy::Proposal<'e>, Refusal> {
        let leaf = view.removes().ok_or(Reason::NoSuchLeaf)?;
        if self.people.at(leaf)? != joiner {
            return Err(Reason::ForeignLeaf.into());
        }
        self.removed.insert(leaf);
        Ok(policy::Proposal::Other(Action::Resync { user: joiner.user.clone() }))
    }

    /// The proposal in the words of the policy; nothing, if it asks for nothing that somebody has to allow.
    fn proposal(
        &mut self,
        view: &'e ProposalView,
        leaves: &'e [NewLeaf<'e>],
    ) -> Result<Option<policy::Proposal<'e>>, Refusal> {
        Ok(match &view.proposal {
            Proposal::Add { leaf, .. } => {
                let added = leaves.iter().find(|new| std::ptr::eq(new.view, leaf.as_ref()));
                Some(policy::Proposal::Add(&added.ok_or(Reason::NoSuchLeaf)?.identity.user))
            }
            Proposal::Remove(_) | Proposal::SelfRemove => {
                let leaf = view.removes().ok_or(Reason::NoSuchLeaf)?;
                let user = &self.people.at(leaf)?.user;
                self.removed.insert(leaf).then_some(policy::Proposal::Remove(user))
            }
            Proposal::AppDataUpdate { component, update } => {
                Some(self.component(*component, update.as_deref())?)
            }
            Proposal::Update(_) => Some(policy::Proposal::Other(Action::Update)),
            Proposal::PreSharedKey => Some(policy::Proposal::Other(Action::Psk(PskUse::Other))),
            Proposal::ReInit => return Err(Refusal::InvalidProposal(Reason::ReInit)),
            Proposal::ExternalInit => None,
            Proposal::GroupContextExtensions(_) => {
                Some(policy::Proposal::Other(Action::ChangeExtensions(any_extension())))
            }
            Proposal::AppEphemeral { component, .. } => {
                Some(policy::Proposal::Other(Action::AppEphemeral(ephemeral(*component))))
            }
        })
    }

    fn component(&self, component: u16, update: Option<&'e [u8]>) -> Result<policy::Proposal<'e>, Refusal> {
        let component = ComponentId(component);
        let operation = update.map_or(ComponentOperation::Remove, ComponentOperation::Update);
        // A6: whoever brings the franking agent, it is the hub's.
        let agent = &self.people.hub.franking.agent;
        if component == ComponentId::FRANKING_AGENT && update.is_some_and(|update| update != agent) {
            return Err(Refusal::InvalidProposal(Reason::FrankingAgent));
        }
        Ok(policy::Proposal::AppDataUpdate(component, operation))
    }
}

impl People<'_> {
    /// Who proposes: a proposal by value is the speaker's own.
    fn author_or(&self, view: &ProposalView, speaker: &Speaker, is_commit: bool) -> Result<Actor, Refusal> {
        match (is_commit, &view.reference, view.proposer) {
            (true, None, _) | (false, _, Proposer::NewMember) => Ok(speaker.actor.clone()),
            (_, _, _) => self.author(view),
        }
    }
}

/// What is replaced is not compared in detail \[I\]: it may be anything but the dictionary (EM4, which MLS has checked)
/// and the hub's own entry (checked on the result).
fn any_extension() -> ExtensionsChange {
    ExtensionsChange {
        app_data_dictionary: false,
        external_senders: true,
        drops_hub: false,
        required_capabilities: true,
        others: true,
    }
}

fn ephemeral(component: u16) -> Ephemeral {
    match ComponentId(component) {
        ComponentId::APP_ACK => Ephemeral::AppAck,
        other => Ephemeral::Other(other),
    }
}
