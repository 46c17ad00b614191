//! Names say what a thing is, not that it is one.

use crate::sources::Source;

/// Endings of type names that say nothing: what it manages, helps or handles would have been the name.
const EMPTY_TYPE_WORDS: &[&str] = &["Manager", "Helper", "Helpers", "Handler", "Service", "Util", "Utils"];

/// Modules for what found no place.
const EMPTY_MODULES: &[&str] =
    &["util", "utils", "common", "helper", "helpers", "misc", "manager", "handler"];

/// Names in Rust code that say nothing.
pub fn violations(sources: &[Source]) -> Vec<String> {
    let rust = sources.iter().filter(|source| source.is("rs"));
    let lines = rust.flat_map(|source| source.text.lines().enumerate().map(move |line| (source, line)));
    let empty = lines.filter_map(|(source, (at, line))| Some((source, at, empty_name(line)?)));
    empty.map(|(source, at, name)| format!("{}:{} has the empty name {name}", source.path, at + 1)).collect()
}

/// The name that this line declares, if it is an empty one.
fn empty_name(line: &str) -> Option<&str> {
    let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
    let keyword = words.find(|word| !is_before_the_keyword(word))?;
    let name = words.next()?;
    let is_empty = match keyword {
        "fn" => name.starts_with("get_"),
        "mod" => EMPTY_MODULES.contains(&name),
        "struct" | "enum" | "trait" | "type" => EMPTY_TYPE_WORDS.iter().any(|word| name.ends_with(word)),
        _ => false,
    };
    is_empty.then_some(name)
}

fn is_before_the_keyword(word: &str) -> bool {
    ["pub", "crate", "super", "in", "async", "const", "unsafe", "extern"].contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_name_is_found_and_a_telling_one_is_not() {
        let text = "pub(crate) struct RoomManager;\npub struct Lane;\n    pub async fn get_room() {}\nfn forget_room() {}\nmod common;\n// the enum Handler\nlet service = 1;\n";

        let found = violations(&[Source::new("x.rs", text)]);

        assert_eq!(
            found,
            [
                "x.rs:1 has the empty name RoomManager",
                "x.rs:3 has the empty name get_room",
                "x.rs:5 has the empty name common"
            ]
        );
    }
}
