//! The draft's own examples (C4): their octets, ids and franking tags.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on should panic")]

use mimi_content::{
    ApplicationFraming, Cardinality, Disposition, Encryption, ExternalPart, FrankingTag, MessageId,
    MessageStatusReport, NestedPart, PartIndex, PartSemantics, Status, decode,
};
use serde_json::Value;

struct Example {
    file: String,
    sender: String,
    room: String,
    bytes: Vec<u8>,
    json: Value,
}

impl Example {
    fn octets<const N: usize>(&self, field: &str) -> [u8; N] {
        hex::decode(self.json[field].as_str().unwrap()).unwrap().try_into().unwrap()
    }

    fn part(&self) -> NestedPart {
        decode(&self.bytes).unwrap().into_content().nested_part
    }
}

fn examples() -> Vec<Example> {
    let list: Vec<Value> = serde_json::from_str(include_str!("vectors/mimi-content-08.json")).unwrap();
    let text = |json: &Value, field: &str| json[field].as_str().unwrap().to_owned();
    list.into_iter()
        .map(|json| Example {
            file: text(&json, "file"),
            sender: text(&json, "sender"),
            room: text(&json, "room"),
            bytes: hex::decode(text(&json, "cbor_hex")).unwrap(),
            json,
        })
        .collect()
}

fn example(file: &str) -> Example {
    examples().into_iter().find(|example| example.file == file).unwrap()
}

fn original() -> MessageId {
    MessageId(example("original.cbor").octets("message_id_08"))
}

#[test]
fn there_are_fourteen_examples() {
    assert_eq!(examples().len(), 14);
}

#[test]
fn every_example_is_read_and_written_back_octet_for_octet() {
    for example in examples() {
        let received = decode(&example.bytes).unwrap();

        assert_eq!(received.bytes(), example.bytes, "{}", example.file);
        assert_eq!(received.content().encode(), Ok(example.bytes), "{}", example.file);
    }
}

#[test]
fn every_example_names_its_sender_and_room_and_has_its_salt() {
    for example in examples() {
        let content = decode(&example.bytes).unwrap().into_content();

        assert_eq!(content.salt, example.octets("salt"), "{}", example.file);
        assert_eq!(content.extensions.sender_uri(), Some(example.sender.as_str()), "{}", example.file);
        assert_eq!(content.extensions.room_uri(), Some(example.room.as_str()), "{}", example.file);
    }
}

#[test]
fn message_ids_are_those_of_08_and_not_those_of_07() {
    for example in examples() {
        let received = decode(&example.bytes).unwrap();

        let id = received.message_id(&example.sender, &example.room).unwrap();

        assert_eq!(id, MessageId(example.octets("message_id_08")), "{}", example.file);
        assert_ne!(id, MessageId(example.octets("message_id_07_obsolete")), "{}", example.file);
        assert_eq!(id.hash_algorithm(), 1);
    }
}

#[test]
fn franking_tags_commit_to_bare_and_to_framed_application_data() {
    for example in examples() {
        let salt = example.octets("salt");
        let of_first_type = ApplicationFraming::of_first_type(&example.bytes).encode().unwrap();
        let named = ApplicationFraming::new("application/mimi-content".parse().unwrap(), &example.bytes);
        let named = named.encode().unwrap();

        let tags = [
            ("franking_tag_unframed", example.bytes.as_slice()),
            ("franking_tag_framed_empty_media_type", &of_first_type),
            ("franking_tag_framed_application_mimi_content", &named),
        ];

        for (field, data) in tags {
            let tag = FrankingTag(example.octets(field));
            assert_eq!(FrankingTag::new(&salt, data), tag, "{} {field}", example.file);
            assert!(tag.commits_to(&salt, data));
            assert!(!tag.commits_to(&salt, &data[1..]));
        }
    }
}

#[test]
fn the_reply_and_the_reaction_answer_the_original() {
    let reply = decode(&example("reply.cbor").bytes).unwrap().into_content();
    let reaction = decode(&example("reaction.cbor").bytes).unwrap().into_content();

    assert_eq!(reply.in_reply_to, Some(original()));
    assert_eq!(reaction.in_reply_to, Some(original()));
    assert_eq!(reaction.nested_part, NestedPart::reaction("\u{2764}"));
}

