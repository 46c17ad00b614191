use std::sync::Arc;

use async_trait::async_trait;

use crate::{Addresses, Capabilities, Delivery, Guarantees, Ingest, Outcome};

/// What an adapter is, known without configuration or network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The network in one word, as configuration names it: `matrix`.
    pub kind: &'static str,
    /// The network as people call it: `Matrix`.
    pub title: &'static str,
    /// What is promised in each direction.
    pub guarantee: Guarantees,
    /// What the network can show.
    pub capabilities: Capabilities,
}

/// One native network, configured but not yet connected.
#[async_trait]
pub trait Adapter: Send + Sync {
    /// What it is.
    fn manifest(&self) -> Manifest;

    /// How it names people.
    fn addresses(&self) -> Arc<dyn Addresses>;

    /// Starts to listen and to connect.
    ///
    /// Returns once the adapter can be reached by its network. A network that is away is not a fault: the session
    /// keeps trying and tells the host's [`Host::status`].
    async fn open(&self, host: Arc<dyn Host>) -> Result<Box<dyn Session>, OpenFault>;
}

/// A native network in use.
#[async_trait]
pub trait Session: Send + Sync {
    /// Does one step towards the native network. See [`Delivery`] for what the gateway promises.
    async fn deliver(&self, delivery: Delivery) -> Outcome;

    /// Ends what [`Adapter::open`] began; batches being ingested are finished or left unacknowledged.
    async fn close(&self);
}

/// The gateway, as an adapter sees it.
#[async_trait]
pub trait Host: Send + Sync {
    /// Takes events, and returns after they are durable.
    ///
    /// Only `Ok` allows the adapter to acknowledge them natively. After a fault the native network must be left to
    /// send them again; the same event again is harmless.
    async fn ingest(&self, batch: Ingest) -> Result<(), IngestFault>;

    /// Keeps something small for the adapter, that it wants to find again after a restart; `None` takes it away.
    /// Durable when it returns.
    async fn keep(&self, key: &str, value: Option<&str>) -> Result<(), IngestFault>;

    /// All that is kept for the adapter, by key.
    async fn kept(&self) -> Result<Vec<(String, String)>, IngestFault>;

    /// Hears how the session is.
    fn status(&self, status: SessionStatus);
}

/// How a session is, for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionStatus {
    /// Not yet, or no longer, in touch with the network; trying.
    Connecting {
        /// What is in the way.
        why: String,
    },
    /// Both directions work.
    Ready,
    /// One event was set aside because it could not be understood; the rest goes on.
    SetAside {
        /// Which, and why; never its content.
        why: String,
    },
    /// Closed, by [`Session::close`].
    Closed,
}

/// Why the gateway did not take a batch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not stored: {why}")]
pub struct IngestFault {
    /// What happened.
    pub why: String,
}

/// Why an adapter could not be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenFault {
    /// The configuration cannot work, however often it is tried.
    #[error("configuration: {0}")]
    Configuration(String),
    /// Something is in the way that may go: a port in use.
    #[error("unavailable: {0}")]
    Unavailable(String),
}
