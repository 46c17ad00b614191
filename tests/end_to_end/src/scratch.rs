use std::{
    path::{Path, PathBuf},
    thread,
};

use tempfile::TempDir;

/// A directory of a test's own: gone when the test passes, kept and named when it fails.
#[derive(Debug)]
pub struct Scratch {
    dir: TempDir,
}

impl Scratch {
    /// Makes an empty directory whose name starts with `name`.
    #[track_caller]
    pub fn new(name: &str) -> Self {
        let dir = tempfile::Builder::new()
            .prefix(&format!("drawbridge-{name}-"))
            .tempdir()
            .unwrap_or_else(|error| panic!("a directory for {name}: {error}"));
        Self { dir }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The path of `file` in it.
    pub fn join(&self, file: &str) -> PathBuf {
        self.path().join(file)
    }

    /// Writes `file` and returns its path.
    #[track_caller]
    pub fn write(&self, file: &str, text: &str) -> PathBuf {
        let path = self.join(file);
        std::fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        path
    }
}

impl Scratch {
    /// Leaves it there, for somebody to look into.
    pub fn keep(&mut self) -> &Path {
        self.dir.disable_cleanup(true);
        self.dir.path()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if thread::panicking() {
            self.dir.disable_cleanup(true);
            eprintln!("kept for you: {}", self.path().display());
        }
    }
}
