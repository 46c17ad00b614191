//! The values of extensions: any deterministic CBOR, kept so that it is written back octet for octet.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use minicbor::{Decoder, Encoder};

use crate::canonical::{Major, Reader};
use crate::codec::{Sink, write};
use crate::limits::{EXTENSION_LEVELS_MAX, INTEGER_KEY_MAX};
use crate::violation::{Rule, Violation};

/// A CBOR value inside an extension.
///
/// Deterministic CBOR has one encoding per value, so an extension we do not know is forwarded byte-exact by
/// keeping its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A non-negative integer.
    Unsigned(u64),
    /// The negative integer `-1 - n`.
    Negative(u64),
    /// A byte string.
    Bytes(Vec<u8>),
    /// A text string.
    Text(String),
    /// An array.
    Array(Vec<Value>),
    /// A map; its keys are unique and in order by construction.
    Map(BTreeMap<Key, Value>),
    /// A tagged value.
    Tag(u64, Box<Value>),
    /// False or true.
    Bool(bool),
    /// Null.
    Null,
    /// Undefined.
    Undefined,
    /// A simple value without a name: 0 to 19 or 32 to 255.
    Simple(u8),
    /// A floating-point number; the draft discourages them.
    Float(Float),
}

/// A key of a map inside an extension: integers, byte strings or text (CM2).
///
/// Keys sort as their encodings do: non-negative integers, negative ones, byte strings, text; short ones
/// first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// An integer of at most 53 bits.
    Integer(i64),
    /// A byte string.
    Bytes(Vec<u8>),
    /// A text string.
    Text(String),
}

/// A floating-point number with one NaN, so that equal values have equal encodings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Float(u64);

impl Float {
    /// Wraps a number; every NaN becomes the one that CM4 permits.
    pub fn new(number: f64) -> Self {
        Self(if number.is_nan() { f64::NAN.to_bits() } else { number.to_bits() })
    }

