//! The README's table of crates is the workspace.
//!
//! A row is `` | `path` | `crate` | purpose | ``, with or without a link around the path.

use std::collections::BTreeSet;

use crate::workspace::Workspace;

/// Crates that the table lacks, rows without a crate, rows without a purpose.
pub fn violations(workspace: &Workspace, readme: &str) -> Vec<String> {
    let rows: Vec<[&str; 3]> = readme.lines().filter_map(row).collect();
    let named: BTreeSet<(&str, &str)> = rows.iter().map(|[path, name, _]| (*path, *name)).collect();
    let members: BTreeSet<(&str, &str)> =
        workspace.members.iter().map(|member| (member.path.as_str(), member.name.as_str())).collect();

    let lacking = members.difference(&named).map(|(path, name)| format!("README lacks {name} at {path}"));
    let surplus = named.difference(&members).map(|(path, name)| format!("README has {name} at {path}"));
    let silent = rows.iter().filter(|[_, _, purpose]| purpose.is_empty());
    let silent = silent.map(|[_, name, _]| format!("README says no purpose of {name}"));
    lacking.chain(surplus).chain(silent).collect()
}

/// The cells of a row of the table of crates.
fn row(line: &str) -> Option<[&str; 3]> {
    let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
    let (path, name, purpose) = (cells.next()?, cells.next()?, cells.next()?);
    Some([quoted(path)?, quoted(name)?, purpose])
}

/// What stands between the first two back-ticks.
fn quoted(cell: &str) -> Option<&str> {
    let (_, rest) = cell.split_once('`')?;
    rest.split_once('`').map(|(inside, _)| inside)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::samples::workspace;

    #[test]
    fn the_table_must_be_the_workspace() {
        let workspace = workspace(&[("hub/room", "mimi-room", &[]), ("hub/wire", "mimi-wire", &[])]);
        let whole = "| path | crate | purpose |\n|---|---|---|\n| [`hub/room`](hub/room) | `mimi-room` | rooms |\n| `hub/wire` | `mimi-wire` | bytes |\n";
        let wrong = "| `hub/room` | `mimi-room` | |\n| `hub/wires` | `mimi-wire` | bytes |\n";

        assert_eq!(violations(&workspace, whole), [""; 0]);
        assert_eq!(
            violations(&workspace, wrong),
            [
                "README lacks mimi-wire at hub/wire",
                "README has mimi-wire at hub/wires",
                "README says no purpose of mimi-room"
            ]
        );
    }
}
