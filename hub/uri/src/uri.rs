use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::escape;
use crate::limits::URI_LENGTH_MAX;
use crate::{Domain, InvalidDomain};

/// Why a string is not a canonical identifier of the kind asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUri {
    /// Longer than any identifier may be.
    #[error("an identifier has at most {URI_LENGTH_MAX} bytes")]
    Length,
    /// It does not start with `mimi://`.
    #[error("an identifier starts with mimi://")]
    Scheme,
    /// Its authority is not the domain of a provider.
    #[error("the authority is not a provider's domain: {0}")]
    Authority(#[from] InvalidDomain),
    /// It names something of another class: a room where a user was expected.
    #[error("the identifier is of another class; expected /{expected}/")]
    Class {
        /// The class letter that was expected.
        expected: char,
    },
    /// An empty, dot or wrongly escaped path segment, a query or a fragment.
    #[error("the path is not in canonical form")]
    Path,
}

struct Parts {
    text: Arc<str>,
    domain: Domain,
    path_start: usize,
}

fn parse(text: &str, class: char) -> Result<Parts, InvalidUri> {
    if text.len() > URI_LENGTH_MAX {
        return Err(InvalidUri::Length);
    }
    let rest = text.strip_prefix("mimi://").ok_or(InvalidUri::Scheme)?;
    let (authority, path) = rest.split_once('/').ok_or(InvalidUri::Path)?;
    let domain = Domain::parse(authority)?;
    let mut prefix = [0; 4];
    let path = path
        .strip_prefix(&*class.encode_utf8(&mut prefix))
        .and_then(|path| path.strip_prefix('/'))
        .ok_or(InvalidUri::Class { expected: class })?;
    if !path.split('/').all(escape::is_canonical_segment) {
        return Err(InvalidUri::Path);
    }
    Ok(Parts { text: text.into(), domain, path_start: text.len() - path.len() })
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $class:literal) => {
        $(#[$doc])*
        ///
        /// Always canonical; cheap to clone; compared byte-wise.
        #[derive(Clone)]
        pub struct $name(Arc<Parts>);

        impl $name {
            /// Reads an identifier; only its canonical form is one.
            pub fn parse(text: &str) -> Result<Self, InvalidUri> {
                parse(text, $class).map(|parts| Self(Arc::new(parts)))
            }

            /// Reads an identifier from the bytes of a protocol struct.
            pub fn parse_bytes(bytes: &[u8]) -> Result<Self, InvalidUri> {
                Self::parse(std::str::from_utf8(bytes).map_err(|_| InvalidUri::Path)?)
            }

            /// Makes an identifier of a provider from path segments, escaping what must be escaped.
            pub fn new(domain: &Domain, segments: &[&str]) -> Result<Self, InvalidUri> {
                let path: Vec<String> = segments.iter().map(|segment| escape::encode(segment)).collect();
                Self::parse(&format!("mimi://{domain}/{}/{}", $class, path.join("/")))
            }

            /// The provider that the identifier belongs to.
            pub fn domain(&self) -> &Domain {
                &self.0.domain
            }

            /// The identifier as it is written.
            pub fn as_str(&self) -> &str {
                &self.0.text
            }

            /// The part behind the class, as it is written (percent-encoding kept).
            pub fn path(&self) -> &str {
                &self.0.text[self.0.path_start..]
            }

            /// The path segments behind the class, decoded.
            pub fn segments(&self) -> impl Iterator<Item = String> + '_ {
                self.path().split('/').filter_map(escape::decode)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.0.text == other.0.text
            }
        }

        impl Eq for $name {}

        impl std::hash::Hash for $name {
            fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
                self.0.text.hash(state);
            }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> std::cmp::Ordering {
                self.0.text.cmp(&other.0.text)
            }
        }

        impl FromStr for $name {
            type Err = InvalidUri;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0.text)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0.text)
            }
        }
    };
}

