//! The strict reader: `minicbor`, behind RFC 8949 section 4.2.1.
//!
//! Every item passes [`Reader::head`] before `minicbor` sees it, so nothing downstream can forget a rule.

use minicbor::Decoder;

use crate::violation::{Rule, Violation};

/// CBOR's eight major types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Major {
    Unsigned,
    Negative,
    Bytes,
    Text,
    Array,
    Map,
    Tag,
    Other,
}

/// The first octets of an item: its type, its argument, and how many octets the argument took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    pub(crate) major: Major,
    pub(crate) argument: u64,
    pub(crate) width: usize,
}

/// Reads deterministic CBOR and nothing else.
#[derive(Debug)]
pub(crate) struct Reader<'b> {
    decoder: Decoder<'b>,
}

impl<'b> Reader<'b> {
    pub(crate) fn new(bytes: &'b [u8]) -> Self {
        Self { decoder: Decoder::new(bytes) }
    }

    /// A reader at the same place that ends after `length` more octets, if the input does not end before.
    pub(crate) fn window(&self, length: usize) -> Self {
        let end = self.input().len().min(self.position().saturating_add(length));
        let mut window = Self::new(&self.input()[..end]);
        window.decoder.set_position(self.position());
        window
    }

    /// Goes on where `window` stopped.
    pub(crate) fn resume(&mut self, window: &Self) {
        self.decoder.set_position(window.position());
    }

    pub(crate) fn position(&self) -> usize {
        self.decoder.position()
    }

