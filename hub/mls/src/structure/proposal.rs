use super::group_info::{Extension, read_extensions};
use super::leaf_node::{KeyPackage, LeafNode, read_key_package, read_leaf_node};
use crate::components::ComponentOperation;
use crate::tls::Reading;

/// A proposal (RFC 9420 §12.1, MLS extensions draft); types that nobody registered have no known end.
#[derive(Debug, Clone)]
pub(crate) enum Proposal<'a> {
    /// The KeyPackage, and its bytes.
    Add(Box<KeyPackage<'a>>, &'a [u8]),
    Update(Box<LeafNode<'a>>),
    Remove(u32),
    PreSharedKey,
    ReInit,
    ExternalInit,
    GroupContextExtensions(Vec<Extension<'a>>),
    AppDataUpdate(u16, ComponentOperation<'a>),
    AppEphemeral(u16, &'a [u8]),
    SelfRemove,
}

/// Reads a `Proposal`.
pub(crate) fn read_proposal<'a>(reading: &mut Reading<'a>) -> Option<Proposal<'a>> {
    match reading.number16()? {
        1 => reading.span(read_key_package).map(|(package, bytes)| Proposal::Add(Box::new(package), bytes)),
        2 => read_leaf_node(reading).map(|leaf| Proposal::Update(Box::new(leaf))),
        3 => reading.number32().map(Proposal::Remove),
        4 => skip_pre_shared_key(reading).map(|()| Proposal::PreSharedKey),
        5 => skip_reinit(reading).map(|()| Proposal::ReInit),
        6 => reading.vector().map(|_kem_output| Proposal::ExternalInit),
        7 => read_extensions(reading).map(Proposal::GroupContextExtensions),
        8 => Some(Proposal::AppDataUpdate(reading.number16()?, read_operation(reading)?)),
        9 => Some(Proposal::AppEphemeral(reading.number16()?, reading.vector()?)),
        10 => Some(Proposal::SelfRemove),
        _ => None,
    }
}

fn read_operation<'a>(reading: &mut Reading<'a>) -> Option<ComponentOperation<'a>> {
    match reading.byte()? {
        1 => reading.vector().map(ComponentOperation::Update),
        2 => Some(ComponentOperation::Remove),
        _ => None,
    }
}

/// `PreSharedKeyID` of an external, resumption or application key (RFC 9420 §8.4, extensions draft).
fn skip_pre_shared_key(reading: &mut Reading<'_>) -> Option<()> {
    match reading.byte()? {
        1 => {
            reading.vector()?;
        }
        2 => {
            reading.byte()?;
            reading.vector()?;
            reading.number64()?;
        }
        3 => {
            reading.number16()?;
            reading.vector()?;
        }
        _ => return None,
    }
    reading.vector().map(|_nonce| ())
}

fn skip_reinit(reading: &mut Reading<'_>) -> Option<()> {
    reading.vector()?;
    reading.number16()?;
    reading.number16()?;
    read_extensions(reading).map(|_extensions| ())
}
