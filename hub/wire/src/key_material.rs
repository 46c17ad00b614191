//! `keyMaterial`: claiming KeyPackages of all clients of a user (A3).

use mimi_uri::{ClientUri, RoomUri, UserUri};

use crate::codec::{Reader, Wire, body, codes, put_list, put_opaque, put_optional};
use crate::decode_error::DecodeError;
use crate::identifier::{put_uri, put_uri_or_empty};
use crate::limits::{CLIENTS_MAX, TYPES_MAX};
use crate::mls_parts::{Capabilities, CipherSuite, Credential, Protocol, RequiredCapabilities};

/// The label that [`KeyMaterialRequest::to_be_signed`] is signed with.
pub const KEY_MATERIAL_REQUEST_LABEL: &str = "KeyMaterialRequestTBS";

/// A user asks for KeyPackages of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyMaterialRequest {
    /// The user who asks.
    pub requesting_user: UserUri,
    /// The user whose clients are to be added.
    pub target_user: UserUri,
    /// The room that they are to be added to (PM6); none outside of one.
    pub room: Option<RoomUri>,
    /// Ciphersuites that a KeyPackage may have; never empty.
    pub acceptable_ciphersuites: Vec<CipherSuite>,
    /// What a KeyPackage must support.
    pub required_capabilities: RequiredCapabilities,
    /// The requester's public signature key.
    pub requester_signature_key: Vec<u8>,
    /// The requester's credential.
    pub requester_credential: Credential,
    /// His signature over everything before it.
    pub signature: Vec<u8>,
}

impl KeyMaterialRequest {
    /// `KeyMaterialRequestTBS`: everything before the signature.
    pub fn to_be_signed(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write_signed(&mut out);
        out
    }

    fn write_signed(&self, out: &mut Vec<u8>) {
        Protocol::Mls10.write(out);
        put_uri(out, &self.requesting_user);
        put_uri(out, &self.target_user);
        put_uri_or_empty(out, self.room.as_ref());
        put_list(out, &self.acceptable_ciphersuites);
        self.required_capabilities.write(out);
        put_opaque(out, &self.requester_signature_key);
        self.requester_credential.write(out);
    }
}

impl Wire for KeyMaterialRequest {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Protocol::read(reader)?;
        let request = Self {
            requesting_user: reader.uri("requestingUser")?,
            target_user: reader.uri("targetUser")?,
            room: reader.uri_or_empty("roomId")?,
            acceptable_ciphersuites: reader.list("acceptableCiphersuites", TYPES_MAX)?,
            required_capabilities: RequiredCapabilities::read(reader)?,
            requester_signature_key: reader.key("requesterSignatureKey")?,
            requester_credential: Credential::read(reader)?,
            signature: reader.key("key_material_request_signature")?,
        };
        // A3: "a non-empty list of acceptable MLS ciphersuites".
        if request.acceptable_ciphersuites.is_empty() {
            return Err(DecodeError::Empty { of: "acceptableCiphersuites" });
        }
        Ok(request)
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.write_signed(out);
        put_opaque(out, &self.signature);
    }
}

codes! {
    /// What the target provider says of the user.
    KeyMaterialUserCode("KeyMaterialUserCode") {
        /// A KeyPackage for every client.
        Success = 0 "success",
        /// A KeyPackage for at least one client.
        PartialSuccess = 1 "partialSuccess",
        /// Neither provider, or no client, speaks the protocol.
        IncompatibleProtocol = 2 "incompatibleProtocol",
        /// No client has what is required.
        NoCompatibleMaterial = 3 "noCompatibleMaterial",
        /// There is no such user.
        UserUnknown = 4 "userUnknown",
        /// The user has not consented; also said in place of what is nobody's business.
        NoConsent = 5 "noConsent",
        /// The user has not consented for this room.
        NoConsentForThisRoom = 6 "noConsentForThisRoom",
        /// There was such a user.
        UserDeleted = 7 "userDeleted",
    }
}

