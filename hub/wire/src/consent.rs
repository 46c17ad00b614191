//! `requestConsent` and `updateConsent`: asking a user, and what he says (A9).

use mimi_uri::{RoomUri, UserUri};

use crate::codec::{Reader, Wire, body, codes, put_list_with, put_optional};
use crate::decode_error::DecodeError;
use crate::identifier::put_uri;
use crate::limits::CLIENTS_MAX;
use crate::mls_parts::AppDataDictionary;

codes! {
    /// What is done about consent.
    ConsentOperation("ConsentOperation") {
        /// The requester asks no more (PM16).
        Cancel = 0 "cancel",
        /// The requester asks.
        Request = 1 "request",
        /// The target consents.
        Grant = 2 "grant",
        /// The target does not, or no longer.
        Revoke = 3 "revoke",
    }
}

/// Whom consent is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConsentScope {
    /// The user who wants to fetch KeyPackages.
    pub requester: UserUri,
    /// The user whose KeyPackages they are.
    pub target: UserUri,
    /// The one room that it is for; any room, if none.
    pub room: Option<RoomUri>,
}

/// One step of asking for consent or giving it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentEntry {
    /// Whom it is about.
    pub scope: ConsentScope,
    /// What is done.
    pub step: ConsentStep,
    /// What else is said, for extensions that both sides know.
    pub extensions: AppDataDictionary,
}

/// What is done about consent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConsentStep {
    /// The requester asks no more.
    Cancel,
    /// The requester asks.
    Request,
    /// The target consents.
    Grant {
        /// KeyPackages of his clients, each a `KeyPackage` struct, so that he can be added at once.
        client_key_packages: Vec<Vec<u8>>,
    },
    /// The target does not, or no longer.
    Revoke,
}

impl ConsentStep {
    /// The code that says so.
    pub const fn operation(&self) -> ConsentOperation {
        match self {
            Self::Cancel => ConsentOperation::Cancel,
            Self::Request => ConsentOperation::Request,
            Self::Grant { .. } => ConsentOperation::Grant,
            Self::Revoke => ConsentOperation::Revoke,
        }
    }
}

impl Wire for ConsentScope {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            requester: reader.uri("requesterUri")?,
            target: reader.uri("targetUri")?,
            room: reader.optional(|reader| reader.uri("roomId"))?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        put_uri(out, &self.requester);
        put_uri(out, &self.target);
        put_optional(out, self.room.as_ref(), |room, out| put_uri(out, room));
    }
}

impl Wire for ConsentEntry {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let operation = ConsentOperation::read(reader)?;
        let scope = ConsentScope::read(reader)?;
        let step = match operation {
            ConsentOperation::Cancel => ConsentStep::Cancel,
            ConsentOperation::Request => ConsentStep::Request,
            ConsentOperation::Grant => ConsentStep::Grant {
                client_key_packages: reader.list_with(
                    "clientKeyPackages",
                    CLIENTS_MAX,
                    Reader::key_package,
                )?,
            },
            ConsentOperation::Revoke => ConsentStep::Revoke,
        };
        Ok(Self { scope, step, extensions: AppDataDictionary::read(reader)? })
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.step.operation().write(out);
        self.scope.write(out);
        match &self.step {
            ConsentStep::Grant { client_key_packages } => {
                put_list_with(out, client_key_packages, |package, out| out.extend_from_slice(package));
            }
            ConsentStep::Cancel | ConsentStep::Request | ConsentStep::Revoke => {}
        }
        self.extensions.write(out);
    }
}

body!(ConsentEntry, ConsentScope);
