//! HTTPS with mutual TLS both ways: proves who is who.
//!
//! Providers know each other by roots that their operators exchanged, never by a public list of authorities. [`serve`]
//! admits only connections whose client certificate is vouched for by a root pinned for a domain that the certificate
//! itself names; what was proven travels with each request as its [`Peer`], and [`check_request_identity`] holds the
//! request's own claims against it. [`Outbound`] does the same from the other side, over one long-lived connection per
//! peer. Both follow a list of [`Peers`] that may change at any time. What carries the bytes is a [`Network`] on one side
//! and a [`Listener`] on the other: TCP, unless a simulation brings its own.
//!
//! What a prober can learn: nothing. Every certificate that proves no peer gets the same alert; the reason is in the log.

mod answer;
mod certificate;
mod client_proof;
mod dial;
mod directory_cache;
pub mod limits;
mod link;
mod network;
mod outbound;
mod peer;
mod peering_authority;
mod peers;
mod places;
mod request_identity;
mod serve;
mod transport_fault;

pub use answer::Answer;
pub use certificate::{CertificateFault, ProviderCertificate, read_roots};
pub use network::{Connecting, Listener, Network, Stream, Target, Tcp};
pub use outbound::Outbound;
pub use peer::Peer;
pub use peering_authority::PeeringAuthority;
pub use peers::{PeerTls, Peers};
pub use request_identity::{IdentityMismatch, check_request_identity};
pub use rustls::pki_types::CertificateDer;
pub use serve::serve;
pub use transport_fault::TransportFault;

#[cfg(test)]
mod tests;
