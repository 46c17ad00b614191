//! A refusal for every rule of C1, at the octet that breaks it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on should panic")]

use mimi_content::{MessageStatusReport, NestedPart, Rule, Violation, decode};

/// A message in hexadecimal, field by field.
#[derive(Clone)]
struct Fields {
    start: String,
    salt: String,
    replaces: String,
    topic_id: String,
    expires: String,
    in_reply_to: String,
    extensions: String,
    part: String,
}

const TEXT_PART: &str = "85 01 60 01 6a 746578742f706c61696e 42 6869";

impl Default for Fields {
    fn default() -> Self {
        Self {
            start: "87".into(),
            salt: format!("50{}", "07".repeat(16)),
            replaces: "f6".into(),
            topic_id: "40".into(),
            expires: "f6".into(),
            in_reply_to: "f6".into(),
            extensions: "a0".into(),
            part: TEXT_PART.into(),
        }
    }
}

impl Fields {
    fn bytes(&self) -> Vec<u8> {
        let fields =
            [&self.start, &self.salt, &self.replaces, &self.topic_id, &self.expires, &self.in_reply_to];
        let fields = fields.into_iter().chain([&self.extensions, &self.part]);
        octets(&fields.cloned().collect::<String>())
    }
}

fn octets(hexadecimal: &str) -> Vec<u8> {
    hex::decode(hexadecimal.replace(char::is_whitespace, "")).unwrap()
}

#[track_caller]
fn refused(fields: &Fields, rule: Rule) -> usize {
    let violation = decode(&fields.bytes()).expect_err("a violation");
    assert_eq!(violation.rule, rule);
    violation.at
}

#[track_caller]
fn accepted(fields: &Fields) {
    let bytes = fields.bytes();
    let received = decode(&bytes).expect("a message");
    assert_eq!(received.into_content().encode(), Ok(bytes));
}

fn extensions(hexadecimal: &str) -> Fields {
    Fields { extensions: hexadecimal.into(), ..Fields::default() }
}

/// One private extension, -1, with that value.
fn extension(value: &str) -> Fields {
    extensions(&format!("a1 20 {value}"))
}

fn part(hexadecimal: &str) -> Fields {
    Fields { part: hexadecimal.into(), ..Fields::default() }
}

fn external(enc_alg: &str, key_nonce_aad: &str) -> Fields {
    part(&format!("8f 06 60 02 60 60 00 00 {enc_alg} {key_nonce_aad} 00 40 60 60"))
}

fn nested(levels: usize) -> Fields {
    let leaf = "83 00 60 00".to_owned();
    part(&(1..levels).fold(leaf, |inner, _| format!("85 01 60 03 02 82 83 00 60 00 {inner}")))
}

fn array(length: usize) -> String {
    let length = u16::try_from(length).unwrap();
    match length {
        0..24 => format!("{:02x}", 0x80 + length),
        24..256 => format!("98 {length:02x}"),
        _ => format!("99 {length:04x}"),
    }
}

fn flat(parts: usize) -> Fields {
    part(&format!("85 01 60 03 02 {} {}", array(parts), "83006000".repeat(parts)))
}

#[test]
fn the_plainest_message_is_accepted() {
    accepted(&Fields::default());
}

#[test]
fn cm1_a_salt_of_15_or_17_octets_is_refused() {
    for length in [15, 17] {
        let salt = format!("{:02x}{}", 0x40 + length, "07".repeat(length));
        assert_eq!(refused(&Fields { salt, ..Fields::default() }, Rule::SaltLength), 1);
    }
}

#[test]
fn a_salt_that_is_text_is_refused() {
    let salt = format!("70{}", "61".repeat(16));
    refused(&Fields { salt, ..Fields::default() }, Rule::WrongType);
}

