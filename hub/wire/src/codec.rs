//! The TLS presentation language as RFC 9420 writes it: big-endian numbers, `<V>` vectors, `optional`.

use mimi_mls::{MlsDecodeError, MlsMessage, group_info_length};

use crate::decode_error::DecodeError;

/// What can be the whole body of a request or of an answer.
pub trait Body: Sized {
    /// Reads a value that ends where `bytes` end.
    fn decode(bytes: &[u8]) -> Result<Self, DecodeError>;

    /// The value's bytes; there is exactly one encoding of a value.
    fn encode(&self) -> Vec<u8>;
}

/// A value with an encoding, alone or inside others.
pub(crate) trait Wire: Sized {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError>;
    fn write(&self, out: &mut Vec<u8>);

    /// About how long the encoding is, so that writing it seldom has to move what is written.
    fn length_hint(&self) -> usize {
        256
    }
}

/// Gives structs their public `decode` and `encode`.
macro_rules! body {
    ($($name:ty),+ $(,)?) => {$(
        impl $name {
            /// Reads a value that ends where `bytes` end; every length minimal, nothing missing, nothing behind.
            pub fn decode(bytes: &[u8]) -> Result<Self, $crate::decode_error::DecodeError> {
                $crate::codec::decode_whole(bytes)
            }

            /// The value's bytes; there is exactly one encoding of a value.
            pub fn encode(&self) -> Vec<u8> {
                $crate::codec::encoded(self)
            }
        }

        impl $crate::codec::Body for $name {
            fn decode(bytes: &[u8]) -> Result<Self, $crate::decode_error::DecodeError> {
                $crate::codec::decode_whole(bytes)
            }

            fn encode(&self) -> Vec<u8> {
                $crate::codec::encoded(self)
            }
        }
    )+};
}
pub(crate) use body;

/// Defines a u8 enumeration: the codes that exist, and nothing else.
macro_rules! codes {
    (
        $(#[$doc:meta])*
        $name:ident($draft_name:literal) { $($(#[$code_doc:meta])* $code:ident = $value:literal $code_name:literal,)+ }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$code_doc])* $code,)+
        }

        impl $name {
            /// Every code there is.
            pub const ALL: &[Self] = &[$(Self::$code),+];

            /// The code on the wire.
            pub const fn code(self) -> u8 {
                match self {
                    $(Self::$code => $value,)+
                }
            }

            /// The code's name in the draft.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$code => $code_name,)+
                }
            }
        }

        impl TryFrom<u8> for $name {
            type Error = $crate::decode_error::DecodeError;

            fn try_from(value: u8) -> Result<Self, Self::Error> {
                Self::ALL
                    .iter()
                    .copied()
                    .find(|known| known.code() == value)
                    .ok_or($crate::decode_error::DecodeError::UnknownCode { of: $draft_name, value })
            }
        }

        impl $crate::codec::Wire for $name {
            fn read(
                reader: &mut $crate::codec::Reader<'_>,
            ) -> Result<Self, $crate::decode_error::DecodeError> {
                reader.byte()?.try_into()
            }

            fn write(&self, out: &mut Vec<u8>) {
                out.push(self.code());
            }
        }
    };
}
pub(crate) use codes;

pub(crate) fn decode_whole<T: Wire>(bytes: &[u8]) -> Result<T, DecodeError> {
    let mut reader = Reader::new(bytes);
    let value = T::read(&mut reader)?;
    reader.finish()?;
    Ok(value)
}

pub(crate) fn encoded<T: Wire>(value: &T) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.length_hint());
    value.write(&mut out);
    out
}

