//! Who a member is: X.509 certificates that a provider issues for its users' clients.
//!
//! A credential is one certificate, leaf only. Its key is the member's MLS signature key, its names are exactly one user
//! URI and one client URI, and its issuer is an identity root of that user's provider: a root of D vouches for
//! `mimi://D/` and nobody else. openmls verifies no credential; hubs and members do it with what is here.

mod authority;
mod certificate;
mod credential;
mod error;
mod roots;
#[cfg(test)]
mod tests;

pub use authority::IdentityAuthority;
pub use credential::{ClientIdentity, encode_credential, read_identity, verify_credential};
pub use error::IdentityError;
pub use roots::IdentityRoots;
