//! Bodies: parts, and parts within parts.

use crate::canonical::Reader;
use crate::codec::octets;
use crate::media_type::{GFM_MIMI, HTML, MediaType, PLAIN_TEXT};
use crate::violation::Violation;

/// A body, or a piece of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NestedPart {
    /// What the part is for.
    pub disposition: Disposition,
    /// Empty, or BCP 47 tags between commas; see [`NestedPart::languages`].
    pub language: String,
    /// How many bodies this is, and which.
    pub cardinality: Cardinality,
}

/// The four shapes of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cardinality {
    /// No body: what a retraction carries.
    Null,
    /// A body within the message.
    Single(SinglePart),
    /// A body that is fetched from elsewhere.
    External(Box<ExternalPart>),
    /// Several parts.
    Multi(MultiPart),
}

/// A body within the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinglePart {
    /// IANA media type with parameters.
    pub content_type: String,
    /// The body.
    pub content: Vec<u8>,
}

/// A body, usually encrypted, that lies at a URL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExternalPart {
    /// IANA media type with parameters; may be empty.
    pub content_type: String,
    /// Where the body is.
    pub url: String,
    /// When it ceases to be there, in seconds since 1970; 0 is never.
    pub expires: u32,
    /// Octets at the URL; 0 is unknown.
    pub size: u64,
    /// IANA AEAD number, 0 without encryption.
    pub enc_alg: u16,
    /// The AEAD's key.
    pub key: Vec<u8>,
    /// The AEAD's nonce.
    pub nonce: Vec<u8>,
    /// The AEAD's additional data, usually empty.
    pub aad: Vec<u8>,
    /// IANA named-information hash number, 0 without hash.
    pub hash_alg: u8,
    /// Hash over the octets at the URL, that is over ciphertext.
    pub content_hash: Vec<u8>,
    /// A text about the body; may be empty.
    pub description: String,
    /// A name to store the body under; may be empty, and is never to be trusted as a path.
    pub filename: String,
}

/// Two or more parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MultiPart {
    /// How the parts relate.
    pub semantics: PartSemantics,
    /// The parts, at least two.
    pub parts: Vec<NestedPart>,
}

/// How the parts of a multi part relate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PartSemantics {
    /// The receiver takes exactly one.
    ChooseOne,
    /// All or none.
    SingleUnit,
    /// As many as possible.
    ProcessAll,
}

/// What a part is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Disposition {
    /// No hint.
    Unspecified,
    /// Shown as the receiver sees fit.
    Render,
    /// A single reaction to another message.
    Reaction,
    /// The profile of a participant or room.
    Profile,
    /// Shown in the flow of the chat.
    Inline,
    /// An avatar or the like.
    Icon,
    /// Downloaded rather than shown.
    Attachment,
    /// A multimedia session, or a URI to join one.
    Session,
    /// A preview made by the sender.
    Preview,
    /// One we do not know.
    Unknown(UnknownCode),
}

/// A code without a meaning to us. Made only by decoding, so that no known code hides in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UnknownCode(pub(crate) u8);

impl UnknownCode {
    /// The code on the wire.
    pub fn code(self) -> u8 {
        self.0
    }
}

impl Disposition {
    /// The disposition with this number.
    pub fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Unspecified,
            1 => Self::Render,
            2 => Self::Reaction,
            3 => Self::Profile,
            4 => Self::Inline,
            5 => Self::Icon,
            6 => Self::Attachment,
            7 => Self::Session,
            8 => Self::Preview,
            9.. => Self::Unknown(UnknownCode(code)),
        }
    }

    /// The number on the wire.
    pub fn code(self) -> u8 {
        match self {
            Self::Unspecified => 0,
            Self::Render => 1,
            Self::Reaction => 2,
            Self::Profile => 3,
            Self::Inline => 4,
            Self::Icon => 5,
            Self::Attachment => 6,
            Self::Session => 7,
            Self::Preview => 8,
            Self::Unknown(code) => code.0,
        }
    }

    /// What to do with it. C2: "the unknown value should be treated as if it where `render`".
    #[must_use]
    pub fn effective(self) -> Self {
        match self {
            Self::Unknown(_) => Self::Render,
            known => known,
        }
    }
}

