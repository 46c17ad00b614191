//! The workspace as cargo sees it.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    io,
    path::{Path, PathBuf},
    process::Command,
};

use serde::Deserialize;

/// Members, and who needs whom.
#[derive(Clone, Debug, Default)]
pub struct Workspace {
    /// Where the root manifest is.
    pub root: PathBuf,
    /// Our crates.
    pub members: Vec<Member>,
    /// Every crate, ours or not, by cargo's id.
    pub crates: BTreeMap<String, Crate>,
}

/// One of our crates.
#[derive(Clone, Debug)]
pub struct Member {
    /// Cargo's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its directory, relative to the root, with `/`.
    pub path: String,
    /// What its manifest names, dependencies of its tests included.
    pub declared: BTreeSet<String>,
}

/// A crate in the graph.
#[derive(Clone, Debug)]
pub struct Crate {
    /// Its name.
    pub name: String,
    /// The ids of what it needs to be built and to run, without what only tests need.
    pub needs: Vec<String>,
}

impl Workspace {
    /// Asks cargo about the workspace at `root`.
    pub fn read(root: &Path) -> io::Result<Self> {
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--format-version", "1"])
            .current_dir(root)
            .stderr(std::process::Stdio::inherit())
            .output()?;
        if !output.status.success() {
            return Err(io::Error::other("cargo metadata failed"));
        }
        Ok(Self::from(serde_json::from_slice::<Metadata>(&output.stdout)?))
    }

    /// The member of this name.
    pub fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.name == name)
    }

    /// Our crates that a member needs directly.
    pub fn needs_of_ours<'a>(&'a self, member: &'a Member) -> impl Iterator<Item = &'a Member> {
        let needs = self.crates.get(&member.id).map(|it| it.needs.as_slice()).unwrap_or_default();
        needs.iter().filter_map(|id| self.members.iter().find(|other| other.id == *id))
    }

    /// The shortest way from a member to a crate whose name is `forbidden`, as names.
    pub fn way(&self, from: &Member, forbidden: impl Fn(&str) -> bool) -> Option<Vec<&str>> {
        let mut came_from: BTreeMap<&str, &str> = BTreeMap::new();
        let mut queue = VecDeque::from([from.id.as_str()]);
        while let Some(id) = queue.pop_front() {
            let crate_ = self.crates.get(id)?;
            if id != from.id && forbidden(&crate_.name) {
                return Some(self.names_back(id, &from.id, &came_from));
            }
            for need in crate_.needs.iter().map(String::as_str) {
                if need != from.id && !came_from.contains_key(need) {
                    came_from.insert(need, id);
                    queue.push_back(need);
                }
            }
        }
        None
    }

    fn names_back(&self, last: &str, first: &str, came_from: &BTreeMap<&str, &str>) -> Vec<&str> {
        let mut names = Vec::new();
        let mut id = last;
        loop {
            names.extend(self.crates.get(id).map(|it| it.name.as_str()));
            match came_from.get(id) {
                Some(earlier) if id != first => id = earlier,
                _ => break,
            }
        }
        names.reverse();
        names
    }
}

/// What `cargo metadata` prints, as far as it matters here.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_members: BTreeSet<String>,
    workspace_root: PathBuf,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    manifest_path: PathBuf,
    dependencies: Vec<Declared>,
}

#[derive(Deserialize)]
struct Declared {
    name: String,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<NodeDep>,
}

#[derive(Deserialize)]
struct NodeDep {
    pkg: String,
    dep_kinds: Vec<DepKind>,
}

#[derive(Deserialize)]
struct DepKind {
    kind: Option<String>,
}

