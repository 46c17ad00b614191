//! What holds for all messages, and for all octets.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use std::collections::BTreeMap;

use mimi_content::{
    ApplicationFraming, Cardinality, Disposition, Expiration, ExtensionKey, Extensions, ExternalPart, Float,
    Key, MediaTypeList, MessageId, MessageStatusReport, MimiContent, MultiPart, NestedPart, PartSemantics,
    SinglePart, Value, choose, decode, without_html_tags,
};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

const INTEGER_KEYS: std::ops::RangeInclusive<i64> = -((1 << 53) - 1)..=(1 << 53) - 1;

fn key() -> impl Strategy<Value = Key> {
    prop_oneof![
        INTEGER_KEYS.prop_map(Key::Integer),
        (-300_i64..300).prop_map(Key::Integer),
        vec(any::<u8>(), 0..40).prop_map(Key::Bytes),
        ".{0,20}".prop_map(Key::Text),
    ]
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<u64>().prop_map(Value::Unsigned),
        any::<u64>().prop_map(Value::Negative),
        any::<i64>().prop_map(Value::from),
        vec(any::<u8>(), 0..40).prop_map(Value::Bytes),
        ".{0,20}".prop_map(Value::Text),
        any::<bool>().prop_map(Value::Bool),
        Just(Value::Null),
        Just(Value::Undefined),
        (0_u8..20).prop_map(Value::Simple),
        (32_u8..=255).prop_map(Value::Simple),
        any::<f64>().prop_map(|number| Value::Float(Float::new(number))),
        any::<f32>().prop_map(|number| Value::Float(Float::new(f64::from(number)))),
        any::<i16>().prop_map(|number| Value::Float(Float::new(f64::from(number) / 64.0))),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    // Three levels below the extensions map make four (CM7).
    scalar().prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::Array),
            btree_map(key(), inner.clone(), 0..4).prop_map(Value::Map),
            (4..u64::MAX, inner).prop_map(|(tag, value)| Value::Tag(tag, Box::new(value))),
        ]
    })
}

fn extensions() -> impl Strategy<Value = Extensions> {
    let keys = prop_oneof![
        INTEGER_KEYS.prop_filter_map("reserved", ExtensionKey::integer),
        ".{1,20}".prop_filter_map("too long", |name| ExtensionKey::text(&name)),
    ];
    let uri = || option::of(".{0,30}".prop_map(Value::Text));
    (vec((keys, value()), 0..5), uri(), uri()).prop_map(|(entries, sender, room)| {
        let mut extensions = Extensions::default();
        for (key, value) in entries {
            extensions.insert(key, value);
        }
        // The two keys whose values have a type.
        for (key, uri) in [(ExtensionKey::SENDER_URI, sender), (ExtensionKey::ROOM_URI, room)] {
            extensions.remove(&key);
            uri.map(|uri| extensions.insert(key, uri));
        }
        extensions
    })
}

fn external() -> impl Strategy<Value = Cardinality> {
    let octets = || vec(any::<u8>(), 0..40);
    let texts = (".{0,20}", ".{0,20}", ".{0,20}", ".{0,20}");
    let numbers = (any::<u32>(), any::<u64>(), any::<u16>(), any::<u8>());
    (texts, numbers, octets(), octets()).prop_map(
        |(texts, (expires, size, enc_alg, hash_alg), key, content_hash)| {
            let key = if enc_alg == 0 { Vec::new() } else { key };
            Cardinality::External(Box::new(ExternalPart {
                content_type: texts.0,
                url: texts.1,
                expires,
                size,
                enc_alg,
                nonce: key.clone(),
                aad: key.clone(),
                key,
                hash_alg,
                content_hash,
                description: texts.2,
                filename: texts.3,
            }))
        },
    )
}

fn part() -> impl Strategy<Value = NestedPart> {
    let part = |cardinality| {
        (any::<u8>(), "[a-z,-]{0,8}", cardinality).prop_map(|(code, language, cardinality)| NestedPart {
            disposition: Disposition::from_code(code),
            language,
            cardinality,
        })
    };
    let single = ("(text/(plain|html|markdown)|.{0,10})", vec(any::<u8>(), 0..300))
        .prop_map(|(content_type, content)| Cardinality::Single(SinglePart { content_type, content }));
    let leaf = part(prop_oneof![Just(Cardinality::Null), single, external()].boxed());
    leaf.prop_recursive(3, 12, 3, move |inner| {
        let semantics = prop_oneof![
            Just(PartSemantics::ChooseOne),
            Just(PartSemantics::SingleUnit),
            Just(PartSemantics::ProcessAll)
        ];
        let multi = (semantics, vec(inner, 2..4))
            .prop_map(|(semantics, parts)| Cardinality::Multi(MultiPart { semantics, parts }));
        part(multi.boxed())
    })
}

