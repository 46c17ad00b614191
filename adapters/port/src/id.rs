use std::fmt;

macro_rules! native_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the id as its network writes it.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The id as its network writes it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }
    };
}

native_id! {
    /// A user of the native network, in that network's canonical form: `@alice:a.example`.
    NativeUserId
}
native_id! {
    /// A conversation of the native network: a room, a channel, a direct chat.
    NativeRoomId
}
native_id! {
    /// An event of the native network, unique within its conversation for ever.
    NativeEventId
}
native_id! {
    /// The id of one operation towards the native network.
    ///
    /// Deterministic: the same operation has the same id after a crash, and no two operations share one. Networks that
    /// de-duplicate by an id of the sender (Matrix transaction ids, XMPP origin-ids) are given this one.
    OpId
}
