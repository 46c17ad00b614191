//! Small pieces: a file is one concept, a function fits a screen.
//!
//! Functions are measured on formatted code, between the line that opens the body and the line of the same indentation
//! that closes it, blank lines and comments not counted (as the linter counts). What must be larger stands in
//! `allow.txt`, a line each: `path/to/file.rs -- why` or `path/to/file.rs::function -- why`.

use std::collections::BTreeSet;

use crate::sources::Source;

/// Lines of a file, all counted.
pub const FILE_LINES_MAX: usize = 500;
/// Lines of a function's body.
pub const FUNCTION_LINES_MAX: usize = 60;

/// What is too large without leave, and every leave that is not needed or says no reason.
pub fn violations(sources: &[Source], allowed: &str) -> Vec<String> {
    let mut unused: BTreeSet<&str> = BTreeSet::new();
    let mut found = Vec::new();
    for line in allowed.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.split_once(" -- ") {
            Some((what, why)) if !why.trim().is_empty() => drop(unused.insert(what.trim())),
            _ => found.push(format!("allow.txt says no reason: {line}")),
        }
    }
    for (what, lines, max) in sources.iter().filter(|source| source.is("rs")).flat_map(too_large) {
        if !unused.remove(what.as_str()) {
            found.push(format!("{what} has {lines} lines, more than {max}"));
        }
    }
    found.extend(unused.into_iter().map(|what| format!("allow.txt allows {what}, which needs no leave")));
    found
}

/// The file and the functions in it that are too large, with their size and its bound.
fn too_large(source: &Source) -> Vec<(String, usize, usize)> {
    let lines = source.text.lines().count();
    let file = (lines > FILE_LINES_MAX).then(|| (source.path.clone(), lines, FILE_LINES_MAX));
    let functions = functions(source).into_iter().filter(|(_, lines)| *lines > FUNCTION_LINES_MAX);
    let functions =
        functions.map(|(name, lines)| (format!("{}::{name}", source.path), lines, FUNCTION_LINES_MAX));
    file.into_iter().chain(functions).collect()
}

/// The functions outside test modules and the lines of their bodies.
fn functions(source: &Source) -> Vec<(String, usize)> {
    let lines = source.product_lines();
    let mut found = Vec::new();
    for (at, (_, line)) in lines.iter().enumerate() {
        if let Some(name) = function_name(line) {
            let rest = lines[at..].iter().map(|(_, line)| *line);
            found.extend(body_lines(indentation(line), rest).map(|count| (name.to_owned(), count)));
        }
    }
    found
}

/// The name of the function whose signature starts on this line.
fn function_name(line: &str) -> Option<&str> {
    let (before, after) = line.trim_start().split_once("fn ")?;
    let is_signature = before.split_whitespace().all(|word| {
        let word = word.split('(').next().unwrap_or(word);
        ["pub", "const", "async", "unsafe", "extern", "default", "\"C\"", "in", "crate)", "super)"]
            .contains(&word)
    });
    let end = after.find(|c: char| !c.is_alphanumeric() && c != '_')?;
    (is_signature && end > 0).then(|| &after[..end])
}

/// The lines of the body of the function whose signature `lines` start with; none if it has no body of its own lines.
fn body_lines<'a>(indentation: usize, lines: impl Iterator<Item = &'a str>) -> Option<usize> {
    let mut lines = lines;
    lines.by_ref().find(|line| line.ends_with(['{', ';', '}'])).filter(|line| line.ends_with('{'))?;
    let body = lines.take_while(|line| !(self::indentation(line) == indentation && line.trim() == "}"));
    Some(body.filter(|line| is_code(line)).count())
}

fn is_code(line: &str) -> bool {
    let line = line.trim_start();
    !line.is_empty() && !line.starts_with("//")
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A function of this many lines, in an `impl`.
    fn function(name: &str, lines: usize) -> String {
        let body = "        step();\n".repeat(lines - 1);
        format!(
            "impl X {{\n    pub(crate) async fn {name}(\n        &self,\n    ) -> Y {{\n        // why\n\n{body}        if a {{ b }} else {{ c }}\n    }}\n}}\n"
        )
    }

    #[test]
    fn a_function_of_sixty_lines_fits_and_of_one_more_does_not() {
        let fits = Source::new("a.rs", &function("fits", 60));
        let long = Source::new("b.rs", &function("long", 61));

        let found = violations(&[fits, long], "");

        assert_eq!(found, ["b.rs::long has 61 lines, more than 60"]);
    }

    #[test]
    fn a_declaration_without_a_body_is_no_function_and_does_not_swallow_the_next() {
        let text =
            format!("trait T {{\n    fn declared(&self);\n    fn short() {{}}\n}}\n{}", function("long", 61));

        let found = functions(&Source::new("a.rs", &text));

        assert_eq!(found, [("long".to_owned(), 61)]);
    }

    #[test]
    fn a_file_of_more_than_five_hundred_lines_is_found() {
        let fits = Source::new("a.rs", &"//\n".repeat(500));
        let long = Source::new("b.rs", &"//\n".repeat(501));

        let found = violations(&[fits, long], "");

        assert_eq!(found, ["b.rs has 501 lines, more than 500"]);
    }

    #[test]
    fn leave_needs_a_reason_and_a_use() {
        let long = Source::new("b.rs", &function("long", 61));
        let allowed = "# comment\nb.rs::long -- one table\nb.rs -- no longer long\nc.rs\n";

        let found = violations(&[long], allowed);

        assert_eq!(found, ["allow.txt says no reason: c.rs", "allow.txt allows b.rs, which needs no leave"]);
    }
}
