use mimi_adapter::{Outcome, Prepared, RefusedCode};
use ruma::events::Mentions;
use ruma::events::room::message::RoomMessageEventContent;
use ruma::html::{Html, SanitizerConfig};

use crate::limits::{EVENT_BYTES_MAX, EVENT_FRAME_BYTES};

/// The message that says this, with mark-up if there is some and it fits.
pub(crate) fn message(prepared: &Prepared) -> Result<RoomMessageEventContent, Outcome> {
    let plain = || RoomMessageEventContent::text_plain(&prepared.plain);
    let formatted = prepared
        .html
        .as_deref()
        .map(|html| RoomMessageEventContent::text_html(&prepared.plain, sanitized(html)));
    fitting(formatted).or_else(|| fitting(Some(plain()))).ok_or_else(too_large)
}

/// The message that says something for nobody.
pub(crate) fn notice(text: &str) -> Result<RoomMessageEventContent, Outcome> {
    fitting(Some(RoomMessageEventContent::notice_plain(text))).ok_or_else(too_large)
}

/// The mark-up that Matrix allows; of what is not meant to be read, not even the text.
fn sanitized(html: &str) -> String {
    let html = Html::parse(html);
    html.sanitize_with(
        &SanitizerConfig::strict().remove_elements(["script", "style", "head", "template", "title"]),
    );
    html.to_string()
}

/// The message, if it fits an event. It mentions nobody: without that, an `@room` in it would ring for all.
fn fitting(message: Option<RoomMessageEventContent>) -> Option<RoomMessageEventContent> {
    let mut message = message?;
    message.mentions = Some(Mentions::new());
    let bytes = serde_json::to_vec(&message).ok()?;
    (bytes.len() + EVENT_FRAME_BYTES <= EVENT_BYTES_MAX).then_some(message)
}

fn too_large() -> Outcome {
    Outcome::refused(RefusedCode::TooLarge, "the message does not fit a Matrix event")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::TEXT_BYTES_MAX;
    use serde_json::{Value, json};

    fn json_of(prepared: &Prepared) -> Value {
        serde_json::to_value(message(prepared).unwrap()).unwrap()
    }

    #[test]
    fn plain_text_is_a_plain_message_that_mentions_nobody() {
        assert_eq!(
            json_of(&Prepared::text("@room\nhi")),
            json!({ "msgtype": "m.text", "body": "@room\nhi", "m.mentions": {} })
        );
    }

    #[test]
    fn html_is_reduced_to_what_matrix_allows() {
        let html = "<b onclick=\"x()\">hi</b><script>x()</script><img src=\"https://x.example/p.png\">";
        let prepared = Prepared { html: Some(html.to_owned()), ..Prepared::text("hi") };

        let json = json_of(&prepared);

        assert_eq!(json["format"], "org.matrix.custom.html");
        assert_eq!(json["formatted_body"], "<b>hi</b>");
    }

    #[test]
    fn mark_up_that_does_not_fit_is_left_out() {
        let text = "x".repeat(TEXT_BYTES_MAX);
        let prepared = Prepared { html: Some(format!("<p>{text}</p>")), ..Prepared::text(&text) };

        assert_eq!(json_of(&prepared), json_of(&Prepared::text(text)));
    }

    #[test]
    fn a_text_that_does_not_fit_is_refused() {
        for text in ["x".repeat(EVENT_BYTES_MAX), "\n".repeat(TEXT_BYTES_MAX)] {
            let refused = message(&Prepared::text(&text));
            assert!(matches!(refused, Err(Outcome::Refused { code: RefusedCode::TooLarge, .. })));
        }
    }
}
