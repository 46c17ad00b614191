use std::time::{SystemTime, UNIX_EPOCH};

/// Lines with a heading, each column as wide as its widest cell; the last one is left as it is.
pub(crate) fn aligned(heading: &[&str], rows: &[Vec<String>]) -> Vec<String> {
    let heading: Vec<String> = heading.iter().map(|cell| (*cell).to_owned()).collect();
    let all: Vec<&Vec<String>> = std::iter::once(&heading).chain(rows).collect();
    let width = |column: usize| all.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..heading.len()).map(width).collect();
    let line = |row: &&Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    all.iter().map(line).collect()
}

/// How long ago a time was, in one unit.
pub(crate) fn ago(at_ms: Option<u64>, now_ms: u64) -> String {
    at_ms.map_or_else(|| "-".to_owned(), |at_ms| span(now_ms.saturating_sub(at_ms)))
}

/// How long a time is still away, in one unit.
pub(crate) fn until(at_ms: Option<u64>, now_ms: u64) -> String {
    at_ms.map_or_else(|| "-".to_owned(), |at_ms| format!("in {}", span(at_ms.saturating_sub(now_ms))))
}

fn span(ms: u64) -> String {
    match ms / 1000 {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds @ 7200..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

/// The time of day, in milliseconds since 1970.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_they_must_be() {
        let rows = [vec!["a".to_owned(), "→ b".to_owned(), "why".to_owned()]];

        assert_eq!(aligned(&["lane", "whose", ""], &rows), ["lane  whose", "a     → b    why"]);
    }

    #[test]
    fn times_are_told_in_one_unit() {
        assert_eq!(ago(Some(1_000), 120_999), "119 s");
        assert_eq!(ago(Some(0), 7_199_000), "119 min");
        assert_eq!(ago(None, 7), "-");
        assert_eq!(until(Some(200_000_000), 0), "in 2 d");
    }
}
