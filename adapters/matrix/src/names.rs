use mimi_adapter::naming::{Bare, Namespace, escape, unescape};
use mimi_adapter::{Addresses, NativeUserId, Unnameable};
use mimi_uri::UserUri;
use ruma::{OwnedServerName, UserId};

use crate::config::Checked;
use crate::limits::USER_ID_BYTES_MAX;
use crate::{InvalidConfig, MatrixConfig};

/// Who is who between Matrix and MIMI.
///
/// A puppet of `mimi://b.example/u/bob` is `@_mimi_bob=40b.example:a.example`. The homeserver's own users keep their
/// localparts where they are the primary network; else the whole id is escaped behind the network's name.
#[derive(Debug, Clone)]
pub struct MatrixNames {
    server_name: OwnedServerName,
    prefix: String,
    namespace: Namespace,
}

impl MatrixNames {
    /// The names under this configuration.
    pub fn new(config: &MatrixConfig) -> Result<Self, InvalidConfig> {
        config.check().map(|checked| Self::checked(config, &checked))
    }

    pub(crate) fn checked(config: &MatrixConfig, checked: &Checked) -> Self {
        Self {
            server_name: checked.server_name.clone(),
            prefix: config.puppet_prefix.clone(),
            namespace: config.namespace.clone(),
        }
    }

    /// Whether this user is ours: a puppet, the bot, or anything else in our namespace.
    pub(crate) fn is_ours(&self, user: &UserId) -> bool {
        user.server_name() == self.server_name && user.localpart().starts_with(&self.prefix)
    }

    fn is_hostable(&self, user: &UserId) -> bool {
        let is_here = user.server_name() == self.server_name || self.namespace != Namespace::Primary;
        is_here && !self.is_ours(user) && user.validate_historical().is_ok()
    }
}

impl Addresses for MatrixNames {
    fn localpart(&self, user: &NativeUserId) -> Option<String> {
        let user = <&UserId>::try_from(user.as_str()).ok().filter(|user| self.is_hostable(user))?;
        match self.namespace {
            Namespace::Primary => self.namespace.localpart(user.localpart()),
            Namespace::Network(_) => self.namespace.localpart(user.as_str()),
        }
    }

    fn native(&self, localpart: &str) -> Option<NativeUserId> {
        let native = self.namespace.native(localpart)?;
        let native = match self.namespace {
            Namespace::Primary => format!("@{native}:{}", self.server_name),
            Namespace::Network(_) => native,
        };
        let native = NativeUserId::from(native);
        (self.localpart(&native).as_deref() == Some(localpart)).then_some(native)
    }

    fn puppet(&self, user: &UserUri) -> Result<NativeUserId, Unnameable> {
        let name = escape(&format!("{}@{}", user.path(), user.domain()), Bare::DOTTED);
        let id = format!("@{}{name}:{}", self.prefix, self.server_name);
        if id.len() > USER_ID_BYTES_MAX {
            return Err(Unnameable::TooLong { length: id.len(), length_max: USER_ID_BYTES_MAX });
        }
        Ok(id.into())
    }

