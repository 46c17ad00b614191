//! What franking costs: one HMAC over what identifies a message, one signature over that.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use aws_lc_rs::signature::Ed25519KeyPair;
use bytes::Bytes;

use crate::fault::Outcome;

/// The part of a body that stands for its franking tag: the last of its ciphertext, different in every message.
const TAG_LENGTH: usize = 32;

pub(super) struct Stamp {
    hub_key: hmac::Key,
    agent: Ed25519KeyPair,
}

impl Stamp {
    pub(super) fn new() -> Outcome<Self> {
        Ok(Self {
            hub_key: hmac::Key::generate(hmac::HMAC_SHA256, &aws_lc_rs::rand::SystemRandom::new())?,
            agent: Ed25519KeyPair::generate()?,
        })
    }

    /// The time, the HMAC and the signature, one after the other.
    pub(super) fn make(&self, path: &[u8], body: &[u8]) -> Bytes {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_micros());
        let tag = &body[body.len().saturating_sub(TAG_LENGTH)..];
        let vouched = [tag, path, &now.to_be_bytes()].concat();
        let frank = hmac::sign(&self.hub_key, &vouched);
        let signed = [frank.as_ref(), path, &now.to_be_bytes()].concat();
        let signature = self.agent.sign(&signed);
        [&now.to_be_bytes(), frank.as_ref(), signature.as_ref()].concat().into()
    }
}
