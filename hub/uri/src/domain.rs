use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::limits::{DOMAIN_LENGTH_MAX, LABEL_LENGTH_MAX};

/// The domain of a provider: lower-case A-labels, no port, no trailing dot.
///
/// Cheap to clone; compared byte-wise.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Domain(Arc<str>);

/// Why a string is not a [`Domain`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDomain {
    /// Empty, or longer than a host name may be.
    #[error("a domain has 1 to {DOMAIN_LENGTH_MAX} bytes")]
    Length,
    /// A label is empty, too long, or starts or ends with a hyphen.
    #[error("a label of a domain has 1 to {LABEL_LENGTH_MAX} bytes and no hyphen at its ends")]
    Label,
    /// A character outside `a-z`, `0-9`, `-` and `.`: upper case, Unicode, a port, user information.
    #[error("a domain is written in lower-case A-labels, without port or trailing dot")]
    Character,
    /// An IPv4 address, or a name that a URL parser would read as one.
    #[error("an address is not a domain")]
    Address,
}

impl Domain {
    /// The domain as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads a domain; only its canonical form is one.
    pub fn parse(text: &str) -> Result<Self, InvalidDomain> {
        if text.is_empty() || text.len() > DOMAIN_LENGTH_MAX {
            return Err(InvalidDomain::Length);
        }
        if !text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.')) {
            return Err(InvalidDomain::Character);
        }
        if !text.split('.').all(is_label) {
            return Err(InvalidDomain::Label);
        }
        if text.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit())) {
            return Err(InvalidDomain::Address);
        }
        Ok(Self(text.into()))
    }
}

fn is_label(label: &str) -> bool {
    !label.is_empty() && label.len() <= LABEL_LENGTH_MAX && !label.starts_with('-') && !label.ends_with('-')
}

impl serde::Serialize for Domain {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for Domain {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl FromStr for Domain {
    type Err = InvalidDomain;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lower_case_host_name_is_a_domain() {
        for text in ["a.example", "localhost", "xn--bcher-kva.example", "a1.b-2.c3.example"] {
            assert_eq!(Domain::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let cases = [
            ("", InvalidDomain::Length),
            ("A.example", InvalidDomain::Character),
            ("bücher.example", InvalidDomain::Character),
            ("a.example:443", InvalidDomain::Character),
            ("u@a.example", InvalidDomain::Character),
            ("a.example.", InvalidDomain::Label),
            ("a..example", InvalidDomain::Label),
            ("-a.example", InvalidDomain::Label),
            ("a-.example", InvalidDomain::Label),
            ("127.0.0.1", InvalidDomain::Address),
            ("a.1", InvalidDomain::Address),
        ];

        for (text, why) in cases {
            assert_eq!(Domain::parse(text), Err(why), "{text}");
        }
    }
}
