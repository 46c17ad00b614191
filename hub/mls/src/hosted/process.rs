//! Processing what the hub sends, in its order.

use openmls::prelude::{Proposal, QueuedProposal, StagedCommit};

use super::faults::{HostedFault, ProcessFault};
use super::framing::PrivateFrame;
use super::logic::ComponentChanges;
use super::reader::{Heard, Resolution};
use super::room::{HostedRoom, Standing};
use super::roster::FormerMembers;
use super::summary::{
    Application, CommitSummary, HandshakeSender, Ignored, Processed, ProposalSummary, ReaderFate,
};
use crate::components::{ComponentLogic, SAFE_AAD};
use crate::ids::{Epoch, LeafIndex};
use crate::message::{ContentType, MessageKind, MlsMessage};
use crate::safe_aad::SafeAad;

impl HostedRoom {
    /// Processes one message of the room; on a fault the room is as it was before.
    ///
    /// Application messages are read once for all hosted leaves, echoes of our own like anybody's. A commit that
    /// equals our pending one confirms it; another's abandons ours.
    pub fn process(
        &mut self,
        message: &MlsMessage,
        logic: &dyn ComponentLogic,
    ) -> Result<Processed, ProcessFault> {
        match message.kind() {
            MessageKind::Welcome | MessageKind::GroupInfo | MessageKind::KeyPackage => {
                Ok(Processed::Ignored(Ignored::NotOfTheRoom))
            }
            MessageKind::Private(ContentType::Application) => self.read(message),
            MessageKind::Private(ContentType::Proposal | ContentType::Commit) => {
                Err(ProcessFault::PrivateHandshake)
            }
            MessageKind::Public(ContentType::Application) => Err(ProcessFault::Malformed),
            MessageKind::Public(ContentType::Proposal | ContentType::Commit) => self.follow(message, logic),
        }
    }

    fn read(&mut self, message: &MlsMessage) -> Result<Processed, ProcessFault> {
        let epoch = self.require_ours(message)?;
        let frame = PrivateFrame::decode(message.as_bytes()).ok_or(ProcessFault::Malformed)?;
        let current = self.epoch();
        if epoch > current {
            self.require_following()?;
            return Err(ProcessFault::EpochNotBegun { epoch, current });
        }
        if self.component(SAFE_AAD).is_some() && SafeAad::decode(frame.authenticated_data).is_err() {
            return Err(ProcessFault::MalformedSafeAad);
        }
        if epoch == current {
            let roster = &self.roster;
            let opened = self.current.opener.open(&self.crypto, &self.current.secrets, &frame, |leaf| {
                roster.member(leaf).map(|member| member.signature_key.as_slice())
            })?;
            let credential = roster.member(opened.leaf).map(|member| member.credential.clone());
            return Ok(Processed::Application(Application {
                leaf: opened.leaf,
                credential: credential.unwrap_or_default(),
                epoch,
                generation: opened.generation,
                authenticated_data: frame.authenticated_data.to_vec(),
                data: opened.data,
            }));
        }
        self.read_past(epoch, &frame)
    }

    /// Reads a message of an epoch before, with that epoch's secrets and members.
    fn read_past(&mut self, epoch: Epoch, frame: &PrivateFrame<'_>) -> Result<Processed, ProcessFault> {
        let oldest = self.past.last().map_or(self.current.secrets.epoch(), |past| past.secrets.epoch());
        let Some(nth) = self.past.iter().position(|past| past.secrets.epoch() == epoch) else {
            return Err(ProcessFault::EpochTooOld { epoch, oldest });
        };
        let (later, this) = self.past.split_at_mut(nth);
        let Some(past) = this.first_mut() else {
            return Err(ProcessFault::EpochTooOld { epoch, oldest });
        };
        // Each epoch knows how its members differ from those of the next one.
        let (roster, former) = (&self.roster, &past.former);
        let member = |leaf| {
            let changes = std::iter::once(former).chain(later.iter().rev().map(|past| &past.former));
            FormerMembers::member(changes, roster, leaf)
        };
        let opened = past.opener.open(&self.crypto, &past.secrets, frame, |leaf| {
            member(leaf).map(|member| member.signature_key.as_slice())
        })?;
        let credential = member(opened.leaf).map(|member| member.credential.clone());
        Ok(Processed::Application(Application {
            leaf: opened.leaf,
            credential: credential.unwrap_or_default(),
            epoch,
            generation: opened.generation,
            authenticated_data: frame.authenticated_data.to_vec(),
            data: opened.data,
        }))
    }

