use std::fmt;

use super::escape::{Bare, escape, push_escape, unescape, unescape_any};
use crate::limits::{LOCALPART_LENGTH_MAX, NETWORK_LENGTH_MAX};

/// Where a network's people live among the localparts of our domain.
///
/// `_…` belongs to service users in every case. No two namespaces share a localpart: what a network writes starts
/// with its name and a dot, and the primary never writes a bare dot behind what could be a network's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Namespace {
    /// The one network whose server name is our domain: its users keep their names, as far as they can.
    Primary,
    /// Any other network: `<network>.<escaped native id>`.
    Network(Network),
}

impl Namespace {
    /// The localpart for a native name; `None` if the name is empty or too long.
    pub fn localpart(&self, native: &str) -> Option<String> {
        let localpart = match self {
            Self::Primary => escape_primary(native),
            Self::Network(network) => format!("{network}.{}", escape(native, Bare::STRICT)),
        };
        (!native.is_empty() && localpart.len() <= LOCALPART_LENGTH_MAX).then_some(localpart)
    }

    /// The native name that a localpart stands for; `None` if it is not one that [`Namespace::localpart`] writes.
    pub fn native(&self, localpart: &str) -> Option<String> {
        let native = match self {
            Self::Primary => unescape_any(localpart)?,
            Self::Network(network) => {
                unescape(localpart.strip_prefix(network.as_str())?.strip_prefix('.')?, Bare::STRICT)?
            }
        };
        (self.localpart(&native).as_deref() == Some(localpart)).then_some(native)
    }
}

/// Like [`escape`] with `.` and `_` bare, except where they would say something: a leading `_` (a service user), and
/// the `.` behind what could be a network's name, a leading one too.
fn escape_primary(native: &str) -> String {
    let mut escaped = String::with_capacity(native.len());
    for byte in native.bytes() {
        let bare = match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' => true,
            b'_' => !escaped.is_empty(),
            b'.' => escaped.contains(['=', '_']),
            _ => false,
        };
        if bare {
            escaped.push(char::from(byte));
        } else {
            push_escape(&mut escaped, byte);
        }
    }
    escaped
}

/// The name of a network as localparts carry it: `a-z`, `0-9` and `-`, and not empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Network(String);

impl Network {
    /// Reads a name.
    pub fn parse(text: &str) -> Result<Self, InvalidNetwork> {
        let is_name = !text.is_empty()
            && text.len() <= NETWORK_LENGTH_MAX
            && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        if is_name { Ok(Self(text.to_owned())) } else { Err(InvalidNetwork) }
    }

    /// The name as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text cannot name a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a network is named with 1 to {NETWORK_LENGTH_MAX} of a-z, 0-9 and -")]
pub struct InvalidNetwork;

#[cfg(test)]
mod tests {
    use super::*;
    use mimi_uri::{Domain, UserUri};
    use proptest::prelude::*;

    fn network(name: &str) -> Namespace {
        Namespace::Network(Network::parse(name).unwrap())
    }

    #[test]
    fn users_of_the_primary_network_keep_readable_names() {
        let cases = [
            ("alice", "alice"),
            ("Alice", "=41lice"),
            ("alice_b.c", "alice_b.c"),
            ("alice.smith", "alice=2esmith"),
            ("alice.smith.jr", "alice=2esmith.jr"),
            ("_alice", "=5falice"),
            (".", "=2e"),
            ("..", "=2e."),
            ("a=b/c+d", "a=3db=2fc=2bd"),
            ("älice", "=c3=a4lice"),
        ];

        for (native, localpart) in cases {
            assert_eq!(Namespace::Primary.localpart(native).as_deref(), Some(localpart));
            assert_eq!(Namespace::Primary.native(localpart).as_deref(), Some(native));
        }
    }

    #[test]
    fn users_of_any_other_network_follow_its_name() {
        let matrix = network("matrix");

        let localpart = matrix.localpart("@alice_b:other.example").unwrap();

        assert_eq!(localpart, "matrix.=40alice=5fb=3aother=2eexample");
        assert_eq!(matrix.native(&localpart).as_deref(), Some("@alice_b:other.example"));
        assert_eq!(network("irc").native(&localpart), None);
        assert_eq!(Namespace::Primary.native(&localpart), None);
    }

    #[test]
    fn an_empty_or_endless_name_is_not_hosted() {
        let endless = "ü".repeat(200);

        for namespace in [Namespace::Primary, network("irc")] {
            assert_eq!(namespace.localpart(""), None);
            assert_eq!(namespace.localpart(&endless), None);
            assert_eq!(namespace.native(""), None);
        }
        assert_eq!(network("irc").native("irc."), None);
    }

    #[test]
    fn a_service_user_is_nobodys() {
        assert_eq!(Namespace::Primary.native("_drawbridge"), None);
    }

    #[test]
    fn a_network_has_a_plain_name() {
        for name in ["", "Matrix", "a.b", "a_b", "a=b", &"a".repeat(NETWORK_LENGTH_MAX + 1)] {
            assert_eq!(Network::parse(name), Err(InvalidNetwork), "{name}");
        }
    }

    proptest! {
        #[test]
        fn a_localpart_leads_back_to_its_native_name(native in ".{1,60}") {
            for namespace in [Namespace::Primary, network("irc")] {
                let localpart = namespace.localpart(&native).unwrap();
                prop_assert_eq!(namespace.native(&localpart), Some(native.clone()));
            }
        }

        #[test]
        fn a_localpart_has_one_spelling(spelling in "[a-c=0-9._A-]{0,12}") {
            for namespace in [Namespace::Primary, network("a")] {
                if let Some(native) = namespace.native(&spelling) {
                    prop_assert_eq!(namespace.localpart(&native), Some(spelling.clone()));
                }
            }
        }

        #[test]
        fn namespaces_and_service_users_never_meet(native in "[a-cA_.=-]{1,12}", other in "[a-c]{1,4}") {
            let localpart = Namespace::Primary.localpart(&native).unwrap();

            prop_assert_eq!(network(&other).native(&localpart), None);
            prop_assert!(!localpart.starts_with('_'));
        }

        #[test]
        fn a_localpart_stands_in_an_identifier_as_it_is(native in ".{1,60}") {
            let domain = Domain::parse("a.example").unwrap();
            for namespace in [Namespace::Primary, network("irc")] {
                let localpart = namespace.localpart(&native).unwrap();
                let uri = UserUri::new(&domain, &[&localpart]).unwrap();
                prop_assert_eq!(uri.path(), localpart);
            }
        }
    }
}