    fn behind_puppet(&self, id: &NativeUserId) -> Option<UserUri> {
        let (localpart, server) =
            id.as_str().strip_prefix('@')?.strip_prefix(&self.prefix)?.split_once(':')?;
        if server != self.server_name.as_str() || id.as_str().len() > USER_ID_BYTES_MAX {
            return None;
        }
        let name = unescape(localpart, Bare::DOTTED)?;
        let (path, domain) = name.rsplit_once('@')?;
        UserUri::parse(&format!("mimi://{domain}/u/{path}")).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mimi_adapter::naming::Network;
    use mimi_uri::Domain;
    use proptest::prelude::*;

    fn names(namespace: Namespace) -> MatrixNames {
        let mut config = MatrixConfig::new("http://127.0.0.1:1", "a.example", ([127, 0, 0, 1], 2).into())
            .with_tokens("ours", "theirs");
        config.namespace = namespace;
        MatrixNames::new(&config).unwrap()
    }

    fn primary() -> MatrixNames {
        names(Namespace::Primary)
    }

    fn secondary() -> MatrixNames {
        names(Namespace::Network(Network::parse("matrix").unwrap()))
    }

    #[test]
    fn a_puppet_is_named_after_path_and_domain() {
        let cases = [
            ("mimi://b.example/u/bob", "@_mimi_bob=40b.example:a.example"),
            ("mimi://b.example/u/Bob_x.y", "@_mimi_=42ob_x.y=40b.example:a.example"),
            ("mimi://b.example/u/irc.=40x", "@_mimi_irc.=3d40x=40b.example:a.example"),
            ("mimi://b.example/u/x@y/z%20", "@_mimi_x=40y=2fz=2520=40b.example:a.example"),
        ];

        for (uri, id) in cases {
            let uri = UserUri::parse(uri).unwrap();
            assert_eq!(primary().puppet(&uri).unwrap().as_str(), id);
            assert_eq!(primary().behind_puppet(&id.into()), Some(uri));
        }
    }

    #[test]
    fn whatever_is_no_puppets_name_is_no_puppet() {
        for id in [
            "@_mimi_drawbridge:a.example",
            "@_mimi_bob=40b.example:b.example",
            "@_mimi_Bob=40b.example:a.example",
            "@_mimi_bob=40B.example:a.example",
            "@_mimi_=62ob=40b.example:a.example",
            "@_mimi_=40b.example:a.example",
            "@bob=40b.example:a.example",
            "_mimi_bob=40b.example:a.example",
            "@_mimi_bob=40b.example",
        ] {
            assert_eq!(primary().behind_puppet(&id.into()), None, "{id}");
        }
    }

    #[test]
    fn a_user_whose_name_is_too_long_for_matrix_has_no_puppet() {
        let uri = UserUri::parse(&format!("mimi://b.example/u/{}", "a".repeat(230))).unwrap();

        assert_eq!(
            primary().puppet(&uri),
            Err(Unnameable::TooLong { length: 259, length_max: USER_ID_BYTES_MAX })
        );
    }

    #[test]
    fn users_of_the_primary_homeserver_keep_their_names() {
        for (id, localpart) in [
            ("@alice:a.example", "alice"),
            ("@Alice:a.example", "=41lice"),
            ("@a.b:a.example", "a=2eb"),
            ("@a/b=c+d:a.example", "a=2fb=3dc=2bd"),
        ] {
            assert_eq!(primary().localpart(&id.into()).as_deref(), Some(localpart));
            assert_eq!(primary().native(localpart), Some(id.into()));
        }
    }

    #[test]
    fn who_is_not_of_the_primary_homeserver_or_is_ours_is_not_hosted() {
        for id in ["@alice:b.example", "@_mimi_x:a.example", "alice", "@älice:a.example", "@:a.example"] {
            assert_eq!(primary().localpart(&id.into()), None, "{id}");
        }
        for localpart in ["=5fmimi=5fx", "_drawbridge", "matrix.=40alice", "alice=3ax", "=00"] {
            assert_eq!(primary().native(localpart), None, "{localpart}");
        }
    }

    #[test]
    fn a_secondary_homeserver_brings_users_of_all_servers() {
        let id = NativeUserId::from("@alice:c.example");

        assert_eq!(secondary().localpart(&id).as_deref(), Some("matrix.=40alice=3ac=2eexample"));
        assert_eq!(secondary().native("matrix.=40alice=3ac=2eexample"), Some(id));
        assert_eq!(secondary().localpart(&"@_mimi_x:a.example".into()), None);
    }

    proptest! {
        #[test]
        fn every_puppet_leads_back_to_its_user(path in proptest::collection::vec("[^\\p{Cc}]{1,12}", 1..3)) {
            let segments: Vec<&str> = path.iter().map(String::as_str).collect();
            let Ok(uri) = UserUri::new(&Domain::parse("b.example").unwrap(), &segments) else { return Ok(()) };

            if let Ok(id) = primary().puppet(&uri) {
                prop_assert_eq!(primary().behind_puppet(&id), Some(uri));
                prop_assert!(UserId::parse(id.as_str()).unwrap().validate_strict().is_ok());
            }
        }

        #[test]
        fn a_puppet_has_one_name(localpart in "[a-cA=0-9._-]{1,12}") {
            let id = NativeUserId::from(format!("@_mimi_{localpart}=40b.example:a.example"));

            if let Some(uri) = primary().behind_puppet(&id) {
                prop_assert_eq!(primary().puppet(&uri), Ok(id));
            }
        }

        #[test]
        fn every_hosted_user_leads_back_to_his_id(localpart in "[!-9;-~]{1,40}") {
            let id = NativeUserId::from(format!("@{localpart}:a.example"));
            for names in [primary(), secondary()] {
                if let Some(localpart) = names.localpart(&id) {
                    prop_assert_eq!(names.native(&localpart), Some(id.clone()));
                }
            }
        }
    }
}
