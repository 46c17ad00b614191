//! Texts of bounded length: UTF-8 without NUL.

use crate::limits::ERROR_DESCRIPTION_LENGTH_MAX;

/// A sentence for the peer's log, beside a code. Empty on success.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErrorDescription(String);

impl ErrorDescription {
    /// The description that says `text`: without NUL, and cut where a description must end.
    pub fn new(text: &str) -> Self {
        let text = text.replace('\0', "");
        let end = text.floor_char_boundary(ERROR_DESCRIPTION_LENGTH_MAX);
        Self(text[..end].to_owned())
    }

    /// The description as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_is_cut_between_characters_and_has_no_nul() {
        let long = "ü".repeat(ERROR_DESCRIPTION_LENGTH_MAX);

        assert_eq!(ErrorDescription::new(&long).as_str().len(), ERROR_DESCRIPTION_LENGTH_MAX);
        assert_eq!(
            ErrorDescription::new(&format!("x{long}")).as_str().len(),
            ERROR_DESCRIPTION_LENGTH_MAX - 1
        );
        assert_eq!(ErrorDescription::new("no\0pe").as_str(), "nope");
    }
}
