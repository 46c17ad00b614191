use crate::tls::Reading;

/// An extension: its type and its data (RFC 9420 §13).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extension<'a> {
    pub(crate) extension_type: u16,
    pub(crate) data: &'a [u8],
}

/// Reads a vector of extensions; RFC 9420 §13.4: no type comes twice.
pub(crate) fn read_extensions<'a>(reading: &mut Reading<'a>) -> Option<Vec<Extension<'a>>> {
    let extensions =
        reading.list(|item| Some(Extension { extension_type: item.number16()?, data: item.vector()? }))?;
    let mut types: Vec<u16> = extensions.iter().map(|extension| extension.extension_type).collect();
    types.sort_unstable();
    types.is_sorted_by(|before, next| before < next).then_some(extensions)
}

/// A `GroupInfo` (RFC 9420 §12.4.3).
#[derive(Debug, Clone)]
pub(crate) struct GroupInfo<'a> {
    /// The serialised `GroupContext`.
    pub(crate) group_context: &'a [u8],
    pub(crate) extensions: Vec<Extension<'a>>,
    pub(crate) confirmation_tag: &'a [u8],
    pub(crate) signer: u32,
    pub(crate) signature: &'a [u8],
    /// Everything before the signature: `GroupInfoTBS`.
    pub(crate) signed: &'a [u8],
}

/// Reads a `GroupInfo`.
pub(crate) fn read_group_info<'a>(reading: &mut Reading<'a>) -> Option<GroupInfo<'a>> {
    let (mut group_info, signed) = reading.span(|reading| {
        Some(GroupInfo {
            group_context: reading.span(skip_group_context)?.1,
            extensions: read_extensions(reading)?,
            confirmation_tag: reading.vector()?,
            signer: reading.number32()?,
            signature: &[],
            signed: &[],
        })
    })?;
    group_info.signature = reading.vector()?;
    group_info.signed = signed;
    Some(group_info)
}

/// Version, suite, group id, epoch, tree hash, confirmed transcript hash, extensions (RFC 9420 §8.1).
fn skip_group_context(reading: &mut Reading<'_>) -> Option<()> {
    reading.number16()?;
    reading.number16()?;
    reading.vector()?;
    reading.number64()?;
    reading.vector()?;
    reading.vector()?;
    read_extensions(reading)?;
    Some(())
}
