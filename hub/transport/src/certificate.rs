use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mimi_uri::Domain;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// What is wrong with a certificate or key, in one line for an operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateFault {
    /// A file that cannot be read.
    #[error("{0} cannot be read: {1}")]
    File(String, String),
    /// Not PEM, or broken PEM.
    #[error("not PEM: {0}")]
    NotPem(String),
    /// No certificate where one is needed.
    #[error("no certificate in it (a block BEGIN CERTIFICATE is needed)")]
    NoCertificate,
    /// No private key where one is needed.
    #[error("no private key in it (a block BEGIN PRIVATE KEY is needed)")]
    NoKey,
    /// A certificate that is no certificate inside.
    #[error("a certificate does not read: {0}")]
    Malformed(String),
    /// A key of a kind that we cannot use.
    #[error("the private key cannot be used: {0}")]
    Key(String),
    /// Key and certificate belong to different pairs.
    #[error("the private key does not belong to the certificate")]
    KeyMismatch,
    /// A root that may not issue certificates.
    #[error("a pinned root is not a certificate authority (basicConstraints CA is missing)")]
    NotAnAuthority,
    /// Past its time.
    #[error("the certificate expired {0}")]
    Expired(String),
    /// Before its time.
    #[error("the certificate is not valid before {0}")]
    NotYetValid(String),
    /// It does not name the domain.
    #[error(
        "the certificate does not name {0} (a dNSName of its subjectAltName must; wildcards do not count)"
    )]
    NameMissing(Domain),
    /// It may not be used on both sides of a connection.
    #[error("the certificate is not for {0} (its extended key usage must list serverAuth and clientAuth)")]
    UsageMissing(&'static str),
    /// Nothing could be generated.
    #[error("no certificate could be made: {0}")]
    Generation(String),
}

/// Our own certificate: what we show when we serve and when we call. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ProviderCertificate {
    certified: Arc<CertifiedKey>,
}

impl ProviderCertificate {
    /// Reads chain (leaf first) and key from PEM; they must belong together.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, CertificateFault> {
        let chain = certificates(chain)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|fault| match fault {
            rustls::pki_types::pem::Error::NoItemsFound => CertificateFault::NoKey,
            fault => CertificateFault::NotPem(fault.to_string()),
        })?;
        parse(&chain[0])?;
        let certified = CertifiedKey::from_der(chain, key, &provider()).map_err(|fault| match fault {
            rustls::Error::InconsistentKeys(_) => CertificateFault::KeyMismatch,
            fault => CertificateFault::Key(fault.to_string()),
        })?;
        Ok(Self { certified: Arc::new(certified) })
    }

    /// Reads chain and key from PEM files.
    pub fn read(chain: &Path, key: &Path) -> Result<Self, CertificateFault> {
        let read = |path: &Path| {
            let fault =
                |fault: std::io::Error| CertificateFault::File(path.display().to_string(), fault.to_string());
            std::fs::read(path).map_err(fault)
        };
        Self::from_pem(&read(chain)?, &read(key)?)
    }

    /// Whether peers can believe that this certificate is the domain's: name, dates and usages.
    pub fn check(&self, domain: &Domain, now: SystemTime) -> Result<(), CertificateFault> {
        let leaf = parse(&self.chain()[0])?;
        let now = now.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        if now < leaf.validity().not_before.timestamp() {
            return Err(CertificateFault::NotYetValid(leaf.validity().not_before.to_string()));
        }
        if now > leaf.validity().not_after.timestamp() {
            return Err(CertificateFault::Expired(leaf.validity().not_after.to_string()));
        }
        if !dns_names(&leaf).contains(&domain.as_str()) {
            return Err(CertificateFault::NameMissing(domain.clone()));
        }
        for (usage, is_listed) in
            [("serverAuth", is_for_servers(&leaf)), ("clientAuth", is_for_clients(&leaf))]
        {
            if !is_listed {
                return Err(CertificateFault::UsageMissing(usage));
            }
        }
        Ok(())
    }

    /// The chain, leaf first; never empty.
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.certified.cert
    }

    pub(crate) fn certified(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.certified)
    }
}

/// Reads the roots of a peer from PEM: at least one, each a certificate authority.
pub fn read_roots(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, CertificateFault> {
    let roots = certificates(pem)?;
    for root in &roots {
        if !parse(root)?.is_ca() {
            return Err(CertificateFault::NotAnAuthority);
        }
    }
    Ok(roots)
}

/// At least one certificate.
fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, CertificateFault> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let read = read.map_err(|fault| CertificateFault::NotPem(fault.to_string()))?;
    if read.is_empty() {
        let is_pem = pem.windows(PEM_MARK.len()).any(|window| window == PEM_MARK);
        let not_pem = || CertificateFault::NotPem("no block starts with -----BEGIN".to_owned());
        return Err(if is_pem { CertificateFault::NoCertificate } else { not_pem() });
    }
    Ok(read)
}

const PEM_MARK: &[u8] = b"-----BEGIN ";

/// A certificate's inside; what follows it is an error.
pub(crate) fn parse<'a>(der: &'a CertificateDer<'_>) -> Result<X509Certificate<'a>, CertificateFault> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        Ok(_) => Err(CertificateFault::Malformed("bytes follow it".to_owned())),
        Err(fault) => Err(CertificateFault::Malformed(fault.to_string())),
    }
}

/// The dNSNames of the subjectAltName, as written; the common name is no name (RFC 6125, RFC 9525).
pub(crate) fn dns_names<'a>(certificate: &'a X509Certificate<'_>) -> Vec<&'a str> {
    let names = certificate.subject_alternative_name().ok().flatten();
    let names = names.iter().flat_map(|extension| &extension.value.general_names);
    names
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(*name),
            _ => None,
        })
        .collect()
}

/// Whether its extended key usage lists clientAuth; absence says nothing, and nothing is not enough.
pub(crate) fn is_for_clients(certificate: &X509Certificate<'_>) -> bool {
    certificate.extended_key_usage().ok().flatten().is_some_and(|usage| usage.value.client_auth)
}

fn is_for_servers(certificate: &X509Certificate<'_>) -> bool {
    certificate.extended_key_usage().ok().flatten().is_some_and(|usage| usage.value.server_auth)
}

/// The one implementation of cryptography that all connections use.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}
