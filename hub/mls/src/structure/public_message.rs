use super::leaf_node::{LeafNode, read_leaf_node};
use super::proposal::{Proposal, read_proposal};
use crate::tls::Reading;

const CONTENT_PROPOSAL: u8 = 2;
const CONTENT_COMMIT: u8 = 3;

/// Who sent a message (RFC 9420 §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sender {
    Member(u32),
    External(u32),
    NewMemberProposal,
    NewMemberCommit,
}

/// A `PublicMessage` without the `MLSMessage` header (RFC 9420 §6.2).
#[derive(Debug, Clone)]
pub(crate) struct PublicMessage<'a> {
    pub(crate) group_id: &'a [u8],
    pub(crate) epoch: u64,
    pub(crate) sender: Sender,
    pub(crate) authenticated_data: &'a [u8],
    pub(crate) content: Content<'a>,
    /// `FramedContent` and `FramedContentAuthData`: what a proposal's reference is the hash of.
    pub(crate) authenticated: &'a [u8],
}

/// What a handshake says. Application messages are never public (RFC 9420 §6.2).
#[derive(Debug, Clone)]
pub(crate) enum Content<'a> {
    Proposal(Proposal<'a>),
    Commit { commit: Box<Commit<'a>>, confirmation_tag: &'a [u8] },
}

/// A `Commit` (RFC 9420 §12.4).
#[derive(Debug, Clone)]
pub(crate) struct Commit<'a> {
    pub(crate) proposals: Vec<Listed<'a>>,
    /// The committer's new leaf, if there is a path.
    pub(crate) leaf_node: Option<LeafNode<'a>>,
}

/// An entry of a commit's proposal list.
#[derive(Debug, Clone)]
pub(crate) enum Listed<'a> {
    ByValue(Proposal<'a>),
    ByReference(&'a [u8]),
}

/// Reads a `PublicMessage`.
pub(crate) fn read_public_message<'a>(reading: &mut Reading<'a>) -> Option<PublicMessage<'a>> {
    let (mut message, authenticated) = reading.span(|reading| {
        Some(PublicMessage {
            group_id: reading.vector()?,
            epoch: reading.number64()?,
            sender: read_sender(reading)?,
            authenticated_data: reading.vector()?,
            content: read_content(reading)?,
            authenticated: &[],
        })
    })?;
    message.authenticated = authenticated;
    if matches!(message.sender, Sender::Member(_)) {
        let _membership_tag = reading.vector()?;
    }
    Some(message)
}

/// Content and what authenticates it: the signature, and a commit's confirmation tag.
fn read_content<'a>(reading: &mut Reading<'a>) -> Option<Content<'a>> {
    match reading.byte()? {
        CONTENT_PROPOSAL => {
            let proposal = read_proposal(reading)?;
            let _signature = reading.vector()?;
            Some(Content::Proposal(proposal))
        }
        CONTENT_COMMIT => {
            let commit = Box::new(read_commit(reading)?);
            let _signature = reading.vector()?;
            Some(Content::Commit { commit, confirmation_tag: reading.vector()? })
        }
        _ => None,
    }
}

/// Reads a `Sender`.
pub(crate) fn read_sender(reading: &mut Reading<'_>) -> Option<Sender> {
    match reading.byte()? {
        1 => reading.number32().map(Sender::Member),
        2 => reading.number32().map(Sender::External),
        3 => Some(Sender::NewMemberProposal),
        4 => Some(Sender::NewMemberCommit),
        _ => None,
    }
}

fn read_commit<'a>(reading: &mut Reading<'a>) -> Option<Commit<'a>> {
    let proposals = reading.list(|entry| match entry.byte()? {
        1 => read_proposal(entry).map(Listed::ByValue),
        2 => entry.vector().map(Listed::ByReference),
        _ => None,
    })?;
    let leaf_node = match reading.byte()? {
        0 => None,
        1 => {
            let leaf_node = read_leaf_node(reading)?;
            reading.list(skip_path_node)?;
            Some(leaf_node)
        }
        _ => return None,
    };
    Some(Commit { proposals, leaf_node })
}

/// `UpdatePathNode`: a public key and the ciphertexts for those who may know its private key.
fn skip_path_node(reading: &mut Reading<'_>) -> Option<()> {
    reading.vector()?;
    reading.list(|ciphertext| Some((ciphertext.vector()?, ciphertext.vector()?)))?;
    Some(())
}
