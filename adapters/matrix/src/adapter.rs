use std::sync::Arc;

use async_trait::async_trait;
use mimi_adapter::{
    Adapter, Addresses, Capabilities, Feature, Guarantee, Guarantees, Host, Manifest, OpenFault, Session,
};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::Checked;
use crate::forgotten::{Forgotten, sweep};
use crate::homeserver::Homeserver;
use crate::joining::Joining;
use crate::keeper::keep;
use crate::limits::TEXT_BYTES_MAX;
use crate::listener::router;
use crate::probe::probe;
use crate::puppet::Puppets;
use crate::repeat::Spoken;
use crate::sequence::Sequence;
use crate::session::{Link, MatrixSession};
use crate::watch::watch;
use crate::{InvalidConfig, MatrixConfig, MatrixNames};

/// Matrix, through one homeserver.
#[derive(Debug)]
pub struct MatrixAdapter {
    config: MatrixConfig,
    names: MatrixNames,
    checked: Checked,
}

impl MatrixAdapter {
    /// The adapter of a homeserver; nothing is reached yet.
    pub fn new(config: MatrixConfig) -> Result<Self, InvalidConfig> {
        let checked = config.check()?;
        Ok(Self { names: MatrixNames::checked(&config, &checked), config, checked })
    }

    pub(crate) fn link(&self, host: Arc<dyn Host>) -> Arc<Link> {
        Arc::new(Link {
            names: self.names.clone(),
            prefix: self.config.puppet_prefix.clone(),
            bot: self.checked.bot.clone(),
            id: self.config.id.clone(),
            hs_token: self.config.hs_token.clone(),
            homeserver: Homeserver::new(&self.config.homeserver_url, &self.config.as_token),
            puppets: Puppets::default(),
            spoken: Spoken::default(),
            joining: Joining::default(),
            sequence: Sequence::default(),
            forgotten: Forgotten::default(),
            host,
            doubt: Notify::new(),
        })
    }
}

#[async_trait]
impl Adapter for MatrixAdapter {
    fn manifest(&self) -> Manifest {
        Manifest {
            kind: "matrix",
            title: "Matrix",
            guarantee: Guarantees { inbound: Guarantee::ExactlyOnce, outbound: Guarantee::ExactlyOnce },
            capabilities: Capabilities {
                media_types: vec!["text/html", "text/plain"],
                text_bytes_max: TEXT_BYTES_MAX,
                features: vec![
                    Feature::DisplayNames,
                    Feature::OpensDirect,
                    Feature::Groups,
                    Feature::Progress,
                ],
            },
        }
    }

    fn addresses(&self) -> Arc<dyn Addresses> {
        Arc::new(self.names.clone())
    }

    async fn open(&self, host: Arc<dyn Host>) -> Result<Box<dyn Session>, OpenFault> {
        let listener = TcpListener::bind(self.config.listen)
            .await
            .map_err(|error| OpenFault::Unavailable(format!("{}: {error}", self.config.listen)))?;
        let link = self.link(host);
        link.remember().await.map_err(|fault| OpenFault::Unavailable(fault.to_string()))?;
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();

        let serve = axum::serve(listener, router(Arc::clone(&link)))
            .with_graceful_shutdown(stop.clone().cancelled_owned());
        tasks.spawn(async move {
            if let Err(error) = serve.await {
                tracing::error!(%error, "listener ended");
            }
        });
        tasks.spawn(stop.clone().run_until_cancelled_owned(keep(Arc::clone(&link))));
        tasks.spawn(stop.clone().run_until_cancelled_owned(probe(Arc::clone(&link))));
        tasks.spawn(stop.clone().run_until_cancelled_owned(watch(Arc::clone(&link))));
        tasks.spawn(stop.clone().run_until_cancelled_owned(sweep(Arc::clone(&link))));

        let guard = stop.clone().drop_guard();
        Ok(Box::new(MatrixSession { link, tasks, stop, _stop_when_dropped: guard }))
    }
}
