//! The sections of a gateway's configuration that put it in front of a network.

use crate::{Port, XmppServer};

/// A Matrix homeserver for the users of `domain`, and where it reaches the gateway.
pub fn matrix(domain: &str, homeserver: &Port, appservice: &Port) -> String {
    format!(
        "[network.matrix]
kind = \"matrix\"
primary = true
homeserver = \"http://{homeserver}\"
server_name = \"{domain}\"
listen = \"{appservice}\"
tokens = \"keys/matrix.toml\"
",
        homeserver = homeserver.address(),
        appservice = appservice.address(),
    )
}

/// An XMPP server, as its component.
pub fn xmpp(server: &XmppServer) -> String {
    format!(
        "[network.xmpp]
kind = \"xmpp\"
primary = true
server = \"{components}\"
server_name = \"{domain}\"
component = \"{component}\"
secret = \"{secret}\"
",
        components = server.components().address(),
        domain = server.domain(),
        component = server.component(),
        secret = server.secret_file().display(),
    )
}

/// A loopback network on this port, with conversations of several people.
pub fn loopback(chat: &Port) -> String {
    format!(
        "[network.chat]\nkind = \"loopback\"\nprimary = true\nlisten = \"{}\"\ngroups = \"chat.groups\"\n",
        chat.address()
    )
}
