/// The bytes that stand for themselves, besides `a-z`, `0-9` and `-`.
///
/// `=` never does: it starts an escape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bare(&'static [u8]);

impl Bare {
    /// Only `a-z`, `0-9` and `-`.
    pub const STRICT: Self = Self(b"");

    /// Also `.` and `_`.
    pub const DOTTED: Self = Self(b"._");

    fn contains(self, byte: u8) -> bool {
        matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-') || self.0.contains(&byte)
    }
}

/// Writes every byte that is not bare as `=hh`.
pub fn escape(text: &str, bare: Bare) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if bare.contains(byte) {
            escaped.push(char::from(byte));
        } else {
            push_escape(&mut escaped, byte);
        }
    }
    escaped
}

/// Reads what [`escape`] writes; `None` for anything else.
pub fn unescape(escaped: &str, bare: Bare) -> Option<String> {
    let text = unescape_any(escaped)?;
    (escape(&text, bare) == escaped).then_some(text)
}

/// Replaces every `=hh`, wherever it is.
pub(super) fn unescape_any(escaped: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(escaped.len());
    let mut rest = escaped.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(if byte == b'=' { hex(rest.next()?)? << 4 | hex(rest.next()?)? } else { byte });
    }
    String::from_utf8(bytes).ok()
}

pub(super) fn push_escape(escaped: &mut String, byte: u8) {
    escaped.push('=');
    escaped.push(char::from(b"0123456789abcdef"[usize::from(byte >> 4)]));
    escaped.push(char::from(b"0123456789abcdef"[usize::from(byte & 15)]));
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_not_bare_is_escaped_byte_by_byte() {
        assert_eq!(escape("@Alice:a.example", Bare::STRICT), "=40=41lice=3aa=2eexample");
        assert_eq!(escape("bob_b.c", Bare::DOTTED), "bob_b.c");
        assert_eq!(escape("ü=", Bare::DOTTED), "=c3=bc=3d");
    }

    #[test]
    fn a_spelling_that_escape_would_not_write_is_nobodys() {
        for spelling in ["=61", "=2E", "=2", "=", "=zz", "A", "a.b", "=ff", "a b", "ü"] {
            assert_eq!(unescape(spelling, Bare::STRICT), None, "{spelling}");
        }
        assert_eq!(unescape("=2e", Bare::DOTTED), None);
    }

    proptest! {
        #[test]
        fn any_text_reads_back(text in ".{0,40}") {
            for bare in [Bare::STRICT, Bare::DOTTED] {
                prop_assert_eq!(unescape(&escape(&text, bare), bare), Some(text.clone()));
            }
        }

        #[test]
        fn whatever_reads_is_written_the_same(spelling in "[a-c=0-9._A-]{0,12}") {
            for bare in [Bare::STRICT, Bare::DOTTED] {
                if let Some(text) = unescape(&spelling, bare) {
                    prop_assert_eq!(escape(&text, bare), spelling.clone());
                }
            }
        }
    }
}