#[test]
fn the_delete_and_the_unlike_are_retractions_with_their_dispositions() {
    for (file, disposition) in [("delete.cbor", Disposition::Render), ("unlike.cbor", Disposition::Reaction)]
    {
        let content = decode(&example(file).bytes).unwrap().into_content();

        assert!(content.is_retraction());
        assert_eq!(content.nested_part, NestedPart::null(disposition));
    }
}

#[test]
fn the_attachment_is_an_encrypted_external_part() {
    let part = example("attachment.cbor").part();

    let Cardinality::External(external) = &part.cardinality else { panic!("not external") };
    assert_eq!(part.disposition, Disposition::Attachment);
    assert_eq!(part.languages().collect::<Vec<_>>(), ["en"]);
    assert_eq!(external.size, 708_234_961);
    assert!(matches!(external.encryption(), Ok(Encryption::Aes128Gcm { .. })));
    assert_eq!(external.filename, "bigfile.mp4");
}

#[test]
fn the_conference_is_a_session_without_encryption_in_a_topic() {
    let content = decode(&example("conferencing.cbor").bytes).unwrap().into_content();

    let session = ExternalPart {
        url: "https://example.com/join/12345".to_owned(),
        description: "Join the Foo 118 conference".to_owned(),
        ..ExternalPart::default()
    };
    assert_eq!(content.topic_id, b"Foo 118");
    assert_eq!(content.nested_part, NestedPart::external(Disposition::Session, session));
}

#[test]
fn the_three_reactions_are_three_parts() {
    let part = example("multipart-2.cbor").part();

    assert_eq!(part, NestedPart::reactions(&["\u{2764}", "\u{1F973}", "\u{1F91E}"]));
}

#[test]
fn the_nested_example_has_eleven_parts_numbered_depth_first() {
    let part = example("multipart-3.cbor").part();

    let images: Vec<_> = part
        .indexed()
        .filter(|(_, part)| {
            part.media_type().is_some_and(|media_type| media_type.essence.starts_with("image/"))
        })
        .map(|(index, part)| (index.0, part.media_type().unwrap().to_string()))
        .collect();

    assert_eq!(part.indexed().count(), 11);
    assert_eq!(images, [(5, "image/gif".to_owned()), (10, "image/png".to_owned())]);
}

#[test]
fn the_nested_example_refers_to_its_images_by_content_id() {
    let part = example("multipart-3.cbor").part();

    let (index, gif) = part.resolve_cid("cid:5@local.invalid").unwrap();

    assert_eq!(index, PartIndex(5));
    assert_eq!(gif.disposition, Disposition::Inline);
    assert_eq!(index.to_cid(), "cid:5@local.invalid");
}

#[test]
fn the_vendor_alternative_is_one_of_two() {
    let Cardinality::Multi(multi) = example("multipart-1.cbor").part().cardinality else {
        panic!("not multi")
    };

    assert_eq!(multi.semantics, PartSemantics::ChooseOne);
    assert_eq!(multi.parts[0], NestedPart::markdown("# Welcome!"));
    assert_eq!(multi.parts.len(), 2);
}

#[test]
fn the_status_example_reports_on_four_of_the_messages() {
    let bytes = include_bytes!("vectors/status.cbor");

    let report = MessageStatusReport::decode(bytes).unwrap();

    let id = |file: &str| MessageId(example(file).octets("message_id_08"));
    let entries: Vec<_> = report.0.iter().map(|entry| (entry.message_id, entry.status)).collect();
    let expected = [
        (id("original.cbor"), Status::Read),
        (id("reply.cbor"), Status::Read),
        (id("mention.cbor"), Status::Unread),
        (id("expiring.cbor"), Status::Expired),
    ];
    assert_eq!(entries, expected);
    assert_eq!(report.encode().unwrap(), bytes);
}
