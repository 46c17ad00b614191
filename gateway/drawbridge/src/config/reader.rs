//! Reading TOML so that every mistake is one line: the key, what is wrong, what would be right.

use std::fmt;
use std::str::FromStr;

use toml::{Table, Value};

/// A mistake in the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// Where: `provider.listen`.
    pub(crate) key: String,
    /// What is wrong, and what would be right.
    pub(crate) text: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.key.is_empty() { f.write_str(&self.text) } else { write!(f, "{}: {}", self.key, self.text) }
    }
}

impl std::error::Error for Mistake {}

/// All that is wrong, a line each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Mistakes(Vec<Mistake>);

impl Mistakes {
    /// Takes down what is wrong, and passes on what is right.
    pub(crate) fn note<T>(&mut self, read: Result<T, Mistake>) -> Option<T> {
        read.map_err(|mistake| self.0.push(mistake)).ok()
    }

    /// Whether nothing is wrong.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Mistake> {
        self.0.iter()
    }
}

impl From<Mistake> for Mistakes {
    fn from(mistake: Mistake) -> Self {
        Self(vec![mistake])
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

/// A table of the configuration, with its place in it.
#[derive(Debug, Clone)]
pub(crate) struct Section {
    path: String,
    table: Table,
}

impl Section {
    /// Reads a whole file.
    pub(crate) fn parse(text: &str) -> Result<Self, Mistake> {
        let table = text.parse::<Table>().map_err(|fault| {
            let line = fault.span().map_or(1, |span| text[..span.start].lines().count().max(1));
            Mistake { key: format!("line {line}"), text: format!("{}; this is not TOML", fault.message()) }
        })?;
        Ok(Self { path: String::new(), table })
    }

    /// A mistake at one of this table's keys.
    pub(crate) fn mistake(&self, key: &str, text: impl Into<String>) -> Mistake {
        Mistake { key: self.at(key), text: text.into() }
    }

    fn at(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Refuses keys that nobody asks for: a typing error must not pass for a default.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), Mistake> {
        match self.table.keys().find(|key| !known.contains(&key.as_str())) {
            Some(key) => {
                Err(self.mistake(key, format!("there is no such key; here can be: {}", known.join(", "))))
            }
            None => Ok(()),
        }
    }

    /// A table below this one.
    pub(crate) fn section(&self, key: &str) -> Result<Option<Self>, Mistake> {
        match self.table.get(key) {
            None => Ok(None),
            Some(Value::Table(table)) => Ok(Some(Self { path: self.at(key), table: table.clone() })),
            Some(_) => Err(self.mistake(
                key,
                format!("it must be a section: write [{}] on a line of its own", self.at(key)),
            )),
        }
    }

    /// A table that must be there.
    pub(crate) fn required_section(&self, key: &str) -> Result<Self, Mistake> {
        self.section(key)?
            .ok_or_else(|| self.mistake(key, format!("it is missing: write a section [{}]", self.at(key))))
    }

    /// All tables of a list of tables: `[[peer]]`.
    pub(crate) fn sections(&self, key: &str) -> Result<Vec<Self>, Mistake> {
        let wrong =
            || self.mistake(key, format!("it must be a list of sections: write [[{}]]", self.at(key)));
        match self.table.get(key) {
            None => Ok(vec![]),
            Some(Value::Array(items)) => items
                .iter()
                .enumerate()
                .map(|(n, item)| match item {
                    Value::Table(table) => {
                        Ok(Self { path: format!("{}[{n}]", self.at(key)), table: table.clone() })
                    }
                    _ => Err(wrong()),
                })
                .collect(),
            Some(_) => Err(wrong()),
        }
    }

    /// The keys of this table that are sections themselves.
    pub(crate) fn names(&self) -> Vec<String> {
        self.table.keys().cloned().collect()
    }

    /// A text, if it is there.
    pub(crate) fn text(&self, key: &str) -> Result<Option<String>, Mistake> {
        match self.table.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(other) => Err(self.mistake(key, format!("{other} is not a text; write it in quotes"))),
        }
    }

    /// A text that must be there.
    pub(crate) fn required_text(&self, key: &str, example: &str) -> Result<String, Mistake> {
        self.text(key)?
            .ok_or_else(|| self.mistake(key, format!("it is missing; write {key} = \"{example}\"")))
    }

    /// Whether something is so, if it is said.
    pub(crate) fn flag(&self, key: &str) -> Result<Option<bool>, Mistake> {
        match self.table.get(key) {
            None => Ok(None),
            Some(Value::Boolean(flag)) => Ok(Some(*flag)),
            Some(other) => Err(self.mistake(key, format!("{other} is neither true nor false"))),
        }
    }

    /// A text that reads as something, if it is there.
    pub(crate) fn parsed<T>(&self, key: &str, example: &str) -> Result<Option<T>, Mistake>
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        let Some(text) = self.text(key)? else { return Ok(None) };
        match text.parse() {
            Ok(value) => Ok(Some(value)),
            Err(why) => {
                Err(self.mistake(key, format!("\"{text}\" does not do: {why}; write {key} = \"{example}\"")))
            }
        }
    }

    /// A text that must be there and read as something.
    pub(crate) fn required<T>(&self, key: &str, example: &str) -> Result<T, Mistake>
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        self.required_text(key, example)?;
        self.parsed(key, example)?.ok_or_else(|| self.mistake(key, "it is missing"))
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    fn section(text: &str) -> Section {
        Section::parse(text).unwrap().required_section("provider").unwrap()
    }

    #[test]
    fn every_mistake_is_one_line_that_names_the_key_and_what_would_be_right() {
        let provider = section("[provider]\nlisten = \"8443\"\ndomain = 7\ntypo = true\n");

        assert_eq!(
            provider.required::<SocketAddr>("listen", "0.0.0.0:8443").unwrap_err().to_string(),
            "provider.listen: \"8443\" does not do: invalid socket address syntax; write listen = \"0.0.0.0:8443\""
        );
        assert_eq!(
            provider.text("domain").unwrap_err().to_string(),
            "provider.domain: 7 is not a text; write it in quotes"
        );
        assert_eq!(
            provider.required_text("key", "provider.key").unwrap_err().to_string(),
            "provider.key: it is missing; write key = \"provider.key\""
        );
        assert_eq!(
            provider.only(&["listen", "domain"]).unwrap_err().to_string(),
            "provider.typo: there is no such key; here can be: listen, domain"
        );
    }

    #[test]
    fn what_is_not_toml_is_told_with_its_line() {
        let mistake = Section::parse("[provider]\nlisten = \n").unwrap_err().to_string();

        assert!(mistake.starts_with("line 2: ") && !mistake.contains('\n'), "{mistake}");
    }

    #[test]
    fn a_value_where_a_section_should_be_is_told() {
        let file = Section::parse("provider = 1\npeer = 2\n").unwrap();

        assert_eq!(
            file.section("provider").unwrap_err().to_string(),
            "provider: it must be a section: write [provider] on a line of its own"
        );
        assert_eq!(
            file.sections("peer").unwrap_err().to_string(),
            "peer: it must be a list of sections: write [[peer]]"
        );
    }
}
