//! Extensions, ids, and what is refused before it is sent.

use mimi_content::{
    ExtensionKey, ExternalMessageId, ExternalMessageScope, Fraction, MessageId, MimiContent, NestedPart,
    OversizedUri, PartSemantics, Rule, SenderTimestamp, Value,
};

use crate::{ALICE, ROOM, SALT, hi, id, received};

#[test]
fn known_extensions_go_round_by_their_types() {
    let mut content = hi();
    let external = |scope| ExternalMessageId { id: b"$event".to_vec(), scope };
    let scopes = [
        ExternalMessageScope::Enterprise(54_321),
        ExternalMessageScope::Domain("matrix.example".to_owned()),
        ExternalMessageScope::Uri("https://matrix.example".to_owned()),
    ];
    for scope in scopes {
        content.extensions.set_sender_timestamp(SenderTimestamp::from_millis(1_762_760_377_462));
        content.extensions.set_external_message_id(&external(scope.clone()));
        content.extensions.set_subject("tea");

        let extensions = received(&content).into_content().extensions;

        assert_eq!(extensions.sender_timestamp().unwrap().as_millis(), 1_762_760_377_462);
        assert_eq!(extensions.external_message_id(), Some(external(scope)));
        assert_eq!(extensions.subject(), Some("tea"));
    }
}

#[test]
fn the_sender_timestamp_has_the_octets_of_its_drafts_example() {
    let mut content = hi();
    let fraction = Some(Fraction::Microseconds(462_917));
    content.extensions.set_sender_timestamp(SenderTimestamp { unix_s: 1_762_760_377, fraction });

    let bytes = content.encode().unwrap();

    let expected = hex::decode("03a2011a691196b9251a00071045").unwrap();
    assert!(bytes.windows(expected.len()).any(|window| window == expected));
    assert_eq!(content.extensions.sender_timestamp().unwrap().as_millis(), 1_762_760_377_462);
}

#[test]
fn satellite_extensions_of_another_shape_are_kept_but_not_understood() {
    let mut content = hi();
    content.extensions.insert(ExtensionKey::SENDER_TIMESTAMP, Value::Unsigned(5));
    content.extensions.insert(ExtensionKey::EXTERNAL_MESSAGE_ID, Value::from("x"));
    content.extensions.insert(ExtensionKey::SUBJECT, Value::from(""));

    let extensions = received(&content).into_content().extensions;

    assert_eq!(extensions.sender_timestamp(), None);
    assert_eq!(extensions.external_message_id(), None);
    assert_eq!(extensions.subject(), None);
    assert_eq!(extensions.value(&ExtensionKey::SENDER_TIMESTAMP), Some(&Value::Unsigned(5)));
}

#[test]
fn extension_keys_out_of_bounds_cannot_be_made() {
    assert_eq!(ExtensionKey::integer(0), None);
    assert_eq!(ExtensionKey::integer(1 << 53), None);
    assert_eq!(ExtensionKey::integer(i64::MIN), None);
    assert_eq!(ExtensionKey::integer(-1).unwrap().as_integer(), Some(-1));
    assert_eq!(ExtensionKey::text(""), None);
    assert_eq!(ExtensionKey::text(&"x".repeat(256)), None);
}

#[test]
fn a_message_that_breaks_a_rule_is_not_sent() {
    let lonely = NestedPart::multi(PartSemantics::ChooseOne, vec![NestedPart::plain("hi")]);
    let long_topic = hi().in_topic(&[0; 4097]);
    let mut named_simple = hi();
    named_simple.extensions.insert(ExtensionKey::SUBJECT, Value::Simple(20));

    assert_eq!(MimiContent::new(SALT, lonely).encode().unwrap_err().rule, Rule::TooFewParts);
    assert_eq!(long_topic.encode().unwrap_err().rule, Rule::TopicTooLong);
    assert_eq!(named_simple.encode().unwrap_err().rule, Rule::Malformed);
}

#[test]
fn sender_and_room_cannot_be_shifted_against_each_other() {
    let one = MessageId::derive("ab", "c", b"", &SALT);
    let other = MessageId::derive("a", "bc", b"", &SALT);

    assert_ne!(one, other);
}

#[test]
fn a_uri_beyond_16_bits_has_no_id() {
    let long = "x".repeat(65_536);

    assert_eq!(MessageId::derive(&long, ROOM, b"", &SALT), Err(OversizedUri { octets: 65_536 }));
    assert!(MessageId::derive(ALICE, &long[1..], b"", &SALT).is_ok());
}

#[test]
fn ids_read_as_hexadecimal() {
    assert_eq!(id(0xab).to_string(), "ab".repeat(32));
    assert_eq!(format!("{:?}", id(1)), format!("MessageId({})", "01".repeat(32)));
}
