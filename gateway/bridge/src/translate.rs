//! Between native posts and MIMI messages; MIMI content is the pivot, there is no third vocabulary.

use mimi_adapter::{Capabilities, NativeEvent, Prepared};
use mimi_client::MessageRead;
use mimi_content::{
    ApplicationFraming, Arrival, Discard, ExtensionKey, Franked, FrankingTag, GFM_MIMI, HTML, MIMI_CONTENT,
    MediaType, MediaTypeList, MessageId, MimiContent, NestedPart, PLAIN_TEXT, Salt, SenderTimestamp, Value,
    check, choose, decode,
};
use mimi_uri::{RoomUri, UserUri};
use mimi_wire::Timestamp;

use crate::limits::CONTENT_LENGTH_MAX;

/// Our private extension: what the sender calls himself. Decoration only; who he is, MLS says.
const DISPLAY_NAME: &str = "x-drawbridge-name";

/// A native post on its way into a room.
pub(crate) struct Outbound<'a> {
    pub(crate) sender: &'a UserUri,
    pub(crate) room: &'a RoomUri,
    pub(crate) salt: Salt,
    pub(crate) name: Option<&'a str>,
    pub(crate) event: &'a NativeEvent,
    pub(crate) part: &'a NestedPart,
}

/// A MIMI message, framed for its room.
pub(crate) struct Framed {
    pub(crate) message: [u8; 32],
    pub(crate) data: Vec<u8>,
    pub(crate) tag: [u8; 32],
}

/// Why a native post cannot be said in MIMI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unsayable {
    #[error("it is longer than a message may be")]
    TooLong,
    #[error("it has no form that a message allows")]
    Malformed,
}

impl Outbound<'_> {
    /// The message, its id and its franking tag; the same post always makes the same message.
    pub(crate) fn framed(&self) -> Result<Framed, Unsayable> {
        let (sender, room) = (self.sender.as_str(), self.room.as_str());
        let mut content = MimiContent::new(self.salt, self.part.clone()).between(sender, room);
        if let Some(name) = self.name
            && let Some(key) = ExtensionKey::text(DISPLAY_NAME)
        {
            content.extensions.insert(key, Value::Text(name.to_owned()));
        }
        content.extensions.set_sender_timestamp(SenderTimestamp::from_millis(self.event.at_ms));
        let bytes = content.encode().map_err(|_| Unsayable::Malformed)?;
        if bytes.len() > CONTENT_LENGTH_MAX {
            return Err(Unsayable::TooLong);
        }
        let message = MessageId::derive(sender, room, &bytes, &self.salt).map_err(|_| Unsayable::TooLong)?;
        let data = ApplicationFraming::of_first_type(&bytes).encode().map_err(|_| Unsayable::TooLong)?;
        let tag = FrankingTag::new(&self.salt, &data);
        Ok(Framed { message: message.0, data, tag: tag.0 })
    }
}

/// A MIMI message that was read and is not to be discarded.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) sender: UserUri,
    pub(crate) message: [u8; 32],
    pub(crate) name: Option<String>,
    part: NestedPart,
}

/// Why a message is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unshown {
    #[error("its application data is not framed as the room demands")]
    Framing,
    #[error("it is {0}")]
    Discarded(#[from] Discard),
    #[error("its media type is not one that we show")]
    MediaType,
}

impl Unshown {
    /// The reason in one word, for counting.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Framing => "framing",
            Self::Discarded(_) => "content",
            Self::MediaType => "media_type",
        }
    }
}

impl Received {
    /// Reads the application data of a room's message.
    pub(crate) fn read(read: &MessageRead, room: &RoomUri, accepted: Timestamp) -> Result<Self, Unshown> {
        let framing = ApplicationFraming::decode(&read.data).map_err(|_| Unshown::Framing)?;
        let types = MediaTypeList::of_our_rooms();
        if framing.resolved_type(&types).to_string() != MIMI_CONTENT {
            return Err(Unshown::MediaType);
        }
        let received = decode(framing.content).map_err(|violation| Unshown::Discarded(violation.into()))?;
        let tag =
            read.franking_tag.map(|tag| Franked { tag: FrankingTag(tag), application_data: &read.data });
        let arrival = Arrival {
            sender_uri: read.sender.as_str(),
            room_uri: room.as_str(),
            accepted_ms: accepted.0,
            now_ms: accepted.0,
            room_created_ms: 0,
            bytes_max: CONTENT_LENGTH_MAX,
            is_duplicate: false,
            franked: tag,
        };
        check(&received, &arrival)?;
        let id = received
            .message_id(read.sender.as_str(), room.as_str())
            .map_err(|_| Unshown::Discarded(Discard::TooLarge))?;
        let content = received.into_content();
        let name = ExtensionKey::text(DISPLAY_NAME).and_then(|key| match content.extensions.value(&key) {
            Some(Value::Text(name)) => Some(name.clone()),
            _ => None,
        });
        Ok(Self { sender: read.sender.clone(), message: id.0, name, part: content.nested_part })
    }
}