#[test]
fn cm3_indefinite_lengths_are_refused_everywhere() {
    let message = Fields { start: "9f".into(), part: format!("{TEXT_PART} ff"), ..Fields::default() };
    assert_eq!(refused(&message, Rule::IndefiniteLength), 0);
    refused(&Fields { topic_id: "5f 41 61 ff".into(), ..Fields::default() }, Rule::IndefiniteLength);
    refused(&extensions("bf ff"), Rule::IndefiniteLength);
    refused(&extension("9f ff"), Rule::IndefiniteLength);
    refused(&extension("7f 61 61 ff"), Rule::IndefiniteLength);
    refused(&part("85 01 60 03 02 9f 83006000 83006000 ff"), Rule::IndefiniteLength);
}

#[test]
fn a_break_outside_of_anything_is_refused() {
    refused(&extension("ff"), Rule::IndefiniteLength);
}

#[test]
fn cm3_integers_longer_than_needed_are_refused() {
    for integer in ["18 17", "19 00ff", "1a 0000ffff", "1b 00000000ffffffff", "38 17", "39 00ff"] {
        refused(&extension(integer), Rule::NotShortest);
    }
    refused(&part("85 1801 60 01 6a 746578742f706c61696e 42 6869"), Rule::NotShortest);
}

#[test]
fn cm3_integers_of_every_length_are_accepted_where_needed() {
    for integer in ["17", "18 18", "19 0100", "1a 00010000", "1b 0000000100000000", "1b ffffffffffffffff"] {
        accepted(&extension(integer));
    }
    for integer in ["37", "38 18", "39 0100", "3a 00010000", "3b ffffffffffffffff"] {
        accepted(&extension(integer));
    }
}

#[test]
fn cm3_lengths_longer_than_needed_are_refused() {
    refused(&Fields { start: "98 07".into(), ..Fields::default() }, Rule::NotShortest);
    refused(&Fields { topic_id: "58 01 61".into(), ..Fields::default() }, Rule::NotShortest);
    refused(&extensions("b8 00"), Rule::NotShortest);
    refused(&extension("78 01 61"), Rule::NotShortest);
    refused(&extension("98 00"), Rule::NotShortest);
}

#[test]
fn cm3_tags_longer_than_needed_are_refused() {
    refused(&extension("d8 10 00"), Rule::NotShortest);
    accepted(&extension("d8 20 60"));
}

#[test]
fn cm3_bignums_that_fit_an_integer_or_begin_with_zero_are_refused() {
    for tag in ["c2", "c3"] {
        refused(&extension(&format!("{tag} 48 ffffffffffffffff")), Rule::BignumNotPreferred);
        refused(&extension(&format!("{tag} 49 00ffffffffffffffff")), Rule::BignumNotPreferred);
        refused(&extension(&format!("{tag} 40")), Rule::BignumNotPreferred);
        refused(&extension(&format!("{tag} 01")), Rule::BignumNotPreferred);
        accepted(&extension(&format!("{tag} 49 010000000000000000")));
    }
}

#[test]
fn cm3_map_keys_out_of_order_are_refused() {
    refused(&extensions("a2 02 61 62 01 61 61"), Rule::UnsortedKeys);
    refused(&extensions("a2 20 00 03 00"), Rule::UnsortedKeys);
    refused(&extension("a2 61 62 00 61 61 00"), Rule::UnsortedKeys);
}

#[test]
fn cm3_map_keys_sort_by_octets_and_not_by_the_older_canonical_order() {
    // RFC 7049 puts the shorter key 0x20 (-1) before 0x1818 (24); RFC 8949 does the reverse.
    accepted(&extensions("a2 18 18 00 20 00"));
    refused(&extensions("a2 20 00 18 18 00"), Rule::UnsortedKeys);
}

#[test]
fn cm2_a_key_that_occurs_twice_is_refused() {
    refused(&extensions("a2 03 00 03 00"), Rule::DuplicateKey);
    refused(&extension("a2 41 61 00 41 61 00"), Rule::DuplicateKey);
}

#[test]
fn cm2_extension_keys_are_integers_or_text() {
    refused(&extensions("a1 41 61 00"), Rule::KeyType);
    refused(&extensions("a1 f5 00"), Rule::KeyType);
    refused(&extensions("a1 80 00"), Rule::KeyType);
    refused(&extensions("a1 c1 00 00"), Rule::KeyType);
    accepted(&extensions("a1 61 61 00"));
}

