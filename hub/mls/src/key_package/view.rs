use super::mint::key_package_reference;
use crate::bridged::Bridged;
use crate::components::{BRIDGED, Dictionary, LAST_RESORT_KEY_PACKAGE};
use crate::ids::KeyPackageRef;
use crate::label::verify_with_label;
use crate::limits::KEY_PACKAGE_LIFETIME_MAX_S;
use crate::provider::SUITE;
use crate::structure::{
    Extension, KeyPackage, LeafNode, LeafSource, PROTOCOL_VERSION, read_credential, read_key_package as read,
};
use crate::tls::{Reading, whole};

const EXTENSION_APP_DATA_DICTIONARY: u16 = 0x0006;
/// The marker of the first drafts, which openmls still reads and writes.
const EXTENSION_LAST_RESORT: u16 = 0x000a;
/// RFC 9420 §7.2: extension types 1 to 5 are understood by everybody and not listed.
const EXTENSION_DEFAULT_MAX: u16 = 5;

/// What a KeyPackage offers. Its signatures hold; whether its owner is who he says is for `verify_credential`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPackageView {
    /// The KeyPackage's name.
    pub reference: KeyPackageRef,
    /// The ciphersuite; always ours.
    pub suite: u16,
    /// The leaf that the client would have.
    pub leaf: LeafView,
    /// Valid from this second on (Unix time).
    pub not_before_s: u64,
    /// Valid to this second (Unix time).
    pub not_after_s: u64,
    /// Whether it may be handed out again and again, by either of the two markers.
    pub last_resort: bool,
}

/// What a member says of himself in his leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeafView {
    /// The TLS `Credential`.
    pub credential: Vec<u8>,
    /// The signature key.
    pub signature_key: Vec<u8>,
    /// The end of the leaf's lifetime (Unix time), if it came with a KeyPackage.
    pub not_after_s: Option<u64>,
    /// Extension types he understands.
    pub extensions: Vec<u16>,
    /// Proposal types he understands.
    pub proposals: Vec<u16>,
    /// The leaf's dictionary: supported components, media types, and what else he says.
    pub components: Dictionary,
}

/// Why a KeyPackage is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKeyPackage {
    /// The bytes are not a KeyPackage.
    #[error("the bytes are not a KeyPackage")]
    Malformed,
    /// Another protocol version, or another ciphersuite than the one we speak.
    #[error("protocol version {version} with ciphersuite {suite:#06x} is not spoken here")]
    Suite {
        /// The protocol version.
        version: u16,
        /// The ciphersuite.
        suite: u16,
    },
    /// The leaf was not made for a KeyPackage.
    #[error("the leaf was not made for a KeyPackage")]
    LeafSource,
    /// Init key and leaf key are the same (RFC 9420 §10.1).
    #[error("the init key is also the leaf's encryption key")]
    SameKeys,
    /// The signature on the leaf is not by the leaf's key.
    #[error("the leaf's signature does not hold")]
    LeafSignature,
    /// The signature on the KeyPackage is not by the leaf's key.
    #[error("the KeyPackage's signature does not hold")]
    Signature,
    /// The client uses what it does not claim to understand.
    #[error("the capabilities do not cover version, suite, credential or extensions in use")]
    Capabilities,
    /// Not valid yet, or not any more.
    #[error("the KeyPackage is not valid at this time")]
    Lifetime,
    /// Valid for longer than anybody should be.
    #[error("the KeyPackage's lifetime is longer than {KEY_PACKAGE_LIFETIME_MAX_S} s")]
    LifetimeTooLong,
}

/// Reads a TLS `KeyPackage` and checks all of RFC 9420 §10.1 that needs no clock.
pub fn read_key_package(bytes: &[u8]) -> Result<KeyPackageView, InvalidKeyPackage> {
    let package = whole(bytes, read).ok_or(InvalidKeyPackage::Malformed)?;
    let suite = u16::from(SUITE);
    if (package.version, package.ciphersuite) != (PROTOCOL_VERSION, suite) {
        return Err(InvalidKeyPackage::Suite { version: package.version, suite: package.ciphersuite });
    }
    let leaf = &package.leaf_node;
    let LeafSource::KeyPackage { not_before, not_after } = leaf.source else {
        return Err(InvalidKeyPackage::LeafSource);
    };
    if package.init_key == leaf.encryption_key {
        return Err(InvalidKeyPackage::SameKeys);
    }
    if !verify_with_label(leaf.signature_key, "LeafNodeTBS", leaf.signed, leaf.signature) {
        return Err(InvalidKeyPackage::LeafSignature);
    }
    if !verify_with_label(leaf.signature_key, "KeyPackageTBS", package.signed, package.signature) {
        return Err(InvalidKeyPackage::Signature);
    }
    if !covers(&package) {
        return Err(InvalidKeyPackage::Capabilities);
    }
    Ok(KeyPackageView {
        reference: key_package_reference(bytes),
        suite,
        leaf: LeafView::of(leaf).ok_or(InvalidKeyPackage::Malformed)?,
        not_before_s: not_before,
        not_after_s: not_after,
        last_resort: is_last_resort(&package).ok_or(InvalidKeyPackage::Malformed)?,
    })
}

