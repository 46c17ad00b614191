/// What a network does with an event that is delivered more than once, as the operator is shown it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Guarantee {
    /// A repeated delivery has no effect that anybody could see.
    ExactlyOnce,
    /// A repeated delivery carries the same id, by which the receiver can tell and drop it.
    OnceById,
    /// After a crash an event may be seen twice.
    AtLeastOnce,
}

/// What is promised in each direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guarantees {
    /// From the native network to MIMI.
    pub inbound: Guarantee,
    /// From MIMI to the native network.
    pub outbound: Guarantee,
}

/// What the network can show. The gateway never delivers what is not declared here: it plans the downgrade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// Media types that can be shown as text, best first: `text/html`, `text/markdown`, `text/plain`.
    pub media_types: Vec<&'static str>,
    /// Longest plain text of one [`crate::Operation::Post`], in bytes; longer ones are split before.
    pub text_bytes_max: usize,
    /// Whether puppets can have display names.
    pub display_names: bool,
    /// Whether a puppet can open a direct chat.
    pub opens_direct: bool,
}

impl Capabilities {
    /// Whether a part of this media type can be shown.
    pub fn accepts(&self, media_type: &str) -> bool {
        self.media_types.contains(&media_type)
    }
}