#[test]
fn cm2_keys_of_nested_maps_may_also_be_byte_strings() {
    accepted(&extension("a3 00 00 41 61 00 60 00"));
    refused(&extension("a1 f9 3c00 00"), Rule::KeyType);
    refused(&extension("a1 a0 00"), Rule::KeyType);
}

#[test]
fn cm2_integer_keys_have_53_bits() {
    accepted(&extensions("a1 1b 001fffffffffffff 00"));
    refused(&extensions("a1 1b 0020000000000000 00"), Rule::KeyRange);
    accepted(&extensions("a1 3b 001ffffffffffffe 00"));
    refused(&extensions("a1 3b 001fffffffffffff 00"), Rule::KeyRange);
    refused(&extension("a1 1b ffffffffffffffff 00"), Rule::KeyRange);
}

#[test]
fn cm2_text_keys_have_1_to_255_octets() {
    refused(&extensions("a1 60 00"), Rule::KeyLength);
    accepted(&extensions(&format!("a1 78 ff {} 00", "61".repeat(255))));
    refused(&extensions(&format!("a1 79 0100 {} 00", "61".repeat(256))), Rule::KeyLength);
}

#[test]
fn extension_key_0_is_reserved() {
    refused(&extensions("a1 00 00"), Rule::ReservedKey);
}

#[test]
fn sender_and_room_uris_are_text() {
    refused(&extensions("a1 01 41 61"), Rule::UriNotText);
    refused(&extensions("a1 02 00"), Rule::UriNotText);
}

#[test]
fn cm4_floats_longer_than_needed_are_refused() {
    refused(&extension("fa 3f800000"), Rule::FloatNotShortest);
    refused(&extension("fb 3ff0000000000000"), Rule::FloatNotShortest);
    refused(&extension("fb 3fb99999a0000000"), Rule::FloatNotShortest);
    refused(&extension("fa 7f800000"), Rule::FloatNotShortest);
}

#[test]
fn cm4_floats_of_every_length_are_accepted_where_needed() {
    for float in ["f9 3c00", "f9 8000", "f9 0001", "f9 7c00", "f9 fc00", "fa 3dcccccd", "fb 3fb999999999999a"]
    {
        accepted(&extension(float));
    }
}

#[test]
fn cm4_every_nan_but_the_quiet_half_is_refused() {
    accepted(&extension("f9 7e00"));
    for nan in ["f9 7e01", "f9 fe00", "f9 7c01", "fa 7fc00000", "fb 7ff8000000000000", "fb 7ff0000000000001"]
    {
        refused(&extension(nan), Rule::NanNotCanonical);
    }
}

#[test]
fn cm4_arrays_of_floats_in_tags_80_to_87_hold_any_nan() {
    accepted(&extension("d8 55 44 0100c07f"));
}

#[test]
fn cm5_text_that_is_not_utf8_is_refused() {
    refused(&extension("61 ff"), Rule::NotUtf8);
    refused(&extension("63 eda080"), Rule::NotUtf8);
    refused(&part("83 01 61 80 00"), Rule::NotUtf8);
}

#[test]
fn cm6_parts_nest_four_levels_and_no_more() {
    accepted(&nested(4));
    refused(&nested(5), Rule::PartsTooDeep);
}

#[test]
fn cm7_extensions_nest_four_levels_and_no_more() {
    // The draft's own example of four levels.
    accepted(&extensions("a1 19 0100 82 82 42 1234 d8 20 61 61 82 42 3456 01"));
    accepted(&extension("81 81 81 00"));
    refused(&extension("81 81 81 80"), Rule::ExtensionsTooDeep);
    refused(&extension("81 a1 00 81 a0"), Rule::ExtensionsTooDeep);
    refused(&extension("81 81 81 c1 00"), Rule::ExtensionsTooDeep);
}