impl KeyPackageView {
    /// Checks that the KeyPackage is valid at `now_s` (Unix time), and not for longer than the limit.
    pub fn require_valid_at(&self, now_s: u64) -> Result<(), InvalidKeyPackage> {
        if now_s < self.not_before_s || now_s >= self.not_after_s {
            return Err(InvalidKeyPackage::Lifetime);
        }
        if self.not_after_s - self.not_before_s > KEY_PACKAGE_LIFETIME_MAX_S {
            return Err(InvalidKeyPackage::LifetimeTooLong);
        }
        Ok(())
    }
}

impl LeafView {
    /// The other network that the member is behind, if he says so.
    pub fn bridged(&self) -> Option<Bridged> {
        Bridged::decode(self.components.component(BRIDGED)?)
    }

    pub(crate) fn of(leaf: &LeafNode<'_>) -> Option<Self> {
        Some(Self {
            credential: leaf.credential.to_vec(),
            signature_key: leaf.signature_key.to_vec(),
            not_after_s: match leaf.source {
                LeafSource::KeyPackage { not_after, .. } => Some(not_after),
                LeafSource::Update | LeafSource::Commit => None,
            },
            extensions: leaf.capabilities.extensions.clone(),
            proposals: leaf.capabilities.proposals.clone(),
            components: dictionary(&leaf.extensions)?,
        })
    }
}

