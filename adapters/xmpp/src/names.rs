use mimi_adapter::naming::{Bare, Namespace, escape, unescape};
use mimi_adapter::{Addresses, NativeRoomId, NativeUserId, Unnameable};
use mimi_uri::UserUri;
use xmpp_parsers::jid::{BareJid, Jid};

use crate::config::Checked;
use crate::limits::LOCALPART_BYTES_MAX;
use crate::{InvalidConfig, XmppConfig};

/// The sign between path and domain in a puppet's localpart: `@`, as XEP-0106 writes it and many clients show it.
const AT: &str = r"\40";

/// The localpart of the gateway's own user. No puppet's has no [`AT`].
const SERVICE: &str = "drawbridge";

/// The resource under which all our users are there.
const DEVICE: &str = "mimi";

/// Who is who between XMPP and MIMI.
///
/// A puppet of `mimi://b.example/u/bob` is `bob\40b.example@mimi.a.example`. The server's own users keep their
/// localparts where they are the primary network; else the whole bare JID is escaped behind the network's name. A
/// direct chat has no name on XMPP: it is named after its two people, `<native user> <puppet>`.
#[derive(Debug, Clone)]
pub struct XmppNames {
    server_name: BareJid,
    component: BareJid,
    conference: BareJid,
    namespace: Namespace,
}

impl XmppNames {
    /// The names under this configuration.
    pub fn new(config: &XmppConfig) -> Result<Self, InvalidConfig> {
        config.check().map(|checked| Self::checked(config, &checked))
    }

    pub(crate) fn checked(config: &XmppConfig, checked: &Checked) -> Self {
        Self {
            server_name: checked.server_name.clone(),
            component: checked.component.clone(),
            conference: checked.conference.clone(),
            namespace: config.namespace.clone(),
        }
    }

    /// The server, as it is addressed.
    pub(crate) fn server(&self) -> &BareJid {
        &self.server_name
    }

    /// The component, as it is addressed.
    pub(crate) fn component(&self) -> &BareJid {
        &self.component
    }

    /// Where rooms are.
    pub(crate) fn conference(&self) -> &BareJid {
        &self.conference
    }

    /// The gateway's own user.
    pub(crate) fn service(&self) -> BareJid {
        // What is built from two checked parts reads.
        BareJid::new(&format!("{SERVICE}@{}", self.component)).unwrap_or_else(|_| self.component.clone())
    }

    /// The JID of a puppet of ours.
    pub(crate) fn puppet_jid(&self, user: &UserUri) -> Result<BareJid, Unnameable> {
        let name = self.puppet(user)?;
        let too_long = Unnameable::TooLong { length: name.as_str().len(), length_max: LOCALPART_BYTES_MAX };
        BareJid::new(name.as_str()).map_err(|_| too_long)
    }

    /// A native user whom we can host, by any of his JIDs.
    pub(crate) fn hostable(&self, jid: &Jid) -> Option<NativeUserId> {
        let user = NativeUserId::from(jid.to_bare().as_str());
        self.localpart(&user).map(|_| user)
    }
}

/// The direct chat of these two.
pub(crate) fn direct_chat(user: &NativeUserId, puppet: &NativeUserId) -> NativeRoomId {
    // No bare JID has a space.
    format!("{user} {puppet}").into()
}

/// A user of ours where he is there: presence and messages come from a device.
pub(crate) fn on_device(user: &BareJid) -> Jid {
    user.with_resource_str(DEVICE).map_or_else(|_| user.clone().into(), Jid::from)
}

/// The two people of a direct chat.
pub(crate) fn people_of(room: &NativeRoomId) -> Option<(BareJid, BareJid)> {
    let (user, puppet) = room.as_str().split_once(' ')?;
    Some((BareJid::new(user).ok()?, BareJid::new(puppet).ok()?))
}

