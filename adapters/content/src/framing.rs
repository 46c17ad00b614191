//! Application data in rooms whose group context has `content_media_types` (C1, EM11).

use thiserror::Error;

use crate::limits::MEDIA_TYPE_LIST_MAX;
use crate::media_type::{
    GFM_MIMI, MESSAGE_STATUS, MIMI_CONTENT, MediaType, PLAIN_TEXT, Parameter, is_essence,
};

/// Application data with its media type in front.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationFraming<'d> {
    /// The type of `content`; an empty one means the room's first required type.
    pub media_type: MediaType,
    /// What is framed, a MIMI message for instance.
    pub content: &'d [u8],
}

/// The `content_media_types` component: what everybody in a room, or behind a leaf, can read. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaTypeList(Vec<MediaType>);

/// The octets are not a frame or a list of media types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FramingError {
    /// A vector is longer than what is left.
    #[error("the frame ends within a vector")]
    Truncated,
    /// Octets follow the structure.
    #[error("octets follow the frame")]
    TrailingBytes,
    /// RFC 9420, 2.1.2: lengths are minimal, and never of the 8-octet form.
    #[error("a length in another than its shortest form")]
    LengthNotMinimal,
    /// A type or parameter that no media type has.
    #[error("not a media type")]
    NotAMediaType,
    /// No media type, or more than anybody has.
    #[error("an empty or overlong list of media types")]
    ListLength,
    /// The content is longer than a vector can be.
    #[error("content too long to frame")]
    TooLong,
}

impl<'d> ApplicationFraming<'d> {
    /// Frames content of that type.
    pub fn new(media_type: MediaType, content: &'d [u8]) -> Self {
        Self { media_type, content }
    }

    /// Frames content of the room's first required type, the shortest way.
    pub fn of_first_type(content: &'d [u8]) -> Self {
        Self { media_type: MediaType::default(), content }
    }

    /// Reads a frame; all of `data` must be one.
    pub fn decode(data: &'d [u8]) -> Result<Self, FramingError> {
        let mut rest = data;
        let media_type = split_media_type(&mut rest)?;
        // An empty type stands for another one, whose parameters are its own.
        let is_whole = is_essence(&media_type.essence) || media_type == MediaType::default();
        let content = split_vector(&mut rest)?;
        match (is_whole, rest) {
            (false, _) => Err(FramingError::NotAMediaType),
            (true, []) => Ok(Self { media_type, content }),
            (true, _) => Err(FramingError::TrailingBytes),
        }
    }

    /// The octets of the frame.
    pub fn encode(&self) -> Result<Vec<u8>, FramingError> {
        let mut frame = Vec::new();
        push_media_type(&mut frame, &self.media_type)?;
        push_vector(&mut frame, self.content)?;
        Ok(frame)
    }

    /// The type of the content in a room with these required types.
    pub fn resolved_type<'t>(&'t self, required: &'t MediaTypeList) -> &'t MediaType {
        if self.media_type.essence.is_empty() { required.first() } else { &self.media_type }
    }
}

impl MediaTypeList {
    /// A list; `None` if it is empty or longer than [`MEDIA_TYPE_LIST_MAX`].
    pub fn new(types: Vec<MediaType>) -> Option<Self> {
        (1..=MEDIA_TYPE_LIST_MAX).contains(&types.len()).then_some(Self(types))
    }

    /// What rooms of ours require: MIMI messages first, so that their frames are the shortest; then what CM11
    /// has everybody receive, and statuses.
    pub fn of_our_rooms() -> Self {
        Self(
            [MIMI_CONTENT, PLAIN_TEXT, GFM_MIMI, MESSAGE_STATUS]
                .iter()
                .filter_map(|text| text.parse().ok())
                .collect(),
        )
    }

    /// The types, in order.
    pub fn types(&self) -> &[MediaType] {
        &self.0
    }

    /// The type that a frame without one has.
    pub fn first(&self) -> &MediaType {
        // Not empty by construction.
        &self.0[0]
    }

