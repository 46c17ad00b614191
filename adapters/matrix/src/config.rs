use std::fmt;
use std::net::SocketAddr;

use mimi_adapter::naming::Namespace;
use ruma::{OwnedServerName, OwnedUserId, UserId};

/// How the adapter and its homeserver find and know each other.
#[derive(Clone)]
pub struct MatrixConfig {
    /// Where the homeserver's client API is: `http://127.0.0.1:8008`.
    pub homeserver_url: String,
    /// The homeserver's name, the part of its users' ids behind the colon.
    pub server_name: String,
    /// Where we listen for the homeserver.
    pub listen: SocketAddr,
    /// Where the homeserver finds us, if that is not `http://<listen>`.
    pub listen_url: Option<String>,
    /// Our name among the homeserver's application services.
    pub id: String,
    /// The secret by which the homeserver knows us.
    pub as_token: String,
    /// The secret by which we know the homeserver.
    pub hs_token: String,
    /// What the localpart of every puppet starts with; nobody else may use it.
    pub puppet_prefix: String,
    /// The localpart of the gateway's own user; starts like the puppets'.
    pub bot_localpart: String,
    /// Where this homeserver's users live among our hosted users.
    pub namespace: Namespace,
}

impl MatrixConfig {
    /// A configuration with the usual names; the homeserver's users keep theirs ([`Namespace::Primary`]).
    pub fn new(homeserver_url: &str, server_name: &str, listen: SocketAddr) -> Self {
        Self {
            homeserver_url: homeserver_url.to_owned(),
            server_name: server_name.to_owned(),
            listen,
            listen_url: None,
            id: "drawbridge".to_owned(),
            as_token: String::new(),
            hs_token: String::new(),
            puppet_prefix: "_mimi_".to_owned(),
            bot_localpart: "_mimi_drawbridge".to_owned(),
            namespace: Namespace::Primary,
        }
    }

    /// The same with the two secrets.
    #[must_use]
    pub fn with_tokens(mut self, as_token: &str, hs_token: &str) -> Self {
        as_token.clone_into(&mut self.as_token);
        hs_token.clone_into(&mut self.hs_token);
        self
    }

    pub(crate) fn check(&self) -> Result<Checked, InvalidConfig> {
        let server_name: OwnedServerName =
            self.server_name.as_str().try_into().map_err(|_| InvalidConfig::ServerName)?;
        let url: http::Uri = self.homeserver_url.parse().map_err(|_| InvalidConfig::HomeserverUrl)?;
        if url.scheme_str() != Some("http") || url.authority().is_none() {
            return Err(InvalidConfig::HomeserverUrl);
        }
        if [&self.as_token, &self.hs_token].iter().any(|token| token.is_empty())
            || self.as_token == self.hs_token
        {
            return Err(InvalidConfig::Tokens);
        }
        let is_prefix = self.puppet_prefix.len() > 1
            && self.puppet_prefix.starts_with('_')
            && self.puppet_prefix.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'));
        if !is_prefix {
            return Err(InvalidConfig::PuppetPrefix);
        }
        // A puppet has an escape in its name, so a name without one is never a puppet's.
        let bot = UserId::parse(format!("@{}:{server_name}", self.bot_localpart)).ok();
        let bot = bot.filter(|bot| bot.validate_strict().is_ok()).ok_or(InvalidConfig::BotLocalpart)?;
        if !self.bot_localpart.starts_with(&self.puppet_prefix) || self.bot_localpart.contains('=') {
            return Err(InvalidConfig::BotLocalpart);
        }
        Ok(Checked { server_name, bot })
    }
}

/// The parts of a configuration that are more than text.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) server_name: OwnedServerName,
    pub(crate) bot: OwnedUserId,
}

impl fmt::Debug for MatrixConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MatrixConfig")
            .field("homeserver_url", &self.homeserver_url)
            .field("server_name", &self.server_name)
            .field("listen", &self.listen)
            .field("id", &self.id)
            .field("puppet_prefix", &self.puppet_prefix)
            .field("bot_localpart", &self.bot_localpart)
            .field("namespace", &self.namespace)
            .finish_non_exhaustive()
    }
}

