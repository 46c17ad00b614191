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
    /// What it can do beyond carrying text; nothing else is asked of it.
    pub features: Vec<Feature>,
}

/// Something that not every network can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feature {
    /// Puppets have display names.
    DisplayNames,
    /// A puppet can open a direct chat: [`crate::Operation::OpenDirect`].
    OpensDirect,
    /// Conversations of several people: the operations from [`crate::Operation::OpenGroup`] to
    /// [`crate::Operation::SetTopic`].
    Groups,
    /// A native user can be shown how far his messages have come: [`crate::Operation::ShowProgress`].
    Progress,
}

impl Capabilities {
    /// Whether a part of this media type can be shown.
    pub fn accepts(&self, media_type: &str) -> bool {
        self.media_types.contains(&media_type)
    }

    /// Whether the network can do this.
    pub fn can(&self, feature: Feature) -> bool {
        self.features.contains(&feature)
    }
}