impl From<Metadata> for Workspace {
    fn from(metadata: Metadata) -> Self {
        let names: BTreeMap<&str, &str> =
            metadata.packages.iter().map(|it| (it.id.as_str(), it.name.as_str())).collect();
        let crates = metadata.resolve.nodes.into_iter().map(|node| {
            let name = names.get(node.id.as_str()).copied().unwrap_or_default().to_owned();
            let kept = node.deps.into_iter().filter(|dep| dep.dep_kinds.iter().any(is_not_for_tests));
            (node.id, Crate { name, needs: kept.map(|dep| dep.pkg).collect() })
        });
        let crates = crates.collect();
        let ours = metadata.packages.iter().filter(|it| metadata.workspace_members.contains(&it.id));
        let members = ours.map(|package| member(package, &metadata.workspace_root)).collect();
        Self { root: metadata.workspace_root, members, crates }
    }
}

fn is_not_for_tests(kind: &DepKind) -> bool {
    kind.kind.as_deref() != Some("dev")
}

fn member(package: &Package, root: &Path) -> Member {
    let directory = package.manifest_path.parent().unwrap_or(root);
    let path = directory.strip_prefix(root).unwrap_or(directory).to_string_lossy().replace('\\', "/");
    Member {
        id: package.id.clone(),
        name: package.name.clone(),
        path,
        declared: package.dependencies.iter().map(|it| it.name.clone()).collect(),
    }
}

#[cfg(test)]
pub(crate) mod samples {
    use super::*;

    /// A workspace of members, each `(path, name, needs)`; a need that is no member is a crate of others.
    pub(crate) fn workspace(members: &[(&str, &str, &[&str])]) -> Workspace {
        let mut workspace = Workspace::default();
        for (path, name, needs) in members {
            let needs: Vec<String> = needs.iter().map(ToString::to_string).collect();
            for need in &needs {
                let unknown = || Crate { name: need.clone(), needs: Vec::new() };
                workspace.crates.entry(need.clone()).or_insert_with(unknown);
            }
            workspace.members.push(Member {
                id: (*name).to_owned(),
                name: (*name).to_owned(),
                path: (*path).to_owned(),
                declared: needs.iter().cloned().collect(),
            });
            workspace.crates.insert((*name).to_owned(), Crate { name: (*name).to_owned(), needs });
        }
        workspace
    }
}

#[cfg(test)]
mod tests {
    use super::{samples::workspace, *};

    #[test]
    fn the_way_to_a_crate_names_every_step() {
        let workspace = workspace(&[("a", "a", &["b"]), ("b", "b", &["c", "a"]), ("c", "c", &["d"])]);
        let a = workspace.member("a").unwrap();

        let way = workspace.way(a, |name| name == "d");

        assert_eq!(way, Some(vec!["a", "b", "c", "d"]));
        assert_eq!(workspace.way(a, |name| name == "e"), None);
    }

    #[test]
    fn what_only_tests_need_is_declared_but_not_needed() {
        let metadata = r#"{
            "packages": [
                {"id": "x#1", "name": "x", "manifest_path": "/r/hub/x/Cargo.toml", "dependencies": [{"name": "y"}, {"name": "z"}]},
                {"id": "y#1", "name": "y", "manifest_path": "/home/y/Cargo.toml", "dependencies": []},
                {"id": "z#1", "name": "z", "manifest_path": "/home/z/Cargo.toml", "dependencies": []}],
            "workspace_members": ["x#1"], "workspace_root": "/r",
            "resolve": {"nodes": [
                {"id": "x#1", "deps": [
                    {"pkg": "y#1", "dep_kinds": [{"kind": null}, {"kind": "dev"}]},
                    {"pkg": "z#1", "dep_kinds": [{"kind": "dev"}]}]},
                {"id": "y#1", "deps": []}, {"id": "z#1", "deps": []}]}}"#;

        let workspace = Workspace::from(serde_json::from_str::<Metadata>(metadata).unwrap());

        let x = workspace.member("x").unwrap();
        assert_eq!(workspace.members.len(), 1);
        assert_eq!(x.path, "hub/x");
        assert_eq!(x.declared, BTreeSet::from(["y".to_owned(), "z".to_owned()]));
        assert_eq!(workspace.crates["x#1"].needs, ["y#1"]);
    }
}
