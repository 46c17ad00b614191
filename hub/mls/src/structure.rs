//! MLS structures, read in place and as strictly as RFC 9420 writes them.
//!
//! openmls keeps what it reads to itself: which KeyPackage an Add carries, where a message ends, what a commit holds
//! before it is staged. A hub must know these before it decides, so they are read here, and openmls then checks what was
//! read: signatures, trees, the rules of proposal lists.

mod group_info;
mod leaf_node;
mod proposal;
mod public_message;

pub(crate) use group_info::{Extension, GroupInfo, read_extensions, read_group_info};
pub(crate) use leaf_node::{KeyPackage, LeafNode, LeafSource, read_credential, read_key_package};
pub(crate) use proposal::Proposal;
pub(crate) use public_message::{Content, Listed, PublicMessage, Sender, read_public_message, read_sender};

/// `mls10`, the one protocol version.
pub(crate) const PROTOCOL_VERSION: u16 = 1;
