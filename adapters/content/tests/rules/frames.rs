//! Frames and receipts (C1, C3).

use mimi_content::{
    ApplicationFraming, FramingError, MediaType, MediaTypeList, MessageStatusReport, NestedPart, Rule, Status,
};

use crate::id;

#[test]
fn a_frame_has_the_octets_of_its_presentation_language() {
    let media_type: MediaType = "text/plain;charset=utf-8".parse().unwrap();

    let frame = ApplicationFraming::new(media_type, b"hi").encode().unwrap();

    assert_eq!(frame, b"\x0atext/plain\x0e\x07charset\x05utf-8\x02hi");
    assert_eq!(ApplicationFraming::decode(&frame).unwrap().encode(), Ok(frame.clone()));
}

#[test]
fn a_frame_without_a_type_has_the_rooms_first() {
    let required = MediaTypeList::of_our_rooms();

    let frame = ApplicationFraming::decode(b"\x00\x00\x02hi").unwrap();

    assert_eq!(frame.content, b"hi");
    assert_eq!(frame.resolved_type(&required).to_string(), "application/mimi-content");
}

#[test]
fn lengths_of_frames_are_of_1_2_or_4_octets_and_minimal() {
    for (length, head) in [(63, "3f"), (64, "4040"), (16_383, "7fff"), (16_384, "80004000")] {
        let content = vec![0; length];
        let frame = ApplicationFraming::of_first_type(&content).encode().unwrap();

        assert_eq!(hex::encode(&frame[2..frame.len() - length]), head);
        assert_eq!(ApplicationFraming::decode(&frame).unwrap().content, content);
    }
    for wrong in ["0000400168", "00008000000168", "0000c00000000000000168"] {
        let frame = hex::decode(wrong).unwrap();
        assert_eq!(ApplicationFraming::decode(&frame), Err(FramingError::LengthNotMinimal), "{wrong}");
    }
}

#[test]
fn malformed_frames_are_refused() {
    assert_eq!(ApplicationFraming::decode(b""), Err(FramingError::Truncated));
    assert_eq!(ApplicationFraming::decode(b"\x00\x00\x03hi"), Err(FramingError::Truncated));
    assert_eq!(ApplicationFraming::decode(b"\x00\x00\x02hi!"), Err(FramingError::TrailingBytes));
    assert_eq!(ApplicationFraming::decode(b"\x04text\x00\x02hi"), Err(FramingError::NotAMediaType));
    assert_eq!(ApplicationFraming::decode(b"\x01\xff\x00\x02hi"), Err(FramingError::NotAMediaType));
    assert_eq!(ApplicationFraming::decode(b"\x00\x04\x01x\x01y\x02hi"), Err(FramingError::NotAMediaType));
}

#[test]
fn the_list_of_media_types_goes_round_and_is_never_empty() {
    let list = MediaTypeList::of_our_rooms();

    let component = list.encode().unwrap();

    assert_eq!(MediaTypeList::decode(&component), Ok(list.clone()));
    assert!(list.contains(&"text/markdown;variant=GFM-MIMI".parse().unwrap()));
    assert_eq!(list.types().len(), 4);
    assert_eq!(MediaTypeList::decode(b"\x00"), Err(FramingError::ListLength));
    assert_eq!(MediaTypeList::decode(b"\x02\x00\x00"), Err(FramingError::NotAMediaType));
    assert_eq!(MediaTypeList::decode(b"\x05\x03a/b\x00\x00"), Err(FramingError::TrailingBytes));
    assert_eq!(
        MediaTypeList::decode(&[b"\x41\x45".as_slice(), &b"\x03a/b\x00".repeat(65)].concat()),
        Err(FramingError::ListLength)
    );
}

#[test]
fn statuses_change_only_where_it_makes_sense() {
    use Status::{Deleted, Delivered, Error, Expired, Hidden, Read, Unread};
    let unknown = Status::from_code(7);
    let all = [Unread, Delivered, Read, Expired, Deleted, Hidden, Error, unknown];
    let successors = |from: Status| all.into_iter().filter(|&to| from.can_become(to)).collect::<Vec<_>>();

    assert_eq!(successors(Delivered), all);
    assert_eq!(successors(Unread), [Unread, Read, Expired, Deleted, Hidden, unknown]);
    assert_eq!(successors(Read), [Unread, Read, Expired, Deleted, Hidden, unknown]);
    assert_eq!(successors(Hidden), [Unread, Read, Expired, Deleted, Hidden, unknown]);
    assert_eq!(successors(Expired), [Expired, Deleted, unknown]);
    assert_eq!(successors(Deleted), [Deleted, unknown]);
    assert_eq!(successors(Error), all);
    assert_eq!(successors(unknown), all);
}

#[test]
fn a_report_travels_framed_or_as_the_body_of_a_message() {
    let report = MessageStatusReport::of(Status::Read, &[id(1), id(2)]);

    let part = report.to_part().unwrap();

    assert_eq!(MessageStatusReport::decode(&report.encode().unwrap()), Ok(report.clone()));
    assert_eq!(MessageStatusReport::from_part(&part), Some(Ok(report)));
    assert_eq!(MessageStatusReport::from_part(&NestedPart::plain("hi")), None);
}

#[test]
fn a_report_of_too_many_statuses_is_not_sent() {
    let report = MessageStatusReport::of(Status::Read, &vec![id(1); 1025]);

    assert_eq!(report.encode().unwrap_err().rule, Rule::TooManyStatuses);
}
