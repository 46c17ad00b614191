//! `reportAbuse`: messages that somebody should not have sent (A11).

use mimi_uri::UserUri;

use crate::codec::{Reader, Wire, body, codes, put_list, put_opaque};
use crate::decode_error::DecodeError;
use crate::franking::Frank;
use crate::identifier::{put_uri, put_uri_or_empty};
use crate::limits::{ABUSIVE_MESSAGES_MAX, MESSAGE_BODY_LENGTH_MAX, NOTE_LENGTH_MAX};
use crate::mls_parts::AppDataDictionary;
use crate::timestamp::Timestamp;

codes! {
    /// What kind of abuse it is; the draft has no kinds yet.
    AbuseType("AbuseType") {
        /// None said.
        Reserved = 0 "reserved",
    }
}

/// A message that is reported, with the proof that it was sent.
#[derive(Clone, PartialEq, Eq)]
pub struct AbusiveMessage {
    /// The content, as decrypted.
    pub message_content: Vec<u8>,
    /// The hub's stamp on it.
    pub frank: Frank,
    /// When the hub accepted it.
    pub accepted_timestamp: Timestamp,
}

/// Without the content: what was said does not belong into logs.
impl std::fmt::Debug for AbusiveMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AbusiveMessage")
            .field("length", &self.message_content.len())
            .field("frank", &self.frank)
            .field("accepted_timestamp", &self.accepted_timestamp)
            .finish_non_exhaustive()
    }
}

impl Wire for AbusiveMessage {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            message_content: reader.opaque_max("message_content", MESSAGE_BODY_LENGTH_MAX)?.to_vec(),
            frank: Frank::read(reader)?,
            accepted_timestamp: Timestamp::read(reader)?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        put_opaque(out, &self.message_content);
        self.frank.write(out);
        self.accepted_timestamp.write(out);
    }
}

/// A report of abuse in a room, for the room's hub alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AbuseReport {
    /// Who reports, if he says so.
    pub reporting_user: Option<UserUri>,
    /// Who is said to have sent the messages.
    pub alleged_abuser: UserUri,
    /// What kind of abuse it is.
    pub reason_code: AbuseType,
    /// What the reporter says.
    pub note: String,
    /// The messages.
    pub messages: Vec<AbusiveMessage>,
    /// What else is said, for extensions that both sides know.
    pub extensions: AppDataDictionary,
}

impl Wire for AbuseReport {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            reporting_user: reader.uri_or_empty("reportingUser")?,
            alleged_abuser: reader.uri("allegedAbuserUri")?,
            reason_code: AbuseType::read(reader)?,
            note: reader.text("note", NOTE_LENGTH_MAX)?.to_owned(),
            messages: reader.list("messages", ABUSIVE_MESSAGES_MAX)?,
            extensions: AppDataDictionary::read(reader)?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        put_uri_or_empty(out, self.reporting_user.as_ref());
        put_uri(out, &self.alleged_abuser);
        self.reason_code.write(out);
        put_opaque(out, self.note.as_bytes());
        put_list(out, &self.messages);
        self.extensions.write(out);
    }
}

body!(AbuseReport, AbusiveMessage);
