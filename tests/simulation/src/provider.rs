//! One simulated machine: the product's server and gateway, over a disk and a native network that outlive it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use mimi_adapter::Adapter;
use mimi_bridge::{Bridge, BridgeParts, Networks};
use mimi_client::HostedMint;
use mimi_client::vault::Vault;
use mimi_edge_policy::Rules;
use mimi_server::{Server, ServerParts};
use mimi_transport::{Outbound, serve};
use mimi_uri::{Domain, UserUri};
use mimi_wire::{Authority, Clock};
use tokio_util::sync::CancellationToken;

use crate::clock::SimulatedClock;
use crate::dice::Dice;
use crate::disk::Disk;
use crate::liar::Liar;
use crate::native::Native;
use crate::network::{Door, Wire};
use crate::papers::{Papers, secret};

/// A machine, with all that survives its crashes.
#[derive(Clone)]
pub(crate) struct Machine {
    pub(crate) domain: &'static str,
    pub(crate) disk: Disk,
    pub(crate) native: Native,
    pub(crate) clock_ahead: Duration,
    pub(crate) seed: u64,
    pub(crate) starts: Arc<AtomicU64>,
    pub(crate) liar: Option<Liar>,
}

impl Machine {
    /// Runs until the machine is switched off.
    pub(crate) async fn run(self) -> turmoil::Result {
        let start = self.starts.fetch_add(1, Ordering::Relaxed);
        let dice = Dice::new(self.seed, &format!("{} start {start}", self.domain));
        let papers = Papers::of(self.domain);
        let peers = Papers::peers(self.domain);
        let store = self.disk.open(dice);
        let outbound =
            Outbound::through(Arc::new(Wire), &papers.certificate, papers.domain.clone(), peers.clone())?;
        let vault = Vault::new(&secret(&papers.domain));
        let clock: Arc<dyn Clock> = Arc::new(SimulatedClock::new(self.clock_ahead));
        let names = self.names(&papers.domain);
        let hosted = names.clone();
        let hosts = Arc::new(move |user: &UserUri| hosted.native(user).is_some());
        let server = Server::new(ServerParts {
            domain: papers.domain.clone(),
            authority: Authority { host: papers.domain.clone(), port: None },
            store: Arc::clone(&store),
            outbound,
            mint: Arc::new(HostedMint::new(hosts, Arc::clone(&papers.authority), vault.clone())),
            facts: papers.facts(),
            identity_roots: vec![papers.authority.root_der().to_vec()],
            rules: Rules::default(),
            clock: Arc::clone(&clock),
        });
        let bridge = Bridge::new(BridgeParts {
            networks: names,
            store,
            hub: server.hub(),
            agents: papers.agents(),
            vault,
            authority: Arc::clone(&papers.authority),
            adapters: vec![("native".to_owned(), Arc::new(self.native.clone()) as Arc<dyn Adapter>)],
            rules: Rules::default(),
            clock,
        })
        .await?;
        let stop = CancellationToken::new();
        let mut router = Router::new().fallback_service(server.endpoints());
        let (delivering, carrying) = (stop.clone(), stop.clone());
        if let Some(liar) = &self.liar {
            router = liar.around(router);
            tokio::spawn(liar.clone().lie(self.disk.clone(), peers.clone()));
        }
        tokio::spawn(async move { server.run(delivering).await });
        tokio::spawn(async move { bridge.run(carrying).await });
        let door = Door::open().await?;
        serve(door, papers.certificate.clone(), peers, router, stop.cancelled_owned()).await?;
        Ok(())
    }

    fn names(&self, domain: &Domain) -> Networks {
        Networks::new(domain.clone(), vec![("native".to_owned(), self.native.addresses())])
    }
}
