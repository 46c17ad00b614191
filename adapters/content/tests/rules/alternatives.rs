//! What is shown (G25), and what content ids refer to (CM8).

use mimi_content::{CidError, Disposition, ExternalPart, NestedPart, PartIndex, PartSemantics, choose};

use crate::types;

fn shown(part: &NestedPart, accepted: &[&str]) -> Vec<u32> {
    choose(part, &types(accepted)).shown.iter().map(|shown| shown.index.0).collect()
}

#[test]
fn of_alternatives_the_receivers_first_type_wins_whatever_their_order() {
    let one = NestedPart::html_or_markdown("<b>hi</b>", "**hi**");
    let other = NestedPart::multi(
        PartSemantics::ChooseOne,
        vec![NestedPart::markdown("**hi**"), NestedPart::html("<b>hi</b>")],
    );
    let accepted = types(&["text/markdown;variant=GFM-MIMI", "text/plain", "text/html"]);

    assert_eq!(choose(&one, &accepted).text(), Some("**hi**"));
    assert_eq!(choose(&other, &accepted).text(), Some("**hi**"));
    assert_eq!(choose(&one, &types(&["text/html"])).text(), Some("<b>hi</b>"));
    assert!(choose(&one, &accepted).has_alternatives);
}

#[test]
fn among_equal_alternatives_the_senders_first_wins() {
    let part = NestedPart::multi(
        PartSemantics::ChooseOne,
        vec![NestedPart::plain("colour").in_language("en"), NestedPart::plain("couleur").in_language("fr")],
    );

    assert_eq!(choose(&part, &types(&["text/plain"])).text(), Some("colour"));
}

#[test]
fn a_message_without_alternatives_is_marked_so() {
    let choice = choose(&NestedPart::plain("hi"), &types(&["text/plain"])).has_alternatives;

    assert!(!choice);
}

#[test]
fn unreadable_parts_are_never_shown() {
    let unreadable = [
        NestedPart::null(Disposition::Render),
        NestedPart::single("text/plain;charset=utf-8", b"\xff"),
        NestedPart::single("text/plain;charset=iso-8859-1", b"hi"),
        NestedPart::single("no media type", b"hi"),
        NestedPart::single("image/png", b"png"),
    ];

    for part in unreadable {
        assert_eq!(shown(&part, &["text/*"]), Vec::<u32>::new(), "{part:?}");
    }
}

#[test]
fn a_single_unit_is_shown_whole_or_not_at_all() {
    let image = NestedPart::single("image/png", b"png");
    let unit = NestedPart::multi(PartSemantics::SingleUnit, vec![NestedPart::plain("hi"), image]);

    assert_eq!(shown(&unit, &["text/plain"]), Vec::<u32>::new());
    assert_eq!(shown(&unit, &["text/plain", "image/png"]), [1, 2]);
}

#[test]
fn of_parts_to_process_all_readable_ones_are_shown() {
    let image = NestedPart::single("image/png", b"png");
    let all = NestedPart::multi(PartSemantics::ProcessAll, vec![image, NestedPart::plain("hi")]);

    assert_eq!(shown(&all, &["text/plain"]), [2]);
    assert_eq!(shown(&all, &["text/plain", "image/png"]), [1, 2]);
}

#[test]
fn an_external_part_counts_by_its_type() {
    let video = ExternalPart { content_type: "video/mp4".to_owned(), ..ExternalPart::default() };
    let part = NestedPart::external(Disposition::Attachment, video);

    assert_eq!(shown(&part, &["text/plain", "video/*"]), [0]);
    assert_eq!(shown(&part, &["text/plain"]), Vec::<u32>::new());
}

#[test]
fn a_body_that_an_earlier_text_refers_to_is_shown_within_it() {
    let all = NestedPart::multi(
        PartSemantics::ProcessAll,
        vec![
            NestedPart::html("<img src=\"cid:2@local.invalid\">"),
            NestedPart::single("image/png", b"inline"),
            NestedPart::single("image/png", b"beside"),
        ],
    );

    let choice = choose(&all, &types(&["text/html", "image/png"]));

    let inlined: Vec<_> = choice.shown.iter().map(|shown| shown.inlined_in.map(|index| index.0)).collect();
    assert_eq!(inlined, [None, Some(1), None]);
    assert_eq!(choice.outermost().map(|shown| shown.index.0).collect::<Vec<_>>(), [1, 3]);
}

#[test]
fn alternatives_within_alternatives_keep_their_numbers() {
    let units = NestedPart::multi(
        PartSemantics::ChooseOne,
        vec![
            NestedPart::multi(
                PartSemantics::SingleUnit,
                vec![NestedPart::html("gif"), NestedPart::single("image/gif", b"")],
            ),
            NestedPart::multi(
                PartSemantics::SingleUnit,
                vec![NestedPart::html_or_markdown("png", "png"), NestedPart::single("image/png", b"")],
            ),
        ],
    );

    assert_eq!(shown(&units, &["text/markdown", "text/html", "image/png"]), [7, 8]);
    assert_eq!(shown(&units, &["text/html", "image/gif", "image/png"]), [2, 3]);
}

#[test]
fn cm8_content_ids_refer_to_bodies_only() {
    let part = NestedPart::multi(
        PartSemantics::ProcessAll,
        vec![NestedPart::plain("hi"), NestedPart::null(Disposition::Render)],
    );

    assert_eq!(part.resolve_cid("cid:1@local.invalid").unwrap().1, &NestedPart::plain("hi"));
    assert_eq!(part.resolve_cid("cid:0@local.invalid"), Err(CidError::NotABody(PartIndex(0))));
    assert_eq!(part.resolve_cid("cid:2@local.invalid"), Err(CidError::NotABody(PartIndex(2))));
    assert_eq!(part.resolve_cid("cid:3@local.invalid"), Err(CidError::NoSuchPart(PartIndex(3))));
}

#[test]
fn a_content_id_has_one_form() {
    let wrong = ["cid:01@local.invalid", "cid:+1@local.invalid", "cid:1@example.com", "CID:1@local.invalid"];
    let wrong =
        wrong.iter().chain(&["cid:@local.invalid", "cid:99999999999@local.invalid", "1@local.invalid"]);

    for uri in wrong {
        assert_eq!(NestedPart::plain("hi").resolve_cid(uri), Err(CidError::NotLocal), "{uri}");
    }
}
