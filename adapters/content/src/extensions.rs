//! The extensions map: fields by number or name, some of which we know.

use std::collections::BTreeMap;

use crate::canonical::Reader;
use crate::codec::{Sink, write};
use crate::limits::{EXTENSIONS_BYTES_MAX, INTEGER_KEY_MAX, SUBJECT_BYTES_MAX, TEXT_KEY_BYTES_MAX};
use crate::value::{Key, KeyOrder, Value};
use crate::violation::{Rule, Violation};

/// The extensions of a message; unknown ones are kept and written back octet for octet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extensions(BTreeMap<Key, Value>);

/// The key of an extension: a number from the registry, or a private negative number or text (CM2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtensionKey(Key);

/// When the sender, or the network it bridges, says that the message was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderTimestamp {
    /// Seconds since 1970.
    pub unix_s: u64,
    /// What is beyond the second.
    pub fraction: Option<Fraction>,
}

/// A part of a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fraction {
    /// Below 1,000.
    Milliseconds(u32),
    /// Below 1,000,000.
    Microseconds(u32),
    /// Below 1,000,000,000.
    Nanoseconds(u32),
}

/// The id of the message on the network that it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalMessageId {
    /// The id there.
    pub id: Vec<u8>,
    /// Where "there" is.
    pub scope: ExternalMessageScope,
}

/// The space within which an external message id is unique.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExternalMessageScope {
    /// An IANA private enterprise number.
    Enterprise(u64),
    /// A domain name.
    Domain(String),
    /// A URI.
    Uri(String),
}

impl ExtensionKey {
    /// 1, the sender as a MIMI user.
    pub const SENDER_URI: Self = Self(Key::Integer(1));
    /// 2, the room.
    pub const ROOM_URI: Self = Self(Key::Integer(2));
    /// 3, when the message was written (draft-mimi-content-more-extensions).
    pub const SENDER_TIMESTAMP: Self = Self(Key::Integer(3));
    /// 4, the message's id elsewhere (draft-mimi-content-more-extensions).
    pub const EXTERNAL_MESSAGE_ID: Self = Self(Key::Integer(4));
    /// 5, a subject line (draft-mimi-content-more-extensions).
    pub const SUBJECT: Self = Self(Key::Integer(5));

    /// A numbered key; `None` for 0, which is reserved, and beyond 53 bits.
    pub fn integer(number: i64) -> Option<Self> {
        (number != 0 && number.unsigned_abs() <= INTEGER_KEY_MAX).then_some(Self(Key::Integer(number)))
    }

    /// A private key; `None` if it is empty or longer than 255 octets.
    pub fn text(name: &str) -> Option<Self> {
        is_text_key(name).then(|| Self(Key::Text(name.to_owned())))
    }

    /// The number, if it has one.
    pub fn as_integer(&self) -> Option<i64> {
        match &self.0 {
            Key::Integer(number) => Some(*number),
            Key::Bytes(_) | Key::Text(_) => None,
        }
    }
}

impl Extensions {
    /// The value under a key.
    pub fn value(&self, key: &ExtensionKey) -> Option<&Value> {
        self.0.get(&key.0)
    }

    /// Sets the value under a key; returns the one that was there.
    pub fn insert(&mut self, key: ExtensionKey, value: Value) -> Option<Value> {
        self.0.insert(key.0, value)
    }

    /// Takes a value out.
    pub fn remove(&mut self, key: &ExtensionKey) -> Option<Value> {
        self.0.remove(&key.0)
    }

