use std::time::SystemTime;

use mimi_uri::Domain;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};

use crate::certificate::CertificateFault;
use crate::limits::{PEERING_BACKDATING, PEERING_VALIDITY};

/// What a provider needs to peer without any public authority, as PEM.
///
/// The root's own key is gone once the leaf is signed: nobody can ever issue a second certificate under it. To replace
/// the leaf is to generate anew and to exchange roots again; peers may pin both for a while.
pub struct PeeringAuthority {
    /// The root that peers pin.
    pub root: String,
    /// The certificate that the provider shows.
    pub chain: String,
    /// Its private key (PKCS #8).
    pub key: String,
}

impl PeeringAuthority {
    /// Makes a root and, signed by it, a certificate for the domain, for both sides of a connection (P-256).
    pub fn generate(domain: &Domain) -> Result<Self, CertificateFault> {
        made(domain).map_err(|fault| CertificateFault::Generation(fault.to_string()))
    }
}

fn made(domain: &Domain) -> Result<PeeringAuthority, rcgen::Error> {
    let root_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut root = params(&[], &format!("{domain} peering root"))?;
    root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let root_certificate = root.self_signed(&root_key)?;

    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut leaf = params(&[domain.as_str().to_owned()], domain.as_str())?;
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    leaf.use_authority_key_identifier_extension = true;
    let chain = leaf.signed_by(&key, &Issuer::from_params(&root, &root_key))?;

    Ok(PeeringAuthority { root: root_certificate.pem(), chain: chain.pem(), key: key.serialize_pem() })
}

fn params(names: &[String], common_name: &str) -> Result<CertificateParams, rcgen::Error> {
    let now = SystemTime::now();
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.not_before = (now - PEERING_BACKDATING).into();
    params.not_after = (now + PEERING_VALIDITY).into();
    Ok(params)
}
