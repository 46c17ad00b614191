use std::fmt;

use tls_codec::{DeserializeBytes, Error, TlsSerialize, TlsSize};

use crate::DecodeError;
use crate::limits::{TEXT_LENGTH_MAX, URI_LENGTH_MAX};

/// Text for people: UTF-8 without NUL, of bounded length (`UTF8String` of the protocol draft).
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, TlsSize, TlsSerialize)]
pub struct Text(String);

impl Text {
    /// Takes text that keeps to the bounds.
    pub fn new(text: &str) -> Result<Self, DecodeError> {
        if text.len() > TEXT_LENGTH_MAX {
            return Err(DecodeError::Invalid("a text is longer than any text may be"));
        }
        if text.contains('\0') {
            return Err(DecodeError::Invalid("a text has a NUL"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A URI that is not one of ours, or the empty string where none is given.
///
/// It is only ever shown or handed on, never fetched by this crate's users without their own checks.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, TlsSize, TlsSerialize)]
pub struct Uri(String);

impl Uri {
    /// Takes a URI: printable ASCII with a scheme; or nothing.
    pub fn new(uri: &str) -> Result<Self, DecodeError> {
        if uri.len() > URI_LENGTH_MAX {
            return Err(DecodeError::Invalid("a URI is longer than any URI may be"));
        }
        let has_scheme = uri.split_once(':').is_some_and(|(scheme, _)| is_scheme(scheme));
        let is_uri = has_scheme && uri.bytes().all(|byte| byte.is_ascii_graphic());
        if !uri.is_empty() && !is_uri {
            return Err(DecodeError::Invalid("a URI is not one"));
        }
        Ok(Self(uri.to_owned()))
    }

    /// The URI as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether none is given.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn is_scheme(scheme: &str) -> bool {
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

macro_rules! decodes_as_checked_string {
    ($($name:ident),+) => {$(
        impl DeserializeBytes for $name {
            fn tls_deserialize_bytes(bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
                let (text, rest) = crate::codec::text(bytes)?;
                let checked = Self::new(&text).map_err(|why| Error::DecodingError(why.to_string()))?;
                Ok((checked, rest))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

decodes_as_checked_string!(Text, Uri);
