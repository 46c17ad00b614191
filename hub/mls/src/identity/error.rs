use mimi_uri::Domain;

use crate::limits::{CERTIFICATE_LENGTH_MAX, ROOTS_PER_DOMAIN_MAX};

/// Why a credential proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// We know no identity root of that provider: fetch it, then ask again.
    #[error("no identity root of {0} is known")]
    UnknownRoot(Domain),
    /// The bytes are not a credential, or not a certificate.
    #[error("the credential does not decode: {0}")]
    Malformed(&'static str),
    /// A certificate longer than any member's may be.
    #[error("a certificate has at most {CERTIFICATE_LENGTH_MAX} bytes")]
    TooLong,
    /// More or fewer certificates than one; issuers are roots, so there is no chain.
    #[error("the credential carries {0} certificates instead of one")]
    NotOneCertificate(usize),
    /// A credential without proof, from a provider that is not configured for it.
    #[error("basic credentials are not accepted from {0}")]
    BasicNotAccepted(Domain),
    /// The names are not exactly one user URI and one client URI.
    #[error("the names are not one user URI and one client URI: {0}")]
    Names(&'static str),
    /// User and client are of different providers.
    #[error("the user is of {user}, the client of {client}")]
    DomainsDiffer {
        /// The user's provider.
        user: Domain,
        /// The client's provider.
        client: Domain,
    },
    /// No known root of the user's provider has signed the certificate.
    #[error("no identity root of {0} has signed the certificate")]
    NotVouchedFor(Domain),
    /// Before its first or after its last second.
    #[error("the certificate, or its root, is not valid at this time")]
    NotValidNow,
    /// The certificate's key is not the member's signature key.
    #[error("the certificate is for another key")]
    OtherKey,
    /// A certificate for another purpose: an issuer's, or one not for signatures.
    #[error("the certificate is not a client's")]
    NotAClient,
    /// A critical extension that we do not understand.
    #[error("the certificate has an unknown critical extension")]
    UnknownCriticalExtension,
    /// A root that is none: not an issuer, not self-signed, or of an algorithm that we do not verify.
    #[error("not an identity root: {0}")]
    NotARoot(&'static str),
    /// A domain with more roots than it may have.
    #[error("a domain has at most {ROOTS_PER_DOMAIN_MAX} identity roots")]
    TooManyRoots,
}
