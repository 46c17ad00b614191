use std::collections::BTreeSet;

use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

use super::Uri;
use crate::DecodeError;
use crate::codec::{Consistent, doors};

/// Whether the room is logged (`logging_policy`), and then by whom.
#[derive(Debug, Clone, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[repr(u8)]
pub enum LoggingPolicy {
    /// It is, if there is a logging client.
    Optional(LoggingProviders),
    /// It is.
    Required(LoggingProviders),
    /// It is not.
    Forbidden,
}

/// Who logs, and by what rules.
#[derive(Debug, Clone, Default, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct LoggingProviders {
    /// The logging clients, at most one of each provider.
    pub logging_clients: Vec<Uri>,
    /// The owning provider's policy for machines; may be empty.
    pub machine_readable_policy: Uri,
    /// The owning provider's policy for people; may be empty.
    pub human_readable_policy: Uri,
}

impl Consistent for LoggingPolicy {
    /// R10: who must log is named, and no provider logs twice.
    fn check(&self) -> Result<(), DecodeError> {
        match self {
            Self::Required(providers) if providers.logging_clients.is_empty() => {
                Err(DecodeError::Invalid("logging is required, and nobody logs"))
            }
            Self::Required(providers) | Self::Optional(providers) => one_per_provider(providers),
            Self::Forbidden => Ok(()),
        }
    }
}

fn one_per_provider(providers: &LoggingProviders) -> Result<(), DecodeError> {
    let mut seen = BTreeSet::new();
    let mut authorities = providers.logging_clients.iter().map(authority);
    if authorities.all(|authority| authority.is_some_and(|authority| seen.insert(authority))) {
        Ok(())
    } else {
        Err(DecodeError::Invalid("a logging client has no provider, or a provider logs twice"))
    }
}

fn authority(client: &Uri) -> Option<&str> {
    let (_, rest) = client.as_str().split_once("://")?;
    rest.split('/').next().filter(|authority| !authority.is_empty())
}

doors!(LoggingPolicy);
