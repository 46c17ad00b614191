//! Messages that are dropped, and messages that are not (C2).

use mimi_content::limits::{EXPIRY_DISTANCE_S_MAX, REPLY_CHAIN_MAX, TIMESTAMP_AHEAD_MS_MAX};
use mimi_content::{
    ApplicationFraming, Arrival, Discard, Disposition, Expiration, Franked, FrankingTag, MessageId,
    MimiContent, NestedPart, StrangeTimestamp, check, closes_reply_loop, decode,
};

use crate::{ALICE, BOB, ROOM, SALT, hi, id, received};

const ACCEPTED_S: u64 = 1_800_000_000;

fn arrival() -> Arrival<'static> {
    Arrival {
        sender_uri: ALICE,
        room_uri: ROOM,
        accepted_ms: ACCEPTED_S * 1000,
        now_ms: ACCEPTED_S * 1000,
        room_created_ms: ACCEPTED_S * 1000 - 1,
        bytes_max: 4096,
        is_duplicate: false,
        franked: None,
    }
}

fn verdict(content: &MimiContent) -> Result<(), Discard> {
    check(&received(content), &arrival())
}

#[test]
fn an_ordinary_message_is_kept() {
    assert_eq!(verdict(&hi()), Ok(()));
}

#[test]
fn a_duplicate_message_id_is_discarded() {
    let arrival = Arrival { is_duplicate: true, ..arrival() };

    assert_eq!(check(&received(&hi()), &arrival), Err(Discard::Duplicate));
}

#[test]
fn a_reference_by_an_unknown_hash_is_discarded() {
    assert_eq!(verdict(&hi().replying_to(id(2))), Err(Discard::UnknownHash(2)));
    assert_eq!(verdict(&hi().replacing(id(0))), Err(Discard::UnknownHash(0)));
}

#[test]
fn references_to_unknown_messages_are_tolerated() {
    assert_eq!(verdict(&hi().replying_to(id(1)).replacing(id(1))), Ok(()));
}

#[test]
fn an_absolute_expiry_more_than_a_year_off_is_discarded() {
    let at = |unix_s: u64| hi().expiring(Expiration::At { unix_s: u32::try_from(unix_s).unwrap() });

    assert_eq!(verdict(&at(ACCEPTED_S + EXPIRY_DISTANCE_S_MAX)), Ok(()));
    assert_eq!(verdict(&at(ACCEPTED_S - EXPIRY_DISTANCE_S_MAX)), Ok(()));
    assert_eq!(verdict(&at(ACCEPTED_S + EXPIRY_DISTANCE_S_MAX + 1)), Err(Discard::Expiry));
    assert_eq!(verdict(&at(ACCEPTED_S - EXPIRY_DISTANCE_S_MAX - 1)), Err(Discard::Expiry));
}

#[test]
fn a_relative_expiry_of_more_than_a_year_is_discarded() {
    let after =
        |seconds: u64| hi().expiring(Expiration::AfterReading { seconds: u32::try_from(seconds).unwrap() });

    assert_eq!(verdict(&after(EXPIRY_DISTANCE_S_MAX)), Ok(()));
    assert_eq!(verdict(&after(EXPIRY_DISTANCE_S_MAX + 1)), Err(Discard::Expiry));
}

#[test]
fn a_message_larger_than_policy_is_discarded() {
    let message = received(&hi());
    let exact = Arrival { bytes_max: message.bytes().len(), ..arrival() };
    let below = Arrival { bytes_max: message.bytes().len() - 1, ..arrival() };

    assert_eq!(check(&message, &exact), Ok(()));
    assert_eq!(check(&message, &below), Err(Discard::TooLarge));
}

#[test]
fn a_message_that_names_another_sender_is_discarded() {
    assert_eq!(verdict(&hi().between(BOB, ROOM)), Err(Discard::SenderMismatch));
}

#[test]
fn a_message_that_names_another_room_is_discarded() {
    assert_eq!(verdict(&hi().between(ALICE, "mimi://a.example/r/other")), Err(Discard::RoomMismatch));
}

