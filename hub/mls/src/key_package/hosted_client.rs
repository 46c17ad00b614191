use mimi_uri::{ClientUri, UserUri};
use openmls::prelude::tls_codec::Deserialize as _;
use openmls::prelude::{Credential, CredentialWithKey};
use zeroize::Zeroizing;

use super::signing_key::SigningKey;
use crate::bridged::Bridged;
use crate::fault::MlsFault;
use crate::identity::{ClientIdentity, IdentityAuthority, encode_credential, read_identity};
use crate::limits::BACKDATING_S;
use crate::tls::{Reading, put_vector, whole};

const VERSION: u8 = 1;

/// One MLS client of a hosted user: who it is, the certificate that says so, and the key that proves it.
#[derive(Debug, Clone)]
pub struct HostedClient {
    identity: ClientIdentity,
    bridged: Option<Bridged>,
    credential: Vec<u8>,
    signing_key: SigningKey,
}

impl HostedClient {
    /// A client with a fresh key and a certificate for it.
    ///
    /// It is valid for `lifetime_s` seconds from `now_s` (Unix time), a little backdated for slow clocks.
    pub fn generate(
        authority: &IdentityAuthority,
        user: &UserUri,
        client: &ClientUri,
        lifetime_s: u64,
        now_s: u64,
    ) -> Result<Self, MlsFault> {
        let valid_s = now_s.saturating_sub(BACKDATING_S)..now_s.saturating_add(lifetime_s);
        let signing_key = SigningKey::generate()?;
        let certificate = authority.issue(user, client, &signing_key.public(), valid_s)?;
        Ok(Self {
            identity: ClientIdentity { user: user.clone(), client: client.clone() },
            bridged: authority.bridged().cloned(),
            credential: encode_credential(&certificate),
            signing_key,
        })
    }

    /// Who the client is.
    pub fn identity(&self) -> &ClientIdentity {
        &self.identity
    }

    /// The other network that the user is behind, if he is.
    pub fn bridged(&self) -> Option<&Bridged> {
        self.bridged.as_ref()
    }

    /// The client's TLS `Credential`.
    pub fn credential(&self) -> &[u8] {
        &self.credential
    }

    /// The client's key.
    pub fn signing_key(&self) -> &SigningKey {
        &self.signing_key
    }

    /// The client as bytes: secret.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(vec![VERSION]);
        put_vector(&mut out, &self.credential);
        put_vector(&mut out, &self.signing_key.to_bytes());
        put_vector(&mut out, &self.bridged.as_ref().map(Bridged::encode).unwrap_or_default());
        out
    }

    /// The client that [`to_bytes`](Self::to_bytes) wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, MlsFault> {
        const STORED: MlsFault = MlsFault::Stored("hosted client");
        let read = |reading: &mut Reading<'_>| {
            (reading.byte()? == VERSION).then_some(())?;
            let credential = reading.vector()?.to_vec();
            let signing_key = SigningKey::from_bytes(reading.vector()?).ok()?;
            let bridged = match reading.vector()? {
                [] => None,
                bytes => Some(Bridged::decode(bytes)?),
            };
            Some((credential, signing_key, bridged))
        };
        let (credential, signing_key, bridged) = whole(bytes, read).ok_or(STORED)?;
        let identity = read_identity(&credential).map_err(|_| STORED)?;
        Ok(Self { identity, bridged, credential, signing_key })
    }

    pub(super) fn credential_with_key(&self) -> Result<CredentialWithKey, MlsFault> {
        let credential = Credential::tls_deserialize_exact(&self.credential).map_err(MlsFault::internal)?;
        Ok(CredentialWithKey { credential, signature_key: self.signing_key.public().into() })
    }
}