    /// All of them, in the order of the encoding.
    pub fn iter(&self) -> impl Iterator<Item = (ExtensionKey, &Value)> {
        self.0.iter().map(|(key, value)| (ExtensionKey(key.clone()), value))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Extension 1.
    pub fn sender_uri(&self) -> Option<&str> {
        self.value(&ExtensionKey::SENDER_URI).and_then(Value::as_text)
    }

    /// Extension 2.
    pub fn room_uri(&self) -> Option<&str> {
        self.value(&ExtensionKey::ROOM_URI).and_then(Value::as_text)
    }

    /// Extension 3; `None` also if it has another shape than its draft gives it, for -08 does not know it.
    pub fn sender_timestamp(&self) -> Option<SenderTimestamp> {
        self.value(&ExtensionKey::SENDER_TIMESTAMP).and_then(SenderTimestamp::from_value)
    }

    /// Extension 4, under the same proviso.
    pub fn external_message_id(&self) -> Option<ExternalMessageId> {
        self.value(&ExtensionKey::EXTERNAL_MESSAGE_ID).and_then(ExternalMessageId::from_value)
    }

    /// Extension 5, under the same proviso.
    pub fn subject(&self) -> Option<&str> {
        let subject = self.value(&ExtensionKey::SUBJECT).and_then(Value::as_text)?;
        (1..=SUBJECT_BYTES_MAX).contains(&subject.len()).then_some(subject)
    }

    /// Sets extension 3.
    pub fn set_sender_timestamp(&mut self, timestamp: SenderTimestamp) {
        self.insert(ExtensionKey::SENDER_TIMESTAMP, timestamp.to_value());
    }

    /// Sets extension 4.
    pub fn set_external_message_id(&mut self, id: &ExternalMessageId) {
        self.insert(ExtensionKey::EXTERNAL_MESSAGE_ID, id.to_value());
    }

    /// Sets extension 5.
    pub fn set_subject(&mut self, subject: &str) {
        self.insert(ExtensionKey::SUBJECT, subject.into());
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Violation> {
        let too_long = reader.violation(Rule::ExtensionsTooLong);
        let mut window = reader.window(EXTENSIONS_BYTES_MAX);
        let is_cut = window.input().len() < reader.input().len();
        let extensions = Self::read_entries(&mut window);
        reader.resume(&window);
        match extensions {
            Err(Violation { rule: Rule::Truncated, .. }) if is_cut => Err(too_long),
            extensions => extensions,
        }
    }

    fn read_entries(reader: &mut Reader<'_>) -> Result<Self, Violation> {
        let length = reader.map()?;
        let mut order = KeyOrder::default();
        let mut entries = BTreeMap::new();
        for _ in 0..length {
            let at = reader.position();
            let key = order.next(reader)?;
            if let Some(rule) = key_fault(&key) {
                return Err(Violation { rule, at });
            }
            let at = reader.position();
            let value = Value::read(reader, 2)?;
            if matches!(key, Key::Integer(1 | 2)) && value.as_text().is_none() {
                return Err(Violation { rule: Rule::UriNotText, at });
            }
            entries.insert(key, value);
        }
        Ok(Self(entries))
    }

    pub(crate) fn write(&self, sink: &mut Sink) {
        write(sink, |sink| sink.map(self.0.len() as u64));
        for (key, value) in &self.0 {
            key.write(sink);
            value.write(sink);
        }
    }
}

impl SenderTimestamp {
    /// A time in milliseconds, as most networks have it.
    pub fn from_millis(unix_ms: u64) -> Self {
        let [low, high, ..] = (unix_ms % 1000).to_le_bytes();
        let fraction = Fraction::Milliseconds(u32::from(u16::from_le_bytes([low, high])));
        Self { unix_s: unix_ms / 1000, fraction: Some(fraction) }
    }

    /// The time in milliseconds since 1970, cut off; the far future where it does not fit.
    pub fn as_millis(self) -> u64 {
        let beyond = match self.fraction {
            None => 0,
            Some(Fraction::Milliseconds(count)) => count,
            Some(Fraction::Microseconds(count)) => count / 1000,
            Some(Fraction::Nanoseconds(count)) => count / 1_000_000,
        };
        self.unix_s.saturating_mul(1000).saturating_add(u64::from(beyond))
    }

    fn to_value(self) -> Value {
        let seconds = (Key::Integer(1), Value::Unsigned(self.unix_s));
        let fraction = self.fraction.map(|fraction| {
            let (key, count) = match fraction {
                Fraction::Milliseconds(count) => (-3, count),
                Fraction::Microseconds(count) => (-6, count),
                Fraction::Nanoseconds(count) => (-9, count),
            };
            (Key::Integer(key), Value::Unsigned(u64::from(count)))
        });
        Value::Map([seconds].into_iter().chain(fraction).collect())
    }

    fn from_value(value: &Value) -> Option<Self> {
        let Value::Map(entries) = value else { return None };
        let mut entries = entries.iter();
        let (Key::Integer(1), Value::Unsigned(unix_s)) = entries.next()? else { return None };
        let fraction = match entries.next() {
            None => None,
            Some((key, count)) => {
                let count = u32::try_from(count.as_unsigned()?).ok()?;
                Some(match key {
                    Key::Integer(-3) if count < 1000 => Fraction::Milliseconds(count),
                    Key::Integer(-6) if count < 1_000_000 => Fraction::Microseconds(count),
                    Key::Integer(-9) if count < 1_000_000_000 => Fraction::Nanoseconds(count),
                    Key::Integer(_) | Key::Bytes(_) | Key::Text(_) => return None,
                })
            }
        };
        entries.next().is_none().then_some(Self { unix_s: *unix_s, fraction })
    }
}

impl ExternalMessageId {
    fn to_value(&self) -> Value {
        let scope = match &self.scope {
            ExternalMessageScope::Enterprise(number) => Value::Unsigned(*number),
            ExternalMessageScope::Domain(domain) => Value::Text(domain.clone()),
            ExternalMessageScope::Uri(uri) => Value::Tag(URI_TAG, Box::new(Value::Text(uri.clone()))),
        };
        Value::Array(vec![Value::Bytes(self.id.clone()), scope])
    }

    fn from_value(value: &Value) -> Option<Self> {
        let Value::Array(items) = value else { return None };
        let [Value::Bytes(id), scope] = items.as_slice() else { return None };
        let scope = match scope {
            Value::Unsigned(number @ 1..) => ExternalMessageScope::Enterprise(*number),
            Value::Text(domain) => ExternalMessageScope::Domain(domain.clone()),
            Value::Tag(URI_TAG, uri) => ExternalMessageScope::Uri(uri.as_text()?.to_owned()),
            _ => return None,
        };
        Some(Self { id: id.clone(), scope })
    }
}

/// RFC 8949, 3.4.5.3: text that is a URI.
const URI_TAG: u64 = 32;

/// CM2 for the extensions map itself; nested maps are freer.
fn key_fault(key: &Key) -> Option<Rule> {
    match key {
        Key::Integer(0) => Some(Rule::ReservedKey),
        Key::Integer(_) => None,
        Key::Text(name) => (!is_text_key(name)).then_some(Rule::KeyLength),
        Key::Bytes(_) => Some(Rule::KeyType),
    }
}

fn is_text_key(name: &str) -> bool {
    (1..=TEXT_KEY_BYTES_MAX).contains(&name.len())
}
