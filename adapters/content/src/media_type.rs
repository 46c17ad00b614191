//! IANA media types with their parameters, as text and as a question: "can I read this?"

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::limits::MEDIA_TYPE_LIST_MAX;

/// A whole MIMI message.
pub const MIMI_CONTENT: &str = "application/mimi-content";
/// A list of message statuses (C3).
pub const MESSAGE_STATUS: &str = "application/mimi-message-status";
/// Plain text, as everyone receives it (CM11).
pub const PLAIN_TEXT: &str = "text/plain;charset=utf-8";
/// Markdown, as everyone receives it (CM11).
pub const GFM_MIMI: &str = "text/markdown;variant=GFM-MIMI";
/// HTML.
pub const HTML: &str = "text/html;charset=utf-8";

/// An IANA media type and its parameters.
///
/// Type and parameter names are lower case; values keep their case and are compared without it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct MediaType {
    /// Type, slash, subtype. Empty only within a frame, where it means the room's first type.
    pub essence: String,
    /// The parameters, in their order.
    pub parameters: Vec<Parameter>,
}

/// One parameter of a media type, without the quotation of its textual form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Parameter {
    /// Its name, in lower case.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// The text is not a media type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a media type")]
pub struct MediaTypeError;

impl MediaType {
    /// The value of a parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|parameter| parameter.name == name)
            .map(|parameter| parameter.value.as_str())
    }

    /// Whether a receiver that accepts `self` can read `offered`.
    ///
    /// The types are equal, or ours has a wildcard (`image/*`, `*/*`); and no parameter has two values. A
    /// parameter that only one side names decides nothing: `text/plain` reads `text/plain;charset=utf-8`, and
    /// the reverse.
    pub fn accepts(&self, offered: &Self) -> bool {
        let agrees = |ours: &Parameter| match offered.parameter(&ours.name) {
            Some(theirs) => theirs.eq_ignore_ascii_case(&ours.value),
            None => true,
        };
        self.covers(&offered.essence) && self.parameters.iter().all(agrees)
    }

    /// Whether a body of this type is text in UTF-8, or in its subset ASCII.
    pub fn is_utf8_text(&self) -> bool {
        let charset = self.parameter("charset").unwrap_or("utf-8");
        self.is_text() && ["utf-8", "us-ascii"].iter().any(|known| charset.eq_ignore_ascii_case(known))
    }

    pub(crate) fn is_text(&self) -> bool {
        self.essence.starts_with("text/")
    }

    fn covers(&self, essence: &str) -> bool {
        match self.essence.strip_suffix("/*") {
            Some("*") => true,
            Some(range) => essence.split_once('/').is_some_and(|(kind, _)| kind == range),
            None => self.essence == essence,
        }
    }
}

impl FromStr for MediaType {
    type Err = MediaTypeError;

    /// Parses the syntax of RFC 2045: `type/subtype; name=token; name="quoted \"string\""`.
    fn from_str(text: &str) -> Result<Self, MediaTypeError> {
        let (essence, mut rest) =
            text.split_once(';').map_or((text, None), |(essence, rest)| (essence, Some(rest)));
        let essence = essence.trim().to_ascii_lowercase();
        if !is_essence(&essence) {
            return Err(MediaTypeError);
        }
        let mut parameters = Vec::new();
        while let Some(text) = rest {
            if parameters.len() == MEDIA_TYPE_LIST_MAX {
                return Err(MediaTypeError);
            }
            let (parameter, after) = split_parameter(text)?;
            parameters.push(parameter);
            rest = after;
        }
        Ok(Self { essence, parameters })
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.essence)?;
        for Parameter { name, value } in &self.parameters {
            if is_token(value) {
                write!(formatter, ";{name}={value}")?;
            } else {
                let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
                write!(formatter, ";{name}=\"{escaped}\"")?;
            }
        }
        Ok(())
    }
}

/// Whether `text` is `type/subtype`, a subtype of `*` included.
pub(crate) fn is_essence(text: &str) -> bool {
    text.split_once('/').is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype))
}

