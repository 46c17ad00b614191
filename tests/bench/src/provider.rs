//! A provider of a run: its keys, and the product's server under its name.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use mimi_client::vault::{KEY_LENGTH, Vault};
use mimi_client::{HostedMint, HubAgents};
use mimi_edge_policy::Rules;
use mimi_mls::hub::ExternalSender;
use mimi_mls::{IdentityAuthority, IdentityRoots, SigningKey, encode_credential};
use mimi_room::{Envelope, FrankingKeys, HubFacts};
use mimi_room_policy::components::{Credential, FrankingAgentData, MediaType, MediaTypeList, Text};
use mimi_server::{Server, ServerParts};
use mimi_store::Store;
use mimi_transport::{Outbound, Peers, ProviderCertificate, serve};
use mimi_uri::{ClientUri, Domain, UserUri};
use mimi_wire::{Authority, Clock, HubKey, Timestamp};
use serde::{Deserialize, Serialize};
use tls_codec::DeserializeBytes;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::fault::Outcome;

/// The secret of every instance of a run; nothing here is worth keeping.
const INSTANCE: [u8; KEY_LENGTH] = [7; KEY_LENGTH];

/// A provider, with all that its rooms know it by.
pub(crate) struct Provider {
    pub(crate) domain: Domain,
    pub(crate) authority: Arc<IdentityAuthority>,
    pub(crate) vault: Vault,
    hub_key: SigningKey,
    hub_certificate: Vec<u8>,
}

/// A provider as it is kept between its founding and its turns.
#[derive(Serialize, Deserialize)]
struct Kept {
    domain: String,
    authority: (Vec<u8>, Vec<u8>),
    hub_key: Vec<u8>,
    hub_certificate: Vec<u8>,
}

/// A server that runs.
pub(crate) struct Serving {
    pub(crate) server: Server,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<Outcome<()>>>,
}

impl Provider {
    /// A new one.
    pub(crate) fn generate(domain: &str) -> Outcome<Self> {
        let domain = Domain::parse(domain)?;
        let authority = IdentityAuthority::generate(&domain)?;
        let hub_key = SigningKey::generate()?;
        let user = UserUri::new(&domain, &["_hub"])?;
        let client = ClientUri::new(&domain, &["_hub", "hub"])?;
        let hub_certificate = authority.issue(&user, &client, &hub_key.public(), 0..u64::from(u32::MAX))?;
        Ok(Self::of(domain, authority, hub_key, hub_certificate))
    }

    /// The one that was kept in a file.
    pub(crate) fn load(file: &Path) -> Outcome<Self> {
        let kept: Kept = serde_json::from_slice(&fs::read(file)?)?;
        let domain = Domain::parse(&kept.domain)?;
        let authority = IdentityAuthority::from_der(&domain, &kept.authority.0, &kept.authority.1)?;
        Ok(Self::of(domain, authority, SigningKey::from_bytes(&kept.hub_key)?, kept.hub_certificate))
    }

    /// Keeps it in a file.
    pub(crate) fn keep(&self, file: &Path) -> Outcome<()> {
        let kept = Kept {
            domain: self.domain.to_string(),
            authority: (self.authority.root_der().to_vec(), self.authority.key_der().to_vec()),
            hub_key: self.hub_key.to_bytes().to_vec(),
            hub_certificate: self.hub_certificate.clone(),
        };
        Ok(fs::write(file, serde_json::to_vec(&kept)?)?)
    }

    fn of(
        domain: Domain,
        authority: IdentityAuthority,
        hub_key: SigningKey,
        hub_certificate: Vec<u8>,
    ) -> Self {
        let vault = Vault::new(&INSTANCE);
        Self { domain, authority: Arc::new(authority), vault, hub_key, hub_certificate }
    }

    /// A user of its.
    pub(crate) fn user(&self, name: &str) -> Outcome<UserUri> {
        Ok(UserUri::new(&self.domain, &[name])?)
    }

    /// What its hub puts into every room.
    pub(crate) fn agents(&self) -> Outcome<HubAgents> {
        let sender = self.external_sender();
        let content = MediaType { essence: Text::new("application/mimi-content")?, parameters: vec![] };
        Ok(HubAgents {
            external_sender: (sender.credential, sender.signature_key),
            franking_agent: self.franking_agent()?,
            content_media_types: MediaTypeList { media_type_list: vec![content] }.encode(),
        })
    }

    /// The product's server on this store, at this listener, with these peers.
    pub(crate) fn serve(
        &self,
        listener: TcpListener,
        store: Arc<dyn Store>,
        certificate: ProviderCertificate,
        peers: Peers,
    ) -> Outcome<Serving> {
        let server = Server::new(ServerParts {
            domain: self.domain.clone(),
            authority: Authority { host: self.domain.clone(), port: None },
            store,
            outbound: Outbound::new(&certificate, self.domain.clone(), peers.clone())?,
            mint: Arc::new(self.mint()),
            facts: self.facts()?,
            identity_roots: vec![self.authority.root_der().to_vec()],
            rules: Rules::default(),
            clock: Arc::new(Clocks),
        });
        let stop = CancellationToken::new();
        let door = stop.clone().cancelled_owned();
        let endpoints = server.endpoints();
        let tasks =
            vec![tokio::spawn(
                async move { Ok(serve(listener, certificate, peers, endpoints, door).await?) },
            )];
        Ok(Serving { server, stop, tasks })
    }

    fn mint(&self) -> HostedMint {
        let domain = self.domain.clone();
        let hosts = Arc::new(move |user: &UserUri| user.domain() == &domain);
        HostedMint::new(hosts, Arc::clone(&self.authority), self.vault.clone())
    }

    fn facts(&self) -> Outcome<HubFacts> {
        let mut roots = IdentityRoots::default();
        roots.insert(&self.domain, self.authority.root_der().to_vec())?;
        Ok(HubFacts {
            domain: self.domain.clone(),
            roots,
            franking: FrankingKeys {
                hub_key: HubKey::new(&INSTANCE),
                signing_key: self.hub_key.clone(),
                agent: self.franking_agent()?,
            },
            external_sender: self.external_sender(),
            envelope: Envelope::default(),
        })
    }

    fn external_sender(&self) -> ExternalSender {
        let credential = encode_credential(&self.hub_certificate);
        ExternalSender { credential, signature_key: self.hub_key.public() }
    }

    fn franking_agent(&self) -> Outcome<Vec<u8>> {
        let ExternalSender { credential, signature_key } = self.external_sender();
        let credential = Credential::tls_deserialize_exact_bytes(&credential)?;
        Ok(FrankingAgentData { franking_signature_key: signature_key, credential }.encode())
    }
}

impl Serving {
    /// Delivers to followers from now on.
    pub(crate) fn deliver(&mut self) {
        let (server, stop) = (self.server.clone(), self.stop.clone());
        self.tasks.push(tokio::spawn(async move { Ok(server.run(stop).await?) }));
    }

    /// Lets what is under way end.
    pub(crate) async fn stop(self) -> Outcome<()> {
        self.stop.cancel();
        for task in self.tasks {
            task.await??;
        }
        Ok(())
    }
}

/// The clocks of this process.
struct Clocks;

impl Clock for Clocks {
    fn now(&self) -> Timestamp {
        now()
    }

    fn monotonic(&self) -> Instant {
        Instant::now()
    }
}

/// The time of day.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
