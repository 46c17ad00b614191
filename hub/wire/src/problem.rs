use serde::{Deserialize, Serialize};

/// The media type of a [`Problem`].
pub const PROBLEM_MEDIA_TYPE: &str = "application/problem+json";

/// The body of a rejection: an RFC 9457 problem. It never tells a peer more of our policy than its status does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Which kind of problem, as a URI; `about:blank` means that the status says it all.
    #[serde(rename = "type", default = "about_blank")]
    pub kind: String,
    /// The kind in words, the same each time.
    #[serde(default)]
    pub title: String,
    /// The HTTP status, once more.
    #[serde(default)]
    pub status: u16,
    /// What happened this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

fn about_blank() -> String {
    "about:blank".to_owned()
}

impl Problem {
    /// A problem whose status says it all.
    pub fn new(status: u16, title: &str) -> Self {
        Self { kind: about_blank(), title: title.to_owned(), status, detail: None }
    }

    /// The same problem, with what happened this time.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The problem as JSON.
    pub fn to_json(&self) -> Vec<u8> {
        // Strings and a number: serialising them cannot fail, and an empty body would be a lawful problem.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads a problem; none if it is something else.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let members: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(bytes).ok()?;
        serde_json::from_value(members.into()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_written_as_rfc_9457_has_it() {
        let problem = Problem::new(400, "Malformed body").with_detail("3 bytes follow the struct");

        assert_eq!(
            String::from_utf8(problem.to_json()).unwrap(),
            r#"{"type":"about:blank","title":"Malformed body","status":400,"detail":"3 bytes follow the struct"}"#
        );
        assert_eq!(Problem::parse(&problem.to_json()), Some(problem));
    }

    #[test]
    fn every_member_of_a_problem_is_optional() {
        assert_eq!(Problem::parse(b"{}").map(|problem| problem.kind).as_deref(), Some("about:blank"));
        assert_eq!(Problem::parse(b"[]"), None);
    }
}
