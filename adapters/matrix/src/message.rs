use mimi_content::{NestedPart, PartSemantics};
use ruma::events::room::message::{FormattedBody, MessageFormat, MessageType};

/// What a message says, as MIMI content: its text, and its mark-up as it is where it has some.
///
/// An emote is shown as Matrix clients without emotes show it; a kind without a counterpart (a picture, a place) by the
/// text that Matrix wants it to carry for that.
pub(crate) fn part(message: &MessageType) -> NestedPart {
    match message {
        MessageType::Text(text) => text_part(&text.body, text.formatted.as_ref()),
        MessageType::Notice(notice) => text_part(&notice.body, notice.formatted.as_ref()),
        MessageType::Emote(emote) => {
            let formatted = emote
                .formatted
                .clone()
                .map(|formatted| FormattedBody { body: format!("* {}", formatted.body), ..formatted });
            text_part(&format!("* {}", emote.body), formatted.as_ref())
        }
        other => NestedPart::plain(other.body()),
    }
}

fn text_part(body: &str, formatted: Option<&FormattedBody>) -> NestedPart {
    match formatted {
        Some(html) if html.format == MessageFormat::Html => {
            let parts = vec![NestedPart::html(&html.body), NestedPart::plain(body)];
            NestedPart::multi(PartSemantics::ChooseOne, parts)
        }
        _ => NestedPart::plain(body),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn part_of(message: serde_json::Value) -> NestedPart {
        part(&serde_json::from_value(message).unwrap())
    }

    fn html_or_plain(html: &str, plain: &str) -> NestedPart {
        NestedPart::multi(PartSemantics::ChooseOne, vec![NestedPart::html(html), NestedPart::plain(plain)])
    }

    #[test]
    fn text_of_any_script_and_shape_stays_as_it_is() {
        for body in ["hi", "a\n\nb\n", "👩‍👩‍👧", "שלום \u{202e}x", "<b>", &"x".repeat(60 * 1024)]
        {
            assert_eq!(part_of(json!({ "msgtype": "m.text", "body": body })), NestedPart::plain(body));
            assert_eq!(part_of(json!({ "msgtype": "m.notice", "body": body })), NestedPart::plain(body));
        }
    }

    #[test]
    fn mark_up_is_offered_beside_the_plain_text() {
        let message = json!({
            "msgtype": "m.text", "body": "**hi**",
            "format": "org.matrix.custom.html", "formatted_body": "<b>hi</b>",
        });

        assert_eq!(part_of(message), html_or_plain("<b>hi</b>", "**hi**"));
    }

    #[test]
    fn mark_up_in_an_unknown_format_is_left_out() {
        let message =
            json!({ "msgtype": "m.text", "body": "hi", "format": "x.tex", "formatted_body": "\\hi" });

        assert_eq!(part_of(message), NestedPart::plain("hi"));
    }

    #[test]
    fn an_emote_is_marked_by_a_star() {
        let message = json!({
            "msgtype": "m.emote", "body": "waves",
            "format": "org.matrix.custom.html", "formatted_body": "<i>waves</i>",
        });

        assert_eq!(part_of(message), html_or_plain("* <i>waves</i>", "* waves"));
        assert_eq!(part_of(json!({ "msgtype": "m.emote", "body": "waves" })), NestedPart::plain("* waves"));
    }

    #[test]
    fn a_kind_without_a_counterpart_is_shown_by_its_text() {
        let picture = json!({ "msgtype": "m.image", "body": "cat.jpg", "url": "mxc://a.example/x" });
        let unknown = json!({ "msgtype": "x.dance", "body": "dances", "steps": 3 });

        assert_eq!(part_of(picture), NestedPart::plain("cat.jpg"));
        assert_eq!(part_of(unknown), NestedPart::plain("dances"));
    }
}
