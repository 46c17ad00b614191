//! Every crate takes the lints of the workspace.

use std::{fs, io};

use crate::workspace::Workspace;

/// The members whose manifest does not say so.
pub fn violations(workspace: &Workspace) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    for member in &workspace.members {
        let path = format!("{}/Cargo.toml", member.path);
        let manifest = fs::read_to_string(workspace.root.join(&path))?;
        if !takes_the_lints(&manifest) {
            found.push(format!("{path} has no `[lints] workspace = true`"));
        }
    }
    Ok(found)
}

fn takes_the_lints(manifest: &str) -> bool {
    let manifest: Result<toml::Table, _> = manifest.parse();
    manifest.is_ok_and(|it| {
        it.get("lints").and_then(|it| it.get("workspace")) == Some(&toml::Value::Boolean(true))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_lints_of_the_workspace_will_do() {
        assert!(takes_the_lints("[package]\nname = \"x\"\n[lints]\nworkspace = true\n"));
        assert!(!takes_the_lints("[package]\nname = \"x\"\n"));
        assert!(!takes_the_lints("[lints.clippy]\npedantic = \"allow\"\n"));
        assert!(!takes_the_lints("[lints]\nworkspace = false\n"));
    }
}