/// Plans a message for a network: at least plain text, richer forms where it declares them, cut to its size.
pub(crate) fn prepare(received: &Received, capabilities: &Capabilities) -> Vec<Prepared> {
    let form = |media_type: &str| {
        let accepted: Vec<MediaType> = media_type.parse().into_iter().collect();
        let choice = choose(&received.part, &accepted);
        let texts: Vec<&str> = choice.outermost().filter_map(mimi_content::Shown::text).collect();
        (!texts.is_empty()).then(|| texts.join("\n"))
    };
    let (plain, markdown, html) = (form(PLAIN_TEXT), form(GFM_MIMI), form(HTML));
    let declared =
        |media_type: &str, form: &Option<String>| form.clone().filter(|_| shows(capabilities, media_type));
    let said = plain.or_else(|| markdown.clone()).or_else(|| html.as_deref().map(without_tags));
    let Some(said) = said else { return vec![Prepared::text(NOT_SHOWN)] };
    let (html, markdown) = (declared(HTML, &html), declared(GFM_MIMI, &markdown));
    let mut pieces = split(&said, capabilities.text_bytes_max);
    if pieces.len() == 1 {
        return vec![Prepared { plain: pieces.remove(0), html, markdown }];
    }
    pieces.into_iter().map(Prepared::text).collect()
}

/// Whether a network declares that it shows a media type, whatever parameters it names with it.
fn shows(capabilities: &Capabilities, media_type: &str) -> bool {
    let Ok(offered) = media_type.parse::<MediaType>() else { return false };
    let mut declared =
        capabilities.media_types.iter().filter_map(|declared| declared.parse::<MediaType>().ok());
    declared.any(|declared| declared.accepts(&offered))
}

/// Stands for content that a network cannot show at all.
const NOT_SHOWN: &str = "[a message of a kind that cannot be shown here]";

/// Cuts a text into pieces that fit, at line breaks where there are any, and never within a character.
fn split(text: &str, bytes_max: usize) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while rest.len() > bytes_max {
        let fits = rest.floor_char_boundary(bytes_max);
        let end = rest[..fits].rfind('\n').map_or(fits, |at| at + 1).max(1);
        let end = if end == 0 { rest.len() } else { rest.ceil_char_boundary(end) };
        pieces.push(rest[..end].trim_end_matches('\n').to_owned());
        rest = &rest[end..];
    }
    pieces.push(rest.to_owned());
    pieces
}

/// The text of an HTML body whose sender gave no plain one; only what stands between tags.
fn without_tags(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut within = false;
    for c in html.chars() {
        match c {
            '<' => within = true,
            '>' if within => within = false,
            _ if !within => text.push(c),
            _ => {}
        }
    }
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use mimi_adapter::NativeBody;
    use proptest::prelude::*;

    use super::*;

    fn uris() -> (UserUri, RoomUri) {
        (UserUri::parse("mimi://a.example/u/alice").unwrap(), RoomUri::parse("mimi://a.example/r/x").unwrap())
    }

    fn framed(part: &NestedPart, name: Option<&str>) -> Framed {
        let (sender, room) = uris();
        let event = NativeEvent {
            lane: "!r".into(),
            id: "$e".into(),
            nonce: None,
            from: "@alice:a.example".into(),
            display_name: None,
            at_ms: 1_700_000_000_000,
            body: NativeBody::Post(part.clone()),
        };
        Outbound { sender: &sender, room: &room, salt: [7; 16], name, event: &event, part }.framed().unwrap()
    }

    fn read(framed: &Framed) -> Result<Received, Unshown> {
        let (sender, room) = uris();
        let read = MessageRead { sender, data: framed.data.clone(), franking_tag: Some(framed.tag) };
        Received::read(&read, &room, Timestamp(1_700_000_000_500))
    }

    fn capabilities(text_bytes_max: usize, media_types: Vec<&'static str>) -> Capabilities {
        Capabilities { media_types, text_bytes_max, features: vec![] }
    }

    #[test]
    fn a_formatted_post_arrives_as_it_was_sent_where_formatting_is_known() {
        let framed = framed(&NestedPart::html_or_markdown("<b>hi</b>", "**hi**"), Some("Alice W"));

        let received = read(&framed).unwrap();

        assert_eq!(received.message, framed.message);
        assert_eq!(received.name.as_deref(), Some("Alice W"));
        assert_eq!(
            prepare(&received, &capabilities(1000, vec!["text/plain", "text/html"])),
            [Prepared { plain: "**hi**".to_owned(), html: Some("<b>hi</b>".to_owned()), markdown: None }]
        );
        assert_eq!(prepare(&received, &capabilities(1000, vec![PLAIN_TEXT])), [Prepared::text("**hi**")]);
    }

    #[test]
    fn the_same_post_makes_the_same_message() {
        let (first, again) = (framed(&NestedPart::plain("hi"), None), framed(&NestedPart::plain("hi"), None));

        assert_eq!((first.message, first.data, first.tag), (again.message, again.data, again.tag));
    }

    #[test]
    fn a_message_whose_franking_tag_commits_to_another_is_discarded() {
        let mut framed = framed(&NestedPart::plain("hi"), None);
        framed.tag[0] ^= 1;

        assert_eq!(read(&framed).unwrap_err(), Unshown::Discarded(Discard::FrankingTag));
    }

    #[test]
    fn a_long_text_is_cut_at_lines_and_never_within_a_character() {
        assert_eq!(split("one\ntwo\nthree", 8), ["one\ntwo", "three"]);
        assert_eq!(split("äöü", 3), ["ä", "ö", "ü"]);
        assert_eq!(split("short", 8), ["short"]);
    }

    proptest! {
        #[test]
        fn nothing_but_line_breaks_at_the_cuts_is_lost(text in "[a-zä😀\n]{0,200}", bytes_max in 4_usize..50) {
            let pieces = split(&text, bytes_max);

            prop_assert!(pieces.iter().all(|piece| piece.len() <= bytes_max));
            let kept: String = pieces.concat().chars().filter(|c| *c != '\n').collect();
            let whole: String = text.chars().filter(|c| *c != '\n').collect();
            prop_assert_eq!(kept, whole);
        }
    }
}
