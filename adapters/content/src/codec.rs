//! Messages and parts as octets, in both directions (C1).

use std::convert::Infallible;

use minicbor::Encoder;
use minicbor::encode::Error;

use crate::canonical::Reader;
use crate::content::{Expiration, MimiContent};
use crate::extensions::Extensions;
use crate::limits::{PART_LEVELS_MAX, PARTS_MAX, TOPIC_BYTES_MAX};
use crate::message_id::MessageId;
use crate::part::{Cardinality, Disposition, ExternalPart, MultiPart, NestedPart, PartSemantics, SinglePart};
use crate::violation::{Rule, Violation};

/// Where encodings go. Its integers, lengths and tags are always the shortest.
pub(crate) type Sink = Encoder<Vec<u8>>;

/// Writes one item.
pub(crate) fn write(
    sink: &mut Sink,
    item: impl for<'s> FnOnce(&'s mut Sink) -> Result<&'s mut Sink, Error<Infallible>>,
) {
    #[expect(clippy::expect_used, reason = "a vector takes every octet: the error type is uninhabited")]
    item(sink).expect("a vector takes every octet");
}

/// The octets that `write` produces.
pub(crate) fn octets(write: impl FnOnce(&mut Sink)) -> Vec<u8> {
    let mut sink = Sink::new(Vec::new());
    write(&mut sink);
    sink.into_writer()
}

impl MimiContent {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Violation> {
        reader.array_of(7)?;
        Ok(Self {
            // CM1: 16 octets, no more, no less.
            salt: reader.fixed(Rule::SaltLength)?,
            replaces: MessageId::read_optional(reader)?,
            topic_id: read_topic(reader)?,
            expires: Expiration::read_optional(reader)?,
            in_reply_to: MessageId::read_optional(reader)?,
            extensions: Extensions::read(reader)?,
            nested_part: NestedPart::read(reader, 1, &mut 0)?,
        })
    }

    pub(crate) fn write(&self, sink: &mut Sink) {
        write(sink, |sink| sink.array(7)?.bytes(&self.salt));
        write_optional_id(sink, self.replaces.as_ref());
        write(sink, |sink| sink.bytes(&self.topic_id));
        match self.expires {
            None => write(sink, Encoder::null),
            Some(expires) => expires.write(sink),
        }
        write_optional_id(sink, self.in_reply_to.as_ref());
        self.extensions.write(sink);
        self.nested_part.write(sink);
    }
}

impl Expiration {
    fn read_optional(reader: &mut Reader<'_>) -> Result<Option<Self>, Violation> {
        if reader.null()? {
            return Ok(None);
        }
        reader.array_of(2)?;
        let is_relative = reader.bool()?;
        let seconds = reader.u32()?;
        Ok(Some(if is_relative { Self::AfterReading { seconds } } else { Self::At { unix_s: seconds } }))
    }

    fn write(self, sink: &mut Sink) {
        let (is_relative, time) = match self {
            Self::AfterReading { seconds } => (true, seconds),
            Self::At { unix_s } => (false, unix_s),
        };
        write(sink, |sink| sink.array(2)?.bool(is_relative)?.u32(time));
    }
}

impl MessageId {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Violation> {
        reader.fixed(Rule::MessageIdLength).map(Self)
    }

    fn read_optional(reader: &mut Reader<'_>) -> Result<Option<Self>, Violation> {
        if reader.null()? { Ok(None) } else { Self::read(reader).map(Some) }
    }
}

impl NestedPart {
    /// Reads the part at `level`; `count` parts came before it.
    pub(crate) fn read(reader: &mut Reader<'_>, level: usize, count: &mut usize) -> Result<Self, Violation> {
        // CM6: "NestedParts MUST NOT be nested more than 4-levels deep".
        if level > PART_LEVELS_MAX {
            return Err(reader.violation(Rule::PartsTooDeep));
        }
        *count += 1;
        if *count > PARTS_MAX {
            return Err(reader.violation(Rule::TooManyParts));
        }
        let start = reader.violation(Rule::WrongArrayLength);
        let length = reader.array()?;
        let disposition = Disposition::from_code(reader.u8()?);
        let language = reader.text()?.to_owned();
        let unknown = reader.violation(Rule::UnknownCardinality);
        let cardinality = match (reader.u64()?, length) {
            (0, 3) => Cardinality::Null,
            (1, 5) => Cardinality::Single(SinglePart::read(reader)?),
            (2, 15) => Cardinality::External(Box::new(ExternalPart::read(reader)?)),
            (3, 5) => Cardinality::Multi(MultiPart::read(reader, level, count)?),
            (0..=3, _) => return Err(start),
            (4.., _) => return Err(unknown),
        };
        Ok(Self { disposition, language, cardinality })
    }

