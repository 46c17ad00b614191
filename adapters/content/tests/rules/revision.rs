//! Who edits and deletes what (CM12, CM13).

use mimi_content::{
    Capability, Disposition, Expiration, MimiContent, NestedPart, Posted, Revision, RevisionRefused,
    author_only, revise,
};

use crate::{ALICE, BOB, SALT, hi, id};

fn posted<'a>(sender_uri: &'a str, content: &'a MimiContent) -> Posted<'a> {
    Posted { sender_uri, content }
}

fn reaction() -> MimiContent {
    MimiContent::new(SALT, NestedPart::reaction("\u{2764}")).replying_to(id(1))
}

#[test]
fn cm12_the_author_edits_and_nobody_else_whatever_the_policy() {
    let edit = MimiContent::text([8; 16], "ho").replacing(id(1));

    let own = revise(posted(ALICE, &hi()), posted(ALICE, &edit), author_only).unwrap();
    let other = revise(posted(ALICE, &hi()), posted(BOB, &edit), |_| true);

    assert_eq!(own.revision, Revision::Edit);
    assert_eq!(own.content.nested_part, NestedPart::plain("ho"));
    assert_eq!(other, Err(RevisionRefused::NotTheAuthor));
}

#[test]
fn cm12_others_delete_only_with_the_capability() {
    let delete = MimiContent::retraction([8; 16], id(1), Disposition::Render);
    let needed = Capability::DeleteOtherMessage;

    let without = revise(posted(ALICE, &hi()), posted(BOB, &delete), author_only);
    let with = revise(posted(ALICE, &hi()), posted(BOB, &delete), |capability| capability == needed);

    assert_eq!(without, Err(RevisionRefused::NotPermitted(needed)));
    assert_eq!(with.unwrap().revision, Revision::Delete);
}

#[test]
fn an_author_without_the_capability_may_not_edit_delete_or_unlike() {
    let edit = MimiContent::text([8; 16], "ho").replacing(id(1));
    let retraction = MimiContent::retraction([8; 16], id(1), Disposition::Reaction);
    let refusal = |first: &MimiContent, revision: &MimiContent| {
        revise(posted(ALICE, first), posted(ALICE, revision), |_| false).unwrap_err()
    };

    assert_eq!(refusal(&hi(), &edit), RevisionRefused::NotPermitted(Capability::EditOwnMessage));
    assert_eq!(refusal(&hi(), &retraction), RevisionRefused::NotPermitted(Capability::DeleteOwnMessage));
    assert_eq!(refusal(&reaction(), &edit), RevisionRefused::NotPermitted(Capability::EditReaction));
    assert_eq!(
        refusal(&reaction(), &retraction),
        RevisionRefused::NotPermitted(Capability::DeleteOwnReaction)
    );
}

#[test]
fn reactions_of_others_have_their_own_capability() {
    let unlike = MimiContent::retraction([8; 16], id(1), Disposition::Reaction);

    let own = revise(posted(ALICE, &reaction()), posted(ALICE, &unlike), author_only).unwrap();
    let other = revise(posted(ALICE, &reaction()), posted(BOB, &unlike), author_only);

    assert_eq!(own.revision, Revision::Unlike);
    assert_eq!(other, Err(RevisionRefused::NotPermitted(Capability::DeleteOtherReaction)));
}

#[test]
fn capabilities_have_the_numbers_of_the_policy_draft() {
    let codes = [
        Capability::EditReaction,
        Capability::DeleteOwnReaction,
        Capability::DeleteOtherReaction,
        Capability::EditOwnMessage,
        Capability::DeleteOwnMessage,
        Capability::DeleteOtherMessage,
    ]
    .map(Capability::code);

    assert_eq!(codes, [0x106, 0x107, 0x108, 0x109, 0x10a, 0x10b]);
}

#[test]
fn only_a_first_version_can_be_revised() {
    let edit = MimiContent::text([8; 16], "ho").replacing(id(1));

    let of_an_edit = revise(posted(ALICE, &edit), posted(ALICE, &edit), |_| true);
    let of_nothing = revise(posted(ALICE, &hi()), posted(ALICE, &hi()), |_| true);

    assert_eq!(of_an_edit, Err(RevisionRefused::NotTheFirstVersion));
    assert_eq!(of_nothing, Err(RevisionRefused::NoRevision));
}

#[test]
fn cm13_an_edit_changes_the_body_and_nothing_else() {
    let first = hi().in_topic(b"tea").replying_to(id(1));
    let faithful = MimiContent::text([8; 16], "ho").in_topic(b"tea").replying_to(id(1)).replacing(id(1));
    let overreaching =
        MimiContent::text([8; 16], "ho").expiring(Expiration::AfterReading { seconds: 1 }).replacing(id(1));

    let revised =
        |edit: &MimiContent| revise(posted(ALICE, &first), posted(ALICE, edit), author_only).unwrap();

    let expected = MimiContent { nested_part: NestedPart::plain("ho"), ..first.clone() };
    assert_eq!(revised(&faithful).content, expected);
    assert!(!revised(&faithful).has_overreached);
    assert_eq!(revised(&overreaching).content, expected);
    assert!(revised(&overreaching).has_overreached);
}
