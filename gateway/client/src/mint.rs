//! `KeyPackages` of hosted users, made when they are claimed.

use std::sync::Arc;

use mimi_mls::{IdentityAuthority, KeyPackageRef, mint_key_package};
use mimi_uri::{ClientUri, UserUri};
use mimi_wire::{CipherSuite, KeyMaterialRequest, Mint, MintRefusal, Minted, Timestamp};

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
        let secret = self.vault.seal(Purpose::KeyPackage, row(&minted.reference), &minted.secret);
        Ok(Minted { client, key_package: minted.key_package, reference: minted.reference, secret })
    }
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
