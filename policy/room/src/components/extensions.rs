use std::collections::BTreeSet;

use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

use super::Text;
use crate::codec::{Consistent, doors};
use crate::{ComponentId, DecodeError};

/// A list of components: `app_components` and `safe_aad` of the MLS extensions draft.
#[derive(Debug, Clone, Default, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct ComponentsList {
    /// The components, each once.
    pub component_ids: Vec<u16>,
}

impl FromIterator<ComponentId> for ComponentsList {
    fn from_iter<I: IntoIterator<Item = ComponentId>>(components: I) -> Self {
        Self { component_ids: components.into_iter().map(|component| component.0).collect() }
    }
}

impl Consistent for ComponentsList {
    fn check(&self) -> Result<(), DecodeError> {
        let mut seen = BTreeSet::new();
        if self.component_ids.iter().all(|component| seen.insert(component)) {
            Ok(())
        } else {
            Err(DecodeError::Invalid("a list of components names one twice"))
        }
    }
}

/// A parameter of a media type.
#[derive(Debug, Clone, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct Parameter {
    /// Its name.
    pub parameter_name: Text,
    /// Its value, without quotation marks.
    pub parameter_value: Text,
}

/// A media type with its parameters.
#[derive(Debug, Clone, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct MediaType {
    /// `type/subtype`.
    pub essence: Text,
    /// The parameters.
    pub parameters: Vec<Parameter>,
}

impl MediaType {
    /// Whether `other` is meant by this entry of a list: one without parameters means all forms (R15).
    pub fn covers(&self, other: &Self) -> bool {
        self.essence.as_str().eq_ignore_ascii_case(other.essence.as_str())
            && (self.parameters.is_empty() || self.parameters == other.parameters)
    }
}

/// The media types of application messages (`content_media_types`), at least one.
#[derive(Debug, Clone, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct MediaTypeList {
    /// The media types, the default one first.
    pub media_type_list: Vec<MediaType>,
}

impl Consistent for MediaTypeList {
    fn check(&self) -> Result<(), DecodeError> {
        if self.media_type_list.is_empty() {
            return Err(DecodeError::Invalid("a list of media types is empty"));
        }
        if !self.media_type_list.iter().all(|media| media.essence.as_str().contains('/')) {
            return Err(DecodeError::Invalid("a media type has a type and a subtype"));
        }
        Ok(())
    }
}

doors!(ComponentsList, MediaTypeList);
