//! One provider, put together from its configuration: the only place where all crates meet.

mod facts;
mod store;

use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use mimi_bridge::{Bridge, BridgeParts};
use mimi_client::HostedMint;
use mimi_client::vault::Vault;
use mimi_edge_policy::{DefaultRule, Rules};
use mimi_mls::Bridged;
use mimi_server::{Server, ServerParts};
use mimi_transport::{Outbound, PeerTls, Peers, ProviderCertificate, read_roots};
use mimi_uri::{Domain, UserUri};
use mimi_wire::{Clock, Timestamp};

pub(crate) use self::store::OpenStore;
use crate::config::{Config, ConsentDefault, Mistake, PeerConfig};
use crate::desk::{self, Desk};
use crate::networks::NamedAdapter;
use crate::{keys, networks};

/// A provider that is ready to run.
pub(crate) struct Provider {
    pub(crate) server: Server,
    pub(crate) bridge: Arc<Bridge>,
    pub(crate) store: OpenStore,
    pub(crate) certificate: ProviderCertificate,
    pub(crate) peers: Peers,
    pub(crate) desk: Arc<Desk>,
}

impl Provider {
    /// Reads the keys and puts the parts together over an open store; nothing runs yet, nothing listens.
    pub(crate) async fn assemble(config: &Config, store: OpenStore) -> Result<Self, String> {
        let provider = &config.provider;
        let domain = provider.domain.clone();
        let secret = keys::instance_key(provider).map_err(told)?;
        let vault = Vault::new(&secret);
        let adapters = networks::adapters(config).map_err(told)?;
        let authority =
            keys::identity_authority(provider).map_err(told)?.with_bridged(bridged(&adapters, &domain));
        let authority = Arc::new(authority);
        let facts = facts::gather(provider, &authority, &secret)?;
        let names = networks::names(config).map_err(told)?;
        let certificate = certificate(config).map_err(told)?;
        let peers = Peers::new(config.peers.iter().map(peer).collect::<Result<_, _>>().map_err(told)?)
            .map_err(|fault| format!("peer: {fault}"))?;
        let outbound = Outbound::new(&certificate, domain.clone(), peers.clone())
            .map_err(|fault| format!("provider.certificate: {fault}"))?;

        let hosted = names.clone();
        let hosts = Arc::new(move |user: &UserUri| hosted.native(user).is_some());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let server = Server::new(ServerParts {
            domain,
            authority: provider.public_host.clone(),
            store: store.shared(),
            outbound,
            mint: Arc::new(HostedMint::new(hosts, Arc::clone(&authority), vault.clone())),
            identity_roots: vec![authority.root_der().to_vec()],
            facts: facts.hub,
            rules: rules(config.consent),
            clock: Arc::clone(&clock),
        });
        let token = desk::token(&vault, &provider.domain);
        let bridge = Bridge::new(BridgeParts {
            networks: names,
            store: store.shared(),
            hub: server.hub(),
            agents: facts.agents,
            vault,
            authority,
            adapters,
            rules: rules(config.consent),
            clock,
        })
        .await?;
        let bridge = Arc::new(bridge);
        let desk = Arc::new(Desk { bridge: Arc::clone(&bridge), server: server.clone(), token });
        Ok(Self { server, bridge, store, certificate, peers, desk })
    }
}

/// What the configuration says of who may reach whom.
pub(crate) fn rules(consent: ConsentDefault) -> Rules {
    let otherwise = match consent {
        ConsentDefault::Allow => DefaultRule::Allow,
        ConsentDefault::Ask => DefaultRule::Ask,
        ConsentDefault::Deny => DefaultRule::Deny,
    };
    Rules { rules: Vec::new(), otherwise }
}

/// What every leaf of a hosted user says of where encryption between people ends.
fn bridged(adapters: &[NamedAdapter], domain: &Domain) -> Bridged {
    let titles: Vec<&str> = adapters.iter().map(|(_, adapter)| adapter.manifest().title).collect();
    Bridged { network: titles.join(", "), operator: domain.to_string() }
}

/// Our certificate, if it reads and is ours.
pub(crate) fn certificate(config: &Config) -> Result<ProviderCertificate, Mistake> {
    let provider = &config.provider;
    let certificate = ProviderCertificate::read(&provider.certificate, &provider.key);
    let certificate = certificate
        .and_then(|certificate| certificate.check(&provider.domain, SystemTime::now()).map(|()| certificate));
    certificate.map_err(|fault| Mistake {
        key: "provider.certificate".to_owned(),
        text: format!("{fault}; it must be a certificate of {} with its provider.key", provider.domain),
    })
}

/// A peer with the roots that its file has.
pub(crate) fn peer(peer: &PeerConfig) -> Result<PeerTls, Mistake> {
    let key = format!("peer {}: roots", peer.domain);
    let pem = keys::read_text(&peer.roots, &key)?;
    let roots = read_roots(pem.as_bytes()).map_err(|fault| Mistake {
        key,
        text: format!(
            "{}: {fault}; it must be the root certificate that {} gave you",
            peer.roots.display(),
            peer.domain
        ),
    })?;
    Ok(PeerTls { domain: peer.domain.clone(), roots, connect: peer.connect })
}

#[expect(clippy::needless_pass_by_value, reason = "an argument of map_err")]
fn told(mistake: Mistake) -> String {
    mistake.to_string()
}

/// The clocks of this machine.
#[derive(Debug)]
struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        // Before 1970 the hub's own look at its clocks refuses everything; no need to fail here.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    fn monotonic(&self) -> Instant {
        Instant::now()
    }
}
