use mimi_uri::{ClientUri, UserUri};
use openmls::prelude::tls_codec::Serialize as _;
use openmls::prelude::{KeyPackage, KeyPackageBundle, Lifetime};
use zeroize::Zeroizing;

use super::hosted_client::HostedClient;
use super::leaf::{leaf_capabilities, leaf_extensions};
use super::signing_key::SigningKey;
use crate::fault::MlsFault;
use crate::identity::IdentityAuthority;
use crate::ids::KeyPackageRef;
use crate::label::reference_hash;
use crate::limits::{BACKDATING_S, CERTIFICATE_MARGIN_S};
use crate::provider::{Provider, SUITE};
use crate::tls::{put_vector, whole};

const VERSION: u8 = 1;
const STORED: MlsFault = MlsFault::Stored("secret of a KeyPackage");

/// A KeyPackage made for one claim, and the secret half that must be durable before it is handed out.
#[derive(Clone)]
pub struct MintedKeyPackage {
    /// The TLS `KeyPackage`.
    pub key_package: Vec<u8>,
    /// Its name.
    pub reference: KeyPackageRef,
    /// All that is needed to join with it and to speak afterwards, versioned: secret.
    pub secret: Vec<u8>,
}

impl std::fmt::Debug for MintedKeyPackage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MintedKeyPackage").field("reference", &self.reference).finish_non_exhaustive()
    }
}

/// Makes a KeyPackage for a client of a hosted user, with a fresh signature key: keys are unique per group and leaf.
///
/// It is valid for `lifetime_s` seconds from `now_s` (Unix time), a little backdated for slow clocks.
pub fn mint_key_package(
    authority: &IdentityAuthority,
    user: &UserUri,
    client: &ClientUri,
    lifetime_s: u64,
    now_s: u64,
) -> Result<MintedKeyPackage, MlsFault> {
    let certified_s = lifetime_s.saturating_add(CERTIFICATE_MARGIN_S);
    let client = HostedClient::generate(authority, user, client, certified_s, now_s)?;
    let lifetime = Lifetime::init(now_s.saturating_sub(BACKDATING_S), now_s.saturating_add(lifetime_s));
    let bundle = KeyPackage::builder()
        .key_package_lifetime(lifetime)
        .leaf_node_capabilities(leaf_capabilities())
        .leaf_node_extensions(leaf_extensions(client.bridged())?)
        .build(SUITE, &Provider::default(), client.signing_key(), client.credential_with_key()?)
        .map_err(MlsFault::internal)?;
    let key_package = bundle.key_package().tls_serialize_detached().map_err(MlsFault::internal)?;
    let reference = key_package_reference(&key_package);
    let secret = HostedSecret { reference: reference.clone(), client, bundle }.encode()?;
    Ok(MintedKeyPackage { key_package, reference, secret: secret.to_vec() })
}

/// `KeyPackageRef` of a TLS `KeyPackage`.
pub(crate) fn key_package_reference(key_package: &[u8]) -> KeyPackageRef {
    KeyPackageRef(reference_hash("MLS 1.0 KeyPackage Reference", key_package))
}

/// The secret half of a minted KeyPackage, unpacked.
#[derive(Debug, Clone)]
pub(crate) struct HostedSecret {
    reference: KeyPackageRef,
    client: HostedClient,
    bundle: KeyPackageBundle,
}

impl HostedSecret {
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, MlsFault> {
        let (reference, client, bundle) = whole(bytes, |reading| {
            (reading.byte()? == VERSION).then_some(())?;
            Some((reading.vector()?, reading.vector()?, reading.vector()?))
        })
        .ok_or(STORED)?;
        Ok(Self {
            reference: KeyPackageRef(reference.to_vec()),
            client: HostedClient::from_bytes(client)?,
            bundle: rmp_serde::from_slice(bundle).map_err(|_| STORED)?,
        })
    }

    fn encode(&self) -> Result<Zeroizing<Vec<u8>>, MlsFault> {
        let bundle = Zeroizing::new(rmp_serde::to_vec(&self.bundle).map_err(MlsFault::internal)?);
        let mut out = Zeroizing::new(vec![VERSION]);
        put_vector(&mut out, &self.reference.0);
        put_vector(&mut out, &self.client.to_bytes());
        put_vector(&mut out, &bundle);
        Ok(out)
    }

    pub(crate) fn reference(&self) -> &KeyPackageRef {
        &self.reference
    }

    pub(crate) fn signing_key(&self) -> &SigningKey {
        self.client.signing_key()
    }

    #[cfg(test)]
    pub(crate) fn client(&self) -> &HostedClient {
        &self.client
    }

    /// The KeyPackage with its private keys.
    pub(crate) fn bundle(&self) -> &KeyPackageBundle {
        &self.bundle
    }
}