/// Why a configuration cannot work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidConfig {
    /// Not a Matrix server name.
    #[error("server_name is not a Matrix server name")]
    ServerName,
    /// Not an address of a homeserver on this machine or a private network.
    #[error("homeserver_url is not an http:// address")]
    HomeserverUrl,
    /// A secret is missing, or both are the same.
    #[error("as_token and hs_token must be two different secrets")]
    Tokens,
    /// A prefix that could be a person's name.
    #[error("puppet_prefix is _ and at least one of a-z, 0-9, _ and -")]
    PuppetPrefix,
    /// A bot that does not belong to us.
    #[error("bot_localpart is a Matrix localpart that starts with puppet_prefix, without =")]
    BotLocalpart,
}

/// The registration file that makes the homeserver know this application service, for its
/// `app_service_config_files`.
pub fn registration_yaml(config: &MatrixConfig) -> Result<String, InvalidConfig> {
    config.check()?;
    let url = config.listen_url.clone().unwrap_or_else(|| format!("http://{}", config.listen));
    let prefix = &config.puppet_prefix;
    let server = config.server_name.replace('.', r"\.");
    Ok(format!(
        "# Drawbridge's registration at the homeserver of {server_name}. It holds secrets: keep it readable only to both.\n\
         id: {id}\n\
         url: {url}\n\
         as_token: {as_token}\n\
         hs_token: {hs_token}\n\
         sender_localpart: {bot}\n\
         rate_limited: false\n\
         # So that we hear what people have read.\n\
         receive_ephemeral: true\n\
         # Puppets have devices of their own (MSC4190), so that a message sent twice is one message.\n\
         io.element.msc4190: true\n\
         namespaces:\n\
         \x20 users:\n\
         \x20   - exclusive: true\n\
         \x20     regex: {users}\n\
         \x20 aliases:\n\
         \x20   - exclusive: true\n\
         \x20     regex: {aliases}\n\
         \x20 rooms: []\n",
        server_name = config.server_name,
        id = quoted(&config.id),
        url = quoted(&url),
        as_token = quoted(&config.as_token),
        hs_token = quoted(&config.hs_token),
        bot = quoted(&config.bot_localpart),
        users = quoted(&format!("@{prefix}.*:{server}")),
        aliases = quoted(&format!("#{prefix}.*:{server}")),
    ))
}

/// A YAML scalar: YAML reads the strings of JSON.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> MatrixConfig {
        MatrixConfig::new("http://127.0.0.1:8008", "a.example", ([127, 0, 0, 1], 9009).into())
            .with_tokens("ours", "theirs")
    }

    #[test]
    fn the_registration_claims_our_names_and_no_others() {
        insta::assert_snapshot!(registration_yaml(&config()).unwrap(), @r##"
        # Drawbridge's registration at the homeserver of a.example. It holds secrets: keep it readable only to both.
        id: "drawbridge"
        url: "http://127.0.0.1:9009"
        as_token: "ours"
        hs_token: "theirs"
        sender_localpart: "_mimi_drawbridge"
        rate_limited: false
        # So that we hear what people have read.
        receive_ephemeral: true
        # Puppets have devices of their own (MSC4190), so that a message sent twice is one message.
        io.element.msc4190: true
        namespaces:
          users:
            - exclusive: true
              regex: "@_mimi_.*:a\\.example"
          aliases:
            - exclusive: true
              regex: "#_mimi_.*:a\\.example"
          rooms: []
        "##);
    }

    #[test]
    fn a_configuration_that_cannot_work_is_told_why() {
        type Change = fn(&mut MatrixConfig);
        let cases: [(Change, InvalidConfig); 9] = [
            (|c| c.server_name = "a example".into(), InvalidConfig::ServerName),
            (|c| c.homeserver_url = "https://a.example".into(), InvalidConfig::HomeserverUrl),
            (|c| c.homeserver_url = "127.0.0.1".into(), InvalidConfig::HomeserverUrl),
            (|c| c.hs_token.clear(), InvalidConfig::Tokens),
            (|c| c.hs_token = c.as_token.clone(), InvalidConfig::Tokens),
            (|c| c.puppet_prefix = "mimi_".into(), InvalidConfig::PuppetPrefix),
            (|c| c.puppet_prefix = "_.*".into(), InvalidConfig::PuppetPrefix),
            (|c| c.bot_localpart = "drawbridge".into(), InvalidConfig::BotLocalpart),
            (|c| c.bot_localpart = "_mimi_a=40b".into(), InvalidConfig::BotLocalpart),
        ];

        for (change, why) in cases {
            let mut config = config();
            change(&mut config);
            assert_eq!(registration_yaml(&config), Err(why));
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let shown = format!("{:?}", config());

        assert!(!shown.contains("ours") && !shown.contains("theirs"), "{shown}");
    }
}
