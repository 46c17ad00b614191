//! Requests that a client has signed: by a key that its credential is about, and the user's own provider vouches for.

use mimi_mls::{IdentityError, IdentityRoots, read_identity, verify_credential, verify_with_label};
use mimi_uri::UserUri;
use mimi_wire::{Credential, Timestamp};

use crate::failure::{Failure, Rejection};
use crate::server::Inner;

/// What a client has signed, and with what.
pub(crate) struct Signed<'a> {
    pub(crate) key: &'a [u8],
    pub(crate) credential: &'a Credential,
    pub(crate) label: &'static str,
    pub(crate) content: &'a [u8],
    pub(crate) signature: &'a [u8],
}

impl Signed<'_> {
    /// The user who has signed, if it is one who may.
    ///
    /// Who he says he is comes first: nobody can have us fetch the roots of a provider that has no part in the request.
    pub(crate) async fn prove(
        &self,
        inner: &Inner,
        now: Timestamp,
        may: impl FnOnce(&UserUri) -> bool,
    ) -> Result<UserUri, Failure> {
        let wrong = |why| Failure::Rejected(Rejection::NotThatProvider(why));
        let credential = self.credential.as_bytes();
        if !verify_with_label(self.key, self.label, self.content, self.signature) {
            return Err(wrong("the signature does not verify"));
        }
        let said = read_identity(credential).map_err(|_| wrong("the credential does not read"))?.user;
        if !may(&said) {
            return Err(wrong("the credential is of another user"));
        }
        let prove = |roots: &IdentityRoots| verify_credential(credential, self.key, roots, now.seconds());
        let proven = match prove(&inner.known_roots().await) {
            Err(IdentityError::UnknownRoot(domain)) => {
                if !inner.fetch_roots(&domain).await {
                    return Err(Failure::TryAgain);
                }
                prove(&inner.known_roots().await)
            }
            proven => proven,
        };
        proven.map(|_| said).map_err(|_| wrong("the credential proves nothing"))
    }
}