    fn follow(
        &mut self,
        message: &MlsMessage,
        logic: &dyn ComponentLogic,
    ) -> Result<Processed, ProcessFault> {
        let epoch = self.require_ours(message)?;
        if self.pending.as_ref().is_some_and(|pending| pending.commit.as_bytes() == message.as_bytes()) {
            let summary = self.confirm_commit()?;
            self.forget_before(epoch);
            return Ok(Processed::Commit(summary));
        }
        let current = self.epoch();
        if epoch < current {
            if matches!(message.kind(), MessageKind::Public(ContentType::Commit)) {
                self.forget_before(epoch);
            }
            return Ok(Processed::Ignored(Ignored::EpochEnded));
        }
        self.require_following()?;
        if epoch > current {
            return Err(ProcessFault::EpochNotBegun { epoch, current });
        }
        match self.reader.hear(message.as_bytes(), &Resolution::Logic(logic))? {
            Heard::Proposal { sender, proposal } => self.keep_proposal(message, sender, *proposal),
            Heard::Commit { sender, staged, changes } if staged.self_removed() => {
                let summary = self.lose_reader(message, *staged, sender, &changes)?;
                self.forget_before(epoch);
                Ok(Processed::Commit(summary))
            }
            Heard::Commit { sender, staged, changes } => {
                self.reader.merge(*staged)?;
                self.retain(message, &changes);
                let summary = self.begin_epoch(None, sender, &changes)?;
                self.forget_before(epoch);
                Ok(Processed::Commit(summary))
            }
        }
    }

    fn keep_proposal(
        &mut self,
        message: &MlsMessage,
        sender: HandshakeSender,
        proposal: QueuedProposal,
    ) -> Result<Processed, ProcessFault> {
        let summary = summarise(sender, proposal.proposal())?;
        if !self.reader.keep(proposal)? {
            return Ok(Processed::Ignored(Ignored::KnownProposal));
        }
        self.retain(message, &ComponentChanges::default());
        Ok(Processed::Proposal(summary))
    }

    /// The commit removes our reader: another takes over, or the room is lost until it is resynchronised.
    fn lose_reader(
        &mut self,
        removal: &MlsMessage,
        staged: StagedCommit,
        sender: HandshakeSender,
        changes: &ComponentChanges,
    ) -> Result<CommitSummary, HostedFault> {
        if let Some(next) = self.take_over(removal, sender, changes)? {
            let leaf = next.leaf();
            self.second.take_if(|second| second.leaf == leaf);
            self.retain(removal, changes);
            let mut summary = self.begin_epoch(Some(next), sender, changes)?;
            summary.reader = ReaderFate::TakenOver(leaf);
            return Ok(summary);
        }
        self.reader.merge(staged)?;
        self.stand_still(sender, changes)
    }

    /// Follows what is public of a commit whose secrets nobody of ours could learn.
    fn stand_still(
        &mut self,
        sender: HandshakeSender,
        changes: &ComponentChanges,
    ) -> Result<CommitSummary, HostedFault> {
        let roster = super::roster::Roster::of(&self.reader.group)?;
        let added = roster.missing_in(&self.roster);
        let removed = self.roster.missing_in(&roster);
        self.roster = roster;
        self.pending = None;
        self.second = None;
        self.current.senders.clear();
        let hosted_removed = self.follow_hosted();
        let (standing, fate) = if self.hosted.is_empty() {
            (Standing::Gone, ReaderFate::Gone)
        } else {
            (Standing::NeedsResync, ReaderFate::NeedsResync)
        };
        self.standing = standing;
        Ok(CommitSummary {
            epoch: Epoch(self.reader.group.epoch().as_u64()),
            sender,
            added,
            removed,
            components: changes.components(),
            hosted_removed,
            reader: fate,
        })
    }

    fn require_ours(&self, message: &MlsMessage) -> Result<Epoch, ProcessFault> {
        if message.group_id() != Some(self.group_id()) {
            return Err(ProcessFault::OtherGroup);
        }
        message.epoch().ok_or(ProcessFault::Malformed)
    }
}

fn summarise(sender: HandshakeSender, proposal: &Proposal) -> Result<ProposalSummary, ProcessFault> {
    let removes = match (proposal, sender) {
        (Proposal::Remove(remove), _) => Some(LeafIndex(remove.removed().u32())),
        (Proposal::SelfRemove, HandshakeSender::Member(leaf)) => Some(leaf),
        (_, _) => None,
    };
    let component = match proposal {
        Proposal::AppDataUpdate(update) => Some(update.component_id()),
        Proposal::AppEphemeral(ephemeral) => Some(ephemeral.component_id()),
        _ => None,
    };
    if matches!(proposal, Proposal::SelfRemove) && removes.is_none() {
        return Err(ProcessFault::handshake("a SelfRemove of somebody who is no member"));
    }
    Ok(ProposalSummary { sender, proposal_type: u16::from(proposal.proposal_type()), removes, component })
}