identifier! {
    /// A user: `mimi://<provider>/u/<path>`.
    UserUri, 'u'
}
identifier! {
    /// A client of a user: `mimi://<provider>/d/<path>`.
    ClientUri, 'd'
}
identifier! {
    /// A room: `mimi://<hub>/r/<path>`; its domain is the hub that hosts it.
    RoomUri, 'r'
}
identifier! {
    /// An MLS group: `mimi://<hub>/g/<path>`.
    GroupUri, 'g'
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_canonical_uri_is_read_as_written() {
        let user = UserUri::parse("mimi://a.example/u/net/alice%20w").unwrap();

        assert_eq!(user.as_str(), "mimi://a.example/u/net/alice%20w");
        assert_eq!(user.domain().as_str(), "a.example");
        assert_eq!(user.path(), "net/alice%20w");
        assert_eq!(user.segments().collect::<Vec<_>>(), ["net", "alice w"]);
    }

    #[test]
    fn every_other_spelling_is_refused() {
        let class = InvalidUri::Class { expected: 'u' };
        let cases = [
            ("MIMI://a.example/u/alice", InvalidUri::Scheme),
            ("mimi:a.example/u/alice", InvalidUri::Scheme),
            ("mimi://a.example", InvalidUri::Path),
            ("mimi://A.example/u/alice", InvalidUri::Authority(InvalidDomain::Character)),
            ("mimi://a.example:443/u/alice", InvalidUri::Authority(InvalidDomain::Character)),
            ("mimi://x@a.example/u/alice", InvalidUri::Authority(InvalidDomain::Character)),
            ("mimi://a.example./u/alice", InvalidUri::Authority(InvalidDomain::Label)),
            ("mimi://127.0.0.1/u/alice", InvalidUri::Authority(InvalidDomain::Address)),
            ("mimi://a.example/r/room", class),
            ("mimi://a.example/U/alice", class),
            ("mimi://a.example//u/alice", class),
            ("mimi://a.example/u/", InvalidUri::Path),
            ("mimi://a.example/u/alice/", InvalidUri::Path),
            ("mimi://a.example/u//alice", InvalidUri::Path),
            ("mimi://a.example/u/./alice", InvalidUri::Path),
            ("mimi://a.example/u/../alice", InvalidUri::Path),
            ("mimi://a.example/u/alice?x", InvalidUri::Path),
            ("mimi://a.example/u/alice#x", InvalidUri::Path),
            ("mimi://a.example/u/%61lice", InvalidUri::Path),
            ("mimi://a.example/u/alice%2f", InvalidUri::Path),
            ("mimi://a.example/u/alice%2", InvalidUri::Path),
            ("mimi://a.example/u/alice%00", InvalidUri::Path),
            ("mimi://a.example/u/alice%FF", InvalidUri::Path),
            ("mimi://a.example/u/älice", InvalidUri::Path),
            ("mimi://a.example/u/al ice", InvalidUri::Path),
        ];

        for (text, why) in cases {
            assert_eq!(UserUri::parse(text), Err(why), "{text}");
        }
    }

    #[test]
    fn a_uri_longer_than_the_limit_is_refused() {
        let text = format!("mimi://a.example/u/{}", "a".repeat(URI_LENGTH_MAX));

        assert_eq!(UserUri::parse(&text), Err(InvalidUri::Length));
    }

    proptest! {
        #[test]
        fn any_text_makes_a_segment_that_reads_back(text in "[^\\p{Cc}]{1,40}") {
            prop_assume!(text != "." && text != "..");
            let domain = Domain::parse("a.example").unwrap();

            let uri = RoomUri::new(&domain, &[&text]).unwrap();

            prop_assert_eq!(uri.segments().collect::<Vec<_>>(), vec![text]);
        }

        #[test]
        fn any_bytes_are_read_or_refused(text in "\\PC{0,80}") {
            if let Ok(uri) = UserUri::parse(&text) {
                prop_assert_eq!(uri.as_str(), text.as_str());
            }
        }
    }
}