#[test]
fn a_message_that_names_nobody_is_kept_unless_it_is_franked() {
    let anonymous = MimiContent::text(SALT, "hi");
    let data = anonymous.encode().unwrap();
    let franked = Franked { tag: FrankingTag::new(&SALT, &data), application_data: &data };
    let arrival = Arrival { franked: Some(franked), ..arrival() };

    assert_eq!(verdict(&anonymous), Ok(()));
    assert_eq!(check(&received(&anonymous), &arrival), Err(Discard::SenderMismatch));
}

#[test]
fn a_franking_tag_that_commits_to_something_else_is_discarded() {
    let message = received(&hi());
    let framed = ApplicationFraming::of_first_type(message.bytes()).encode().unwrap();
    let franked = |tag| Arrival { franked: Some(Franked { tag, application_data: &framed }), ..arrival() };

    let right = check(&message, &franked(FrankingTag::new(&SALT, &framed)));
    let unframed = check(&message, &franked(FrankingTag::new(&SALT, message.bytes())));
    let other_salt = check(&message, &franked(FrankingTag::new(&[8; 16], &framed)));

    assert_eq!(right, Ok(()));
    assert_eq!(unframed, Err(Discard::FrankingTag));
    assert_eq!(other_salt, Err(Discard::FrankingTag));
}

#[test]
fn malformed_octets_are_a_reason_to_discard() {
    let violation = decode(b"").unwrap_err();

    assert_eq!(Discard::from(violation), Discard::Malformed(violation));
}

#[test]
fn unknown_dispositions_types_and_languages_are_tolerated() {
    let part = NestedPart::single("application/x-unknown", b"?")
        .with_disposition(Disposition::from_code(200))
        .in_language("tlh, x_y, de-CH");

    let content = MimiContent::new(SALT, part);

    assert_eq!(verdict(&content), Ok(()));
    assert_eq!(content.nested_part.disposition.effective(), Disposition::Render);
    assert_eq!(content.nested_part.languages().collect::<Vec<_>>(), ["tlh", "de-CH"]);
}

#[test]
fn a_strange_timestamp_is_flagged_and_not_a_reason_to_discard() {
    let now_ms = arrival().now_ms;
    let ahead = Arrival { accepted_ms: now_ms + TIMESTAMP_AHEAD_MS_MAX + 1, ..arrival() };
    let before_room = Arrival { accepted_ms: now_ms - 2, ..arrival() };
    let before_format = Arrival { accepted_ms: 1_644_387_225_019, room_created_ms: 0, ..arrival() };
    let slightly_ahead = Arrival { accepted_ms: now_ms + TIMESTAMP_AHEAD_MS_MAX, ..arrival() };

    assert_eq!(ahead.strange_timestamp(), Some(StrangeTimestamp::Ahead));
    assert_eq!(before_room.strange_timestamp(), Some(StrangeTimestamp::BeforeRoom));
    assert_eq!(before_format.strange_timestamp(), Some(StrangeTimestamp::BeforeFormat));
    assert_eq!(slightly_ahead.strange_timestamp(), None);
    assert_eq!(check(&received(&hi()), &ahead), Ok(()));
}

#[test]
fn cm14_a_reply_to_itself_through_others_is_a_loop() {
    let (first, second, third) = (id(1), id(2), id(3));
    let answered_by = |message: &MessageId| (*message == third).then_some(second);

    assert!(!closes_reply_loop(first, Some(third), answered_by));
    assert!(closes_reply_loop(second, Some(third), answered_by));
    assert!(closes_reply_loop(first, Some(first), answered_by));
    assert!(!closes_reply_loop(first, None, answered_by));
}

#[test]
fn cm14_a_chain_without_end_counts_as_a_loop() {
    let numbered = |number: usize| {
        let mut octets = [9; 32];
        octets[..8].copy_from_slice(&number.to_be_bytes());
        MessageId(octets)
    };
    let number = |message: &MessageId| usize::from_be_bytes(message.0[..8].try_into().unwrap());
    let chain_of = |length: usize| {
        let answered_by =
            move |message: &MessageId| (number(message) + 1 < length).then(|| numbered(number(message) + 1));
        closes_reply_loop(id(1), Some(numbered(0)), answered_by)
    };

    assert!(!chain_of(REPLY_CHAIN_MAX));
    assert!(chain_of(REPLY_CHAIN_MAX + 1));
}
