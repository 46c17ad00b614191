//! One X.509 certificate, taken apart and checked piece by piece.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ED25519, UnparsedPublicKey, VerificationAlgorithm};
use mimi_uri::{ClientUri, UserUri};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, KeyUsage, ParsedExtension};
use x509_parser::prelude::FromDer as _;
use x509_parser::x509::{AlgorithmIdentifier, SubjectPublicKeyInfo, X509Version};

use super::credential::ClientIdentity;
use super::error::IdentityError;
use crate::limits::CERTIFICATE_LENGTH_MAX;

const OID_ED25519: &str = "1.3.101.112";
const OID_ECDSA_SHA256: &str = "1.2.840.10045.4.3.2";

/// A certificate that has been parsed, and nothing else.
pub(super) struct Certificate<'a>(X509Certificate<'a>);

impl<'a> Certificate<'a> {
    pub(super) fn parse(der: &'a [u8]) -> Result<Self, IdentityError> {
        if der.len() > CERTIFICATE_LENGTH_MAX {
            return Err(IdentityError::TooLong);
        }
        let (rest, certificate) = X509Certificate::from_der(der)
            .map_err(|_| IdentityError::Malformed("not an X.509 certificate"))?;
        if !rest.is_empty() {
            return Err(IdentityError::Malformed("bytes follow the certificate"));
        }
        if certificate.version() != X509Version::V3 {
            return Err(IdentityError::Malformed("not an X.509 version 3 certificate"));
        }
        Ok(Self(certificate))
    }

    /// Who the certificate names: exactly one user URI, one client URI, and nothing besides.
    pub(super) fn names(&self) -> Result<ClientIdentity, IdentityError> {
        let names = self
            .0
            .subject_alternative_name()
            .map_err(|_| IdentityError::Names("malformed"))?
            .ok_or(IdentityError::Names("there are none"))?;
        let mut uris = Vec::new();
        for name in &names.value.general_names {
            let GeneralName::URI(uri) = name else {
                return Err(IdentityError::Names("a name that is no URI"));
            };
            uris.push(*uri);
        }
        let mut users = uris.iter().filter_map(|uri| UserUri::parse(uri).ok());
        let mut clients = uris.iter().filter_map(|uri| ClientUri::parse(uri).ok());
        match (users.next(), clients.next(), uris.len()) {
            (Some(user), Some(client), 2) => ClientIdentity::new(user, client),
            (Some(_), Some(_), _) => Err(IdentityError::Names("more than two URIs")),
            (None, _, _) => Err(IdentityError::Names("no user URI")),
            (_, None, _) => Err(IdentityError::Names("no client URI")),
        }
    }

    /// Checks everything about a client's certificate that does not depend on its root.
    pub(super) fn require_client(&self, signature_key: &[u8], now_s: u64) -> Result<(), IdentityError> {
        self.require_valid_at(now_s)?;
        self.require_known_extensions()?;
        if self.0.is_ca() || !self.may(KeyUsage::digital_signature) {
            return Err(IdentityError::NotAClient);
        }
        let key = self.0.public_key();
        if !is(&key.algorithm, OID_ED25519) || key.subject_public_key.data.as_ref() != signature_key {
            return Err(IdentityError::OtherKey);
        }
        Ok(())
    }

    /// Checks that this certificate may sign others', and has signed itself.
    pub(super) fn require_root(&self) -> Result<(), IdentityError> {
        self.require_known_extensions()?;
        if !self.0.is_ca() || !self.may(KeyUsage::key_cert_sign) {
            return Err(IdentityError::NotARoot("it may not issue"));
        }
        if !self.is_issued_by(self) {
            return Err(IdentityError::NotARoot("it has not signed itself"));
        }
        Ok(())
    }

    pub(super) fn require_valid_at(&self, now_s: u64) -> Result<(), IdentityError> {
        let validity = self.0.validity();
        let now = i64::try_from(now_s).map_err(|_| IdentityError::NotValidNow)?;
        let is_valid = validity.not_before.timestamp() <= now && now <= validity.not_after.timestamp();
        if is_valid { Ok(()) } else { Err(IdentityError::NotValidNow) }
    }

    /// Whether `issuer`'s name stands in this certificate, and its key has signed it.
    pub(super) fn is_issued_by(&self, issuer: &Certificate<'_>) -> bool {
        let algorithms_agree = self.0.signature_algorithm == self.0.tbs_certificate.signature;
        let signature = self.0.signature_value.data.as_ref();
        let signed = self.0.tbs_certificate.as_ref();
        algorithms_agree
            && self.0.issuer().as_raw() == issuer.0.subject().as_raw()
            && algorithm(&self.0.signature_algorithm, issuer.0.public_key()).is_some_and(|algorithm| {
                let key = issuer.0.public_key().subject_public_key.data.as_ref();
                UnparsedPublicKey::new(algorithm, key).verify(signed, signature).is_ok()
            })
    }

    /// Whether the key usage, if there is one, permits something.
    fn may(&self, permits: impl Fn(&KeyUsage) -> bool) -> bool {
        match self.0.key_usage() {
            Ok(Some(usage)) => permits(usage.value),
            Ok(None) => true,
            Err(_) => false,
        }
    }

    /// RFC 5280 §4.2: a certificate with a critical extension that is not understood is rejected.
    fn require_known_extensions(&self) -> Result<(), IdentityError> {
        let known = |extension: &ParsedExtension<'_>| {
            matches!(
                extension,
                ParsedExtension::SubjectAlternativeName(_)
                    | ParsedExtension::BasicConstraints(_)
                    | ParsedExtension::KeyUsage(_)
            )
        };
        self.0.extensions_map().map_err(|_| IdentityError::Malformed("an extension comes twice"))?;
        let unknown = self
            .0
            .iter_extensions()
            .any(|extension| extension.critical && !known(extension.parsed_extension()));
        if unknown { Err(IdentityError::UnknownCriticalExtension) } else { Ok(()) }
    }
}

/// How a signature by an issuer's key is verified: Ed25519, or ECDSA over P-256, and only with a key of that kind.
fn algorithm(
    signature: &AlgorithmIdentifier<'_>,
    key: &SubjectPublicKeyInfo<'_>,
) -> Option<&'static dyn VerificationAlgorithm> {
    if is(signature, OID_ED25519) && is(&key.algorithm, OID_ED25519) {
        return Some(&ED25519);
    }
    // aws-lc-rs refuses a key that is not a point of the curve, so the key's own parameters need no second look.
    is(signature, OID_ECDSA_SHA256).then_some(&ECDSA_P256_SHA256_ASN1)
}

fn is(algorithm: &AlgorithmIdentifier<'_>, oid: &str) -> bool {
    algorithm.algorithm.to_id_string() == oid
}