/// A cursor over received bytes.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn finish(&self) -> Result<(), DecodeError> {
        if self.is_empty() { Ok(()) } else { Err(DecodeError::TrailingBytes(self.rest.len())) }
    }

    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(*taken)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, DecodeError> {
        self.array().map(|[byte]| byte)
    }

    /// The bytes of an `opaque<V>`. The length is a QUIC varint in its shortest form, at most four bytes long.
    pub(crate) fn opaque(&mut self) -> Result<&'a [u8], DecodeError> {
        let first = self.byte()?;
        let (more, floor) = match first >> 6 {
            0 => (0, 0),
            1 => (1, 1 << 6),
            2 => (3, 1 << 14),
            _ => return Err(DecodeError::LengthNotMinimal),
        };
        let mut length = usize::from(first & 0x3f);
        for byte in self.take(more)? {
            length = length << 8 | usize::from(*byte);
        }
        if length < floor {
            return Err(DecodeError::LengthNotMinimal);
        }
        self.take(length)
    }

    /// An `opaque<V>` of at most `max` bytes.
    pub(crate) fn opaque_max(&mut self, of: &'static str, max: usize) -> Result<&'a [u8], DecodeError> {
        let bytes = self.opaque()?;
        if bytes.len() > max {
            return Err(DecodeError::TooLong { of, max });
        }
        Ok(bytes)
    }

    /// An `opaque<V>` of at most `max` bytes that is UTF-8 without NUL.
    pub(crate) fn text(&mut self, of: &'static str, max: usize) -> Result<&'a str, DecodeError> {
        let text = str::from_utf8(self.opaque_max(of, max)?).map_err(|_| DecodeError::NotText { of })?;
        if text.contains('\0') {
            return Err(DecodeError::NotText { of });
        }
        Ok(text)
    }

    /// A vector of at most `max` structs.
    pub(crate) fn list<T: Wire>(&mut self, of: &'static str, max: usize) -> Result<Vec<T>, DecodeError> {
        self.list_with(of, max, T::read)
    }

    /// A vector of at most `max` values that `read` reads.
    pub(crate) fn list_with<T>(
        &mut self,
        of: &'static str,
        max: usize,
        mut read: impl FnMut(&mut Reader<'a>) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        let mut items = Reader::new(self.opaque()?);
        let mut list = Vec::new();
        while !items.is_empty() {
            if list.len() == max {
                return Err(DecodeError::TooMany { of, max });
            }
            list.push(read(&mut items)?);
        }
        Ok(list)
    }

    /// An `optional<T>`.
    pub(crate) fn optional<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, DecodeError> {
        match self.byte()? {
            0 => Ok(None),
            1 => read(self).map(Some),
            value => Err(DecodeError::NotABool(value)),
        }
    }

    /// A bare `Welcome`, made a whole message.
    pub(crate) fn welcome(&mut self) -> Result<MlsMessage, DecodeError> {
        let (welcome, length) = MlsMessage::split_first_welcome(self.rest)?;
        self.take(length)?;
        Ok(welcome)
    }

    /// A bare `GroupInfo`.
    pub(crate) fn group_info(&mut self) -> Result<Vec<u8>, DecodeError> {
        let length = group_info_length(self.rest).ok_or(MlsDecodeError::Malformed)?;
        self.take(length).map(<[u8]>::to_vec)
    }

    /// A bare `KeyPackage`.
    pub(crate) fn key_package(&mut self) -> Result<Vec<u8>, DecodeError> {
        let framed = [KEY_PACKAGE_HEAD, self.rest].concat();
        let (message, length) = MlsMessage::split_first(&framed)?;
        self.take(length - KEY_PACKAGE_HEAD.len())?;
        Ok(message.body().to_vec())
    }
}

/// What stands before a `KeyPackage` in an `MLSMessage`: version mls10, then the wire format (RFC 9420 §6).
const KEY_PACKAGE_HEAD: &[u8] = &[0, 1, 0, 5];

/// Appends an `opaque<V>`.
pub(crate) fn put_opaque(out: &mut Vec<u8>, bytes: &[u8]) {
    let [.., a, b, c, d] = bytes.len().to_be_bytes();
    debug_assert!(bytes.len() < 1 << 30, "a vector has less than 2^30 bytes");
    match bytes.len() {
        0..0x40 => out.push(d),
        0x40..0x4000 => out.extend([c | 0x40, d]),
        _ => out.extend([a | 0x80, b, c, d]),
    }
    out.extend_from_slice(bytes);
}

/// Appends a vector of structs.
pub(crate) fn put_list<T: Wire>(out: &mut Vec<u8>, list: &[T]) {
    put_list_with(out, list, T::write);
}

/// Appends a vector of values that `write` writes.
pub(crate) fn put_list_with<T>(out: &mut Vec<u8>, list: &[T], write: impl Fn(&T, &mut Vec<u8>)) {
    let mut items = Vec::new();
    for item in list {
        write(item, &mut items);
    }
    put_opaque(out, &items);
}

/// Appends an `optional<T>`.
pub(crate) fn put_optional<T>(out: &mut Vec<u8>, value: Option<&T>, write: impl FnOnce(&T, &mut Vec<u8>)) {
    match value {
        None => out.push(0),
        Some(value) => {
            out.push(1);
            write(value, out);
        }
    }
}

impl Wire for u16 {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.array().map(u16::from_be_bytes)
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.to_be_bytes());
    }
}

