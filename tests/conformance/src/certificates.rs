use std::time::SystemTime;

use mimi_transport::{CertificateDer, PeeringAuthority, ProviderCertificate, read_roots};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// A certificate and its key, to be shown to whomever one likes.
#[derive(Debug)]
pub struct Shown {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
}

impl Clone for Shown {
    fn clone(&self) -> Self {
        Self { chain: self.chain.clone(), key: self.key.clone_key() }
    }
}

/// What a provider has to prove itself with: its root, and the certificate that it shows.
pub(crate) struct Proof {
    pub(crate) root: CertificateDer<'static>,
    pub(crate) certificate: ProviderCertificate,
    pub(crate) shown: Shown,
}

impl Proof {
    pub(crate) fn of(authority: &PeeringAuthority) -> Self {
        let [root] = read_roots(authority.root.as_bytes()).unwrap().try_into().unwrap();
        let certificate =
            ProviderCertificate::from_pem(authority.chain.as_bytes(), authority.key.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(authority.key.as_bytes()).unwrap();
        let shown = Shown { chain: certificate.chain().to_vec(), key };
        Self { root, certificate, shown }
    }
}

/// A certificate authority that signs anything.
pub struct CertificateAuthority {
    root: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl CertificateAuthority {
    /// A new authority.
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name = named("an authority that signs anything");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let root = params.self_signed(&key).unwrap().der().clone();
        Self { root, issuer: Issuer::new(params, key) }
    }

    /// A good certificate for these names, but for what `spoil` does to it.
    pub fn issue(&self, names: &[&str], spoil: impl FnOnce(&mut CertificateParams)) -> Shown {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name = named("b.example");
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.not_before = (SystemTime::now() - DAY).into();
        params.not_after = (SystemTime::now() + DAY).into();
        spoil(&mut params);
        let key = KeyPair::generate().unwrap();
        let chain = vec![params.signed_by(&key, &self.issuer).unwrap().der().clone()];
        Shown { chain, key: PrivatePkcs8KeyDer::from(key.serialize_der()).into() }
    }

    /// Its root.
    pub fn root(&self) -> CertificateDer<'static> {
        self.root.clone()
    }
}

impl Default for CertificateAuthority {
    fn default() -> Self {
        Self::new()
    }
}

const DAY: std::time::Duration = std::time::Duration::from_hours(24);

fn named(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}
