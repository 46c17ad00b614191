use mimi_uri::RoomUri;
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

use super::{Text, Uri};
use crate::DecodeError;
use crate::codec::{Consistent, doors};

/// A description of the room in one language and format.
#[derive(Debug, Clone, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct RichDescription {
    /// Empty means `text/plain;charset=utf-8`.
    pub media_type: Text,
    /// BCP 47 language tag; may be empty.
    pub language_tag: Text,
    /// The description in that media type.
    pub description_content: Text,
}

/// What people see of the room (`room_metadata`); an update replaces it.
#[derive(Debug, Clone, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct RoomMetaData {
    /// The room that this is: binds the group to its room (I11).
    #[tls_codec(with = "crate::codec::room_uri")]
    pub room_uri: RoomUri,
    /// The name.
    pub room_name: Text,
    /// The descriptions.
    pub room_descriptions: Vec<RichDescription>,
    /// An `https` URI of a picture, or nothing.
    pub room_avatar: Uri,
    /// What is talked about now.
    pub room_subject: Text,
    /// The mood.
    pub room_mood: Text,
}

impl RoomMetaData {
    /// The metadata of a room of which only the address is known.
    pub fn of(room: &RoomUri) -> Self {
        Self {
            room_uri: room.clone(),
            room_name: Text::default(),
            room_descriptions: Vec::new(),
            room_avatar: Uri::default(),
            room_subject: Text::default(),
            room_mood: Text::default(),
        }
    }
}

impl Consistent for RoomMetaData {
    fn check(&self) -> Result<(), DecodeError> {
        if self.room_avatar.is_empty() || self.room_avatar.as_str().starts_with("https://") {
            Ok(())
        } else {
            Err(DecodeError::Invalid("a room's avatar is an https URI"))
        }
    }
}

doors!(RoomMetaData);
