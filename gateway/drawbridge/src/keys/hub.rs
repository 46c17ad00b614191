//! What our hub signs with: proposals as external sender, and franks.

use mimi_client::vault::KEY_LENGTH;
use mimi_mls::SigningKey;
use mimi_uri::Domain;
use pem::Pem;
use rcgen::{
    CertificateParams, DistinguishedName, Issuer, KeyPair, PKCS_ED25519, PublicKeyData, SignatureAlgorithm,
};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use zeroize::Zeroizing;

use super::{key_from, read_text};
use crate::config::{Mistake, ProviderConfig};

/// The hub's Ed25519 key, and the certificate by which rooms know it (A12: a DNS name, the hub's domain).
pub(crate) struct HubIdentity {
    /// The key.
    pub(crate) key: SigningKey,
    /// The certificate, DER.
    pub(crate) certificate: Vec<u8>,
}

impl HubIdentity {
    /// A new key, certified by the provider's identity CA (root certificate and PKCS #8 key).
    ///
    /// It has no date of expiry: it is pinned in every room, and replaced there by decision.
    pub(crate) fn generate(domain: &Domain, root: &[u8], root_key: &[u8]) -> Result<Self, String> {
        let key = SigningKey::generate().map_err(|fault| fault.to_string())?;
        let certificate =
            certify(domain, &key.public(), root, root_key).map_err(|fault| fault.to_string())?;
        Ok(Self { key, certificate })
    }

    /// The key and certificate that the configuration names.
    pub(crate) fn load(provider: &ProviderConfig) -> Result<Self, Mistake> {
        let text = read_text(&provider.hub_key, "provider.hub_key")?;
        let seed: Zeroizing<[u8; KEY_LENGTH]> = key_from(&text, "provider.hub_key")?;
        let key = SigningKey::from_bytes(seed.as_slice()).map_err(|fault| Mistake {
            key: "provider.hub_key".to_owned(),
            text: format!("{fault}; it must be the file that init made"),
        })?;
        let text = read_text(&provider.hub_certificate, "provider.hub_certificate")?;
        let certificate = pem::parse(text.as_bytes()).map_err(|_| not_a_certificate())?.into_contents();
        let (_, parsed) =
            x509_parser::parse_x509_certificate(&certificate).map_err(|_| not_a_certificate())?;
        if !names(&parsed, &provider.domain) {
            return Err(Mistake {
                key: "provider.hub_certificate".to_owned(),
                text: format!(
                    "it does not name {}; it must be the one that init made for it",
                    provider.domain
                ),
            });
        }
        if parsed.public_key().subject_public_key.data.as_ref() != key.public() {
            return Err(Mistake {
                key: "provider.hub_key".to_owned(),
                text: "it is not the key of provider.hub_certificate; both are files that init made"
                    .to_owned(),
            });
        }
        Ok(Self { key, certificate })
    }

    /// The certificate in PEM.
    pub(crate) fn certificate_pem(&self) -> String {
        pem::encode(&Pem::new("CERTIFICATE", self.certificate.as_slice()))
    }

    /// The key as its file has it.
    pub(crate) fn key_text(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{}\n", hex::encode(self.key.to_bytes().as_slice())))
    }
}

fn names(certificate: &X509Certificate<'_>, domain: &Domain) -> bool {
    let names = certificate.subject_alternative_name().ok().flatten();
    let mut names = names.iter().flat_map(|names| &names.value.general_names);
    names.any(|name| matches!(name, GeneralName::DNSName(name) if *name == domain.as_str()))
}

fn not_a_certificate() -> Mistake {
    Mistake {
        key: "provider.hub_certificate".to_owned(),
        text: "the file is not a certificate in PEM; it must be the one that init made".to_owned(),
    }
}

fn certify(domain: &Domain, key: &[u8], root: &[u8], root_key: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
    let issuer = Issuer::from_ca_cert_der(&root.into(), KeyPair::try_from(root_key)?)?;
    let mut params = CertificateParams::new(vec![domain.as_str().to_owned()])?;
    params.distinguished_name = DistinguishedName::new();
    params.not_before = rcgen::date_time_ymd(1970, 1, 1);
    params.not_after = rcgen::date_time_ymd(9999, 12, 31);
    Ok(params.signed_by(&Ed25519(key), &issuer)?.der().to_vec())
}

/// A public key by its bytes.
struct Ed25519<'a>(&'a [u8]);

impl PublicKeyData for Ed25519<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ED25519
    }
}
