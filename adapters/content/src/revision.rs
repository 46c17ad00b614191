//! Who may edit or delete what (CM12, CM13, G24).

use thiserror::Error;

use crate::content::MimiContent;
use crate::part::{Cardinality, Disposition};

/// A message and its authenticated author.
#[derive(Clone, Copy, Debug)]
pub struct Posted<'a> {
    /// The user URI in the author's credential.
    pub sender_uri: &'a str,
    /// What it says.
    pub content: &'a MimiContent,
}

/// What a message that replaces another does to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Revision {
    /// Gives it another body.
    Edit,
    /// Retracts it.
    Delete,
    /// Retracts a reaction.
    Unlike,
}

/// A message after its revision. Receivers show that it was edited or retracted (CS1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revised {
    /// What was done.
    pub revision: Revision,
    /// The first version with the new body.
    pub content: MimiContent,
    /// The revision also tried to change topic, expiry or reply. That was ignored (CM13).
    pub has_overreached: bool,
}

/// Why a revision has no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RevisionRefused {
    /// It replaces nothing.
    #[error("the message replaces nothing")]
    NoRevision,
    /// It replaces a message that is itself a revision; `replaces` is the id of the first version.
    #[error("the replaced message is not a first version")]
    NotTheFirstVersion,
    /// No capability lets anyone edit what others wrote.
    #[error("only the author edits")]
    NotTheAuthor,
    /// The room's policy withholds the capability.
    #[error("the sender lacks {0:?}")]
    NotPermitted(Capability),
}

/// The capabilities of draft-ietf-mimi-room-policy that revisions need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Capability {
    /// `canEditReaction`.
    EditReaction,
    /// `canDeleteOwnReaction`.
    DeleteOwnReaction,
    /// `canDeleteOtherReaction`.
    DeleteOtherReaction,
    /// `canEditOwnMessage`.
    EditOwnMessage,
    /// `canDeleteOwnMessage`.
    DeleteOwnMessage,
    /// `canDeleteOtherMessage`.
    DeleteOtherMessage,
}

impl Capability {
    /// The number in the policy's registry.
    pub fn code(self) -> u16 {
        match self {
            Self::EditReaction => 0x0106,
            Self::DeleteOwnReaction => 0x0107,
            Self::DeleteOtherReaction => 0x0108,
            Self::EditOwnMessage => 0x0109,
            Self::DeleteOwnMessage => 0x010a,
            Self::DeleteOtherMessage => 0x010b,
        }
    }
}

/// The rule where no policy says otherwise: authors may, others may not (CM12).
pub fn author_only(capability: Capability) -> bool {
    match capability {
        Capability::EditReaction
        | Capability::DeleteOwnReaction
        | Capability::EditOwnMessage
        | Capability::DeleteOwnMessage => true,
        Capability::DeleteOtherReaction | Capability::DeleteOtherMessage => false,
    }
}

/// Applies `revision` to `first`, the message that its `replaces` names.
///
/// `permits` tells what the role of the revising sender permitted when the hub accepted the revision; see
/// [`author_only`].
pub fn revise(
    first: Posted<'_>,
    revision: Posted<'_>,
    permits: impl Fn(Capability) -> bool,
) -> Result<Revised, RevisionRefused> {
    if revision.content.replaces.is_none() {
        return Err(RevisionRefused::NoRevision);
    }
    // Draft, Edit: "the `replaces` data field refers to the message ID of the first instance of the message".
    if first.content.replaces.is_some() {
        return Err(RevisionRefused::NotTheFirstVersion);
    }
    let kind = kind(first.content, revision.content);
    let capability = needed(kind, first.sender_uri == revision.sender_uri, is_reaction(first.content))?;
    if !permits(capability) {
        return Err(RevisionRefused::NotPermitted(capability));
    }
    // CM13: "any other portion of the message except for the contents of the NestedPart" stays.
    let mut content = first.content.clone();
    content.nested_part = revision.content.nested_part.clone();
    Ok(Revised { revision: kind, content, has_overreached: has_overreached(first.content, revision.content) })
}

fn kind(first: &MimiContent, revision: &MimiContent) -> Revision {
    match revision.nested_part.cardinality {
        Cardinality::Null if is_reaction(first) => Revision::Unlike,
        Cardinality::Null => Revision::Delete,
        Cardinality::Single(_) | Cardinality::External(_) | Cardinality::Multi(_) => Revision::Edit,
    }
}

fn needed(kind: Revision, is_own: bool, is_reaction: bool) -> Result<Capability, RevisionRefused> {
    Ok(match (kind, is_own) {
        (Revision::Edit, false) => return Err(RevisionRefused::NotTheAuthor),
        (Revision::Edit, true) if is_reaction => Capability::EditReaction,
        (Revision::Edit, true) => Capability::EditOwnMessage,
        (Revision::Delete, true) => Capability::DeleteOwnMessage,
        (Revision::Delete, false) => Capability::DeleteOtherMessage,
        (Revision::Unlike, true) => Capability::DeleteOwnReaction,
        (Revision::Unlike, false) => Capability::DeleteOtherReaction,
    })
}

fn is_reaction(content: &MimiContent) -> bool {
    content.nested_part.disposition == Disposition::Reaction
}

fn has_overreached(first: &MimiContent, revision: &MimiContent) -> bool {
    first.topic_id != revision.topic_id
        || first.in_reply_to != revision.in_reply_to
        || first.expires != revision.expires
}
