use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use end_to_end::Scratch;

use crate::Broke;

/// The files of a store that a disk keeps; the shared-memory index is none of them.
const FILES: [&str; 2] = ["drawbridge.db", "drawbridge.db-wal"];

/// A disk that keeps only what was synced: `disk.c`, preloaded into the process whose disk it is.
#[derive(Debug)]
pub struct Disk {
    scratch: Scratch,
}

impl Disk {
    /// Builds it with the C compiler of this machine, which the build of `SQLite` needs too.
    pub fn build() -> Result<Self, Broke> {
        let scratch = Scratch::new("disk");
        let source = scratch.write("disk.c", include_str!("disk.c"));
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O2", "-o"]).arg(scratch.join("disk.so")).arg(source);
        let built = compiler.args(["-ldl", "-lpthread"]).output().map_err(|fault| format!("cc: {fault}"))?;
        if !built.status.success() {
            return Err(String::from_utf8_lossy(&built.stderr).into_owned());
        }
        fs::create_dir(scratch.join("image")).map_err(|fault| format!("a place for the image: {fault}"))?;
        Ok(Self { scratch })
    }

    /// What a process needs in its environment to have this disk.
    pub fn env(&self) -> [(&'static str, OsString); 2] {
        let path = |name| self.scratch.join(name).into_os_string();
        [("LD_PRELOAD", path("disk.so")), ("DRAWBRIDGE_DISK_IMAGE", path("image"))]
    }

    /// All that the directory has of the store is on the disk, for nobody runs.
    pub fn keeps(&self, directory: &Path) -> Result<(), Broke> {
        each(|name| copied(&directory.join(name), &self.image(name)))
    }

    /// The power is cut: what was not synced is not there any more. How many bytes are not there.
    pub fn loses(&self, directory: &Path) -> Result<u64, Broke> {
        let size = |path: PathBuf| fs::metadata(path).map_or(0, |file| file.len());
        let sizes = || FILES.iter().map(|name| size(directory.join(name))).sum::<u64>();
        let before = sizes();
        each(|name| copied(&self.image(name), &directory.join(name)))?;
        removed(&directory.join("drawbridge.db-shm")).map_err(|fault| format!("the index: {fault}"))?;
        Ok(before.saturating_sub(sizes()))
    }

    /// Whether a process has opened its store on it.
    pub fn was_used(&self) -> bool {
        self.image("watched").exists()
    }

    fn image(&self, name: &str) -> PathBuf {
        self.scratch.join("image").join(name)
    }
}

fn each(act: impl Fn(&str) -> io::Result<()>) -> Result<(), Broke> {
    FILES.iter().try_for_each(|name| act(name)).map_err(|fault| format!("the files of the store: {fault}"))
}

/// Makes one file what the other is, also if it is not there.
fn copied(from: &Path, to: &Path) -> io::Result<()> {
    if from.exists() { fs::copy(from, to).map(drop) } else { removed(to) }
}

fn removed(file: &Path) -> io::Result<()> {
    if file.exists() { fs::remove_file(file) } else { Ok(()) }
}
