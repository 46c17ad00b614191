//! `KeyPackages` of hosted users, made when they are claimed.

use std::sync::Arc;

use mimi_mls::{IdentityAuthority, KeyPackageRef, LeafView, mint_key_package, read_key_package};
use mimi_uri::{ClientUri, UserUri};
use mimi_wire::{
    CipherSuite, KeyMaterialRequest, Mint, MintRefusal, Minted, RequiredCapabilities, Timestamp,
};

use crate::limits::KEY_PACKAGE_LIFETIME_S;
use crate::vault::{NotOurs, Purpose, Vault};

/// The last segment of a hosted user's client URI: each has one client, which is us.
const CLIENT: &str = "drawbridge";

/// Which URIs may be those of hosted users.
pub type Hosts = Arc<dyn Fn(&UserUri) -> bool + Send + Sync>;

/// Makes `KeyPackages` for any well-formed hosted user: whether there is such a native user, nobody learns here.
pub struct HostedMint {
    hosts: Hosts,
    authority: Arc<IdentityAuthority>,
    vault: Vault,
}

impl HostedMint {
    /// A mint for those users whom `hosts` recognises.
    pub fn new(hosts: Hosts, authority: Arc<IdentityAuthority>, vault: Vault) -> Self {
        Self { hosts, authority, vault }
    }
}

impl Mint for HostedMint {
    fn hosts(&self, user: &UserUri) -> bool {
        (self.hosts)(user)
    }

    fn mint(&self, request: &KeyMaterialRequest, now: Timestamp) -> Result<Minted, MintRefusal> {
        let user = &request.target_user;
        if !self.hosts(user) {
            return Err(MintRefusal::NotHosted);
        }
        if !request.acceptable_ciphersuites.contains(&CipherSuite::X25519_AES128GCM_SHA256_ED25519) {
            return Err(MintRefusal::NothingCompatible);
        }
        let client = client_of(user).ok_or(MintRefusal::NotHosted)?;
        let minted = mint_key_package(&self.authority, user, &client, KEY_PACKAGE_LIFETIME_S, now.seconds())
            .map_err(|fault| MintRefusal::Fault(fault.to_string()))?;
        let offered =
            read_key_package(&minted.key_package).map_err(|fault| MintRefusal::Fault(fault.to_string()))?;
        if !has_all(&offered.leaf, &request.required_capabilities) {
            return Err(MintRefusal::NothingCompatible);
        }
        let secret = self.vault.seal(Purpose::KeyPackage, row(&minted.reference), &minted.secret);
        Ok(Minted { client, key_package: minted.key_package, reference: minted.reference, secret })
    }
}

/// Extension types up to this one are understood by everybody and listed by nobody (RFC 9420 §7.2).
const EXTENSION_DEFAULT_MAX: u16 = 5;

/// Proposal types up to this one are, too.
const PROPOSAL_DEFAULT_MAX: u16 = 7;

/// Credential types that hosted clients understand: basic and X.509.
const CREDENTIALS: [u16; 2] = [1, 2];

/// A3: whether a client has all that the requester requires.
fn has_all(leaf: &LeafView, required: &RequiredCapabilities) -> bool {
    let has_extension = |it: &u16| *it <= EXTENSION_DEFAULT_MAX || leaf.extensions.contains(it);
    let has_proposal = |it: &u16| *it <= PROPOSAL_DEFAULT_MAX || leaf.proposals.contains(it);
    required.extension_types.iter().all(has_extension)
        && required.proposal_types.iter().all(has_proposal)
        && required.credential_types.iter().all(|it| CREDENTIALS.contains(it))
}

/// The secret of a `KeyPackage` that we minted.
pub fn open_secret(vault: &Vault, reference: &KeyPackageRef, sealed: &[u8]) -> Result<Vec<u8>, NotOurs> {
    vault.open(Purpose::KeyPackage, row(reference), sealed)
}

/// The URI of a hosted user's one client.
pub(crate) fn client_of(user: &UserUri) -> Option<ClientUri> {
    let path: Vec<String> = user.segments().collect();
    let mut segments: Vec<&str> = path.iter().map(String::as_str).collect();
    segments.push(CLIENT);
    ClientUri::new(user.domain(), &segments).ok()
}

fn row(reference: &KeyPackageRef) -> &[u8] {
    &reference.0
}