pub(crate) fn is_token(text: &str) -> bool {
    let is_token_octet = |octet: u8| octet.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&octet);
    !text.is_empty() && text.bytes().all(is_token_octet)
}

/// The first parameter of `text`, and what follows its semicolon.
fn split_parameter(text: &str) -> Result<(Parameter, Option<&str>), MediaTypeError> {
    let (name, after) = text.split_once('=').ok_or(MediaTypeError)?;
    let name = name.trim().to_ascii_lowercase();
    let (value, after) = match after.strip_prefix('"') {
        Some(quoted) => split_quoted(quoted)?,
        None => split_token(after)?,
    };
    if is_token(&name) { Ok((Parameter { name, value }, after)) } else { Err(MediaTypeError) }
}

/// An unquoted value, and what follows the next semicolon.
fn split_token(text: &str) -> Result<(String, Option<&str>), MediaTypeError> {
    let (token, after) = text.split_once(';').map_or((text, None), |(token, after)| (token, Some(after)));
    let token = token.trim_end();
    if is_token(token) { Ok((token.to_owned(), after)) } else { Err(MediaTypeError) }
}

/// What is before the closing quotation mark, unescaped, and what follows the next semicolon.
fn split_quoted(text: &str) -> Result<(String, Option<&str>), MediaTypeError> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => value.push(characters.next().ok_or(MediaTypeError)?.1),
            '"' => {
                let after = text[at + 1..].trim_start();
                return match after.strip_prefix(';') {
                    None if !after.is_empty() => Err(MediaTypeError),
                    next => Ok((value, next)),
                };
            }
            plain => value.push(plain),
        }
    }
    Err(MediaTypeError)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn media_type(text: &str) -> MediaType {
        text.parse().unwrap()
    }

    #[test]
    fn a_quoted_value_loses_its_quotation_and_gets_it_back() {
        let parsed = media_type("Text/Plain ; Charset=\"a \\\"b\\\" \\\\ c;d\" ;x=y");

        assert_eq!(parsed.essence, "text/plain");
        assert_eq!(parsed.parameter("charset"), Some("a \"b\" \\ c;d"));
        assert_eq!(parsed.to_string(), "text/plain;charset=\"a \\\"b\\\" \\\\ c;d\";x=y");
    }

    #[test]
    fn what_is_not_a_media_type_is_refused() {
        let wrong =
            ["", "text", "text/", "/plain", "te xt/plain", "text/plain;", "text/plain;x", "text/plain;=y"];
        let quoted =
            ["text/plain;x=a b", "text/plain;x=\"a", "text/plain;x=\"a\"b", "text/plain;x=\"\\", "a/b/c"];

        for text in wrong.iter().chain(&quoted) {
            assert_eq!(text.parse::<MediaType>(), Err(MediaTypeError), "{text}");
        }
        assert_eq!(format!("text/plain{}", ";x=y".repeat(65)).parse::<MediaType>(), Err(MediaTypeError));
    }

    #[test]
    fn parameters_must_not_contradict_but_may_be_missing() {
        let gfm = media_type(GFM_MIMI);

        assert!(gfm.accepts(&media_type("text/markdown; variant=gfm-mimi")));
        assert!(gfm.accepts(&media_type("text/markdown")));
        assert!(!gfm.accepts(&media_type("text/markdown;variant=CommonMark")));
        assert!(!gfm.accepts(&media_type("text/plain")));
    }

    #[test]
    fn a_wildcard_covers_its_range() {
        assert!(media_type("image/*").accepts(&media_type("image/png")));
        assert!(!media_type("image/*").accepts(&media_type("video/mp4")));
        assert!(media_type("*/*").accepts(&media_type("video/mp4")));
    }

    #[test]
    fn only_utf8_counts_as_text() {
        assert!(media_type("text/plain").is_utf8_text());
        assert!(media_type("text/html;charset=US-ASCII").is_utf8_text());
        assert!(!media_type("text/plain;charset=iso-8859-1").is_utf8_text());
        assert!(!media_type("image/png").is_utf8_text());
    }
}
