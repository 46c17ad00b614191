//! What a provider's log says, line by line.

use serde_json::{Map, Value};

use super::limits::TEXT_WIDTH_MAX;

/// One line of a provider's log, as far as the demo is interested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LogLine {
    /// An exchange between the providers.
    Exchange(Exchange),
    /// Something that happened within one.
    Event(String),
    /// It has everything that it needs.
    Ready,
    /// Something that did not work, in one line.
    Trouble(String),
    /// Anything else that it logs.
    Other,
    /// Not a line of the log at all: the last words of a process that does not start.
    Words(String),
}

/// A request to the other provider, or from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Exchange {
    pub(super) endpoint: String,
    pub(super) direction: Direction,
    /// The other provider.
    pub(super) with: String,
    /// The HTTP status; none if there was no answer.
    pub(super) status: Option<u64>,
    pub(super) millis: Option<u64>,
    /// How many events it carried, if it says so.
    pub(super) events: Option<u64>,
}

/// Who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Sent,
    Received,
}

impl Exchange {
    /// Whether it did what it should.
    pub(super) fn succeeded(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

impl LogLine {
    /// Reads a line: one JSON object, as `serve --log json` writes it.
    pub(super) fn read(line: &str) -> Self {
        let Ok(Value::Object(event)) = serde_json::from_str::<Value>(line) else {
            return Self::Words(line.to_owned());
        };
        let Some(Value::Object(fields)) = event.get("fields") else { return Self::Other };
        if event.get("target").and_then(Value::as_str) == Some("drawbridge::step") {
            return step(fields);
        }
        let level = event.get("level").and_then(Value::as_str);
        let is_trouble = matches!(level, Some("WARN" | "ERROR")) || fields.contains_key("fault");
        if is_trouble { Self::Trouble(trouble(fields)) } else { Self::Other }
    }
}

fn step(fields: &Map<String, Value>) -> LogLine {
    if let Some(endpoint) = text(fields, "endpoint") {
        let (direction, with) = match (text(fields, "to"), text(fields, "from")) {
            (Some(to), _) => (Direction::Sent, to),
            (None, Some(from)) => (Direction::Received, from),
            (None, None) => (Direction::Received, "-".to_owned()),
        };
        let number = |name: &str| fields.get(name).and_then(Value::as_u64);
        let (status, millis, events) = (number("status"), number("millis"), number("events"));
        return LogLine::Exchange(Exchange { endpoint, direction, with, status, millis, events });
    }
    if text(fields, "what").as_deref() == Some("is ready") {
        return LogLine::Ready;
    }
    let named = [("", "who"), ("", "what"), ("with ", "with"), ("", "room")];
    let words = named
        .into_iter()
        .filter_map(|(before, name)| Some(format!("{before}{}", shortened(&text(fields, name)?))));
    LogLine::Event(words.collect::<Vec<_>>().join(" "))
}

/// What happened, and why, in one line.
fn trouble(fields: &Map<String, Value>) -> String {
    let message = text(fields, "message").unwrap_or_default();
    let why = ["fault", "error", "why", "status"].into_iter().find_map(|name| text(fields, name));
    let line = match why {
        Some(why) if message.is_empty() => why,
        Some(why) => format!("{why} ({message})"),
        None => message,
    };
    cut(&line)
}

fn text(fields: &Map<String, Value>, name: &str) -> Option<String> {
    match fields.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A URI whose last segment nobody reads is shown by its beginning.
fn shortened(word: &str) -> String {
    match word.rsplit_once('/') {
        Some((before, last)) if word.starts_with("mimi://") && last.len() > 12 && last.is_ascii() => {
            format!("{before}/{}…", &last[..8])
        }
        Some(_) | None => word.to_owned(),
    }
}

fn cut(line: &str) -> String {
    let line = line.replace('\n', " ");
    match line.char_indices().nth(TEXT_WIDTH_MAX) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(target: &str, level: &str, fields: &str) -> LogLine {
        LogLine::read(&format!(
            r#"{{"timestamp":"t","level":"{level}","target":"{target}","fields":{fields}}}"#
        ))
    }

    #[test]
    fn a_request_is_read_from_both_of_its_ends() {
        let sent = read(
            "drawbridge::step",
            "INFO",
            r#"{"endpoint":"notify","to":"b.example","room":"r","events":2,"status":201,"millis":3}"#,
        );
        let received = read(
            "drawbridge::step",
            "INFO",
            r#"{"endpoint":"notify","from":"a.example","status":201,"millis":1}"#,
        );

        let exchange = |direction, with: &str, millis, events| {
            LogLine::Exchange(Exchange {
                endpoint: "notify".to_owned(),
                direction,
                with: with.to_owned(),
                status: Some(201),
                millis: Some(millis),
                events,
            })
        };
        assert_eq!(sent, exchange(Direction::Sent, "b.example", 3, Some(2)));
        assert_eq!(received, exchange(Direction::Received, "a.example", 1, None));
    }

    #[test]
    fn a_request_without_an_answer_did_not_succeed() {
        let LogLine::Exchange(unanswered) =
            read("drawbridge::step", "INFO", r#"{"endpoint":"notify","to":"b.example","millis":3}"#)
        else {
            panic!("not an exchange");
        };

        assert!(!unanswered.succeeded());
        assert!(Exchange { status: Some(201), ..unanswered.clone() }.succeeded());
        assert!(!Exchange { status: Some(503), ..unanswered }.succeeded());
    }

    #[test]
    fn what_happens_is_a_sentence_with_short_names() {
        let opened = read(
            "drawbridge::step",
            "INFO",
            r#"{"who":"mimi://a.example/u/alice","what":"joins","room":"mimi://a.example/r/0123456789abcdef"}"#,
        );

        assert_eq!(
            opened,
            LogLine::Event("mimi://a.example/u/alice joins mimi://a.example/r/01234567…".to_owned())
        );
        assert_eq!(
            read("drawbridge::step", "INFO", r#"{"who":"a.example","what":"is ready"}"#),
            LogLine::Ready
        );
    }

    #[test]
    fn trouble_is_what_warns_or_names_a_fault() {
        let warned = read("mimi_bridge", "WARN", r#"{"message":"will be tried again","fault":"no answer"}"#);
        let quiet =
            read("mimi_server", "DEBUG", r#"{"message":"a follower cannot be reached","fault":"refused"}"#);
        let fine = read("mimi_server", "INFO", r#"{"message":"stopping"}"#);

        assert_eq!(warned, LogLine::Trouble("no answer (will be tried again)".to_owned()));
        assert_eq!(quiet, LogLine::Trouble("refused (a follower cannot be reached)".to_owned()));
        assert_eq!(fine, LogLine::Other);
    }

    #[test]
    fn what_is_no_log_line_is_somebodys_last_words() {
        assert_eq!(
            LogLine::read("drawbridge: provider.listen: in use"),
            LogLine::Words("drawbridge: provider.listen: in use".to_owned())
        );
    }

    #[test]
    fn a_line_stays_a_line() {
        let LogLine::Trouble(text) =
            read("x", "WARN", &format!(r#"{{"message":"a\nb{}"}}"#, "ü".repeat(300)))
        else {
            panic!("no trouble");
        };

        assert!(!text.contains('\n') && text.ends_with('…'));
        assert_eq!(text.chars().count(), TEXT_WIDTH_MAX + 1);
    }
}
