//! Percent-encoding in its one canonical form.

/// Whether a byte stands for itself in a path segment (RFC 3986 `pchar`, without `%`).
pub(crate) fn is_bare(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte)
}

/// Whether a segment is canonical: not empty, no dot segment, escapes upper-case and only where needed, UTF-8 within.
pub(crate) fn is_canonical_segment(segment: &str) -> bool {
    if segment.is_empty() || segment == "." || segment == ".." {
        return false;
    }
    decode(segment).is_some()
}

/// The bytes a canonical segment stands for, as text; `None` if it is not canonical.
pub(crate) fn decode(segment: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let escaped = hex_upper(rest.next()?)? << 4 | hex_upper(rest.next()?)?;
            if is_bare(escaped) || escaped.is_ascii_control() {
                return None;
            }
            decoded.push(escaped);
        } else if is_bare(byte) {
            decoded.push(byte);
        } else {
            return None;
        }
    }
    String::from_utf8(decoded).ok()
}

/// The canonical segment for a text.
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if is_bare(byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(char::from(b"0123456789ABCDEF"[usize::from(byte >> 4)]));
            encoded.push(char::from(b"0123456789ABCDEF"[usize::from(byte & 15)]));
        }
    }
    encoded
}

fn hex_upper(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}