#[test]
fn extensions_are_refused_beyond_64_kib() {
    // Map head, key and string head take 5 octets.
    let value = |length: usize| format!("59 {:04x} {}", length, "00".repeat(length));

    accepted(&extension(&value(65_536 - 5)));
    assert_eq!(refused(&extension(&value(65_536 - 4)), Rule::ExtensionsTooLong), 22);
}

#[test]
fn c2_1024_parts_are_accepted_and_no_more() {
    accepted(&flat(1023));
    refused(&flat(1024), Rule::TooManyParts);
}

#[test]
fn a_multi_part_has_two_parts_at_least() {
    refused(&flat(0), Rule::TooFewParts);
    refused(&flat(1), Rule::TooFewParts);
    accepted(&flat(2));
}

#[test]
fn c2_unknown_part_semantics_are_refused() {
    refused(&part("85 01 60 03 03 82 83006000 83006000"), Rule::UnknownPartSemantics);
}

#[test]
fn an_unknown_cardinality_is_refused() {
    refused(&part("83 01 60 04"), Rule::UnknownCardinality);
}

#[test]
fn c2_a_topic_id_of_4096_octets_is_accepted_and_no_more() {
    let topic = |length: usize| format!("59 {:04x} {}", length, "61".repeat(length));

    accepted(&Fields { topic_id: topic(4096), ..Fields::default() });
    assert_eq!(refused(&Fields { topic_id: topic(4097), ..Fields::default() }, Rule::TopicTooLong), 19);
}

#[test]
fn a_message_has_seven_fields() {
    refused(&Fields { start: "86".into(), ..Fields::default() }, Rule::WrongArrayLength);
    refused(
        &Fields { start: "88".into(), part: format!("{TEXT_PART} 00"), ..Fields::default() },
        Rule::WrongArrayLength,
    );
}

#[test]
fn every_cardinality_has_its_number_of_fields() {
    for wrong in ["84 01 60 00 00", "83 01 60 01", "86 01 60 01 60 40 00", "85 01 60 02 60 60", "83 01 60 03"]
    {
        assert_eq!(refused(&part(wrong), Rule::WrongArrayLength), 23);
    }
}

#[test]
fn message_ids_have_32_octets() {
    let short = format!("58 1f {}", "01".repeat(31));
    let right = format!("58 20 {}", "01".repeat(32));

    refused(&Fields { replaces: short.clone(), ..Fields::default() }, Rule::MessageIdLength);
    refused(&Fields { in_reply_to: short, ..Fields::default() }, Rule::MessageIdLength);
    accepted(&Fields { replaces: right.clone(), in_reply_to: right, ..Fields::default() });
}

#[test]
fn an_expiry_is_a_truth_value_and_32_bits() {
    let expires = |value: &str| Fields { expires: value.into(), ..Fields::default() };

    accepted(&expires("82 f5 1a ffffffff"));
    refused(&expires("82 f4 1b 0000000100000000"), Rule::OutOfRange);
    refused(&expires("82 f6 00"), Rule::WrongType);
    refused(&expires("82 f4 20"), Rule::WrongType);
    refused(&expires("83 f4 00 00"), Rule::WrongArrayLength);
    refused(&expires("00"), Rule::WrongType);
}

#[test]
fn undefined_is_not_null() {
    refused(&Fields { replaces: "f7".into(), ..Fields::default() }, Rule::WrongType);
}

#[test]
fn a_disposition_has_8_bits_and_may_be_unknown() {
    accepted(&part("83 18ff 60 00"));
    refused(&part("83 190100 60 00"), Rule::OutOfRange);
    refused(&part("83 20 60 00"), Rule::WrongType);
}

#[test]
fn an_external_part_without_encryption_has_no_key_nonce_or_aad() {
    accepted(&external("00", "40 40 40"));
    accepted(&external("01", "41 00 41 00 41 00"));
    for secrets in ["41 00 40 40", "40 41 00 40", "40 40 41 00"] {
        refused(&external("00", secrets), Rule::KeyWithoutEncryption);
    }
}

