use std::path::{Path, PathBuf};

/// The Python in which the real servers and clients are installed: `DRAWBRIDGE_TEST_PYTHON`, else what
/// `cargo xtask servers` makes.
#[track_caller]
pub fn test_python() -> PathBuf {
    let python = std::env::var_os("DRAWBRIDGE_TEST_PYTHON")
        .map_or_else(|| repository().join(".cache/servers/bin/python"), PathBuf::from);
    assert!(python.exists(), "{} is missing: run `cargo xtask servers` once", python.display());
    python
}

/// The root of the repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// One of the scripts that are people.
pub(crate) fn person_script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("people").join(name)
}
