//! The hub's view of a room's MLS group: public state only, checked as far as it can be checked without secrets.
//!
//! A handshake goes through four steps. [`HubGroup::examine`] takes it apart and has openmls validate it; nothing changes.
//! The room then decides who may do that. [`HubGroup::stage`] works out what a commit would make of the group and compares
//! everything that came with it: GroupInfo, Welcome, tree. [`HubGroup::accept_commit`] or
//! [`HubGroup::accept_proposal`] makes it so.
//!
//! What a hub cannot check: membership tags, confirmation tags, the ciphertexts of an update path (security row G12), and
//! who a credential belongs to, for which it needs roots and a clock ([`verify_credential`](crate::verify_credential)).
//! openmls reads the system's clock for the lifetimes of leaves.

mod examine;
mod examined;
mod group;
mod pending;
mod refusal;
mod stage;
mod stored;
#[cfg(test)]
mod tests;

pub use examined::{Examined, Proposal, ProposalView, Proposer, Sender};
pub(crate) use group::external_senders;
pub use group::{ExternalSender, HubGroup};
pub use pending::PendingProposal;
pub use refusal::{GroupInfoRefusal, MlsRefusal, WelcomeRefusal};
pub use stage::{Attachments, StagedCommit};
