//! What no path may lead to, however long it is.

use crate::workspace::{Member, Workspace};

/// Crates that decide and do not act: they take time as an argument and give effects as values.
pub const PURE: &[&str] = &[
    "mimi-uri",
    "mimi-room-policy",
    "mimi-edge-policy",
    "mimi-content",
    "mimi-mls",
    "mimi-wire",
    "mimi-room",
    "mimi-client",
];

/// What acting needs.
const RUNTIMES: &[&str] = &["tokio", "axum", "hyper", "sqlx", "sqlx-core", "async-std", "smol"];

/// What an adapter may know of ours.
const KNOWN_TO_ADAPTERS: &[&str] = &["mimi-adapter", "mimi-content", "mimi-uri"];

/// All paths that lead through a wall.
pub fn violations(workspace: &Workspace) -> Vec<String> {
    let members = || workspace.members.iter();
    let mut found = Vec::new();

    // (1) The hub cannot read messages.
    for member in members().filter(|member| member.name == "mimi-server") {
        found.extend(forbid(workspace, member, |name| name == "mimi-content"));
    }
    // (2) The pure crates are pure.
    for member in members().filter(|member| PURE.contains(&member.name.as_str())) {
        found.extend(forbid(workspace, member, |name| RUNTIMES.contains(&name)));
    }
    // (3) SQL stands in the stores, and in the control that they are measured against.
    for member in members().filter(|member| !member.name.starts_with("mimi-store-") && member.name != "bench")
    {
        let sql = member.declared.iter().filter(|name| name.starts_with("sqlx"));
        found.extend(sql.map(|name| format!("{} uses {name}: only stores have SQL", member.name)));
    }
    // (4) An adapter translates and transports, and never sees MLS.
    for member in members().filter(|member| is_adapter(member)) {
        found.extend(forbid(workspace, member, |name| name.starts_with("openmls")));
        let ours = workspace.needs_of_ours(member).map(|need| need.name.as_str());
        let unknown = ours.filter(|name| !KNOWN_TO_ADAPTERS.contains(name));
        found.extend(unknown.map(|name| format!("{} uses {name}: it is an adapter", member.name)));
    }
    // (5) Server and bridge meet at the ports, not at each other.
    for member in members().filter(|member| member.name == "mimi-server") {
        found.extend(forbid(workspace, member, |name| ["mimi-bridge", "mimi-client"].contains(&name)));
    }
    for member in members().filter(|member| member.name == "mimi-bridge") {
        found.extend(forbid(workspace, member, |name| name == "mimi-server"));
    }
    found
}

fn is_adapter(member: &Member) -> bool {
    member.path.starts_with("adapters/") && !KNOWN_TO_ADAPTERS.contains(&member.name.as_str())
}

fn forbid(workspace: &Workspace, from: &Member, forbidden: impl Fn(&str) -> bool) -> Option<String> {
    workspace.way(from, forbidden).map(|way| format!("there is a path {}", way.join(" -> ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::samples::workspace;

    #[test]
    fn the_hub_that_could_read_messages_is_found_behind_another_crate() {
        let sample = workspace(&[
            ("hub/server", "mimi-server", &["mimi-store"]),
            ("hub/store", "mimi-store", &["mimi-content"]),
        ]);

        assert_eq!(violations(&sample), ["there is a path mimi-server -> mimi-store -> mimi-content"]);
    }

    #[test]
    fn a_runtime_behind_a_pure_crate_is_found() {
        let sample = workspace(&[("hub/room", "mimi-room", &["tokio"])]);

        assert_eq!(violations(&sample), ["there is a path mimi-room -> tokio"]);
    }

    #[test]
    fn sql_outside_the_stores_is_found_and_inside_is_not() {
        let sample = workspace(&[
            ("hub/store-sqlite", "mimi-store-sqlite", &["sqlx"]),
            ("gateway/bridge", "mimi-bridge", &["sqlx"]),
        ]);

        assert_eq!(violations(&sample), ["mimi-bridge uses sqlx: only stores have SQL"]);
    }

    #[test]
    fn an_adapter_that_knows_more_than_the_port_is_found() {
        let sample = workspace(&[
            ("adapters/port", "mimi-adapter", &["mimi-content"]),
            ("adapters/irc", "mimi-adapter-irc", &["mimi-adapter", "mimi-mls"]),
            ("hub/mls", "mimi-mls", &["openmls"]),
        ]);

        assert_eq!(
            violations(&sample),
            [
                "there is a path mimi-adapter-irc -> mimi-mls -> openmls",
                "mimi-adapter-irc uses mimi-mls: it is an adapter",
            ]
        );
    }

    #[test]
    fn server_and_bridge_that_know_each_other_are_found() {
        let sample = workspace(&[
            ("hub/server", "mimi-server", &["mimi-bridge"]),
            ("gateway/bridge", "mimi-bridge", &["mimi-server"]),
        ]);

        assert_eq!(
            violations(&sample),
            ["there is a path mimi-server -> mimi-bridge", "there is a path mimi-bridge -> mimi-server"]
        );
    }
}
