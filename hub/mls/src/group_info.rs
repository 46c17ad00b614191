//! The GroupInfo: what a newcomer needs to know, checked byte for byte against what a commit has made of the group.

use crate::hub::GroupInfoRefusal;
use crate::ids::LeafIndex;
use crate::label::verify_with_label;
use crate::structure::{Extension, GroupInfo, PROTOCOL_VERSION, read_group_info};
use crate::tls::{put_vector, whole};

const WIRE_FORMAT_GROUP_INFO: u16 = 4;
const EXTENSION_RATCHET_TREE: u16 = 0x0002;
const EXTENSION_EXTERNAL_PUB: u16 = 0x0004;

/// The parts of a `GroupInfo` that only the committer can give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartialGroupInfo {
    /// The TLS vector of `GroupInfo` extensions.
    pub extensions: Vec<u8>,
    /// The committer's signature.
    pub signature: Vec<u8>,
}

/// The `GroupInfo` that comes with a commit (A4, `GroupInfoOption`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupInfoOption<'a> {
    /// All of it, bare or as an `MLSMessage`.
    Full(&'a [u8]),
    /// What the hub cannot work out by itself.
    Partial(&'a PartialGroupInfo),
}

/// What a commit makes of the group, and so its `GroupInfo` must say.
pub(crate) struct Expected<'a> {
    pub(crate) group_context: &'a [u8],
    pub(crate) confirmation_tag: &'a [u8],
    pub(crate) signer: LeafIndex,
    pub(crate) signature_key: &'a [u8],
}

impl Expected<'_> {
    /// Checks a full `GroupInfo`, or completes a partial one and checks that; gives the bare `GroupInfo` (A4 check 7).
    pub(crate) fn check(&self, given: GroupInfoOption<'_>) -> Result<Vec<u8>, GroupInfoRefusal> {
        let bare = match given {
            GroupInfoOption::Full(bytes) => bare_group_info(bytes).to_vec(),
            GroupInfoOption::Partial(partial) => self.complete(partial),
        };
        let read = whole(&bare, read_group_info).ok_or(GroupInfoRefusal::Malformed)?;
        self.compare(&read)?;
        Ok(bare)
    }

    /// `GroupContext || extensions || confirmation_tag || signer || signature`: the committer's own bytes again.
    fn complete(&self, partial: &PartialGroupInfo) -> Vec<u8> {
        let mut out = self.group_context.to_vec();
        out.extend_from_slice(&partial.extensions);
        put_vector(&mut out, self.confirmation_tag);
        out.extend_from_slice(&self.signer.0.to_be_bytes());
        put_vector(&mut out, &partial.signature);
        out
    }

    fn compare(&self, given: &GroupInfo<'_>) -> Result<(), GroupInfoRefusal> {
        if given.group_context != self.group_context {
            return Err(GroupInfoRefusal::OtherContext);
        }
        if given.confirmation_tag != self.confirmation_tag {
            return Err(GroupInfoRefusal::OtherConfirmationTag);
        }
        if given.signer != self.signer.0 {
            return Err(GroupInfoRefusal::OtherSigner(LeafIndex(given.signer)));
        }
        require_joinable(&given.extensions)?;
        if !verify_with_label(self.signature_key, "GroupInfoTBS", given.signed, given.signature) {
            return Err(GroupInfoRefusal::Signature);
        }
        Ok(())
    }
}

/// A `GroupInfo` lets people join from outside, and leaves the tree to the hub.
pub(crate) fn require_joinable(extensions: &[Extension<'_>]) -> Result<(), GroupInfoRefusal> {
    let has = |extension_type| extensions.iter().any(|extension| extension.extension_type == extension_type);
    if has(EXTENSION_RATCHET_TREE) {
        return Err(GroupInfoRefusal::HasRatchetTree);
    }
    if !has(EXTENSION_EXTERNAL_PUB) {
        return Err(GroupInfoRefusal::NoExternalPub);
    }
    Ok(())
}

/// A `GroupInfo` without the header that it has as an `MLSMessage`.
///
/// The two cannot be confused: where the header says GroupInfo (4), a `GroupContext` says its ciphersuite (1).
pub(crate) fn bare_group_info(bytes: &[u8]) -> &[u8] {
    let header = [PROTOCOL_VERSION.to_be_bytes(), WIRE_FORMAT_GROUP_INFO.to_be_bytes()].concat();
    bytes.strip_prefix(header.as_slice()).unwrap_or(bytes)
}

/// The length of the bare `GroupInfo` at the beginning of `bytes`, if there is one.
pub fn group_info_length(bytes: &[u8]) -> Option<usize> {
    let mut reading = crate::tls::Reading(bytes);
    read_group_info(&mut reading)?;
    Some(bytes.len() - reading.0.len())
}