/// The dictionary among `extensions`; the empty one if there is none.
fn dictionary(extensions: &[Extension<'_>]) -> Option<Dictionary> {
    match extensions.iter().find(|extension| extension.extension_type == EXTENSION_APP_DATA_DICTIONARY) {
        Some(extension) => Dictionary::decode(extension.data),
        None => Some(Dictionary::default()),
    }
}

fn is_last_resort(package: &KeyPackage<'_>) -> Option<bool> {
    let by_extension =
        package.extensions.iter().any(|extension| extension.extension_type == EXTENSION_LAST_RESORT);
    Some(by_extension || dictionary(&package.extensions)?.component(LAST_RESORT_KEY_PACKAGE).is_some())
}

/// RFC 9420 §7.3: what a leaf uses it must list; the last-resort marker of old is in use without being listed.
fn covers(package: &KeyPackage<'_>) -> bool {
    let capabilities = &package.leaf_node.capabilities;
    let credential_type = read_credential(&mut Reading(package.leaf_node.credential)).map(|(kind, _)| kind);
    let extensions = package.leaf_node.extensions.iter().chain(&package.extensions);
    let mut listed = extensions.map(|extension| extension.extension_type);
    capabilities.versions.contains(&package.version)
        && capabilities.ciphersuites.contains(&package.ciphersuite)
        && credential_type.is_some_and(|kind| capabilities.credentials.contains(&kind))
        && listed.all(|kind| {
            kind <= EXTENSION_DEFAULT_MAX
                || kind == EXTENSION_LAST_RESORT
                || capabilities.extensions.contains(&kind)
        })
}

#[cfg(test)]
mod tests {
    use mimi_uri::{ClientUri, Domain, UserUri};
    use openmls::prelude::tls_codec::Serialize as _;
    use openmls::prelude::{KeyPackage, Lifetime};

    use super::{Bridged, InvalidKeyPackage, read_key_package};
    use crate::components::{APP_COMPONENTS, decode_component_list};
    use crate::key_package::leaf::{leaf_capabilities, leaf_extensions};
    use crate::key_package::{HostedClient, HostedSecret, mint_key_package};
    use crate::limits::{BACKDATING_S, KEY_PACKAGE_LIFETIME_MAX_S};
    use crate::provider::{Provider, SUITE};
    use crate::{IdentityAuthority, IdentityRoots, MintedKeyPackage, verify_credential};

    const NOW_S: u64 = 1_700_000_000;
    const DAY_S: u64 = 86_400;

    fn authority() -> IdentityAuthority {
        IdentityAuthority::generate(&Domain::parse("a.example").unwrap()).unwrap()
    }

    fn names() -> (UserUri, ClientUri) {
        let domain = Domain::parse("a.example").unwrap();
        (UserUri::new(&domain, &["bob"]).unwrap(), ClientUri::new(&domain, &["bob", "1"]).unwrap())
    }

    fn minted(lifetime_s: u64) -> MintedKeyPackage {
        let (user, client) = names();
        mint_key_package(&authority(), &user, &client, lifetime_s, NOW_S).unwrap()
    }

    #[test]
    fn a_minted_key_package_is_valid_and_says_who_would_join() {
        let authority = authority();
        let (user, client) = names();
        let mut roots = IdentityRoots::default();
        roots.insert(authority.domain(), authority.root_der().to_vec()).unwrap();

        let minted = mint_key_package(&authority, &user, &client, DAY_S, NOW_S).unwrap();
        let view = read_key_package(&minted.key_package).unwrap();

        assert_eq!(view.reference, minted.reference);
        assert_eq!(view.suite, 1);
        assert!(!view.last_resort);
        let components =
            decode_component_list(view.leaf.components.component(APP_COMPONENTS).unwrap()).unwrap();
        assert!(components.contains(&0x0022) && components.contains(&0x8d00));
        let last = NOW_S + DAY_S;
        let identity =
            verify_credential(&view.leaf.credential, &view.leaf.signature_key, &roots, last).unwrap();
        assert_eq!((identity.user, identity.client), (user, client));
    }

    #[test]
    fn a_minted_secret_comes_back_whole() {
        let minted = minted(DAY_S);

        let secret = HostedSecret::decode(&minted.secret).unwrap();

        assert_eq!(secret.reference(), &minted.reference);
        let stored = secret.bundle().key_package().tls_serialize_detached().unwrap();
        assert_eq!(stored, minted.key_package);
        let view = read_key_package(&minted.key_package).unwrap();
        assert_eq!(secret.signing_key().public(), view.leaf.signature_key);
        assert!(HostedSecret::decode(&minted.secret[1..]).is_err());
    }

    #[test]
    fn who_is_behind_another_network_says_so() {
        let bridged = Bridged { network: "Matrix".to_owned(), operator: "a.example".to_owned() };
        let authority = authority().with_bridged(bridged.clone());
        let (user, client) = names();

        let minted = mint_key_package(&authority, &user, &client, DAY_S, NOW_S).unwrap();

        assert_eq!(read_key_package(&minted.key_package).unwrap().leaf.bridged(), Some(bridged.clone()));
        let secret = HostedSecret::decode(&minted.secret).unwrap();
        assert_eq!(secret.client().bridged(), Some(&bridged));
    }

    #[test]
    fn a_key_package_is_valid_within_its_lifetime() {
        let view = read_key_package(&minted(DAY_S).key_package).unwrap();

        assert_eq!(view.require_valid_at(NOW_S - BACKDATING_S), Ok(()));
        assert_eq!(view.require_valid_at(NOW_S + DAY_S - 1), Ok(()));
        assert_eq!(view.require_valid_at(NOW_S - BACKDATING_S - 1), Err(InvalidKeyPackage::Lifetime));
        assert_eq!(view.require_valid_at(NOW_S + DAY_S), Err(InvalidKeyPackage::Lifetime));
    }

    #[test]
    fn nobody_is_valid_forever() {
        let longest = KEY_PACKAGE_LIFETIME_MAX_S - BACKDATING_S;
        let allowed = read_key_package(&minted(longest).key_package).unwrap();
        let too_long = read_key_package(&minted(longest + 1).key_package).unwrap();

        assert_eq!(allowed.require_valid_at(NOW_S), Ok(()));
        assert_eq!(too_long.require_valid_at(NOW_S), Err(InvalidKeyPackage::LifetimeTooLong));
    }

    #[test]
    fn a_key_package_altered_anywhere_is_none() {
        let minted = minted(DAY_S);

        for place in 0..minted.key_package.len() {
            let mut altered = minted.key_package.clone();
            altered[place] ^= 1;
            assert!(read_key_package(&altered).is_err(), "byte {place}");
        }
        let longer = [minted.key_package.as_slice(), b"x"].concat();
        assert_eq!(read_key_package(&longer), Err(InvalidKeyPackage::Malformed));
    }

    #[test]
    fn another_ciphersuite_is_not_spoken() {
        let mut package = minted(DAY_S).key_package;
        package[3] = 3;

        assert_eq!(read_key_package(&package), Err(InvalidKeyPackage::Suite { version: 1, suite: 3 }));
    }

    #[test]
    fn the_last_resort_marker_of_old_is_understood() {
        let (user, client) = names();
        let client = HostedClient::generate(&authority(), &user, &client, DAY_S, NOW_S).unwrap();
        let bundle = KeyPackage::builder()
            .key_package_lifetime(Lifetime::init(NOW_S, NOW_S + DAY_S))
            .leaf_node_capabilities(leaf_capabilities())
            .leaf_node_extensions(leaf_extensions(None).unwrap())
            .mark_as_last_resort()
            .build(SUITE, &Provider::default(), client.signing_key(), client.credential_with_key().unwrap())
            .unwrap();

        let view = read_key_package(&bundle.key_package().tls_serialize_detached().unwrap()).unwrap();

        assert!(view.last_resort);
    }
}