impl Addresses for XmppNames {
    fn localpart(&self, user: &NativeUserId) -> Option<String> {
        let jid = BareJid::new(user.as_str()).ok().filter(|jid| jid.as_str() == user.as_str())?;
        let node = jid.node()?;
        if [&self.component, &self.conference].iter().any(|ours| ours.domain() == jid.domain()) {
            return None;
        }
        match self.namespace {
            Namespace::Primary if jid.domain() != self.server_name.domain() => None,
            Namespace::Primary => self.namespace.localpart(node.as_str()),
            Namespace::Network(_) => self.namespace.localpart(jid.as_str()),
        }
    }

    fn native(&self, localpart: &str) -> Option<NativeUserId> {
        let native = self.namespace.native(localpart)?;
        let native = match self.namespace {
            Namespace::Primary => format!("{native}@{}", self.server_name),
            Namespace::Network(_) => native,
        };
        let native = NativeUserId::from(native);
        (self.localpart(&native).as_deref() == Some(localpart)).then_some(native)
    }

    fn puppet(&self, user: &UserUri) -> Result<NativeUserId, Unnameable> {
        let path = escape(user.path(), Bare::DOTTED);
        let domain = escape(user.domain().as_str(), Bare::DOTTED);
        let localpart = format!("{path}{AT}{domain}");
        if localpart.len() > LOCALPART_BYTES_MAX {
            return Err(Unnameable::TooLong { length: localpart.len(), length_max: LOCALPART_BYTES_MAX });
        }
        Ok(format!("{localpart}@{}", self.component).into())
    }