    pub(crate) fn write(&self, sink: &mut Sink) {
        let (length, cardinality) = match &self.cardinality {
            Cardinality::Null => (3, 0),
            Cardinality::Single(_) => (5, 1),
            Cardinality::External(_) => (15, 2),
            Cardinality::Multi(_) => (5, 3),
        };
        write(sink, |sink| {
            sink.array(length)?.u8(self.disposition.code())?.str(&self.language)?.u8(cardinality)
        });
        match &self.cardinality {
            Cardinality::Null => {}
            Cardinality::Single(single) => {
                write(sink, |sink| sink.str(&single.content_type)?.bytes(&single.content));
            }
            Cardinality::External(external) => external.write(sink),
            Cardinality::Multi(multi) => multi.write(sink),
        }
    }
}

impl SinglePart {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Violation> {
        Ok(Self { content_type: reader.text()?.to_owned(), content: reader.bytes()?.to_vec() })
    }
}

impl ExternalPart {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Violation> {
        let start = reader.violation(Rule::KeyWithoutEncryption);
        let part = Self {
            content_type: reader.text()?.to_owned(),
            url: reader.text()?.to_owned(),
            expires: reader.u32()?,
            size: reader.u64()?,
            enc_alg: reader.u16()?,
            key: reader.bytes()?.to_vec(),
            nonce: reader.bytes()?.to_vec(),
            aad: reader.bytes()?.to_vec(),
            hash_alg: reader.u8()?,
            content_hash: reader.bytes()?.to_vec(),
            description: reader.text()?.to_owned(),
            filename: reader.text()?.to_owned(),
        };
        // Draft, External content: "the `encAlg` is set to zero, and the `key`, `nonce`, and `aad` fields are
        // zero length".
        let has_secrets = !(part.key.is_empty() && part.nonce.is_empty() && part.aad.is_empty());
        if part.enc_alg == 0 && has_secrets { Err(start) } else { Ok(part) }
    }

    fn write(&self, sink: &mut Sink) {
        write(sink, |sink| sink.str(&self.content_type)?.str(&self.url)?.u32(self.expires)?.u64(self.size));
        write(sink, |sink| sink.u16(self.enc_alg)?.bytes(&self.key)?.bytes(&self.nonce)?.bytes(&self.aad));
        write(sink, |sink| sink.u8(self.hash_alg)?.bytes(&self.content_hash));
        write(sink, |sink| sink.str(&self.description)?.str(&self.filename));
    }
}

impl MultiPart {
    fn read(reader: &mut Reader<'_>, level: usize, count: &mut usize) -> Result<Self, Violation> {
        let unknown = reader.violation(Rule::UnknownPartSemantics);
        let semantics = match reader.u64()? {
            0 => PartSemantics::ChooseOne,
            1 => PartSemantics::SingleUnit,
            2 => PartSemantics::ProcessAll,
            3.. => return Err(unknown),
        };
        let too_few = reader.violation(Rule::TooFewParts);
        let length = reader.array()?;
        if length < 2 {
            return Err(too_few);
        }
        let parts = (0..length).map(|_| NestedPart::read(reader, level + 1, count));
        Ok(Self { semantics, parts: parts.collect::<Result<_, _>>()? })
    }

    fn write(&self, sink: &mut Sink) {
        let semantics = match self.semantics {
            PartSemantics::ChooseOne => 0,
            PartSemantics::SingleUnit => 1,
            PartSemantics::ProcessAll => 2,
        };
        write(sink, |sink| sink.u8(semantics)?.array(self.parts.len() as u64));
        for part in &self.parts {
            part.write(sink);
        }
    }
}

fn read_topic(reader: &mut Reader<'_>) -> Result<Vec<u8>, Violation> {
    let too_long = reader.violation(Rule::TopicTooLong);
    let topic = reader.bytes()?;
    // C2: "the `topicId` is very long (greater than 4096 octets)".
    if topic.len() > TOPIC_BYTES_MAX { Err(too_long) } else { Ok(topic.to_vec()) }
}

fn write_optional_id(sink: &mut Sink, id: Option<&MessageId>) {
    match id {
        None => write(sink, Encoder::null),
        Some(id) => write(sink, |sink| sink.bytes(&id.0)),
    }
}
