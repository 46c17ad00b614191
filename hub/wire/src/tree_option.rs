//! How a GroupInfo and a ratchet tree travel: in full, in part, or not at all (ratchet tree options draft).

use crate::codec::{Reader, Wire, body, codes, put_list, put_opaque};
use crate::decode_error::DecodeError;
use crate::limits::{EXTENSIONS_MAX, URL_LENGTH_MAX};
use crate::mls_parts::Extension;

codes! {
    /// How a GroupInfo is represented.
    GroupInfoRepresentation("GroupInfoRepresentation") {
        /// Whole.
        Full = 1 "full",
        /// Only what a hub cannot compute itself.
        Partial = 2 "partial",
    }
}

/// The GroupInfo of the epoch that a commit begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupInfoOption {
    /// The `GroupInfo` struct, without its ratchet tree.
    Full(Vec<u8>),
    /// What the hub needs to rebuild it.
    Partial(PartialGroupInfo),
}

impl GroupInfoOption {
    /// A whole GroupInfo, given bare or as an `MLSMessage`.
    pub fn full(group_info: &[u8]) -> Self {
        // Where an MLSMessage says its wire format (4), a bare GroupInfo says its ciphersuite.
        Self::Full(group_info.strip_prefix(&[0, 1, 0, 4]).unwrap_or(group_info).to_vec())
    }
}

/// What a hub cannot compute of a GroupInfo: everything else it knows from the commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartialGroupInfo {
    /// Where the ratchet tree extension is.
    pub ratchet_tree: RatchetTreePresence,
    /// The GroupInfo's extensions, and the committer's signature over all of it.
    pub parts: mimi_mls::PartialGroupInfo,
}

codes! {
    /// Where the ratchet tree extension of a partial GroupInfo is.
    RatchetTreePresence("RatchetTreePresence") {
        /// There is none.
        NoRatchetTree = 0 "no_ratchet_tree",
        /// Among the extensions.
        Present = 1 "present",
        /// Removed from the extensions; the signature covers it.
        Removed = 2 "removed",
        /// Added to the extensions; the signature does not cover it.
        Added = 3 "added",
    }
}

codes! {
    /// How a ratchet tree is represented.
    RatchetTreeRepresentation("RatchetTreeRepresentation") {
        /// Whole.
        Full = 1 "full",
        /// Behind an https URL.
        HttpsUri = 2 "httpsUri",
        /// Somewhere else.
        OutOfBand = 3 "outOfBand",
        /// The hub has it already.
        DistributionService = 4 "distributionService",
    }
}

/// Where the ratchet tree of an epoch is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RatchetTreeOption {
    /// Here: the data of a `ratchet_tree` extension, its length in front (RFC 9420 §12.4.3.3).
    Full(Vec<u8>),
    /// Behind this https URL.
    HttpsUri(String),
    /// Somewhere else.
    OutOfBand,
    /// The hub has it already.
    DistributionService,
}

impl RatchetTreeOption {
    /// The code that says so.
    pub const fn code(&self) -> RatchetTreeRepresentation {
        match self {
            Self::Full(_) => RatchetTreeRepresentation::Full,
            Self::HttpsUri(_) => RatchetTreeRepresentation::HttpsUri,
            Self::OutOfBand => RatchetTreeRepresentation::OutOfBand,
            Self::DistributionService => RatchetTreeRepresentation::DistributionService,
        }
    }
}

impl Wire for GroupInfoOption {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(match GroupInfoRepresentation::read(reader)? {
            GroupInfoRepresentation::Full => Self::Full(reader.group_info()?),
            GroupInfoRepresentation::Partial => Self::Partial(PartialGroupInfo::read(reader)?),
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Full(group_info) => {
                GroupInfoRepresentation::Full.write(out);
                out.extend_from_slice(group_info);
            }
            Self::Partial(partial) => {
                GroupInfoRepresentation::Partial.write(out);
                partial.write(out);
            }
        }
    }
}

impl Wire for PartialGroupInfo {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let ratchet_tree = RatchetTreePresence::read(reader)?;
        let list = reader.list::<Extension>("group_info_extensions", EXTENSIONS_MAX)?;
        let mut extensions = Vec::new();
        put_list(&mut extensions, &list);
        let parts = mimi_mls::PartialGroupInfo { extensions, signature: reader.key("signature")? };
        Ok(Self { ratchet_tree, parts })
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.ratchet_tree.write(out);
        out.extend_from_slice(&self.parts.extensions);
        put_opaque(out, &self.parts.signature);
    }
}

impl Wire for RatchetTreeOption {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(match RatchetTreeRepresentation::read(reader)? {
            RatchetTreeRepresentation::Full => {
                let mut tree = Vec::new();
                put_opaque(&mut tree, reader.opaque()?);
                Self::Full(tree)
            }
            RatchetTreeRepresentation::HttpsUri => {
                let url = reader.text("ratchet tree url", URL_LENGTH_MAX)?;
                if !url.starts_with("https://") {
                    return Err(DecodeError::NotHttps { of: "ratchet tree url" });
                }
                Self::HttpsUri(url.to_owned())
            }
            RatchetTreeRepresentation::OutOfBand => Self::OutOfBand,
            RatchetTreeRepresentation::DistributionService => Self::DistributionService,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.code().write(out);
        match self {
            Self::Full(tree) => out.extend_from_slice(tree),
            Self::HttpsUri(url) => put_opaque(out, url.as_bytes()),
            Self::OutOfBand | Self::DistributionService => {}
        }
    }
}

body!(GroupInfoOption, PartialGroupInfo, RatchetTreeOption);
