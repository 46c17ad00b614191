//! `drawbridge peer`: the providers that we speak with.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;

use aws_lc_rs::digest::{SHA256, digest};
use mimi_transport::{CertificateDer, read_roots};
use mimi_uri::Domain;

use crate::cli;
use crate::config::{Config, PeerConfig};
use crate::init::folder_of;
use crate::keys::{Access, write_new};

/// Takes over a peer's root certificate and lists the peer.
pub(crate) fn add(
    config: &Path,
    domain: &Domain,
    roots: &Path,
    connect: Option<SocketAddr>,
) -> Result<ExitCode, String> {
    let fingerprints = append(config, domain, roots, connect)?;
    cli::say(&format!(
        "{domain} is a peer from the next start on. Ask its operator whether this is its root:"
    ));
    for fingerprint in fingerprints {
        cli::say(&format!("  SHA-256 {fingerprint}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints who is listed, with the roots that are pinned.
pub(crate) fn list(config: &Path) -> Result<ExitCode, String> {
    let config = Config::load(config).map_err(|mistakes| mistakes.to_string())?;
    if config.peers.is_empty() {
        cli::say("no peers; `drawbridge peer add <domain> <root.pem>` lists one");
    }
    for peer in &config.peers {
        cli::say(&listed(peer));
    }
    Ok(ExitCode::SUCCESS)
}

/// Adds a peer to the configuration, its roots beside it; returns the roots' fingerprints.
pub(crate) fn append(
    config: &Path,
    domain: &Domain,
    roots: &Path,
    connect: Option<SocketAddr>,
) -> Result<Vec<String>, String> {
    let read = Config::load(config).map_err(|mistakes| mistakes.to_string())?;
    if read.provider.domain == *domain {
        return Err(format!("{domain} is this provider itself; name another one"));
    }
    if let Some(there) = read.peers.iter().find(|peer| peer.domain == *domain) {
        return Err(format!(
            "{domain} is a peer already, with {}; to replace its root, replace that file",
            there.roots.display()
        ));
    }
    let pem = fs::read(roots).map_err(|fault| format!("{} cannot be read: {fault}", roots.display()))?;
    let certificates = read_roots(&pem).map_err(|fault| format!("{}: {fault}", roots.display()))?;

    let folder = folder_of(config).join("peers");
    fs::create_dir_all(&folder).map_err(|fault| format!("{}: {fault}", folder.display()))?;
    write_new(&folder.join(format!("{domain}.pem")), &pem, Access::Public)?;
    let fingerprints: Vec<String> = certificates.iter().map(fingerprint).collect();
    append_section(config, &section(domain, connect, &fingerprints))?;
    Ok(fingerprints)
}

fn section(domain: &Domain, connect: Option<SocketAddr>, fingerprints: &[String]) -> String {
    let fingerprints = fingerprints.join("\n# ");
    let connect = connect.map(|address| format!("connect = \"{address}\"\n")).unwrap_or_default();
    format!(
        "\n# Added by `drawbridge peer add`; SHA-256 of its root:\n# {fingerprints}\n\
         [[peer]]\ndomain = \"{domain}\"\nroots = \"peers/{domain}.pem\"\n{connect}"
    )
}

fn append_section(config: &Path, section: &str) -> Result<(), String> {
    let file = fs::OpenOptions::new().append(true).open(config);
    file.and_then(|mut file| file.write_all(section.as_bytes()).and_then(|()| file.sync_all()))
        .map_err(|fault| format!("{} cannot be written: {fault}", config.display()))
}

fn listed(peer: &PeerConfig) -> String {
    let connect = peer.connect.map(|address| format!(" at {address}")).unwrap_or_default();
    let roots = fs::read(&peer.roots)
        .map_err(|fault| fault.to_string())
        .and_then(|pem| read_roots(&pem).map_err(|fault| fault.to_string()));
    match roots {
        Ok(roots) => {
            let prints: Vec<String> = roots.iter().map(fingerprint).collect();
            format!("{}{connect}  {}", peer.domain, prints.join("  "))
        }
        Err(why) => {
            format!("{}{connect}  its root cannot be used: {}: {why}", peer.domain, peer.roots.display())
        }
    }
}

/// What two operators read to each other.
fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    let pairs: Vec<String> =
        digest(&SHA256, certificate.as_ref()).as_ref().chunks(2).map(hex::encode).collect();
    pairs.join(":")
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::config::Template;
    use crate::init;

    struct Two {
        folder: tempfile::TempDir,
        b: Domain,
    }

    impl Two {
        fn new() -> Self {
            let (folder, b) = (tempfile::tempdir().unwrap(), Domain::parse("b.example").unwrap());
            let two = Self { folder, b };
            for name in ["a", "b"] {
                let domain = Domain::parse(&format!("{name}.example")).unwrap();
                fs::create_dir(two.folder.path().join(name)).unwrap();
                init::make(&two.config(name), &domain, &Template::new(&domain)).unwrap();
            }
            two
        }

        fn config(&self, name: &str) -> PathBuf {
            self.folder.path().join(name).join("drawbridge.toml")
        }

        fn root_of_b(&self) -> PathBuf {
            self.folder.path().join("b/keys/provider-root.pem")
        }
    }

    #[test]
    fn an_added_peer_is_in_the_configuration_with_its_root() {
        let two = Two::new();
        let connect: SocketAddr = "127.0.0.1:8444".parse().unwrap();

        append(&two.config("a"), &two.b, &two.root_of_b(), Some(connect)).unwrap();

        let peers = Config::load(&two.config("a")).unwrap().peers;
        assert_eq!(peers.len(), 1);
        assert_eq!((&peers[0].domain, peers[0].connect), (&two.b, Some(connect)));
        assert_eq!(fs::read(&peers[0].roots).unwrap(), fs::read(two.root_of_b()).unwrap());
    }

    #[test]
    fn a_peer_is_added_once() {
        let two = Two::new();
        append(&two.config("a"), &two.b, &two.root_of_b(), None).unwrap();

        let again = append(&two.config("a"), &two.b, &two.root_of_b(), None).unwrap_err();

        assert!(again.starts_with("b.example is a peer already, with "), "{again}");
        assert_eq!(Config::load(&two.config("a")).unwrap().peers.len(), 1);
    }

    #[test]
    fn what_is_no_root_is_not_taken_and_leaves_nothing_behind() {
        let two = Two::new();
        let leaf = two.folder.path().join("b/keys/provider.pem");
        let key = two.folder.path().join("b/keys/instance.key");

        for wrong in [&leaf, &key] {
            append(&two.config("a"), &two.b, wrong, None).unwrap_err();
        }
        let itself = append(&two.config("b"), &two.b, &two.root_of_b(), None).unwrap_err();

        assert!(itself.contains("this provider itself"));
        assert!(!two.folder.path().join("a/peers").exists());
        assert!(Config::load(&two.config("a")).unwrap().peers.is_empty());
    }
}
