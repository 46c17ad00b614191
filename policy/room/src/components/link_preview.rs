use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

use super::{Optionality, Uri};
use crate::DecodeError;
use crate::codec::{Consistent, doors};

/// Link previews (`link_preview_policy`).
#[derive(Debug, Clone, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct LinkPreviewPolicy {
    /// Composers turn text that looks like a link into one; never required (RM9).
    pub autodetect_hyperlinks_in_text: Optionality,
    /// Senders attach previews.
    pub send_link_previews: Optionality,
    /// Receivers make previews themselves.
    pub automatic_link_previews: Optionality,
    /// Previews are made through a proxy, and through which.
    pub link_preview_proxy_use: LinkPreviewProxy,
}

/// The use of a preview proxy, with the proxies where it may be used.
#[derive(Debug, Clone, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[repr(u8)]
pub enum LinkPreviewProxy {
    /// One of these may be used.
    Optional(Vec<Uri>),
    /// One of these is used.
    Required(Vec<Uri>),
    /// None is used.
    Forbidden,
}

impl Consistent for LinkPreviewPolicy {
    /// R9: detection is never required (RM9), and where a proxy may be used it is named (RM10).
    fn check(&self) -> Result<(), DecodeError> {
        if self.autodetect_hyperlinks_in_text == Optionality::Required {
            return Err(DecodeError::Invalid("the detection of hyperlinks in text is never required"));
        }
        match &self.link_preview_proxy_use {
            LinkPreviewProxy::Optional(proxies) | LinkPreviewProxy::Required(proxies) => {
                if proxies.is_empty() || proxies.iter().any(Uri::is_empty) {
                    return Err(DecodeError::Invalid("a preview proxy may be used, and none is named"));
                }
                Ok(())
            }
            LinkPreviewProxy::Forbidden => Ok(()),
        }
    }
}

doors!(LinkPreviewPolicy);