    /// The number.
    pub fn number(self) -> f64 {
        f64::from_bits(self.0)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        match u64::try_from(number) {
            Ok(number) => Self::Unsigned(number),
            Err(_) => Self::Negative(!number.cast_unsigned()),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl Value {
    /// The text, if this is text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if this is a non-negative integer.
    pub fn as_unsigned(&self) -> Option<u64> {
        match self {
            Self::Unsigned(number) => Some(*number),
            _ => None,
        }
    }

    /// Reads a value; a map, array or tag at this place is at depth `level`.
    pub(crate) fn read(reader: &mut Reader<'_>, level: usize) -> Result<Self, Violation> {
        let head = reader.head()?;
        let nests = matches!(head.major, Major::Array | Major::Map | Major::Tag);
        // CM7: "any combination of tags, maps, or arrays".
        if nests && level > EXTENSION_LEVELS_MAX {
            return Err(reader.violation(Rule::ExtensionsTooDeep));
        }
        Ok(match head.major {
            Major::Unsigned => Self::Unsigned(reader.u64()?),
            Major::Negative => {
                reader.skip_head(head);
                Self::Negative(head.argument)
            }
            Major::Bytes => Self::Bytes(reader.bytes()?.to_vec()),
            Major::Text => Self::Text(reader.text()?.to_owned()),
            Major::Array => Self::read_array(reader, level)?,
            Major::Map => Self::read_map(reader, level)?,
            Major::Tag => Self::read_tag(reader, level)?,
            Major::Other => Self::read_other(reader)?,
        })
    }

    fn read_array(reader: &mut Reader<'_>, level: usize) -> Result<Self, Violation> {
        let length = reader.array()?;
        (0..length).map(|_| Self::read(reader, level + 1)).collect::<Result<_, _>>().map(Self::Array)
    }

    fn read_map(reader: &mut Reader<'_>, level: usize) -> Result<Self, Violation> {
        let length = reader.map()?;
        let mut order = KeyOrder::default();
        let mut map = BTreeMap::new();
        for _ in 0..length {
            let key = order.next(reader)?;
            map.insert(key, Self::read(reader, level + 1)?);
        }
        Ok(Self::Map(map))
    }

    fn read_tag(reader: &mut Reader<'_>, level: usize) -> Result<Self, Violation> {
        let start = reader.violation(Rule::BignumNotPreferred);
        let number = reader.tag()?;
        let value = Self::read(reader, level + 1)?;
        // CM3: "representing bigints as regular integers when they fit" (tags 2 and 3), and no leading zeros.
        match (number, &value) {
            (2 | 3, Self::Bytes(magnitude)) if magnitude.len() > 8 && magnitude[0] != 0 => {}
            (2 | 3, _) => return Err(start),
            _ => {}
        }
        Ok(Self::Tag(number, Box::new(value)))
    }

    fn read_other(reader: &mut Reader<'_>) -> Result<Self, Violation> {
        let head = reader.head()?;
        if head.width > 1 {
            return Float::read(reader).map(Self::Float);
        }
        reader.skip_head(head);
        Ok(match head.argument {
            20 => Self::Bool(false),
            21 => Self::Bool(true),
            22 => Self::Null,
            23 => Self::Undefined,
            // The argument has one octet here, so nothing is cut off.
            simple => Self::Simple(simple.to_le_bytes()[0]),
        })
    }

    pub(crate) fn write(&self, sink: &mut Sink) {
        match self {
            Self::Unsigned(number) => write(sink, |sink| sink.u64(*number)),
            Self::Negative(number) => write(sink, |sink| sink.i128(-1 - i128::from(*number))),
            Self::Bytes(bytes) => write(sink, |sink| sink.bytes(bytes)),
            Self::Text(text) => write(sink, |sink| sink.str(text)),
            Self::Array(items) => {
                write(sink, |sink| sink.array(items.len() as u64));
                for item in items {
                    item.write(sink);
                }
            }
            Self::Map(entries) => {
                write(sink, |sink| sink.map(entries.len() as u64));
                for (key, value) in entries {
                    key.write(sink);
                    value.write(sink);
                }
            }
            Self::Tag(number, value) => {
                write(sink, |sink| sink.tag(minicbor::data::Tag::new(*number)));
                value.write(sink);
            }
            Self::Bool(truth) => write(sink, |sink| sink.bool(*truth)),
            Self::Null => write(sink, Encoder::null),
            Self::Undefined => write(sink, Encoder::undefined),
            Self::Simple(simple) => write(sink, |sink| sink.simple(*simple)),
            Self::Float(float) => float.write(sink),
        }
    }
}

impl Key {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Violation> {
        let head = reader.head()?;
        let integer = || match i64::try_from(head.argument) {
            Ok(number) if head.argument <= INTEGER_KEY_MAX => Ok(number),
            _ => Err(reader.violation(Rule::KeyRange)),
        };
        match head.major {
            Major::Unsigned => {
                let number = integer()?;
                reader.skip_head(head);
                Ok(Self::Integer(number))
            }
            Major::Negative => {
                // The smallest key is -(2^53 - 1): the argument of a negative integer is one less than its
                // magnitude.
                let number = !integer()?;
                if number.unsigned_abs() > INTEGER_KEY_MAX {
                    return Err(reader.violation(Rule::KeyRange));
                }
                reader.skip_head(head);
                Ok(Self::Integer(number))
            }
            Major::Bytes => Ok(Self::Bytes(reader.bytes()?.to_vec())),
            Major::Text => Ok(Self::Text(reader.text()?.to_owned())),
            Major::Array | Major::Map | Major::Tag | Major::Other => Err(reader.violation(Rule::KeyType)),
        }
    }

    pub(crate) fn write(&self, sink: &mut Sink) {
        match self {
            Self::Integer(number) => write(sink, |sink| sink.i64(*number)),
            Self::Bytes(bytes) => write(sink, |sink| sink.bytes(bytes)),
            Self::Text(text) => write(sink, |sink| sink.str(text)),
        }
    }

    /// What decides first, second and third in the order of encodings.
    fn rank(&self) -> (u8, u64, &[u8]) {
        match self {
            Self::Integer(number @ 0..) => (0, number.unsigned_abs(), &[]),
            Self::Integer(number) => (1, number.unsigned_abs(), &[]),
            Self::Bytes(bytes) => (2, bytes.len() as u64, bytes),
            Self::Text(text) => (3, text.len() as u64, text.as_bytes()),
        }
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// CM2 and CM3 for the keys of one map: unique, and ascending by their encoded octets.
#[derive(Default)]
pub(crate) struct KeyOrder<'b> {
    previous: Option<&'b [u8]>,
}

impl<'b> KeyOrder<'b> {
    /// Reads the next key of the map.
    pub(crate) fn next(&mut self, reader: &mut Reader<'b>) -> Result<Key, Violation> {
        let at = reader.position();
        let (key, octets) = reader.with_octets(Key::read)?;
        match self.previous.replace(octets).map(|previous| previous.cmp(octets)) {
            None | Some(Ordering::Less) => Ok(key),
            Some(Ordering::Equal) => Err(Violation { rule: Rule::DuplicateKey, at }),
            Some(Ordering::Greater) => Err(Violation { rule: Rule::UnsortedKeys, at }),
        }
    }
}

impl Float {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Violation> {
        let at = reader.position();
        let (number, octets) = reader.with_octets(|reader| reader.take(Decoder::f64))?;
        let rule = if number.is_nan() { Rule::NanNotCanonical } else { Rule::FloatNotShortest };
        let mut shortest = Sink::new(Vec::new());
        Self::new(number).write(&mut shortest);
        // CM4: there is one encoding per number, and one NaN.
        if shortest.writer() == octets { Ok(Self::new(number)) } else { Err(Violation { rule, at }) }
    }

    fn write(self, sink: &mut Sink) {
        let number = self.number();
        #[expect(clippy::cast_possible_truncation, reason = "the result is used only if nothing was lost")]
        let single = number as f32;
        if number.is_nan() {
            write(sink, |sink| sink.f16(f32::NAN));
        } else if f64::from(single).to_bits() != number.to_bits() {
            write(sink, |sink| sink.f64(number));
        } else if survives_as_half(single) {
            write(sink, |sink| sink.f16(single));
        } else {
            write(sink, |sink| sink.f32(single));
        }
    }
}

fn survives_as_half(single: f32) -> bool {
    let mut half = Sink::new(Vec::new());
    write(&mut half, |sink| sink.f16(single));
    Decoder::new(half.writer()).f16().is_ok_and(|back| back.to_bits() == single.to_bits())
}
