//! The files of the repository that people write.

use std::{fs, io, path::Path};

/// Directories that hold what programs write.
const WRITTEN_BY_PROGRAMS: &[&str] =
    &["target", ".git", ".cache", "book", "corpus", "artifacts", "__pycache__"];

/// A file, by its path from the root and its text.
#[derive(Clone, Debug)]
pub struct Source {
    /// Relative to the root, with `/`.
    pub path: String,
    /// All of it.
    pub text: String,
}

impl Source {
    /// A source of this path and text.
    pub fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// Whether the name ends in `.ext`.
    pub fn is(&self, ext: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|it| it == ext)
    }

    /// Whether it is a module of tests: `src/…/tests.rs`, or below `src/…/tests/`.
    fn is_of_tests(&self) -> bool {
        self.path
            .split_once("src/")
            .is_some_and(|(_, module)| module.split('/').any(|part| part == "tests" || part == "tests.rs"))
    }

    /// Its lines with their numbers, those of test modules left out.
    pub fn product_lines(&self) -> Vec<(usize, &str)> {
        if self.is_of_tests() {
            return Vec::new();
        }
        let mut kept = Vec::new();
        let mut lines = self.text.lines().enumerate().peekable();
        while let Some((at, line)) = lines.next() {
            let opens_tests =
                line == "#[cfg(test)]" && lines.peek().is_some_and(|(_, next)| next.ends_with('{'));
            if !opens_tests {
                kept.push((at + 1, line));
            } else if lines.by_ref().all(|(_, line)| line != "}") {
                break;
            }
        }
        kept
    }
}

/// All text files under `root`.
pub fn read(root: &Path) -> io::Result<Vec<Source>> {
    let mut sources = Vec::new();
    let mut directories = vec![root.to_path_buf()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let kind = entry.file_type()?;
            if kind.is_dir() && !WRITTEN_BY_PROGRAMS.contains(&name.as_str()) {
                directories.push(entry.path());
            } else if kind.is_file() {
                sources.extend(source(root, &entry.path())?);
            }
        }
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(sources)
}

/// The file as a source, unless it is no text.
fn source(root: &Path, path: &Path) -> io::Result<Option<Source>> {
    let relative = path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/");
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(Source { path: relative, text })),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(None),
        Err(error) => Err(io::Error::new(error.kind(), format!("{relative}: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_modules_are_left_out_and_what_follows_them_is_not() {
        let text = "one\n#[cfg(test)]\nmod tests {\n    two\n}\nthree\n#[cfg(test)]\nmod samples;\nfour\n";

        let source = Source::new("x.rs", text);
        let lines = source.product_lines();

        assert_eq!(lines, [(1, "one"), (6, "three"), (7, "#[cfg(test)]"), (8, "mod samples;"), (9, "four")]);
    }
    #[test]
    fn a_module_of_tests_has_no_product_lines() {
        let of_tests = ["hub/mls/src/hosted/tests/join.rs", "hub/mls/src/hosted/tests.rs"];
        let of_the_product = ["hub/mls/src/join.rs", "tests/bench/src/lib.rs"];

        assert!(of_tests.iter().all(|path| Source::new(path, "x").product_lines().is_empty()));
        assert!(of_the_product.iter().all(|path| Source::new(path, "x").product_lines() == [(1, "x")]));
    }
}
