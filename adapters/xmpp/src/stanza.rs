//! What the adapter's own stanzas are made of, and what is read of others'.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand;
use tokio_xmpp::Stanza;
use xmpp_parsers::delay::Delay;
use xmpp_parsers::iq::Iq;
use xmpp_parsers::jid::{BareJid, Jid};
use xmpp_parsers::message::{Id, Lang, Message, MessageType};
use xmpp_parsers::minidom::Element;
use xmpp_parsers::nick::Nick;
use xmpp_parsers::ping::Ping;
use xmpp_parsers::presence::{Presence, Type};
use xmpp_parsers::receipts::Received;
use xmpp_parsers::stanza_error::{DefinedCondition, ErrorType, StanzaError};
use xmpp_parsers::{date, ns};

/// A name that nobody can guess.
pub(crate) fn fresh_id() -> String {
    let mut bytes = [0; 16];
    // It fails only where the machine has no randomness; then TLS and MLS have long failed before.
    rand::fill(&mut bytes).ok();
    hex::encode(bytes)
}

/// The time of day, in milliseconds since 1970.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A presence from a puppet.
pub(crate) fn presence(kind: Type, from: Jid, to: Jid, name: Option<&str>) -> Presence {
    let mut presence = Presence::new(kind).with_from(from).with_to(to);
    presence.payloads.extend(name.map(|name| Element::from(Nick(name.to_owned()))));
    presence
}

/// A ping, by which the server shows that it has worked off what came before.
pub(crate) fn ping(from: &BareJid, to: &BareJid) -> Iq {
    Iq::Get {
        from: Some(from.clone().into()),
        to: Some(to.clone().into()),
        id: fresh_id(),
        payload: Ping.into(),
    }
}

/// A delivery receipt (XEP-0184).
pub(crate) fn receipt(from: Jid, to: Jid, id: &str, kind: MessageType) -> Message {
    let mut message = Message::new_with_type(kind, Some(to));
    message.from = Some(from);
    message.id = Some(Id(fresh_id()));
    message.payloads.push(Received { id: id.to_owned() }.into());
    message
}

/// A no to somebody's message.
pub(crate) fn message_error(from: Jid, to: Jid, id: &str, error: StanzaError) -> Message {
    let mut message = Message::error(Some(to));
    message.from = Some(from);
    message.id = Some(Id(id.to_owned()));
    message.payloads.push(error.into());
    message
}

/// A no, with words.
pub(crate) fn no(kind: ErrorType, condition: DefinedCondition, text: &str) -> StanzaError {
    StanzaError::new(kind, condition, "en", text)
}

/// The first element of this kind.
pub(crate) fn find<'a>(payloads: &'a [Element], name: &str, namespace: &str) -> Option<&'a Element> {
    payloads.iter().find(|element| element.is(name, namespace))
}

/// What a message says: the text without a language, or else the first.
pub(crate) fn text_of(message: &Message) -> Option<&str> {
    message.get_best_body(vec![]).map(|(_, body)| body.as_str()).filter(|body| !body.is_empty())
}

/// The nick that a stanza brings (XEP-0172).
pub(crate) fn nick_of(payloads: &[Element]) -> Option<String> {
    find(payloads, "nick", ns::NICK).map(Element::text).filter(|nick| !nick.trim().is_empty())
}

/// When a message was said: if it was delayed, by a server that may know (XEP-0203), then as that says; never later
/// than now.
pub(crate) fn said_at(payloads: &[Element], may_know: impl Fn(&Jid) -> bool) -> u64 {
    let now = now_ms();
    let delays = payloads.iter().filter(|element| element.is("delay", ns::DELAY));
    let stamps = delays.filter_map(|element| Delay::try_from(element.clone()).ok());
    let mut believed = stamps.filter(|delay| delay.from.as_ref().is_none_or(&may_know));
    believed.next().map_or(now, |Delay { stamp: date::DateTime(stamp), .. }| {
        u64::try_from(stamp.timestamp_millis()).unwrap_or(0).min(now)
    })
}

/// The error that a stanza of type `error` brings.
pub(crate) fn error_of(payloads: &[Element]) -> StanzaError {
    let error = find(payloads, "error", ns::DEFAULT_NS).and_then(|e| StanzaError::try_from(e.clone()).ok());
    error.unwrap_or_else(|| {
        no(ErrorType::Cancel, DefinedCondition::UndefinedCondition, "an error without words")
    })
}

/// The stanza with nothing in it that XML cannot carry: a character that is none would end the connection for all.
pub(crate) fn writable(mut stanza: Stanza) -> Stanza {
    if let Stanza::Message(message) = &mut stanza {
        for text in message.bodies.values_mut().chain(message.subjects.values_mut()) {
            if text.contains(is_not_xml) {
                *text = text.replace(is_not_xml, "\u{fffd}");
            }
        }
    }
    stanza
}

/// Text as XML can carry it.
pub(crate) fn shown(text: &str) -> String {
    text.replace(is_not_xml, "\u{fffd}")
}

fn is_not_xml(c: char) -> bool {
    matches!(c, '\u{0}'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

/// A text message.
pub(crate) fn text(kind: MessageType, from: Jid, to: Jid, id: &str, body: &str) -> Message {
    let mut message = Message::new_with_type(kind, Some(to)).with_body(Lang::new(), body.to_owned());
    message.from = Some(from);
    message.id = Some(Id(id.to_owned()));
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delay(stamp: &str, from: &str) -> Element {
        format!("<delay xmlns='urn:xmpp:delay' stamp='{stamp}' from='{from}'/>").parse().unwrap()
    }

    #[test]
    fn a_delay_counts_if_it_comes_from_who_may_know() {
        let said = |payloads: &[Element]| said_at(payloads, |from| from.as_str() == "a.example");

        assert_eq!(said(&[delay("2026-01-02T03:04:05.678Z", "a.example")]), 1_767_323_045_678);
        assert!(said(&[delay("2026-01-02T03:04:05Z", "liar.example")]) > 1_770_000_000_000);
        assert!(said(&[delay("9999-01-02T03:04:05Z", "a.example")]) <= now_ms());
    }

    #[test]
    fn what_xml_cannot_carry_is_replaced() {
        let jid = |text| Jid::new(text).unwrap();
        let message = text(MessageType::Chat, jid("a@b"), jid("c@d"), "1", "a\u{0}b\u{1b}[1m\tc\nd\u{ffff}");

        let Stanza::Message(message) = writable(message.into()) else { panic!() };

        assert_eq!(text_of(&message), Some("a\u{fffd}b\u{fffd}[1m\tc\nd\u{fffd}"));
    }

    #[test]
    fn two_fresh_ids_differ() {
        assert_ne!(fresh_id(), fresh_id());
        assert_eq!(fresh_id().len(), 32);
    }
}
