//! GFM-MIMI knows no HTML: the sender takes the tags out of it.

use std::borrow::Cow;

/// Markdown in which no HTML tag is left: the `<` of each becomes `&lt;`, as the draft has every sender do.
///
/// What begins like a tag is taken for one, whether or not it is ever closed: in text, `&lt;` reads as `<`
/// anyway. Code keeps its `<`, for there `&lt;` would be read as it stands, but only where it is code beyond
/// doubt: fenced from the first column, or within one line. Links in angle brackets stay links.
pub fn without_html_tags(markdown: &str) -> Cow<'_, str> {
    if !markdown.contains('<') {
        return Cow::Borrowed(markdown);
    }
    let mut clean = String::with_capacity(markdown.len());
    let mut fence = None;
    for line in markdown.split_inclusive('\n') {
        if let Some(open) = fence {
            clean.push_str(line);
            fence = (!closes(line, open)).then_some(open);
            continue;
        }
        fence = opens(line);
        if fence.is_some() {
            clean.push_str(line);
        } else {
            clean_line(line, &mut clean);
        }
    }
    Cow::Owned(clean)
}

/// The fence that a line opens: its character and how many of them.
fn opens(line: &str) -> Option<(char, usize)> {
    let fence @ ('`' | '~') = line.chars().next()? else { return None };
    let length = run_length(line, fence);
    let is_inline_code = fence == '`' && line[length..].contains('`');
    (length >= 3 && !is_inline_code).then_some((fence, length))
}

fn closes(line: &str, (fence, length): (char, usize)) -> bool {
    let run = run_length(line, fence);
    run >= length && line[run..].trim().is_empty()
}

fn clean_line(line: &str, clean: &mut String) {
    // Cells of a table end at its bars, and code ends with them.
    let may_have_code = !line.contains('|');
    let mut rest = line;
    while let Some(at) = rest.find(['<', '`', '\\']) {
        let (before, special) = rest.split_at(at);
        clean.push_str(before);
        let taken = match special.as_bytes()[0] {
            b'<' if begins_tag(&special[1..]) => {
                clean.push_str("&lt;");
                rest = &special[1..];
                continue;
            }
            b'<' => autolink_length(special),
            b'`' if may_have_code => code_length(special),
            b'\\' if special[1..].starts_with(|next: char| next.is_ascii_punctuation()) => 2,
            _ => 1,
        };
        clean.push_str(&special[..taken]);
        rest = &special[taken..];
    }
    clean.push_str(rest);
}

/// GFM 6.10: open and closing tags, comments, processing instructions, declarations, CDATA; told from
/// autolinks (6.8) by what follows the name.
fn begins_tag(after_bracket: &str) -> bool {
    if after_bracket.starts_with(['!', '?']) {
        return true;
    }
    let name = after_bracket.strip_prefix('/').unwrap_or(after_bracket);
    let after_name = name.trim_start_matches(|next: char| next.is_ascii_alphanumeric() || next == '-');
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && !after_name.starts_with([':', '@', '.', '+'])
}

/// Octets of the autolink that `text` begins with; only its bracket if it is none.
fn autolink_length(text: &str) -> usize {
    match text[1..].find(|next: char| matches!(next, '<' | '>') || next.is_whitespace()) {
        Some(end)
            if text[1..].starts_with(|first: char| first.is_ascii_alphabetic())
                && text[1 + end..].starts_with('>') =>
        {
            end + 2
        }
        Some(_) | None => 1,
    }
}

/// Octets of the code that `text` begins with, its backticks included; only the backticks if no code follows
/// them.
fn code_length(text: &str) -> usize {
    let opening = run_length(text, '`');
    let mut at = opening;
    while let Some(found) = text[at..].find('`') {
        let closing = run_length(&text[at + found..], '`');
        at += found + closing;
        if closing == opening {
            return at;
        }
    }
    opening
}

fn run_length(text: &str, of: char) -> usize {
    text.len() - text.trim_start_matches(of).len()
}

#[cfg(test)]
mod tests {
    use super::without_html_tags;

    #[test]
    fn every_kind_of_html_tag_loses_its_bracket() {
        let tags = [
            "<b>",
            "</b>",
            "<br/>",
            "<a href=\"x\">",
            "<!-- x -->",
            "<?php ?>",
            "<!DOCTYPE x>",
            "<![CDATA[x]]>",
        ];

        for tag in tags {
            assert_eq!(without_html_tags(tag), format!("&lt;{}", &tag[1..]));
        }
    }

    #[test]
    fn what_is_no_tag_stays() {
        let texts = [
            "1 < 2",
            "<3",
            "<https://a.example>",
            "<mimi://a.example/u/bob>",
            "<bob@a.example>",
            "a <",
            r"\<b\>",
        ];

        for text in texts {
            assert_eq!(without_html_tags(text), text);
        }
    }

    #[test]
    fn code_keeps_its_brackets() {
        let texts =
            ["`<b>`", "``a ` <b>``", "```\n<b>\n\n<i> ``` \n```\n", "~~~ html\n<b>", "```` `<b>` ````"];

        for text in texts {
            assert_eq!(without_html_tags(text), text);
        }
    }

    #[test]
    fn text_after_a_fenced_block_is_text_again() {
        let text = "```\n<b>\n````\n<i>";

        assert_eq!(without_html_tags(text), "```\n<b>\n````\n&lt;i>");
    }

    #[test]
    fn backticks_that_open_no_code_protect_nothing() {
        assert_eq!(without_html_tags("` <b>"), "` &lt;b>");
        assert_eq!(without_html_tags("# `a\n<b>`"), "# `a\n&lt;b>`");
        assert_eq!(without_html_tags("\\` <b> `"), "\\` &lt;b> `");
        assert_eq!(without_html_tags("``<b>`"), "``&lt;b>`");
        assert_eq!(without_html_tags("| ` | <b> ` |"), "| ` | &lt;b> ` |");
        assert_eq!(without_html_tags("<https://a.example/`> <b> `"), "<https://a.example/`> &lt;b> `");
    }
}
