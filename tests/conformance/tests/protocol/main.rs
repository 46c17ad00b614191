//! The protocol draft, endpoint by endpoint, against a running server over mutual TLS.

#![expect(clippy::unwrap_used, reason = "a world that does not hold is a failed test")]

mod directory;
mod group_info;
mod key_material;
mod malformed;
mod notify;
mod submit_message;
mod transport;
mod update;
