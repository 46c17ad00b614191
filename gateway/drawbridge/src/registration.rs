//! `drawbridge matrix registration`: what a homeserver must be told of us.

use std::path::Path;
use std::process::ExitCode;

use crate::cli;
use crate::config::{Config, NetworkKind};
use crate::networks;

/// Prints the registration file of the configured Matrix network.
pub(crate) fn run(config: &Path) -> Result<ExitCode, String> {
    let config = Config::load(config).map_err(|mistakes| mistakes.to_string())?;
    cli::say(registration(&config)?.trim_end());
    Ok(ExitCode::SUCCESS)
}

fn registration(config: &Config) -> Result<String, String> {
    let mut matrix = config.networks.iter().filter_map(|network| match &network.kind {
        NetworkKind::Matrix(matrix) => Some((network, matrix)),
        NetworkKind::Loopback { .. } | NetworkKind::Xmpp(_) => None,
    });
    let Some((network, found)) = matrix.next() else {
        return Err("no network has kind = \"matrix\"; write a section [network.matrix]".to_owned());
    };
    if let Some((other, _)) = matrix.next() {
        return Err(format!(
            "{} and {} are both Matrix networks; put them into two configurations",
            network.name, other.name
        ));
    }
    let config = networks::matrix_config(network, found).map_err(|mistake| mistake.to_string())?;
    mimi_adapter_matrix::registration_yaml(&config).map_err(|why| format!("network.{}: {why}", network.name))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::config::{Section, Template};
    use mimi_uri::Domain;

    const MATRIX: &str = "[network.matrix]\nkind = \"matrix\"\nhomeserver = \"http://127.0.0.1:8008\"\n\
        server_name = \"a.example\"\nlisten = \"127.0.0.1:9009\"\ntokens = \"matrix.toml\"\n";

    fn config(extra: &str, folder: &Path) -> Config {
        let text = format!("{}{extra}", Template::new(&Domain::parse("a.example").unwrap()));
        Config::read(&Section::parse(&text).unwrap(), folder).unwrap()
    }

    #[test]
    fn the_registration_carries_the_tokens_and_where_we_listen() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("matrix.toml"), "as_token = \"ours\"\nhs_token = \"theirs\"\n").unwrap();

        let yaml = registration(&config(MATRIX, folder.path())).unwrap();

        for line in ["url: \"http://127.0.0.1:9009\"", "as_token: \"ours\"", "hs_token: \"theirs\""] {
            assert!(yaml.lines().any(|it| it == line), "{line} is not in\n{yaml}");
        }
    }

    #[test]
    fn without_a_matrix_network_there_is_nothing_to_register() {
        let folder = tempfile::tempdir().unwrap();

        let none = registration(&config("", folder.path())).unwrap_err();

        assert_eq!(none, "no network has kind = \"matrix\"; write a section [network.matrix]");
    }
}
