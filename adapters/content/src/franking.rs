//! The sender's commitment to what it sent, for abuse reports (A6).

use aws_lc_rs::hmac;

use crate::content::Salt;

/// HMAC-SHA256 over application data, keyed by the salt of the content within.
///
/// The sender puts it where the hub sees it; whoever later shows salt and application data proves what was
/// sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FrankingTag(pub [u8; 32]);

impl FrankingTag {
    /// Commits to `application_data`: the whole `ApplicationFraming` in rooms that frame, else the bare
    /// content.
    pub fn new(salt: &Salt, application_data: &[u8]) -> Self {
        let mut tag = [0; 32];
        tag.copy_from_slice(hmac::sign(&key(salt), application_data).as_ref());
        Self(tag)
    }

    /// Whether this tag commits to that data; takes the same time whatever differs.
    pub fn commits_to(&self, salt: &Salt, application_data: &[u8]) -> bool {
        hmac::verify(&key(salt), application_data, &self.0).is_ok()
    }
}

fn key(salt: &Salt) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, salt)
}
