//! Files that are written once, and read with mistakes that name their key.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use zeroize::Zeroizing;

use crate::config::Mistake;

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everybody on this machine.
    Public,
    /// Its owner.
    Private,
}

impl Access {
    #[cfg(unix)]
    fn mode(self) -> u32 {
        match self {
            Self::Public => 0o644,
            Self::Private => 0o600,
        }
    }
}

/// Writes a file that is not there yet; one that is there is never touched.
pub(crate) fn write_new(path: &Path, content: &[u8], access: Access) -> Result<(), String> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, access.mode());
    #[cfg(not(unix))]
    let _ = access;
    let mut file = options.open(path).map_err(|fault| format!("{}: {fault}", path.display()))?;
    file.write_all(content)
        .and_then(|()| file.sync_all())
        .map_err(|fault| format!("{}: {fault}", path.display()))
}

/// Reads a file that a key of the configuration names.
pub(crate) fn read_text(path: &Path, key: &str) -> Result<Zeroizing<String>, Mistake> {
    fs::read_to_string(path).map(Zeroizing::new).map_err(|fault| Mistake {
        key: key.to_owned(),
        text: format!("{} cannot be read: {fault}; write the path of a file that is there", path.display()),
    })
}

/// The lower bits of a mode, which are for group and others.
#[cfg(unix)]
const GROUP_AND_OTHERS: u32 = 6;

/// Whether nobody but its owner can read a file.
pub(crate) fn is_private(path: &Path) -> bool {
    #[cfg(unix)]
    {
        let mode = fs::metadata(path)
            .map(|metadata| std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()));
        mode.is_ok_and(|mode| mode.trailing_zeros() >= GROUP_AND_OTHERS)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_its_owners_and_nothing_is_written_twice() {
        let folder = tempfile::tempdir().unwrap();
        let (secret, public) = (folder.path().join("secret"), folder.path().join("public"));

        write_new(&secret, b"1", Access::Private).unwrap();
        write_new(&public, b"2", Access::Public).unwrap();
        let again = write_new(&secret, b"3", Access::Private);

        assert!(is_private(&secret));
        assert!(!is_private(&public));
        assert!(again.is_err());
        assert_eq!(fs::read(&secret).unwrap(), b"1");
    }
}
