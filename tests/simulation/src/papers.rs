//! What simulated providers prove themselves with. Made once per process: keys are no part of a schedule.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use mimi_client::HubAgents;
use mimi_mls::hub::ExternalSender;
use mimi_mls::{IdentityAuthority, IdentityRoots, SigningKey, encode_credential};
use mimi_room::{Envelope, FrankingKeys, HubFacts};
use mimi_room_policy::components::{Credential, FrankingAgentData, MediaType, MediaTypeList, Text};
use mimi_transport::{CertificateDer, PeerTls, PeeringAuthority, Peers, ProviderCertificate, read_roots};
use mimi_uri::{ClientUri, Domain, UserUri};
use mimi_wire::HubKey;
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use tls_codec::DeserializeBytes;

use crate::plan::{DOMAINS, LIAR};

/// All papers of one provider.
pub(crate) struct Papers {
    pub(crate) domain: Domain,
    pub(crate) certificate: ProviderCertificate,
    pub(crate) authority: Arc<IdentityAuthority>,
    tls: PeerTls,
    hub_key: SigningKey,
    hub_credential: Vec<u8>,
}

/// The secret of every simulated instance.
pub(crate) fn secret(domain: &Domain) -> [u8; 32] {
    let mut secret = [7; 32];
    secret.iter_mut().zip(domain.as_str().bytes()).for_each(|(byte, letter)| *byte = letter);
    secret
}

static ALL: LazyLock<BTreeMap<&'static str, Papers>> = LazyLock::new(|| {
    DOMAINS.iter().chain([&LIAR]).map(|domain| (*domain, Papers::generate(domain))).collect()
});

impl Papers {
    /// The papers of a provider.
    pub(crate) fn of(domain: &str) -> &'static Self {
        &ALL[domain]
    }

    /// Everybody but `own`, as peers of his.
    pub(crate) fn peers(own: &str) -> Peers {
        let others = ALL.iter().filter(|(domain, _)| **domain != own);
        Peers::new(others.map(|(_, papers)| papers.tls.clone()).collect()).unwrap()
    }

    fn generate(name: &str) -> Self {
        let domain = Domain::parse(name).unwrap();
        let (roots, certificate) = if name == LIAR { LIARS.own.clone() } else { peering(&domain) };
        let authority = IdentityAuthority::generate(&domain).unwrap();
        let hub_key = SigningKey::generate().unwrap();
        let user = UserUri::new(&domain, &["_hub"]).unwrap();
        let client = ClientUri::new(&domain, &["_hub", "hub"]).unwrap();
        let identity = authority.issue(&user, &client, &hub_key.public(), 0..u64::from(u32::MAX)).unwrap();
        Self {
            certificate,
            authority: Arc::new(authority),
            tls: PeerTls { domain: domain.clone(), roots, connect: None },
            hub_key,
            hub_credential: encode_credential(&identity),
            domain,
        }
    }

    /// What its hub puts into the rooms that its users found.
    pub(crate) fn agents(&self) -> HubAgents {
        let essence = Text::new("application/mimi-content").unwrap();
        let content = MediaType { essence, parameters: vec![] };
        HubAgents {
            external_sender: (self.hub_credential.clone(), self.hub_key.public()),
            franking_agent: self.franking_agent(),
            content_media_types: MediaTypeList { media_type_list: vec![content] }.encode(),
        }
    }

    /// What its hub knows and signs with.
    pub(crate) fn facts(&self) -> HubFacts {
        let mut roots = IdentityRoots::default();
        roots.insert(&self.domain, self.authority.root_der().to_vec()).unwrap();
        HubFacts {
            domain: self.domain.clone(),
            roots,
            franking: FrankingKeys {
                hub_key: HubKey::new(&secret(&self.domain)),
                signing_key: self.hub_key.clone(),
                agent: self.franking_agent(),
            },
            external_sender: ExternalSender {
                credential: self.hub_credential.clone(),
                signature_key: self.hub_key.public(),
            },
            envelope: Envelope::default(),
        }
    }

    fn franking_agent(&self) -> Vec<u8> {
        let credential = Credential::tls_deserialize_exact_bytes(&self.hub_credential).unwrap();
        FrankingAgentData { franking_signature_key: self.hub_key.public(), credential }.encode()
    }
}

/// The roots that others pin for a provider, and what it shows them.
type Proof = (Vec<CertificateDer<'static>>, ProviderCertificate);

fn peering(domain: &Domain) -> Proof {
    let peering = PeeringAuthority::generate(domain).unwrap();
    let certificate =
        ProviderCertificate::from_pem(peering.chain.as_bytes(), peering.key.as_bytes()).unwrap();
    (read_roots(peering.root.as_bytes()).unwrap(), certificate)
}

/// Whose name the liar takes.
const VICTIM: &str = "a.example";

/// A certificate that names the liar, which its root may vouch for, and somebody else, which it may not.
pub(crate) fn two_faced() -> (Domain, &'static ProviderCertificate) {
    (Domain::parse(VICTIM).unwrap(), &LIARS.two_faced)
}

struct Liars {
    own: Proof,
    two_faced: ProviderCertificate,
}

static LIARS: LazyLock<Liars> = LazyLock::new(|| {
    let key = KeyPair::generate().unwrap();
    let mut root = CertificateParams::default();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root_certificate = root.self_signed(&key).unwrap();
    let issuer = Issuer::new(root, key);
    let issue = |names: &[&str]| {
        let key = KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut leaf = CertificateParams::new(names).unwrap();
        leaf.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let chain = leaf.signed_by(&key, &issuer).unwrap().pem();
        ProviderCertificate::from_pem(chain.as_bytes(), key.serialize_pem().as_bytes()).unwrap()
    };
    Liars { own: (vec![root_certificate.der().clone()], issue(&[LIAR])), two_faced: issue(&[LIAR, VICTIM]) }
});
