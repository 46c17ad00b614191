use mimi_uri::Domain;
use mimi_wire::{DirectoryError, LinkError};

/// Why a request to a peer got no answer, in one line for an operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportFault {
    /// Not in our list of peers.
    #[error("{0} is no peer of ours")]
    NoPeer(Domain),
    /// No connection.
    #[error("{peer} cannot be reached: {why}")]
    Unreachable {
        /// Whom we called.
        peer: Domain,
        /// What went wrong.
        why: String,
    },
    /// Somebody answered, but not provably the peer.
    #[error("{peer} did not prove who it is: {why}")]
    Unproven {
        /// Whom we called.
        peer: Domain,
        /// What its certificate lacks.
        why: String,
    },
    /// A new connection ended before its first answer.
    #[error("{peer} hung up before its first answer, as one does that does not trust our certificate: {why}")]
    Refused {
        /// Whom we called.
        peer: Domain,
        /// What went wrong.
        why: String,
    },
    /// The connection ended within an exchange.
    #[error("the connection to {peer} broke: {why}")]
    Broken {
        /// Whom we called.
        peer: Domain,
        /// What went wrong.
        why: String,
    },
    /// Too slow.
    #[error("{peer} did not answer in time")]
    TooSlow {
        /// Whom we called.
        peer: Domain,
    },
    /// Too much.
    #[error("the answer of {peer} has more than {max} bytes")]
    TooLarge {
        /// Whom we called.
        peer: Domain,
        /// The most that is read.
        max: usize,
    },
    /// No directory to be had.
    #[error("the directory of {peer} cannot be used: {why}")]
    Directory {
        /// Whom we called.
        peer: Domain,
        /// What is wrong with it.
        why: DirectoryError,
    },
    /// The peer does not give out its directory.
    #[error("{peer} answered {status} when asked for its directory")]
    NoDirectory {
        /// Whom we called.
        peer: Domain,
        /// The HTTP status.
        status: u16,
    },
    /// The directory does not lead to the endpoint.
    #[error("{endpoint} of {peer} cannot be called: {why}")]
    NoEndpoint {
        /// Whom we called.
        peer: Domain,
        /// What for.
        endpoint: &'static str,
        /// What its directory lacks.
        why: LinkError,
    },
}