fn message() -> impl Strategy<Value = MimiContent> {
    let id = || option::of(any::<[u8; 32]>().prop_map(MessageId));
    let expires = option::of(prop_oneof![
        any::<u32>().prop_map(|seconds| Expiration::AfterReading { seconds }),
        any::<u32>().prop_map(|unix_s| Expiration::At { unix_s }),
    ]);
    let fields = (any::<[u8; 16]>(), id(), vec(any::<u8>(), 0..300), expires, id(), extensions(), part());
    fields.prop_map(|(salt, replaces, topic_id, expires, in_reply_to, extensions, nested_part)| MimiContent {
        salt,
        replaces,
        topic_id,
        expires,
        in_reply_to,
        extensions,
        nested_part,
    })
}

/// Keys as they are encoded, so that the two orders can be compared.
fn encoded(key: &Key) -> Vec<u8> {
    let mut content = MimiContent::text([0; 16], "");
    let map = BTreeMap::from([(key.clone(), Value::Null)]);
    content.extensions.insert(ExtensionKey::SUBJECT, Value::Map(map));
    let bytes = content.encode().unwrap_or_default();
    // array, salt, two nulls and an empty topic, null, map, key 5, map; then our key, null, and the body.
    let tail = content.nested_part.encode().map_or(0, |part| part.len()) + 1;
    bytes[1 + 17 + 4 + 3..bytes.len() - tail].to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_reads_as_it_was(content in message()) {
        let bytes = content.encode().unwrap();
        let received = decode(&bytes).unwrap();

        prop_assert_eq!(received.bytes(), bytes);
        prop_assert_eq!(received.content(), &content);
    }

    #[test]
    fn one_changed_octet_makes_another_message_or_none(content in message(), at in any::<prop::sample::Index>(), flip in 1_u8..) {
        let mut bytes = content.encode().unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;

        // Whatever is accepted is the one encoding of what it says: no two encodings of one message.
        if let Ok(changed) = decode(&bytes) {
            prop_assert_ne!(changed.content(), &content);
            prop_assert_eq!(changed.content().encode(), Ok(bytes));
        }
    }

    #[test]
    fn a_message_cut_anywhere_is_none(content in message(), at in any::<prop::sample::Index>()) {
        let bytes = content.encode().unwrap();

        prop_assert!(decode(&bytes[..at.index(bytes.len())]).is_err());
    }

    #[test]
    fn no_octets_make_a_reader_panic(bytes in vec(any::<u8>(), 0..300)) {
        let _ = decode(&bytes);
        let _ = NestedPart::decode(&bytes);
        let _ = MessageStatusReport::decode(&bytes);
        let _ = MediaTypeList::decode(&bytes);
        if let Ok(frame) = ApplicationFraming::decode(&bytes) {
            prop_assert!(frame.encode().is_ok());
        }
    }

    #[test]
    fn no_octets_after_a_sound_beginning_make_a_reader_panic(tail in vec(any::<u8>(), 0..300), field in 0_usize..6) {
        let beginning = hex::decode(format!("8750{}f640f6f6a0", "07".repeat(16))).unwrap();
        let kept = [18, 19, 20, 21, 22, 23][field];

        if let Ok(received) = decode(&[&beginning[..kept], &tail].concat()) {
            prop_assert_eq!(received.content().encode().unwrap(), received.bytes());
        }
    }

    #[test]
    fn keys_sort_as_their_encodings_do(one in key(), other in key()) {
        prop_assert_eq!(one.cmp(&other), encoded(&one).cmp(&encoded(&other)));
    }

    #[test]
    fn the_choice_is_of_parts_of_the_message_in_order(part in part()) {
        let accepted = ["text/markdown", "text/plain", "text/html"].map(|text| text.parse().unwrap());
        let choice = choose(&part, &accepted);
        let indexed: Vec<_> = part.indexed().collect();

        for shown in &choice.shown {
            prop_assert!(std::ptr::eq(indexed[shown.index.0 as usize].1, shown.part));
        }
        prop_assert!(choice.shown.is_sorted_by(|one, other| one.index < other.index));
        prop_assert_eq!(choose(&part, &accepted), choice.clone());
    }

    #[test]
    fn text_without_html_tags_has_none_and_stays_as_it_is(text in "[<>/!a-b:@`~|\\\\\n ]{0,40}") {
        let clean = without_html_tags(&text).into_owned();

        prop_assert_eq!(without_html_tags(&clean), clean.as_str());
    }
}
