//! Which users of our domain live on which native network.

use std::sync::Arc;

use mimi_adapter::{Addresses, NativeUserId};
use mimi_uri::{Domain, RoomUri, UserUri};

/// What the gateway's own user is called.
const SERVICE: &str = "_drawbridge";

/// The native networks behind a domain, with how each names its users.
///
/// A hosted user is `mimi://<domain>/u/<localpart>`; what localparts a network has is its adapter's business, and no two
/// networks share one. Names that start with `_` are the gateway's own.
#[derive(Clone)]
pub struct Networks {
    domain: Domain,
    networks: Vec<(String, Arc<dyn Addresses>)>,
}

impl Networks {
    /// The networks of a domain, by the names that configuration gives them.
    pub fn new(domain: Domain, networks: Vec<(String, Arc<dyn Addresses>)>) -> Self {
        Self { domain, networks }
    }

    /// How a network names people.
    pub fn addresses(&self, network: &str) -> Option<&dyn Addresses> {
        self.networks.iter().find(|(name, _)| name == network).map(|(_, addresses)| addresses.as_ref())
    }

    /// The names of all networks.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.networks.iter().map(|(name, _)| name.as_str())
    }

    /// The URI of a native user; none for those we do not host.
    pub fn hosted(&self, network: &str, user: &NativeUserId) -> Option<UserUri> {
        let localpart = self.addresses(network)?.localpart(user)?;
        let uri = UserUri::new(&self.domain, &[&localpart]).ok()?;
        (self.native(&uri)? == (network.to_owned(), user.clone())).then_some(uri)
    }

    /// The native user behind a URI of our domain, if it is well-formed.
    pub fn native(&self, user: &UserUri) -> Option<(String, NativeUserId)> {
        if *user.domain() != self.domain {
            return None;
        }
        let mut segments = user.segments();
        let (Some(localpart), None) = (segments.next(), segments.next()) else { return None };
        if localpart.starts_with('_') {
            return None;
        }
        self.networks.iter().find_map(|(name, addresses)| Some((name.clone(), addresses.native(&localpart)?)))
    }

    /// The gateway's own user in rooms of several people.
    #[expect(clippy::expect_used, reason = "the name is short and needs no escaping")]
    pub(crate) fn service(&self) -> UserUri {
        UserUri::new(&self.domain, &[SERVICE]).expect("a short name")
    }

    /// The URI of a room of ours.
    #[expect(clippy::expect_used, reason = "names made by the vault are short and need no escaping")]
    pub(crate) fn room_for(&self, name: &str) -> RoomUri {
        RoomUri::new(&self.domain, &[name]).expect("a short name")
    }
}
