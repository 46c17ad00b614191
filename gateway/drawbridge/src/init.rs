//! `drawbridge init`: a configuration, and the keys that it names.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use mimi_uri::Domain;

use crate::cli;
use crate::config::Template;
use crate::keys::{self, Access, write_new};

/// Makes a provider beside the configuration file that is to be.
pub(crate) fn run(config: &Path, domain: &Domain) -> Result<ExitCode, String> {
    make(config, domain, &Template::new(domain))?;
    let keys = folder_of(config).join("keys");
    cli::say(&format!("{} and {}/ are there. Next:", config.display(), keys.display()));
    cli::say("  1. drawbridge check            tells whether anything is missing");
    cli::say(&format!(
        "  2. give {} to another provider, and get its root",
        keys.join("provider-root.pem").display()
    ));
    cli::say("  3. drawbridge peer add b.example its-root.pem");
    cli::say("  4. drawbridge serve");
    Ok(ExitCode::SUCCESS)
}

/// Writes keys and configuration; stops at the first file that is there already, before anything is written.
pub(crate) fn make(config: &Path, domain: &Domain, template: &Template) -> Result<(), String> {
    let keys = folder_of(config).join("keys");
    if let Some(there) = [config, keys.as_path()].into_iter().find(|path| path.exists()) {
        return Err(format!(
            "{} is there already, and nothing is overwritten; choose another --config",
            there.display()
        ));
    }
    make_private_folder(&keys)?;
    keys::generate(&keys, domain)?;
    write_new(config, template.to_string().as_bytes(), Access::Public)
}

/// The folder of a configuration, to which its paths are relative.
pub(crate) fn folder_of(config: &Path) -> PathBuf {
    config.parent().unwrap_or(Path::new("")).to_owned()
}

fn make_private_folder(folder: &Path) -> Result<(), String> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|fault| format!("{}: {fault}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn domain() -> Domain {
        Domain::parse("a.example").unwrap()
    }

    #[test]
    fn what_init_writes_is_read_and_its_secrets_are_private() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("drawbridge.toml");

        make(&config, &domain(), &Template::new(&domain())).unwrap();

        let read = Config::load(&config).unwrap();
        assert_eq!(read.provider.domain, domain());
        for secret in
            ["provider.key", "identity.key", "hub.key", "instance.key", "matrix.toml", "xmpp.secret"]
        {
            assert!(keys::is_private(&folder.path().join("keys").join(secret)), "{secret}");
        }
    }

    #[test]
    fn nothing_that_is_there_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("drawbridge.toml");
        make(&config, &domain(), &Template::new(&domain())).unwrap();
        let before = fs::read(folder.path().join("keys/instance.key")).unwrap();

        let again = make(&config, &domain(), &Template::new(&domain())).unwrap_err();
        fs::remove_file(&config).unwrap();
        let with_keys_only = make(&config, &domain(), &Template::new(&domain())).unwrap_err();

        assert!(again.ends_with(
            "drawbridge.toml is there already, and nothing is overwritten; choose another --config"
        ));
        assert!(with_keys_only.contains("keys is there already"), "{with_keys_only}");
        assert!(!config.exists());
        assert_eq!(fs::read(folder.path().join("keys/instance.key")).unwrap(), before);
    }
}