impl KeyMaterialUserCode {
    /// Whether clients may be listed beside this code (PM7).
    pub const fn may_list_clients(self) -> bool {
        match self {
            Self::Success | Self::PartialSuccess | Self::NoCompatibleMaterial => true,
            Self::IncompatibleProtocol
            | Self::UserUnknown
            | Self::NoConsent
            | Self::NoConsentForThisRoom
            | Self::UserDeleted => false,
        }
    }
}

codes! {
    /// What the target provider says of one client.
    KeyMaterialClientCode("KeyMaterialClientCode") {
        /// Here is its KeyPackage.
        Success = 0 "success",
        /// It has none left.
        KeyMaterialExhausted = 1 "keyMaterialExhausted",
        /// It has none that is compatible.
        NothingCompatible = 2 "nothingCompatible",
    }
}

/// The answer to a [`KeyMaterialRequest`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyMaterialResponse {
    /// What became of the request as a whole.
    pub user_status: KeyMaterialUserCode,
    /// The user that was asked for.
    pub user: UserUri,
    /// His clients; empty unless the code allows them (PM7).
    pub clients: Vec<ClientKeyMaterial>,
}

/// One client of the user that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientKeyMaterial {
    /// The client.
    pub client: ClientUri,
    /// What it has.
    pub material: ClientMaterial,
}

/// What one client has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientMaterial {
    /// A KeyPackage.
    Success {
        /// The `KeyPackage` struct.
        key_package: Vec<u8>,
    },
    /// None left.
    KeyMaterialExhausted,
    /// None that is compatible.
    NothingCompatible {
        /// What it does support, if its provider cares to say.
        capabilities: Option<Capabilities>,
    },
}

impl ClientMaterial {
    /// The code that says so.
    pub const fn code(&self) -> KeyMaterialClientCode {
        match self {
            Self::Success { .. } => KeyMaterialClientCode::Success,
            Self::KeyMaterialExhausted => KeyMaterialClientCode::KeyMaterialExhausted,
            Self::NothingCompatible { .. } => KeyMaterialClientCode::NothingCompatible,
        }
    }
}

impl Wire for ClientKeyMaterial {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let code = KeyMaterialClientCode::read(reader)?;
        let client = reader.uri("clientUri")?;
        let material = match code {
            KeyMaterialClientCode::Success => ClientMaterial::Success { key_package: reader.key_package()? },
            KeyMaterialClientCode::KeyMaterialExhausted => ClientMaterial::KeyMaterialExhausted,
            KeyMaterialClientCode::NothingCompatible => {
                ClientMaterial::NothingCompatible { capabilities: reader.optional(Capabilities::read)? }
            }
        };
        Ok(Self { client, material })
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.material.code().write(out);
        put_uri(out, &self.client);
        match &self.material {
            ClientMaterial::Success { key_package } => out.extend_from_slice(key_package),
            ClientMaterial::KeyMaterialExhausted => {}
            ClientMaterial::NothingCompatible { capabilities } => {
                put_optional(out, capabilities.as_ref(), Capabilities::write);
            }
        }
    }
}

impl Wire for KeyMaterialResponse {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Protocol::read(reader)?;
        let response = Self {
            user_status: KeyMaterialUserCode::read(reader)?,
            user: reader.uri("userUri")?,
            clients: reader.list("clients", CLIENTS_MAX)?,
        };
        // PM7: "For any other user code, the provider MUST NOT populate the clients list."
        if !response.user_status.may_list_clients() && !response.clients.is_empty() {
            return Err(DecodeError::NotEmpty { of: "clients" });
        }
        Ok(response)
    }

    fn write(&self, out: &mut Vec<u8>) {
        Protocol::Mls10.write(out);
        self.user_status.write(out);
        put_uri(out, &self.user);
        put_list(out, &self.clients);
    }
}

body!(KeyMaterialRequest, KeyMaterialResponse, ClientKeyMaterial);