    /// Whether all of the list can read `media_type`.
    pub fn contains(&self, media_type: &MediaType) -> bool {
        self.0.iter().any(|listed| listed.accepts(media_type))
    }

    /// Reads the component; all of `data` must be one list.
    pub fn decode(data: &[u8]) -> Result<Self, FramingError> {
        let mut rest = data;
        let mut list = split_vector(&mut rest)?;
        if !rest.is_empty() {
            return Err(FramingError::TrailingBytes);
        }
        let mut types = Vec::new();
        while !list.is_empty() && types.len() <= MEDIA_TYPE_LIST_MAX {
            let media_type = split_media_type(&mut list)?;
            if !is_essence(&media_type.essence) {
                return Err(FramingError::NotAMediaType);
            }
            types.push(media_type);
        }
        Self::new(types).ok_or(FramingError::ListLength)
    }

    /// The octets of the component.
    pub fn encode(&self) -> Result<Vec<u8>, FramingError> {
        let mut list = Vec::new();
        for media_type in &self.0 {
            push_media_type(&mut list, media_type)?;
        }
        let mut component = Vec::new();
        push_vector(&mut component, &list)?;
        Ok(component)
    }
}

fn split_media_type(rest: &mut &[u8]) -> Result<MediaType, FramingError> {
    let essence = split_text(rest)?.to_ascii_lowercase();
    let mut list = split_vector(rest)?;
    let mut parameters = Vec::new();
    while !list.is_empty() {
        if parameters.len() == MEDIA_TYPE_LIST_MAX {
            return Err(FramingError::ListLength);
        }
        let name = split_text(&mut list)?.to_ascii_lowercase();
        let value = split_text(&mut list)?.to_owned();
        parameters.push(Parameter { name, value });
    }
    Ok(MediaType { essence, parameters })
}

fn push_media_type(into: &mut Vec<u8>, media_type: &MediaType) -> Result<(), FramingError> {
    push_vector(into, media_type.essence.as_bytes())?;
    let mut parameters = Vec::new();
    for Parameter { name, value } in &media_type.parameters {
        push_vector(&mut parameters, name.as_bytes())?;
        push_vector(&mut parameters, value.as_bytes())?;
    }
    push_vector(into, &parameters)
}

fn split_text<'d>(rest: &mut &'d [u8]) -> Result<&'d str, FramingError> {
    str::from_utf8(split_vector(rest)?).map_err(|_| FramingError::NotAMediaType)
}

/// Takes an `opaque x<V>` off the front.
fn split_vector<'d>(rest: &mut &'d [u8]) -> Result<&'d [u8], FramingError> {
    let first = *rest.first().ok_or(FramingError::Truncated)?;
    let width = match first >> 6 {
        0 => 1,
        1 => 2,
        2 => 4,
        _ => return Err(FramingError::LengthNotMinimal),
    };
    let (head, after) = rest.split_at_checked(width).ok_or(FramingError::Truncated)?;
    let length =
        head[1..].iter().fold(usize::from(first & 0x3f), |sum, &octet| sum << 8 | usize::from(octet));
    if width != length_width(length) {
        return Err(FramingError::LengthNotMinimal);
    }
    let (vector, after) = after.split_at_checked(length).ok_or(FramingError::Truncated)?;
    *rest = after;
    Ok(vector)
}

fn push_vector(into: &mut Vec<u8>, vector: &[u8]) -> Result<(), FramingError> {
    let length =
        u32::try_from(vector.len()).ok().filter(|&length| length < 1 << 30).ok_or(FramingError::TooLong)?;
    let width = length_width(vector.len());
    let mark = match width {
        1 => 0,
        2 => 0x40,
        _ => 0x80,
    };
    let mut head = length.to_be_bytes();
    head[4 - width] |= mark;
    into.extend_from_slice(&head[4 - width..]);
    into.extend_from_slice(vector);
    Ok(())
}

fn length_width(length: usize) -> usize {
    match length {
        0..0x40 => 1,
        0x40..0x4000 => 2,
        _ => 4,
    }
}
