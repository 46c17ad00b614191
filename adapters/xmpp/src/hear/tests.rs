use std::sync::Arc;

use mimi_adapter::conformance::RecordingHost;
use xmpp_parsers::minidom::Element;

use super::*;
use crate::{XmppAdapter, XmppConfig};

const BOB: &str = r"bob\40b.example@mimi.a.example";

fn link() -> Arc<Link> {
    let config = XmppConfig::new(([127, 0, 0, 1], 1).into(), "a.example", "mimi.a.example", "secret");
    XmppAdapter::new(config).unwrap().link(Arc::new(RecordingHost::new()))
}

/// Hears a stanza of Alice's to Bob's puppet; `{}` in it is where it is for.
fn hear(link: &Link, xml: &str) -> Heard {
    hear_from(link, "alice@a.example/phone", xml)
}

fn hear_from(link: &Link, from: &str, xml: &str) -> Heard {
    let route = format!("xmlns='jabber:component:accept' from='{from}' to='{BOB}'");
    let element: Element = xml.replacen("{}", &route, 1).parse().unwrap();
    let stanza = match element.name() {
        "message" => Stanza::Message(Message::try_from(element).unwrap()),
        "presence" => Stanza::Presence(Presence::try_from(element).unwrap()),
        _ => Stanza::Iq(Iq::try_from(element).unwrap()),
    };
    link.hear(stanza)
}

fn bodies(heard: &Heard) -> Vec<NativeBody> {
    heard.events.iter().map(|event| event.body.clone()).collect()
}

fn xml(stanza: &Stanza) -> String {
    let element = match stanza {
        Stanza::Message(message) => Element::from(message.clone()),
        Stanza::Presence(presence) => Element::from(presence.clone()),
        Stanza::Iq(iq) => Element::from(iq.clone()),
    };
    String::from(&element)
}

#[test]
fn the_first_thing_that_is_said_opens_a_chat() {
    let link = link();

    let first = hear(&link, "<message {} type='chat' id='1'><body xml:lang='en'>hi</body></message>");
    let second = hear(&link, "<message {} type='chat' id='2'><body>ho</body></message>");

    let post = |text| NativeBody::Post(NestedPart::plain(text));
    assert_eq!(bodies(&first), [NativeBody::DirectInvite { puppet: BOB.into() }, post("hi")]);
    assert_eq!(bodies(&second), [post("ho")]);
    assert_eq!(first.events[1].from, "alice@a.example".into());
    assert_eq!(first.events[1].lane, format!("alice@a.example {BOB}").into());
    assert_ne!(first.events[0].id, first.events[1].id);
}

#[test]
fn a_subscription_request_opens_a_chat_and_its_end_ends_it() {
    let link = link();

    let asked = hear(
        &link,
        "<presence {} type='subscribe'><nick xmlns='http://jabber.org/protocol/nick'>Al</nick></presence>",
    );
    let said = hear(&link, "<message {} id='1'><body>hi</body></message>");
    let left = hear(&link, "<presence {} type='unsubscribe'/>");
    let again = hear(&link, "<message {} id='2'><body>back</body></message>");

    assert_eq!(bodies(&asked), [NativeBody::DirectInvite { puppet: BOB.into() }]);
    assert_eq!(asked.events[0].display_name.as_deref(), Some("Al"));
    assert_eq!(said.events.len(), 1);
    assert_eq!(bodies(&left), [NativeBody::Left { user: "alice@a.example".into() }]);
    assert!(xml(&left.then[0]).contains("unsubscribed"));
    assert_eq!(again.events.len(), 2);
}

#[test]
fn a_receipt_is_given_when_it_is_asked_for_and_only_behind_the_store() {
    let link = link();

    let asked =
        hear(&link, "<message {} id='m1'><body>hi</body><request xmlns='urn:xmpp:receipts'/></message>");
    let not_asked = hear(&link, "<message {} id='m2'><body>hi</body></message>");

    assert!(asked.now.is_empty());
    assert_eq!(asked.then.len(), 1);
    assert!(xml(&asked.then[0]).contains("id='m1'") || xml(&asked.then[0]).contains("id=\"m1\""));
    assert!(not_asked.then.is_empty());
}

#[test]
fn what_a_client_tells_of_our_messages_is_a_receipt() {
    let link = link();

    let received = hear(&link, "<message {}><received xmlns='urn:xmpp:receipts' id='op'/></message>");
    let displayed = hear(&link, "<message {}><displayed xmlns='urn:xmpp:chat-markers:0' id='op'/></message>");

    let receipt = |receipt| NativeBody::Receipt { event: "op".into(), receipt };
    assert_eq!(bodies(&received), [receipt(Receipt::Delivered)]);
    assert_eq!(bodies(&displayed), [receipt(Receipt::Read)]);
}

#[test]
fn who_cannot_speak_here_is_told() {
    let link = link();
    let said = "<message {} id='1'><body>hi</body></message>";

    let stranger = hear_from(&link, "mallory@c.example/x", said);
    let nobody = hear_from(&link, "alice@a.example/x", &said.replace("id=", "xml:lang='en' id="));
    let typing = hear_from(&link, "mallory@c.example/x", "<message {} id='1'/>");

    assert!(stranger.events.is_empty());
    assert!(xml(&stranger.now[0]).contains("only the users of a.example can speak through this gateway"));
    assert_eq!(nobody.events.len(), 2);
    assert!(typing.now.is_empty());
}

#[test]
fn an_encrypted_message_is_a_gap_for_people_to_read() {
    let heard = hear(
        &link(),
        "<message {} id='1'><body>I sent you an OMEMO encrypted message</body>\
         <encrypted xmlns='eu.siacs.conversations.axolotl'/></message>",
    );

    assert_eq!(heard.events[1].body, NativeBody::Gap { reason: ENCRYPTED.to_owned() });
}

#[test]
fn a_probe_and_questions_are_answered() {
    let link = link();
    link.called.note(&mimi_uri::UserUri::parse("mimi://b.example/u/bob").unwrap(), "Bob B.");

    let probe = hear(&link, "<presence {} type='probe'/>");
    let card = hear(&link, "<iq {} type='get' id='1'><vCard xmlns='vcard-temp'/></iq>");
    let ping = hear(&link, "<iq {} type='get' id='2'><ping xmlns='urn:xmpp:ping'/></iq>");
    let other = hear(&link, "<iq {} type='get' id='3'><query xmlns='jabber:iq:last'/></iq>");

    assert!(xml(&probe.now[0]).contains("Bob B."));
    assert!(xml(&card.now[0]).contains("Bob B."));
    assert!(xml(&ping.now[0]).contains("result"));
    assert!(xml(&other.now[0]).contains("service-unavailable"));
}
