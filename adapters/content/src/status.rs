//! Receipts: `application/mimi-message-status` (C3).

use crate::canonical::Reader;
use crate::codec::{octets, write};
use crate::limits::STATUSES_MAX;
use crate::media_type::MESSAGE_STATUS;
use crate::message_id::MessageId;
use crate::part::{Cardinality, Disposition, NestedPart, UnknownCode};
use crate::violation::{Rule, Violation};

/// What became of messages at one receiver.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageStatusReport(pub Vec<PerMessageStatus>);

/// What became of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PerMessageStatus {
    /// The message.
    pub message_id: MessageId,
    /// Its status.
    pub status: Status,
}

/// The status of a message at one receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Not read yet, or marked so.
    Unread,
    /// One of the receiver's clients has it.
    Delivered,
    /// Read.
    Read,
    /// Expired.
    Expired,
    /// Deleted, by the receiver or by someone with the power to.
    Deleted,
    /// Put away by the receiver.
    Hidden,
    /// The receiver knows of it but could not take it.
    Error,
    /// One we do not know.
    Unknown(UnknownCode),
}

impl Status {
    /// The status with this number.
    pub fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Unread,
            1 => Self::Delivered,
            2 => Self::Read,
            3 => Self::Expired,
            4 => Self::Deleted,
            5 => Self::Hidden,
            6 => Self::Error,
            7.. => Self::Unknown(UnknownCode(code)),
        }
    }

    /// The number on the wire.
    pub fn code(self) -> u8 {
        match self {
            Self::Unread => 0,
            Self::Delivered => 1,
            Self::Read => 2,
            Self::Expired => 3,
            Self::Deleted => 4,
            Self::Hidden => 5,
            Self::Error => 6,
            Self::Unknown(code) => code.0,
        }
    }

    /// Whether it makes sense that a message with this status takes the next one.
    ///
    /// Anything may come first, after an error (the message was fetched again), and around a status we do not
    /// know. `Delivered` says less than all others, so it follows none of them; what is gone does not come
    /// back.
    pub fn can_become(self, next: Self) -> bool {
        if self == next {
            return true;
        }
        match (self, next) {
            (Self::Unknown(_) | Self::Error, _) | (_, Self::Unknown(_)) => true,
            (Self::Deleted, _) => false,
            (_, Self::Deleted) => true,
            (Self::Expired, _) | (_, Self::Delivered) => false,
            (_, Self::Expired | Self::Hidden | Self::Unread | Self::Read) => true,
            (_, Self::Error) => self == Self::Delivered,
        }
    }
}

impl MessageStatusReport {
    /// The same status for several messages.
    pub fn of(status: Status, messages: &[MessageId]) -> Self {
        Self(messages.iter().map(|&message_id| PerMessageStatus { message_id, status }).collect())
    }

    /// Reads a report; all of `bytes` must be one, in deterministic CBOR like messages.
    pub fn decode(bytes: &[u8]) -> Result<Self, Violation> {
        let mut reader = Reader::new(bytes);
        let too_many = reader.violation(Rule::TooManyStatuses);
        let length = reader.array()?;
        if length > STATUSES_MAX as u64 {
            return Err(too_many);
        }
        let statuses = (0..length).map(|_| PerMessageStatus::read(&mut reader)).collect::<Result<_, _>>()?;
        reader.finish()?;
        Ok(Self(statuses))
    }

    /// The deterministic encoding.
    pub fn encode(&self) -> Result<Vec<u8>, Violation> {
        let bytes = octets(|sink| {
            write(sink, |sink| sink.array(self.0.len() as u64));
            for PerMessageStatus { message_id, status } in &self.0 {
                write(sink, |sink| sink.array(2)?.bytes(&message_id.0)?.u8(status.code()));
            }
        });
        Self::decode(&bytes).map(|_| bytes)
    }

    /// The report as the body of a MIMI message, for rooms that do not frame.
    pub fn to_part(&self) -> Result<NestedPart, Violation> {
        let part = NestedPart::single(MESSAGE_STATUS, &self.encode()?);
        Ok(part.with_disposition(Disposition::Unspecified))
    }

    /// The report within a part; `None` if the part holds none.
    pub fn from_part(part: &NestedPart) -> Option<Result<Self, Violation>> {
        match &part.cardinality {
            Cardinality::Single(single) if part.media_type()?.essence == MESSAGE_STATUS => {
                Some(Self::decode(&single.content))
            }
            Cardinality::Null | Cardinality::Single(_) | Cardinality::External(_) | Cardinality::Multi(_) => {
                None
            }
        }
    }
}

impl PerMessageStatus {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Violation> {
        reader.array_of(2)?;
        Ok(Self { message_id: MessageId::read(reader)?, status: Status::from_code(reader.u8()?) })
    }
}