    fn behind_puppet(&self, id: &NativeUserId) -> Option<UserUri> {
        let (localpart, domain) = id.as_str().split_once('@')?;
        if domain != self.component.as_str() {
            return None;
        }
        let (path, domain) = localpart.split_once(AT)?;
        let (path, domain) = (unescape(path, Bare::DOTTED)?, unescape(domain, Bare::DOTTED)?);
        let user = UserUri::parse(&format!("mimi://{domain}/u/{path}")).ok()?;
        (self.puppet(&user).as_ref() == Ok(id)).then_some(user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mimi_adapter::naming::Network;
    use mimi_uri::Domain;
    use proptest::prelude::*;

    fn names(namespace: Namespace) -> XmppNames {
        let mut config = XmppConfig::new(([127, 0, 0, 1], 1).into(), "a.example", "mimi.a.example", "secret");
        config.namespace = namespace;
        XmppNames::new(&config).unwrap()
    }

    fn primary() -> XmppNames {
        names(Namespace::Primary)
    }

    fn secondary() -> XmppNames {
        names(Namespace::Network(Network::parse("xmpp").unwrap()))
    }

    #[test]
    fn a_puppet_is_named_after_path_and_domain() {
        let cases = [
            ("mimi://b.example/u/bob", r"bob\40b.example@mimi.a.example"),
            ("mimi://b.example/u/Bob_x.y", r"=42ob_x.y\40b.example@mimi.a.example"),
            ("mimi://b.example/u/irc.=40x", r"irc.=3d40x\40b.example@mimi.a.example"),
            ("mimi://b.example/u/x@y/z%20", r"x=40y=2fz=2520\40b.example@mimi.a.example"),
        ];

        for (uri, id) in cases {
            let uri = UserUri::parse(uri).unwrap();
            assert_eq!(primary().puppet(&uri).unwrap().as_str(), id);
            assert_eq!(primary().puppet_jid(&uri).unwrap().as_str(), id);
            assert_eq!(primary().behind_puppet(&id.into()), Some(uri));
        }
    }

    #[test]
    fn whatever_is_no_puppets_name_is_no_puppet() {
        for id in [
            "drawbridge@mimi.a.example",
            "mimi.a.example",
            r"bob\40b.example@a.example",
            r"Bob\40b.example@mimi.a.example",
            r"bob\40B.example@mimi.a.example",
            r"=62ob\40b.example@mimi.a.example",
            r"\40b.example@mimi.a.example",
            r"bob\40b.example@mimi.a.example/phone",
            "bob@mimi.a.example",
        ] {
            assert_eq!(primary().behind_puppet(&id.into()), None, "{id}");
        }
        assert_eq!(primary().service().as_str(), "drawbridge@mimi.a.example");
    }

    #[test]
    fn a_user_whose_name_is_too_long_has_no_puppet() {
        let uri = UserUri::parse(&format!("mimi://b.example/u/{}", "A".repeat(340))).unwrap();

        let length = 3 * 340 + AT.len() + "b.example".len();
        assert_eq!(
            primary().puppet(&uri),
            Err(Unnameable::TooLong { length, length_max: LOCALPART_BYTES_MAX })
        );
    }

    #[test]
    fn users_of_the_primary_server_keep_their_names() {
        for (id, localpart) in [
            ("alice@a.example", "alice"),
            ("a.b@a.example", "a=2eb"),
            (r"o\27hara@a.example", "o=5c27hara"),
            ("älice@a.example", "=c3=a4lice"),
        ] {
            assert_eq!(primary().localpart(&id.into()).as_deref(), Some(localpart));
            assert_eq!(primary().native(localpart), Some(id.into()));
        }
    }

    #[test]
    fn who_is_not_of_the_primary_server_or_is_ours_is_not_hosted() {
        for id in [
            "alice@b.example",
            r"bob\40b.example@mimi.a.example",
            "a.example",
            "Alice@a.example",
            "alice@a.example/phone",
            "alice@A.example",
        ] {
            assert_eq!(primary().localpart(&id.into()), None, "{id}");
        }
        for localpart in ["_drawbridge", "xmpp.=40alice", "=41lice", "alice=40b"] {
            assert_eq!(primary().native(localpart), None, "{localpart}");
        }
    }

    #[test]
    fn a_secondary_server_brings_users_of_all_servers() {
        let id = NativeUserId::from("alice@c.example");

        assert_eq!(secondary().localpart(&id).as_deref(), Some("xmpp.alice=40c=2eexample"));
        assert_eq!(secondary().native("xmpp.alice=40c=2eexample"), Some(id));
        assert_eq!(secondary().localpart(&r"bob\40b.example@mimi.a.example".into()), None);
    }

    #[test]
    fn a_user_is_known_by_any_of_his_jids() {
        let hostable = |jid| primary().hostable(&Jid::new(jid).unwrap());

        assert_eq!(hostable("Alice@A.example/Phone"), Some("alice@a.example".into()));
        assert_eq!(hostable("alice@b.example/phone"), None);
    }

    #[test]
    fn a_direct_chat_names_its_people() {
        let room = direct_chat(&"alice@a.example".into(), &r"bob\40b.example@mimi.a.example".into());

        let (user, puppet) = people_of(&room).unwrap();
        assert_eq!((user.as_str(), puppet.as_str()), ("alice@a.example", r"bob\40b.example@mimi.a.example"));
        assert_eq!(people_of(&"room@conference.a.example".into()), None);
    }

    proptest! {
        #[test]
        fn every_puppet_leads_back_to_its_user(path in proptest::collection::vec("[^\\p{Cc}]{1,12}", 1..3)) {
            let segments: Vec<&str> = path.iter().map(String::as_str).collect();
            let Ok(uri) = UserUri::new(&Domain::parse("b.example").unwrap(), &segments) else { return Ok(()) };

            if let Ok(id) = primary().puppet(&uri) {
                let jid = primary().puppet_jid(&uri).unwrap();
                prop_assert_eq!(jid.as_str(), id.as_str());
                prop_assert_eq!(primary().behind_puppet(&id), Some(uri));
            }
        }

        #[test]
        fn a_puppet_has_one_name(localpart in "[a-cA=0-9._-]{1,12}") {
            let id = NativeUserId::from(format!(r"{localpart}\40b.example@mimi.a.example"));

            if let Some(uri) = primary().behind_puppet(&id) {
                prop_assert_eq!(primary().puppet(&uri), Ok(id));
            }
        }

        #[test]
        fn every_hosted_user_leads_back_to_his_jid(node in "[!-~ä-ü]{1,30}") {
            let id = NativeUserId::from(format!("{node}@a.example"));
            for names in [primary(), secondary()] {
                if let Some(localpart) = names.localpart(&id) {
                    prop_assert_eq!(names.native(&localpart), Some(id.clone()));
                }
            }
        }
    }
}