    pub(crate) fn input(&self) -> &'b [u8] {
        self.decoder.input()
    }

    /// CM3, in one place: the next item's head is whole, definite and as short as can be.
    pub(crate) fn head(&self) -> Result<Head, Violation> {
        let rest = self.input().get(self.position()..).unwrap_or_default();
        let (&initial, tail) = rest.split_first().ok_or_else(|| self.violation(Rule::Truncated))?;
        let width = match initial & 0x1f {
            0..=23 => 0,
            24 => 1,
            25 => 2,
            26 => 4,
            27 => 8,
            31 => return Err(self.violation(Rule::IndefiniteLength)),
            _ => return Err(self.violation(Rule::Malformed)),
        };
        let octets = tail.get(..width).ok_or_else(|| self.violation(Rule::Truncated))?;
        let argument = match width {
            0 => u64::from(initial & 0x1f),
            _ => octets.iter().fold(0, |sum, &octet| sum << 8 | u64::from(octet)),
        };
        let head = Head { major: Major::of(initial), argument, width };
        match head.fault() {
            None => Ok(head),
            Some(rule) => Err(self.violation(rule)),
        }
    }

    pub(crate) fn violation(&self, rule: Rule) -> Violation {
        Violation { rule, at: self.position() }
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Violation> {
        self.expect(Major::Unsigned)?;
        self.take(Decoder::u64)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Violation> {
        self.expect(Major::Unsigned)?;
        self.take_or(Rule::OutOfRange, Decoder::u32)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Violation> {
        self.expect(Major::Unsigned)?;
        self.take_or(Rule::OutOfRange, Decoder::u16)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Violation> {
        self.expect(Major::Unsigned)?;
        self.take_or(Rule::OutOfRange, Decoder::u8)
    }

    pub(crate) fn bytes(&mut self) -> Result<&'b [u8], Violation> {
        self.expect(Major::Bytes)?;
        self.take(Decoder::bytes)
    }

    /// A byte string of exactly `N` octets.
    pub(crate) fn fixed<const N: usize>(&mut self, rule: Rule) -> Result<[u8; N], Violation> {
        let violation = self.violation(rule);
        self.bytes()?.try_into().map_err(|_| violation)
    }

    pub(crate) fn text(&mut self) -> Result<&'b str, Violation> {
        let head = self.expect(Major::Text)?;
        if head.argument > self.remaining() {
            return Err(self.violation(Rule::Truncated));
        }
        self.take_or(Rule::NotUtf8, Decoder::str)
    }

    /// The length of an array. Every item takes an octet at least, so a longer array than that is cut off: no
    /// count that was not paid for in octets reaches a caller.
    pub(crate) fn array(&mut self) -> Result<u64, Violation> {
        let head = self.expect(Major::Array)?;
        if head.argument > self.remaining() {
            return Err(self.violation(Rule::Truncated));
        }
        self.take(Decoder::array)?;
        Ok(head.argument)
    }

    /// An array of exactly `length` items.
    pub(crate) fn array_of(&mut self, length: u64) -> Result<(), Violation> {
        let violation = self.violation(Rule::WrongArrayLength);
        if self.array()? == length { Ok(()) } else { Err(violation) }
    }

    /// The number of entries of a map, bounded like [`Reader::array`].
    pub(crate) fn map(&mut self) -> Result<u64, Violation> {
        let head = self.expect(Major::Map)?;
        if head.argument > self.remaining() / 2 {
            return Err(self.violation(Rule::Truncated));
        }
        self.take(Decoder::map)?;
        Ok(head.argument)
    }

    pub(crate) fn tag(&mut self) -> Result<u64, Violation> {
        self.expect(Major::Tag)?;
        self.take(Decoder::tag).map(minicbor::data::Tag::as_u64)
    }

    pub(crate) fn bool(&mut self) -> Result<bool, Violation> {
        self.expect(Major::Other)?;
        self.take_or(Rule::WrongType, Decoder::bool)
    }

    /// Consumes a null if that is what comes next.
    pub(crate) fn null(&mut self) -> Result<bool, Violation> {
        let head = self.head()?;
        let is_null = head.major == Major::Other && head.width == 0 && head.argument == 22;
        if is_null {
            self.take(Decoder::null)?;
        }
        Ok(is_null)
    }

    /// Consumes the head of an item that is nothing but its head.
    pub(crate) fn skip_head(&mut self, head: Head) {
        self.decoder.set_position(self.position() + 1 + head.width);
    }

    /// The item that `read` consumes, and the octets it was read from.
    pub(crate) fn with_octets<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Violation>,
    ) -> Result<(T, &'b [u8]), Violation> {
        let start = self.position();
        let value = read(self)?;
        Ok((value, &self.input()[start..self.position()]))
    }

    /// The whole input was consumed.
    pub(crate) fn finish(&self) -> Result<(), Violation> {
        if self.position() == self.input().len() { Ok(()) } else { Err(self.violation(Rule::TrailingBytes)) }
    }

    /// Reads what the head promised; what is missing then is content.
    pub(crate) fn take<T>(
        &mut self,
        read: impl FnOnce(&mut Decoder<'b>) -> Result<T, minicbor::decode::Error>,
    ) -> Result<T, Violation> {
        self.take_or(Rule::Truncated, read)
    }

    fn expect(&self, major: Major) -> Result<Head, Violation> {
        let head = self.head()?;
        if head.major == major { Ok(head) } else { Err(self.violation(Rule::WrongType)) }
    }

    fn remaining(&self) -> u64 {
        (self.input().len() - self.position()) as u64
    }

    fn take_or<T>(
        &mut self,
        rule: Rule,
        read: impl FnOnce(&mut Decoder<'b>) -> Result<T, minicbor::decode::Error>,
    ) -> Result<T, Violation> {
        let violation = self.violation(rule);
        read(&mut self.decoder).map_err(|_| violation)
    }
}

impl Head {
    fn fault(self) -> Option<Rule> {
        let shortest = match self.width {
            0 => true,
            1 => self.argument > 23,
            2 => self.argument > 0xff,
            4 => self.argument > 0xffff,
            _ => self.argument > 0xffff_ffff,
        };
        match self.major {
            // RFC 8949, 3.3: two-octet simple values below 32 are not well-formed. Floats are judged by
            // value.
            Major::Other => (self.width == 1 && self.argument < 32).then_some(Rule::Malformed),
            _ => (!shortest).then_some(Rule::NotShortest),
        }
    }
}

impl Major {
    fn of(initial: u8) -> Self {
        match initial >> 5 {
            0 => Self::Unsigned,
            1 => Self::Negative,
            2 => Self::Bytes,
            3 => Self::Text,
            4 => Self::Array,
            5 => Self::Map,
            6 => Self::Tag,
            _ => Self::Other,
        }
    }
}