#[test]
fn the_numbers_of_an_external_part_have_their_widths() {
    let with = |expires: &str, size: &str, enc_alg: &str, hash_alg: &str| {
        part(&format!("8f 06 60 02 60 60 {expires} {size} {enc_alg} 40 40 40 {hash_alg} 40 60 60"))
    };

    accepted(&with("1a ffffffff", "1b ffffffffffffffff", "19 ffff", "18 ff"));
    refused(&with("1b 0000000100000000", "00", "00", "00"), Rule::OutOfRange);
    refused(&with("00", "00", "1a 00010000", "00"), Rule::OutOfRange);
    refused(&with("00", "00", "00", "19 0100"), Rule::OutOfRange);
}

#[test]
fn tagged_fields_are_not_the_fields() {
    refused(&part("8f 06 60 02 60 d8 20 60 00 00 00 40 40 40 00 40 60 60"), Rule::WrongType);
}

#[test]
fn octets_after_the_message_are_refused() {
    let bytes = [Fields::default().bytes(), vec![0]].concat();
    let at = bytes.len() - 1;

    assert_eq!(decode(&bytes), Err(Violation { rule: Rule::TrailingBytes, at }));
}

#[test]
fn every_shorter_beginning_of_a_message_is_refused() {
    let bytes = flat(3).bytes();

    for length in 0..bytes.len() {
        assert_eq!(decode(&bytes[..length]).expect_err("cut off").rule, Rule::Truncated, "{length}");
    }
}

#[test]
fn a_length_beyond_the_message_is_refused_before_anything_is_allocated() {
    refused(&Fields { topic_id: "5b 7fffffffffffffff".into(), ..Fields::default() }, Rule::Truncated);
    refused(&extensions("bb 7fffffffffffffff"), Rule::Truncated);
    refused(&extension("9b ffffffffffffffff"), Rule::Truncated);
    refused(&extension("7b ffffffffffffffff"), Rule::Truncated);
    refused(&part("85 01 60 03 02 9b ffffffffffffffff"), Rule::Truncated);
}

#[test]
fn octets_that_are_not_cbor_are_refused() {
    for reserved in ["1c", "3d", "5e", "fc", "f8 00", "f8 14", "f8 1f"] {
        refused(&extension(reserved), Rule::Malformed);
    }
}

#[test]
fn simple_values_are_kept() {
    for simple in ["e0", "f3", "f4", "f5", "f6", "f7", "f8 20", "f8 ff"] {
        accepted(&extension(simple));
    }
}

#[test]
fn a_part_alone_is_judged_like_one_in_a_message() {
    assert!(NestedPart::decode(&octets(TEXT_PART)).is_ok());

    let trailing = NestedPart::decode(&octets("83 01 60 00 00")).map_err(|violation| violation.rule);
    let too_deep = NestedPart::decode(&octets(&nested(5).part)).map_err(|violation| violation.rule);

    assert_eq!(trailing, Err(Rule::TrailingBytes));
    assert_eq!(too_deep, Err(Rule::PartsTooDeep));
}

#[test]
fn a_status_report_is_judged_as_strictly() {
    let entry = |status: &str| format!("82 5820 {} {status}", "01".repeat(32));
    let refused = |report: &str| MessageStatusReport::decode(&octets(report)).expect_err("a violation").rule;

    assert!(MessageStatusReport::decode(&octets(&format!("81 {}", entry("18ff")))).is_ok());
    assert!(MessageStatusReport::decode(&octets("80")).is_ok());
    assert_eq!(refused(&format!("9f {} ff", entry("00"))), Rule::IndefiniteLength);
    assert_eq!(refused(&format!("81 {}", entry("1801"))), Rule::NotShortest);
    assert_eq!(refused(&format!("81 {}", entry("190100"))), Rule::OutOfRange);
    assert_eq!(refused(&format!("81 {} 00", entry("00"))), Rule::TrailingBytes);
    assert_eq!(refused("81 82 41 01 00"), Rule::MessageIdLength);
    assert_eq!(refused(&format!("81 83 5820 {} 00 00", "01".repeat(32))), Rule::WrongArrayLength);
    assert_eq!(refused(&format!("99 0401 {}", entry("00").repeat(1025))), Rule::TooManyStatuses);
}
