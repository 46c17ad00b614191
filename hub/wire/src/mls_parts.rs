//! MLS structures that stand inside MIMI's own.

use crate::codec::{Reader, Wire, body, codes, put_list, put_opaque};
use crate::decode_error::DecodeError;
use crate::limits::{COMPONENTS_MAX, CREDENTIAL_LENGTH_MAX, KEY_LENGTH_MAX, TYPES_MAX};

codes! {
    /// The end-to-end protocol of a room.
    Protocol("Protocol") {
        /// MLS 1.0.
        Mls10 = 1 "mls10",
    }
}

/// An MLS ciphersuite by its number; numbers we do not speak are numbers all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CipherSuite(pub u16);

impl CipherSuite {
    /// `MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519`, the suite of our rooms.
    pub const X25519_AES128GCM_SHA256_ED25519: Self = Self(0x0001);
}

impl Wire for CipherSuite {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        u16::read(reader).map(Self)
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
    }
}

/// An MLS `Credential`, kept as the bytes it came as (RFC 9420 §5.3).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Credential(Vec<u8>);

impl Credential {
    /// The `Credential` struct, type and content.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credential({} bytes)", self.0.len())
    }
}

const CREDENTIAL_BASIC: u16 = 1;
const CREDENTIAL_X509: u16 = 2;

impl Wire for Credential {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let credential_type = u16::read(reader)?;
        let content = reader.opaque_max("credential", CREDENTIAL_LENGTH_MAX)?;
        match credential_type {
            CREDENTIAL_BASIC => {}
            CREDENTIAL_X509 => {
                let mut chain = Reader::new(content);
                while !chain.is_empty() {
                    chain.opaque()?;
                }
            }
            other => return Err(DecodeError::UnsupportedCredential(other)),
        }
        let mut bytes = Vec::with_capacity(content.len() + 6);
        credential_type.write(&mut bytes);
        put_opaque(&mut bytes, content);
        Ok(Self(bytes))
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }
}

/// What every member of a group must support beyond the default (RFC 9420 §11.1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequiredCapabilities {
    /// Extension types.
    pub extension_types: Vec<u16>,
    /// Proposal types.
    pub proposal_types: Vec<u16>,
    /// Credential types.
    pub credential_types: Vec<u16>,
}

impl Wire for RequiredCapabilities {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            extension_types: reader.list("extension_types", TYPES_MAX)?,
            proposal_types: reader.list("proposal_types", TYPES_MAX)?,
            credential_types: reader.list("credential_types", TYPES_MAX)?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        put_list(out, &self.extension_types);
        put_list(out, &self.proposal_types);
        put_list(out, &self.credential_types);
    }
}

/// What a client supports (RFC 9420 §7.2).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Protocol versions.
    pub versions: Vec<u16>,
    /// Ciphersuites.
    pub cipher_suites: Vec<CipherSuite>,
    /// Extension types.
    pub extensions: Vec<u16>,
    /// Proposal types.
    pub proposals: Vec<u16>,
    /// Credential types.
    pub credentials: Vec<u16>,
}

impl Wire for Capabilities {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            versions: reader.list("versions", TYPES_MAX)?,
            cipher_suites: reader.list("cipher_suites", TYPES_MAX)?,
            extensions: reader.list("extensions", TYPES_MAX)?,
            proposals: reader.list("proposals", TYPES_MAX)?,
            credentials: reader.list("credentials", TYPES_MAX)?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        put_list(out, &self.versions);
        put_list(out, &self.cipher_suites);
        put_list(out, &self.extensions);
        put_list(out, &self.proposals);
        put_list(out, &self.credentials);
    }
}

/// An MLS extension (RFC 9420 §7.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// Its type.
    pub extension_type: u16,
    /// Its content.
    pub extension_data: Vec<u8>,
}

impl Wire for Extension {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { extension_type: u16::read(reader)?, extension_data: reader.opaque()?.to_vec() })
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.extension_type.write(out);
        put_opaque(out, &self.extension_data);
    }
}

/// A party outside a group that may propose to it (RFC 9420 §12.1.8.1); the first is the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalSender {
    /// Its public signature key.
    pub signature_key: Vec<u8>,
    /// Its credential.
    pub credential: Credential,
}

impl Wire for ExternalSender {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { signature_key: reader.key("signature_key")?, credential: Credential::read(reader)? })
    }

    fn write(&self, out: &mut Vec<u8>) {
        put_opaque(out, &self.signature_key);
        self.credential.write(out);
    }
}

/// What HPKE makes of a plaintext (RFC 9420 §7.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HpkeCiphertext {
    /// The encapsulated key.
    pub kem_output: Vec<u8>,
    /// The sealed plaintext.
    pub ciphertext: Vec<u8>,
}

impl Wire for HpkeCiphertext {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { kem_output: reader.key("kem_output")?, ciphertext: reader.opaque()?.to_vec() })
    }

    fn write(&self, out: &mut Vec<u8>) {
        put_opaque(out, &self.kem_output);
        put_opaque(out, &self.ciphertext);
    }
}

/// Data of several components, in ascending order, each at most once (EM1). Empty where nothing is said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppDataDictionary(Vec<ComponentData>);

/// Data of one component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentData {
    /// The component.
    pub component_id: u16,
    /// Its data.
    pub data: Vec<u8>,
}

impl AppDataDictionary {
    /// The dictionary with these entries, which may come in any order; none if a component comes twice.
    pub fn new(mut entries: Vec<ComponentData>) -> Option<Self> {
        entries.sort_by_key(|entry| entry.component_id);
        is_ascending(&entries).then_some(Self(entries))
    }

    /// What a component says, if it says anything.
    pub fn component(&self, component_id: u16) -> Option<&[u8]> {
        let place = self.0.binary_search_by_key(&component_id, |entry| entry.component_id).ok()?;
        self.0.get(place).map(|entry| entry.data.as_slice())
    }

    /// All entries, in ascending order of their components.
    pub fn entries(&self) -> &[ComponentData] {
        &self.0
    }
}

fn is_ascending(entries: &[ComponentData]) -> bool {
    entries.is_sorted_by(|earlier, later| earlier.component_id < later.component_id)
}

impl Wire for ComponentData {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { component_id: u16::read(reader)?, data: reader.opaque()?.to_vec() })
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.component_id.write(out);
        put_opaque(out, &self.data);
    }
}

impl Wire for AppDataDictionary {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let entries = reader.list("component_data", COMPONENTS_MAX)?;
        // EM1: sorted by component, no component twice.
        if !is_ascending(&entries) {
            return Err(DecodeError::NotAscending { of: "component_data" });
        }
        Ok(Self(entries))
    }

    fn write(&self, out: &mut Vec<u8>) {
        put_list(out, &self.0);
    }
}

body!(
    AppDataDictionary,
    Capabilities,
    CipherSuite,
    Credential,
    Extension,
    ExternalSender,
    HpkeCiphertext,
    RequiredCapabilities
);

impl Reader<'_> {
    /// A public key, an encapsulated key or a signature: opaque bytes of bounded length.
    pub(crate) fn key(&mut self, of: &'static str) -> Result<Vec<u8>, DecodeError> {
        self.opaque_max(of, KEY_LENGTH_MAX).map(<[u8]>::to_vec)
    }
}