impl NestedPart {
    /// A body of that media type, to be rendered.
    pub fn single(content_type: &str, content: &[u8]) -> Self {
        let single = SinglePart { content_type: content_type.to_owned(), content: content.to_vec() };
        Self::render(Cardinality::Single(single))
    }

    /// Plain text.
    pub fn plain(text: &str) -> Self {
        Self::single(PLAIN_TEXT, text.as_bytes())
    }

    /// Markdown of the GFM-MIMI variant.
    pub fn markdown(markdown: &str) -> Self {
        Self::single(GFM_MIMI, markdown.as_bytes())
    }

    /// HTML.
    pub fn html(html: &str) -> Self {
        Self::single(HTML, html.as_bytes())
    }

    /// The same text twice, for receivers of HTML and for all others.
    pub fn html_or_markdown(html: &str, markdown: &str) -> Self {
        Self::multi(PartSemantics::ChooseOne, vec![Self::html(html), Self::markdown(markdown)])
    }

    /// Several parts; a message with fewer than two does not encode.
    pub fn multi(semantics: PartSemantics, parts: Vec<Self>) -> Self {
        Self::render(Cardinality::Multi(MultiPart { semantics, parts }))
    }

    /// A body that lies elsewhere.
    pub fn external(disposition: Disposition, part: ExternalPart) -> Self {
        Self::render(Cardinality::External(Box::new(part))).with_disposition(disposition)
    }

    /// No body.
    pub fn null(disposition: Disposition) -> Self {
        Self::render(Cardinality::Null).with_disposition(disposition)
    }

    /// One reaction.
    pub fn reaction(grapheme: &str) -> Self {
        Self::plain(grapheme).with_disposition(Disposition::Reaction)
    }

    /// Several reactions, each its own part: CM10, put together they could read as another one.
    pub fn reactions(graphemes: &[&str]) -> Self {
        match graphemes {
            [only] => Self::reaction(only),
            several => {
                let parts = several.iter().map(|grapheme| Self::reaction(grapheme)).collect();
                Self::multi(PartSemantics::ProcessAll, parts).with_disposition(Disposition::Reaction)
            }
        }
    }

    /// The same part for another purpose.
    #[must_use]
    pub fn with_disposition(mut self, disposition: Disposition) -> Self {
        self.disposition = disposition;
        self
    }

    /// The same part in a known language.
    #[must_use]
    pub fn in_language(mut self, language: &str) -> Self {
        language.clone_into(&mut self.language);
        self
    }

    /// The language tags; what is not shaped like one is skipped, for C2 tolerates it.
    pub fn languages(&self) -> impl Iterator<Item = &str> {
        self.language.split(',').map(str::trim).filter(|tag| is_language_tag(tag))
    }

    /// The deterministic encoding of the part alone, checked like a message's.
    pub fn encode(&self) -> Result<Vec<u8>, Violation> {
        let bytes = octets(|sink| self.write(sink));
        Self::decode(&bytes)?;
        Ok(bytes)
    }

    /// Reads a part alone.
    pub fn decode(bytes: &[u8]) -> Result<Self, Violation> {
        let mut reader = Reader::new(bytes);
        let part = Self::read(&mut reader, 1, &mut 0)?;
        reader.finish()?;
        Ok(part)
    }

    /// The media type, if the part has a body with a well-formed one.
    pub fn media_type(&self) -> Option<MediaType> {
        let content_type = match &self.cardinality {
            Cardinality::Single(single) => &single.content_type,
            Cardinality::External(external) => &external.content_type,
            Cardinality::Null | Cardinality::Multi(_) => return None,
        };
        content_type.parse().ok()
    }

    fn render(cardinality: Cardinality) -> Self {
        Self { disposition: Disposition::Render, language: String::new(), cardinality }
    }
}

impl SinglePart {
    /// The body as text, if it is text in UTF-8.
    pub fn text(&self) -> Option<&str> {
        let media_type: MediaType = self.content_type.parse().ok()?;
        if media_type.is_utf8_text() { str::from_utf8(&self.content).ok() } else { None }
    }
}

fn is_language_tag(tag: &str) -> bool {
    let is_subtag = |subtag: &str| {
        (1..=8).contains(&subtag.len()) && subtag.bytes().all(|octet| octet.is_ascii_alphanumeric())
    };
    tag.split('-').all(is_subtag)
}
