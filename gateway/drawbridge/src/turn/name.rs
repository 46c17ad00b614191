//! What a process is called among those that share a database.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use crate::keys;

/// A name that no other running process has.
///
/// It is that of a file which is locked as long as the process lives, on this machine since it was started. So a process
/// that is started again on the same file has the name of the one before, and that one is dead: it need not wait until
/// what it held runs out. A copy of the file is another one, and on another machine too.
pub(crate) struct Name {
    text: String,
    _locked: Option<File>,
}

impl Name {
    /// A name that no process ever has again.
    pub(crate) fn random() -> Result<Self, String> {
        Ok(Self { text: keys::random_word()?.to_string(), _locked: None })
    }

    /// The name that goes with a file; a random one if another process has that, or there can be none.
    pub(crate) fn of(file: &Path) -> Result<Self, String> {
        match Self::lock(file) {
            Ok(name) => Ok(name),
            Err(fault) => {
                let file = file.display();
                tracing::info!(%file, %fault, "not locked: if this process is killed, the next one waits some seconds");
                Self::random()
            }
        }
    }

    fn lock(file: &Path) -> io::Result<Self> {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(file)?;
        file.try_lock()?;
        let meta = file.metadata()?;
        let text = format!("{} {} {}", boot.trim(), meta.dev(), meta.ino());
        Ok(Self { text, _locked: Some(file) })
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_process_s_and_then_the_next_one_s() {
        let folder = tempfile::tempdir().unwrap();
        let take = |name: &str| Name::of(&folder.path().join(name)).unwrap();

        let first = take("a.lock");
        let (beside, elsewhere, nowhere) = (take("a.lock"), take("b.lock"), take("no/folder"));
        let (text, others) = (first.to_string(), [beside, elsewhere, nowhere].map(|name| name.to_string()));
        drop(first);

        assert!(!others.contains(&text), "{text} among {others:?}");
        assert_eq!(take("a.lock").to_string(), text);
    }
}