impl Wire for u64 {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.array().map(u64::from_be_bytes)
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.to_be_bytes());
    }
}

impl Wire for MlsMessage {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (message, length) = Self::split_first(reader.rest)?;
        reader.take(length)?;
        Ok(message)
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_is_written_in_its_shortest_form_and_read_back() {
        for (length, head) in [(0, 1), (63, 1), (64, 2), (16_383, 2), (16_384, 4), (70_000, 4)] {
            let bytes = vec![7; length];
            let mut encoded = Vec::new();

            put_opaque(&mut encoded, &bytes);

            assert_eq!(encoded.len(), head + length);
            assert_eq!(Reader::new(&encoded).opaque(), Ok(bytes.as_slice()));
        }
    }

    #[test]
    fn a_length_that_could_be_shorter_is_refused() {
        for bytes in [&[0x40, 1, 7][..], &[0x80, 0, 0, 1, 7], &[0xc0, 0, 0, 0, 0, 0, 0, 1, 7]] {
            assert_eq!(Reader::new(bytes).opaque(), Err(DecodeError::LengthNotMinimal));
        }
    }

    #[test]
    fn a_length_beyond_the_end_is_refused_before_anything_is_allocated() {
        assert_eq!(Reader::new(&[0xbf, 0xff, 0xff, 0xff, 0]).opaque(), Err(DecodeError::Truncated));
    }

    #[test]
    fn an_optional_is_there_or_not() {
        for (bytes, expected) in [
            (&[0][..], Ok(None)),
            (&[1, 0, 7], Ok(Some(7_u16))),
            (&[2, 0, 7], Err(DecodeError::NotABool(2))),
            (&[1, 0], Err(DecodeError::Truncated)),
        ] {
            assert_eq!(Reader::new(bytes).optional(u16::read), expected);
        }
    }

    #[test]
    fn a_text_is_utf8_without_nul_and_not_too_long() {
        let not_text = Err(DecodeError::NotText { of: "note" });
        for (bytes, expected) in [
            (&b"\x03f\xc3\xbc"[..], Ok("fü")),
            (b"\x02f\xc3", not_text.clone()),
            (b"\x02f\0", not_text),
            (b"\x04four", Err(DecodeError::TooLong { of: "note", max: 3 })),
        ] {
            assert_eq!(Reader::new(bytes).text("note", 3), expected);
        }
    }

    #[test]
    fn a_list_holds_no_half_item_and_not_too_many() {
        assert_eq!(Reader::new(&[4, 0, 1, 0, 2]).list("types", 2), Ok(vec![1_u16, 2]));
        assert_eq!(Reader::new(&[3, 0, 1, 0]).list::<u16>("types", 2), Err(DecodeError::Truncated));
        let too_many = Err(DecodeError::TooMany { of: "types", max: 1 });
        assert_eq!(Reader::new(&[4, 0, 1, 0, 2]).list::<u16>("types", 1), too_many);
    }
}
