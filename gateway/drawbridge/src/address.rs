//! `drawbridge address`: who is called what where.

use std::path::Path;
use std::process::ExitCode;

use mimi_adapter::{Addresses, NativeUserId};
use mimi_bridge::Networks;
use mimi_uri::{Domain, UserUri};

use crate::cli;
use crate::config::Config;
use crate::networks;

/// Translates a name and prints what it is elsewhere.
pub(crate) fn run(config: &Path, name: &str) -> Result<ExitCode, String> {
    let config = Config::load(config).map_err(|mistakes| mistakes.to_string())?;
    let networks = networks::names(&config).map_err(|mistake| mistake.to_string())?;
    for line in translate(&networks, &config.provider.domain, name)? {
        cli::say(&line);
    }
    Ok(ExitCode::SUCCESS)
}

/// The native names of a MIMI user, or the MIMI users behind a native name, a line each.
fn translate(networks: &Networks, domain: &Domain, name: &str) -> Result<Vec<String>, String> {
    if !name.starts_with("mimi:") {
        return behind(networks, name);
    }
    let user = UserUri::parse(name).map_err(|why| format!("{name}: {why}; write mimi://{domain}/u/alice"))?;
    if user.domain() == domain { hosted(networks, &user) } else { puppets(networks, &user) }
}

/// Our own user: he lives on one network.
fn hosted(networks: &Networks, user: &UserUri) -> Result<Vec<String>, String> {
    let (network, native) = networks
        .native(user)
        .ok_or_else(|| format!("{user} names nobody on any of our networks; try the native name"))?;
    Ok(vec![format!("{network}: {native}")])
}

/// Somebody else's user: he has a puppet on every network.
fn puppets(networks: &Networks, user: &UserUri) -> Result<Vec<String>, String> {
    let lines: Vec<String> = each(networks)
        .map(|(name, addresses)| match addresses.puppet(user) {
            Ok(puppet) => format!("{name}: {puppet}"),
            Err(why) => format!("{name}: he cannot be reached from there: {why}"),
        })
        .collect();
    if lines.is_empty() {
        return Err("no network is configured; write a section [network.chat]".to_owned());
    }
    Ok(lines)
}

/// A native name: a puppet's, or one of our users'.
fn behind(networks: &Networks, name: &str) -> Result<Vec<String>, String> {
    let native = NativeUserId::from(name);
    let lines: Vec<String> = each(networks)
        .filter_map(|(network, addresses)| match addresses.behind_puppet(&native) {
            Some(user) => Some(format!("{user}  (a puppet on {network})")),
            None => Some(format!("{}  (a user of {network})", networks.hosted(network, &native)?)),
        })
        .collect();
    if lines.is_empty() {
        return Err(format!("{name} names nobody: neither a user nor a puppet on any configured network"));
    }
    Ok(lines)
}

fn each(networks: &Networks) -> impl Iterator<Item = (&str, &dyn Addresses)> {
    networks.names().filter_map(|name| Some((name, networks.addresses(name)?)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mimi_adapter::naming::{Namespace, Network};
    use mimi_adapter_loopback::LoopbackNames;
    use mimi_adapter_matrix::{MatrixConfig, MatrixNames};

    use super::*;

    fn translate(name: &str) -> Result<Vec<String>, String> {
        let domain = Domain::parse("a.example").unwrap();
        let matrix = MatrixConfig::new("http://127.0.0.1:8008", "a.example", ([127, 0, 0, 1], 9009).into())
            .with_tokens("ours", "theirs");
        let chat = LoopbackNames::new(Namespace::Network(Network::parse("chat").unwrap()));
        let networks = Networks::new(
            domain.clone(),
            vec![
                ("matrix".to_owned(), Arc::new(MatrixNames::new(&matrix).unwrap())),
                ("chat".to_owned(), Arc::new(chat)),
            ],
        );
        super::translate(&networks, &domain, name)
    }

    #[test]
    fn our_users_have_one_native_name_and_it_leads_back() {
        assert_eq!(translate("mimi://a.example/u/alice").unwrap(), ["matrix: @alice:a.example"]);
        assert_eq!(translate("@alice:a.example").unwrap(), ["mimi://a.example/u/alice  (a user of matrix)"]);
        assert_eq!(translate("mimi://a.example/u/chat.carol").unwrap(), ["chat: carol"]);
        assert_eq!(translate("carol").unwrap(), ["mimi://a.example/u/chat.carol  (a user of chat)"]);
    }

    #[test]
    fn users_elsewhere_have_a_puppet_on_every_network_and_each_leads_back() {
        assert_eq!(
            translate("mimi://b.example/u/bob").unwrap(),
            ["matrix: @_mimi_bob=40b.example:a.example", "chat: bob@b.example"]
        );
        assert_eq!(
            translate("@_mimi_bob=40b.example:a.example").unwrap(),
            ["mimi://b.example/u/bob  (a puppet on matrix)"]
        );
        assert_eq!(translate("bob@b.example").unwrap(), ["mimi://b.example/u/bob  (a puppet on chat)"]);
    }

    #[test]
    fn what_names_nobody_is_told_so() {
        assert!(translate("@Alice Smith").unwrap_err().contains("names nobody"));
        assert!(translate("mimi://a.example/u/_drawbridge").unwrap_err().contains("names nobody"));
        assert!(translate("mimi://A.example/u/bob").unwrap_err().ends_with("write mimi://a.example/u/alice"));
    }
}
