//! The ids of what is heard in direct chats: the same for a message that its sender sends again.
//!
//! There is no archive of a component's chats, so an event's id is made of the ids that the sender's client gave the
//! message. An origin-id is unique by its definition. A plain message id need not be (there are clients that count from
//! one with every start), so it counts only together with the device and the text: two texts under one id are two
//! events. The server's stanza-id is no use here: a message that is sent again gets another one.

use aws_lc_rs::digest::{SHA256, digest};
use mimi_adapter::naming::{Bare, escape, unescape};
use mimi_adapter::{NativeEventId, OpId, Receipt};
use xmpp_parsers::message::Message;
use xmpp_parsers::ns;

use crate::limits::MESSAGE_ID_BYTES_MAX;
use crate::stanza::{find, fresh_id, text_of};

/// The id of a message that was heard.
pub(crate) fn of_message(message: &Message) -> NativeEventId {
    let id = message.id.as_ref().map_or("", |id| id.0.as_str());
    let origin = find(&message.payloads, "origin-id", ns::SID).and_then(|element| element.attr("id"));
    match origin.filter(|origin| !origin.is_empty()) {
        Some(origin) => format!("origin:{}:{}", part(id), part(origin)).into(),
        None if !id.is_empty() => {
            let device = message.from.as_ref().and_then(|from| from.resource()).map_or("", |it| it.as_str());
            let told_apart = hashed(&format!("{device}\n{}", text_of(message).unwrap_or_default()));
            format!("id:{}:{told_apart}", part(id)).into()
        }
        None => format!("once::{}", fresh_id()).into(),
    }
}

/// The id that the sender's client gave to what became this event.
pub(crate) fn message_id(event: &NativeEventId) -> Option<String> {
    let mut parts = event.as_str().split(':');
    let (_, id) = (parts.next().filter(|kind| ["origin", "id"].contains(kind))?, parts.next()?);
    unescape(id, Bare::DOTTED).filter(|id| !id.is_empty())
}

/// The id of a receipt for what our operation became.
pub(crate) fn of_receipt(event: &NativeEventId, receipt: Receipt) -> NativeEventId {
    let kind = match receipt {
        Receipt::Delivered => "delivered",
        Receipt::Read => "read",
    };
    format!("{kind}:{}", part(event.as_str())).into()
}

/// The event that an operation of ours becomes: its message has the operation's id.
pub(crate) fn of_operation(op_id: &OpId) -> NativeEventId {
    op_id.as_str().into()
}

/// The id of the invitation that a first message is.
pub(crate) fn of_invitation(by: &NativeEventId) -> NativeEventId {
    format!("invitation:{by}").into()
}

/// The id of something that comes once, and cannot come again.
pub(crate) fn once() -> NativeEventId {
    format!("once::{}", fresh_id()).into()
}

/// An id as a part of ours; one that is too long only by its hash.
fn part(id: &str) -> String {
    let escaped = escape(id, Bare::DOTTED);
    if escaped.len() > MESSAGE_ID_BYTES_MAX { format!("+{}", hashed(id)) } else { escaped }
}

/// A short name for a text, and for no other.
pub(crate) fn hashed(text: &str) -> String {
    hex::encode(&digest(&SHA256, text.as_bytes()).as_ref()[..16])
}

#[cfg(test)]
mod tests {
    use super::*;
    use xmpp_parsers::jid::Jid;
    use xmpp_parsers::message::{Id, Lang};
    use xmpp_parsers::stanza_id::OriginId;

    fn message(id: Option<&str>, origin: Option<&str>, from: &str, body: &str) -> Message {
        let mut message = Message::chat(None).with_body(Lang::new(), body.to_owned());
        message.from = Some(Jid::new(from).unwrap());
        message.id = id.map(|id| Id(id.to_owned()));
        message.payloads.extend(origin.map(|id| OriginId { id: id.to_owned() }.into()));
        message
    }

    fn of(id: Option<&str>, origin: Option<&str>, from: &str, body: &str) -> NativeEventId {
        of_message(&message(id, origin, from, body))
    }

    #[test]
    fn a_message_that_is_sent_again_keeps_its_id() {
        let phone = "alice@a.example/phone";

        assert_eq!(
            of(Some("1"), Some("o"), phone, "hi"),
            of(Some("1"), Some("o"), "alice@a.example/new", "hi")
        );
        assert_eq!(of(Some("1"), None, phone, "hi"), of(Some("1"), None, phone, "hi"));
    }

    #[test]
    fn messages_of_clients_that_repeat_their_ids_are_told_apart() {
        let phone = "alice@a.example/phone";

        assert_ne!(of(Some("1"), None, phone, "hi"), of(Some("1"), None, phone, "ho"));
        assert_ne!(of(Some("1"), None, phone, "hi"), of(Some("1"), None, "alice@a.example/desk", "hi"));
        assert_ne!(of(None, None, phone, "hi"), of(None, None, phone, "hi"));
    }

    #[test]
    fn the_senders_own_id_reads_back() {
        let phone = "alice@a.example/phone";
        let long = "x".repeat(MESSAGE_ID_BYTES_MAX + 1);

        assert_eq!(message_id(&of(Some("a:b"), Some("o:p"), phone, "hi")).as_deref(), Some("a:b"));
        assert_eq!(message_id(&of(Some("ü"), None, phone, "hi")).as_deref(), Some("ü"));
        assert_eq!(message_id(&of(None, Some("o"), phone, "hi")), None);
        assert_eq!(message_id(&of(Some(&long), None, phone, "hi")), None);
        assert_eq!(message_id(&of_operation(&"op".into())), None);
    }
}
