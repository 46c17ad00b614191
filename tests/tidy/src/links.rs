//! A link in our documents leads somewhere.

use std::path::{Component, Path, PathBuf};

use crate::sources::Source;

/// Links within the repository that lead to nothing; `exists` is asked for paths from the root.
pub fn violations(sources: &[Source], exists: impl Fn(&Path) -> bool) -> Vec<String> {
    let documents = sources.iter().filter(|source| source.is("md"));
    let links = documents.flat_map(|source| targets(&source.text).map(move |target| (source, target)));
    let dead = links.filter(|(source, target)| !exists(&from_the_root(&source.path, target)));
    dead.map(|(source, target)| format!("{} links to {target}, which is not there", source.path)).collect()
}

/// The targets of the links of a document that stay within the repository, without their anchors.
fn targets(text: &str) -> impl Iterator<Item = &str> {
    let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let files = links.map(|target| target.split('#').next().unwrap_or(target));
    files.filter(|target| !target.is_empty() && !target.contains("://") && !target.contains(' '))
}

fn from_the_root(document: &str, target: &str) -> PathBuf {
    let folder = Path::new(document).parent().unwrap_or(Path::new(""));
    let mut path = PathBuf::new();
    for component in folder.join(target).components() {
        match component {
            Component::ParentDir => drop(path.pop()),
            component => path.push(component),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_nothing_is_found() {
        let text = "[a](../map.md#words) [b](#here) [c](https://a.example/x) [d](gone.md) [e](errata.md)";
        let there = [Path::new("docs/map.md"), Path::new("docs/spec/errata.md")];

        let found = violations(&[Source::new("docs/spec/README.md", text)], |path| there.contains(&path));

        assert_eq!(found, ["docs/spec/README.md links to gone.md, which is not there"]);
    }
}
