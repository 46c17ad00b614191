//! No host is named in code, but examples, loopback and addresses: where a program goes is configuration.

use std::net::IpAddr;

use crate::sources::Source;

/// Kinds of files that a program reads or runs.
const CODE: &[&str] = &["rs", "py", "toml", "sh", "yaml", "yml", "sql"];

/// Names that belong to nobody (RFC 2606, RFC 6761).
const NOBODYS: &[&str] =
    &["example", "test", "invalid", "localhost", "example.com", "example.net", "example.org"];

/// In the names of XMPP's XML namespaces, which look like URLs and are asked by nobody.
const NAMESPACES: &[&str] = &["jabber.org"];

/// Every URL in code that leads to somebody's host.
pub fn violations(sources: &[Source]) -> Vec<String> {
    let code = sources.iter().filter(|source| CODE.iter().any(|ext| source.is(ext)));
    let lines = code.flat_map(|source| source.text.lines().enumerate().map(move |line| (source, line)));
    let named = lines.flat_map(|(source, (at, line))| {
        hosts(line).filter(|host| !is_nobodys(host)).map(move |host| (source, at, host))
    });
    named.map(|(source, at, host)| format!("{}:{} names the host {host}", source.path, at + 1)).collect()
}

/// The hosts of the http and https URLs in a line.
fn hosts(line: &str) -> impl Iterator<Item = &str> {
    let urls = line
        .split("http")
        .skip(1)
        .filter_map(|rest| rest.strip_prefix("s").unwrap_or(rest).strip_prefix("://"));
    urls.map(|rest| {
        let authority = rest.split(|c: char| !is_of_a_host(c)).next().unwrap_or_default();
        authority.trim_end_matches('.')
    })
}

fn is_of_a_host(c: char) -> bool {
    c.is_alphanumeric() || c == '.' || c == '-'
}

/// Whether nobody is behind this name: reserved, a namespace's, an address, a single label, or a hole to be filled.
fn is_nobodys(host: &str) -> bool {
    let reserved = NOBODYS
        .iter()
        .chain(NAMESPACES)
        .any(|name| host.strip_suffix(name).is_some_and(|before| before.is_empty() || before.ends_with('.')));
    reserved || !host.contains('.') || host.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebodys_host_is_found_and_examples_are_not() {
        let url = |host: &str| format!("let url = \"http{}://{host}/path\";", "s");
        let text = [
            url("a.example"),
            url("127.0.0.1:8008"),
            url("{address}"),
            url("localhost"),
            url("packages.somebody.net"),
            url("notexample.com"),
        ]
        .join("\n");

        let found = violations(&[Source::new("x.rs", &text), Source::new("x.md", &text)]);

        assert_eq!(
            found,
            ["x.rs:5 names the host packages.somebody.net", "x.rs:6 names the host notexample.com"]
        );
    }
}
