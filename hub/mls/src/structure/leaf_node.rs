use super::group_info::{Extension, read_extensions};
use crate::tls::Reading;

const CREDENTIAL_X509: u16 = 2;

/// A member as he presents himself (RFC 9420 §7.2).
#[derive(Debug, Clone)]
pub(crate) struct LeafNode<'a> {
    pub(crate) encryption_key: &'a [u8],
    pub(crate) signature_key: &'a [u8],
    /// The serialised `Credential`.
    pub(crate) credential: &'a [u8],
    pub(crate) capabilities: Capabilities,
    pub(crate) source: LeafSource,
    pub(crate) extensions: Vec<Extension<'a>>,
    pub(crate) signature: &'a [u8],
    /// Everything before the signature; for a leaf of a KeyPackage this is `LeafNodeTBS`.
    pub(crate) signed: &'a [u8],
}

/// What a client understands (RFC 9420 §7.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Capabilities {
    pub(crate) versions: Vec<u16>,
    pub(crate) ciphersuites: Vec<u16>,
    pub(crate) extensions: Vec<u16>,
    pub(crate) proposals: Vec<u16>,
    pub(crate) credentials: Vec<u16>,
}

/// How a leaf came into the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LeafSource {
    KeyPackage { not_before: u64, not_after: u64 },
    Update,
    Commit,
}

/// An offer to be added (RFC 9420 §10).
#[derive(Debug, Clone)]
pub(crate) struct KeyPackage<'a> {
    pub(crate) version: u16,
    pub(crate) ciphersuite: u16,
    pub(crate) init_key: &'a [u8],
    pub(crate) leaf_node: LeafNode<'a>,
    pub(crate) extensions: Vec<Extension<'a>>,
    pub(crate) signature: &'a [u8],
    /// Everything before the signature: `KeyPackageTBS`.
    pub(crate) signed: &'a [u8],
}

/// Reads a `KeyPackage`.
pub(crate) fn read_key_package<'a>(reading: &mut Reading<'a>) -> Option<KeyPackage<'a>> {
    let (mut package, signed) = reading.span(|reading| {
        Some(KeyPackage {
            version: reading.number16()?,
            ciphersuite: reading.number16()?,
            init_key: reading.vector()?,
            leaf_node: read_leaf_node(reading)?,
            extensions: read_extensions(reading)?,
            signature: &[],
            signed: &[],
        })
    })?;
    package.signature = reading.vector()?;
    package.signed = signed;
    Some(package)
}

/// Reads a `LeafNode`.
pub(crate) fn read_leaf_node<'a>(reading: &mut Reading<'a>) -> Option<LeafNode<'a>> {
    let (mut leaf, signed) = reading.span(|reading| {
        Some(LeafNode {
            encryption_key: reading.vector()?,
            signature_key: reading.vector()?,
            credential: reading.span(read_credential)?.1,
            capabilities: read_capabilities(reading)?,
            source: read_source(reading)?,
            extensions: read_extensions(reading)?,
            signature: &[],
            signed: &[],
        })
    })?;
    leaf.signature = reading.vector()?;
    leaf.signed = signed;
    Some(leaf)
}

/// Reads a `Credential`: its type, and the identity or the certificates in it. All registered types are vectors.
pub(crate) fn read_credential<'a>(reading: &mut Reading<'a>) -> Option<(u16, Vec<&'a [u8]>)> {
    let credential_type = reading.number16()?;
    let content = reading.vector()?;
    let parts = match credential_type {
        CREDENTIAL_X509 => Reading(content).items(Reading::vector)?,
        _ => vec![content],
    };
    Some((credential_type, parts))
}

fn read_capabilities(reading: &mut Reading<'_>) -> Option<Capabilities> {
    Some(Capabilities {
        versions: reading.numbers16()?,
        ciphersuites: reading.numbers16()?,
        extensions: reading.numbers16()?,
        proposals: reading.numbers16()?,
        credentials: reading.numbers16()?,
    })
}

fn read_source(reading: &mut Reading<'_>) -> Option<LeafSource> {
    match reading.byte()? {
        1 => Some(LeafSource::KeyPackage { not_before: reading.number64()?, not_after: reading.number64()? }),
        2 => Some(LeafSource::Update),
        3 => reading.vector().map(|_parent_hash| LeafSource::Commit),
        _ => None,
    }
}
