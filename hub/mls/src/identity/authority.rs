use std::ops::Range;
use std::time::Duration;

use mimi_uri::{ClientUri, Domain, UserUri};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ED25519, PublicKeyData, SanType, SerialNumber, SignatureAlgorithm,
};
use zeroize::Zeroizing;

use super::certificate::Certificate;
use crate::bridged::Bridged;
use crate::fault::MlsFault;

const SERIAL_LENGTH: usize = 8;

/// RFC 5280 §4.1.2.5: "a certificate [that] has no well-defined expiration date" says 9999-12-31 23:59:59.
const NO_EXPIRY_S: u64 = 253_402_300_799;

/// A provider's identity CA: certifies which key belongs to which client of which of its users.
pub struct IdentityAuthority {
    domain: Domain,
    bridged: Option<Bridged>,
    root: Vec<u8>,
    issuer: Issuer<'static, KeyPair>,
}

impl IdentityAuthority {
    /// A new authority for `domain`.
    ///
    /// Its root has no date of expiry: replacing a root touches every peer, so it happens by decision, not by date.
    pub fn generate(domain: &Domain) -> Result<Self, MlsFault> {
        let key = KeyPair::generate_for(&PKCS_ED25519).map_err(MlsFault::internal)?;
        let mut params = params(0..NO_EXPIRY_S)?;
        params.distinguished_name.push(DnType::CommonName, common_name(domain));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let root = params.self_signed(&key).map_err(MlsFault::internal)?.der().to_vec();
        Ok(Self { domain: domain.clone(), bridged: None, root, issuer: Issuer::new(params, key) })
    }

    /// The authority with this root certificate and PKCS#8 key, both DER.
    pub fn from_der(domain: &Domain, root: &[u8], key: &[u8]) -> Result<Self, MlsFault> {
        let key = KeyPair::try_from(key).map_err(|_| MlsFault::Stored("identity key"))?;
        Certificate::parse(root)
            .and_then(|certificate| certificate.require_root())
            .map_err(|_| MlsFault::Stored("identity root"))?;
        let issuer =
            Issuer::from_ca_cert_der(&root.into(), key).map_err(|_| MlsFault::Stored("identity root"))?;
        Ok(Self { domain: domain.clone(), bridged: None, root: root.to_vec(), issuer })
    }

    /// Marks all clients that are made from here on as people behind another network.
    #[must_use]
    pub fn with_bridged(mut self, bridged: Bridged) -> Self {
        self.bridged = Some(bridged);
        self
    }

    /// The other network that its users are behind, if they are.
    pub fn bridged(&self) -> Option<&Bridged> {
        self.bridged.as_ref()
    }

    /// The domain whose users it vouches for.
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// The root certificate (DER), to be published.
    pub fn root_der(&self) -> &[u8] {
        &self.root
    }

    /// The private key (PKCS#8 DER), to be sealed.
    pub fn key_der(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.issuer.key().serialize_der())
    }

    /// Certifies (DER) that an Ed25519 `public_key` is that of `client` of `user`, for a range of seconds in Unix time.
    pub fn issue(
        &self,
        user: &UserUri,
        client: &ClientUri,
        public_key: &[u8],
        valid_s: Range<u64>,
    ) -> Result<Vec<u8>, MlsFault> {
        if user.domain() != &self.domain || client.domain() != &self.domain {
            return Err(MlsFault::Internal(format!("{} does not vouch for {user}", self.domain)));
        }
        let mut params = params(valid_s)?;
        params.subject_alt_names = [user.as_str(), client.as_str()]
            .into_iter()
            .map(|uri| Ok(SanType::URI(uri.try_into()?)))
            .collect::<Result<_, rcgen::Error>>()
            .map_err(MlsFault::internal)?;
        let certificate =
            params.signed_by(&CertifiedKey(public_key), &self.issuer).map_err(MlsFault::internal)?;
        Ok(certificate.der().to_vec())
    }
}

impl std::fmt::Debug for IdentityAuthority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IdentityAuthority").field("domain", &self.domain).finish_non_exhaustive()
    }
}

/// A key that somebody else holds, to be certified.
struct CertifiedKey<'a>(&'a [u8]);

impl PublicKeyData for CertifiedKey<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ED25519
    }
}

/// A certificate without names, small: a short random serial number, no key identifiers.
fn params(valid_s: Range<u64>) -> Result<CertificateParams, MlsFault> {
    let mut serial = [0; SERIAL_LENGTH];
    aws_lc_rs::rand::fill(&mut serial).map_err(MlsFault::internal)?;
    // RFC 5280 §4.1.2.2: positive, and not zero.
    serial[0] = serial[0] & 0x7f | 0x40;
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let mut params = CertificateParams::default();
    params.not_before = epoch + Duration::from_secs(valid_s.start);
    params.not_after = epoch + Duration::from_secs(valid_s.end);
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.distinguished_name = DistinguishedName::new();
    Ok(params)
}

/// RFC 5280 gives a common name 64 characters; the domain's own length is checked nowhere else, nor does it matter.
fn common_name(domain: &Domain) -> String {
    domain.as_str().chars().take(64).collect()
}
