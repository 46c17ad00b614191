use mimi_uri::{ClientUri, UserUri};

use super::certificate::Certificate;
use super::error::IdentityError;
use super::roots::IdentityRoots;
use crate::structure::read_credential;
use crate::tls::{vector, whole};

const CREDENTIAL_BASIC: u16 = 1;
const CREDENTIAL_X509: u16 = 2;

/// A member's user and client; both of one provider.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClientIdentity {
    /// The user.
    pub user: UserUri,
    /// The user's client.
    pub client: ClientUri,
}

impl ClientIdentity {
    pub(super) fn new(user: UserUri, client: ClientUri) -> Result<Self, IdentityError> {
        if user.domain() != client.domain() {
            return Err(IdentityError::DomainsDiffer {
                user: user.domain().clone(),
                client: client.domain().clone(),
            });
        }
        Ok(Self { user, client })
    }
}

/// Reads who a TLS `Credential` names, without asking whether it is true: for routing, not for trust.
pub fn read_identity(credential: &[u8]) -> Result<ClientIdentity, IdentityError> {
    match read(credential)? {
        Read::X509(certificate) => Certificate::parse(certificate)?.names(),
        Read::Basic(identity) => basic_identity(identity),
    }
}

/// Proves who the member with `signature_key` is, by his TLS `Credential` and the roots of his provider.
///
/// `now_s` is Unix time. A provider without any known root is told apart ([`IdentityError::UnknownRoot`]), for its roots
/// can be fetched.
pub fn verify_credential(
    credential: &[u8],
    signature_key: &[u8],
    roots: &IdentityRoots,
    now_s: u64,
) -> Result<ClientIdentity, IdentityError> {
    match read(credential)? {
        Read::X509(certificate) => {
            let certificate = Certificate::parse(certificate)?;
            let identity = certificate.names()?;
            certificate.require_client(signature_key, now_s)?;
            require_voucher(&certificate, &identity, roots, now_s)?;
            Ok(identity)
        }
        Read::Basic(identity) => {
            let identity = basic_identity(identity)?;
            let domain = identity.user.domain();
            if !roots.accepts_basic(domain) {
                return Err(IdentityError::BasicNotAccepted(domain.clone()));
            }
            Ok(identity)
        }
    }
}

/// A TLS `Credential` with one certificate.
pub fn encode_credential(certificate: &[u8]) -> Vec<u8> {
    let mut out = CREDENTIAL_X509.to_be_bytes().to_vec();
    out.extend(vector(&vector(certificate)));
    out
}

enum Read<'a> {
    X509(&'a [u8]),
    Basic(&'a [u8]),
}

fn read(credential: &[u8]) -> Result<Read<'_>, IdentityError> {
    let (credential_type, parts) =
        whole(credential, read_credential).ok_or(IdentityError::Malformed("not a credential"))?;
    match (credential_type, parts.as_slice()) {
        (CREDENTIAL_BASIC, [identity]) => Ok(Read::Basic(identity)),
        (CREDENTIAL_X509, [certificate]) => Ok(Read::X509(certificate)),
        (CREDENTIAL_X509, certificates) => Err(IdentityError::NotOneCertificate(certificates.len())),
        (_, _) => Err(IdentityError::Malformed("neither an x509 nor a basic credential")),
    }
}

/// Someone who knows no X.509 names his client; the user is that URI's path without its last segment (A12).
fn basic_identity(identity: &[u8]) -> Result<ClientIdentity, IdentityError> {
    let client =
        ClientUri::parse_bytes(identity).map_err(|_| IdentityError::Names("not a canonical client URI"))?;
    let segments: Vec<String> = client.segments().collect();
    let Some((_client, user)) = segments.split_last().filter(|(_, user)| !user.is_empty()) else {
        return Err(IdentityError::Names("the client URI does not name its user"));
    };
    let user: Vec<&str> = user.iter().map(String::as_str).collect();
    let user = UserUri::new(client.domain(), &user).map_err(|_| IdentityError::Names("no user URI"))?;
    ClientIdentity::new(user, client)
}

/// A root of D vouches only for `mimi://D/`.
fn require_voucher(
    certificate: &Certificate<'_>,
    identity: &ClientIdentity,
    roots: &IdentityRoots,
    now_s: u64,
) -> Result<(), IdentityError> {
    let domain = identity.user.domain();
    let known = roots.of(domain);
    if known.is_empty() {
        return Err(IdentityError::UnknownRoot(domain.clone()));
    }
    let mut outcome = IdentityError::NotVouchedFor(domain.clone());
    for root in known {
        let root = Certificate::parse(root)?;
        if !certificate.is_issued_by(&root) {
            continue;
        }
        match root.require_valid_at(now_s) {
            Ok(()) => return Ok(()),
            Err(not_valid) => outcome = not_valid,
        }
    }
    Err(outcome)
}
