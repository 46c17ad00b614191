//! What a credential proves, and every way in which it proves nothing.

use mimi_uri::{ClientUri, Domain, UserUri};
use rcgen::{CertificateParams, CustomExtension, IsCa, KeyPair, KeyUsagePurpose, SanType};

use super::{
    ClientIdentity, IdentityAuthority, IdentityError, IdentityRoots, encode_credential, read_identity,
    verify_credential,
};
use crate::SigningKey;
use crate::limits::OWN_CERTIFICATE_LENGTH_MAX;
use crate::tls::vector;

const NOW_S: u64 = 1_700_000_000;
const HOUR_S: u64 = 3_600;
const USER: &str = "mimi://a.example/u/alice";
const CLIENT: &str = "mimi://a.example/d/alice/phone";

fn domain(name: &str) -> Domain {
    Domain::parse(name).unwrap()
}

fn alice() -> ClientIdentity {
    ClientIdentity { user: UserUri::parse(USER).unwrap(), client: ClientUri::parse(CLIENT).unwrap() }
}

/// A provider, one client of it, and a peer that knows the provider's root.
struct World {
    authority: IdentityAuthority,
    key: SigningKey,
    roots: IdentityRoots,
}

impl World {
    fn new() -> Self {
        let authority = IdentityAuthority::generate(&domain("a.example")).unwrap();
        let mut roots = IdentityRoots::default();
        roots.insert(&domain("a.example"), authority.root_der().to_vec()).unwrap();
        Self { authority, key: SigningKey::generate().unwrap(), roots }
    }

    fn credential(&self) -> Vec<u8> {
        let ClientIdentity { user, client } = alice();
        let valid_s = NOW_S - HOUR_S..NOW_S + HOUR_S;
        encode_credential(&self.authority.issue(&user, &client, &self.key.public(), valid_s).unwrap())
    }

    fn verify(&self, credential: &[u8]) -> Result<ClientIdentity, IdentityError> {
        verify_credential(credential, &self.key.public(), &self.roots, NOW_S)
    }

    /// A certificate by the same authority that is right except for what `spoil` does to it.
    fn spoiled(&self, names: &[&str], spoil: impl FnOnce(&mut CertificateParams)) -> Vec<u8> {
        let mut params = CertificateParams::default();
        params.subject_alt_names =
            names.iter().map(|name| SanType::URI((*name).try_into().unwrap())).collect();
        spoil(&mut params);
        let issuing_key = KeyPair::try_from(self.authority.key_der().as_slice()).unwrap();
        let issuer = rcgen::Issuer::from_ca_cert_der(&self.authority.root_der().into(), issuing_key).unwrap();
        let key = ed25519(&self.key);
        encode_credential(params.signed_by(&key, &issuer).unwrap().der())
    }
}

/// The member's own key in the form that rcgen wants.
fn ed25519(key: &SigningKey) -> KeyPair {
    let prefix = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    let pkcs8 = [prefix.as_slice(), &key.to_bytes()].concat();
    KeyPair::try_from(pkcs8).unwrap()
}

#[test]
fn a_certificate_of_the_users_provider_proves_who_he_is() {
    let world = World::new();

    assert_eq!(world.verify(&world.credential()), Ok(alice()));
    assert_eq!(read_identity(&world.credential()), Ok(alice()));
}

#[test]
fn our_certificates_are_small() {
    let authority = IdentityAuthority::generate(&domain("messages.provider.example")).unwrap();
    let user = UserUri::parse("mimi://messages.provider.example/u/xmpp.somebody=40else.example").unwrap();
    let client =
        ClientUri::parse("mimi://messages.provider.example/d/xmpp.somebody=40else.example/1").unwrap();
    let key = SigningKey::generate().unwrap();

    let certificate = authority.issue(&user, &client, &key.public(), NOW_S..NOW_S + HOUR_S).unwrap();

    assert!(certificate.len() <= OWN_CERTIFICATE_LENGTH_MAX, "{} bytes", certificate.len());
}

#[test]
fn an_unknown_root_is_told_apart_so_that_it_can_be_fetched() {
    let world = World::new();

    let verdict =
        verify_credential(&world.credential(), &world.key.public(), &IdentityRoots::default(), NOW_S);

    assert_eq!(verdict, Err(IdentityError::UnknownRoot(domain("a.example"))));
}

#[test]
fn a_root_vouches_for_its_own_domain_only() {
    let mut world = World::new();
    let evil = IdentityAuthority::generate(&domain("evil.example")).unwrap();
    world.roots = IdentityRoots::default();
    world.roots.insert(&domain("evil.example"), world.authority.root_der().to_vec()).unwrap();
    world.roots.insert(&domain("a.example"), evil.root_der().to_vec()).unwrap();

    let verdict = world.verify(&world.credential());

    assert_eq!(verdict, Err(IdentityError::NotVouchedFor(domain("a.example"))));
}

#[test]
fn another_authority_of_the_same_name_vouches_for_nobody() {
    let world = World::new();
    let impostor = World { roots: world.roots.clone(), ..World::new() };

    let verdict = impostor.verify(&impostor.credential());

    assert_eq!(verdict, Err(IdentityError::NotVouchedFor(domain("a.example"))));
}

#[test]
fn an_authority_issues_for_its_own_domain_only() {
    let world = World::new();
    let stranger = UserUri::parse("mimi://b.example/u/bob").unwrap();

    let issued =
        world.authority.issue(&stranger, &alice().client, &world.key.public(), NOW_S..NOW_S + HOUR_S);

    assert!(issued.is_err());
}

#[test]
fn a_certificate_is_valid_from_its_first_to_its_last_second() {
    let world = World::new();
    let credential = world.credential();
    let at = |now_s| verify_credential(&credential, &world.key.public(), &world.roots, now_s).map(|_| ());

    assert_eq!(at(NOW_S - HOUR_S), Ok(()));
    assert_eq!(at(NOW_S + HOUR_S), Ok(()));
    assert_eq!(at(NOW_S - HOUR_S - 1), Err(IdentityError::NotValidNow));
    assert_eq!(at(NOW_S + HOUR_S + 1), Err(IdentityError::NotValidNow));
}

#[test]
fn a_certificate_is_for_the_members_own_key() {
    let world = World::new();
    let other = SigningKey::generate().unwrap();

    let verdict = verify_credential(&world.credential(), &other.public(), &world.roots, NOW_S);

    assert_eq!(verdict, Err(IdentityError::OtherKey));
}

#[test]
fn an_altered_certificate_is_vouched_for_by_nobody() {
    let world = World::new();
    let mut credential = world.credential();
    let place = credential.windows(5).position(|window| window == b"alice").unwrap();
    credential[place..place + 5].copy_from_slice(b"malic");

    let verdict = world.verify(&credential);

    assert_eq!(verdict, Err(IdentityError::NotVouchedFor(domain("a.example"))));
}

#[test]
fn the_names_are_exactly_one_user_and_one_client() {
    let world = World::new();
    let with = |names: &[&str]| world.verify(&world.spoiled(names, |_| {}));

    assert_eq!(with(&[USER, CLIENT]), Ok(alice()));
    assert_eq!(with(&[CLIENT, USER]), Ok(alice()));
    assert_eq!(with(&[]), Err(IdentityError::Names("there are none")));
    assert_eq!(with(&[USER]), Err(IdentityError::Names("no client URI")));
    assert_eq!(with(&[CLIENT]), Err(IdentityError::Names("no user URI")));
    assert_eq!(with(&[USER, CLIENT, USER]), Err(IdentityError::Names("more than two URIs")));
    assert_eq!(
        with(&[USER, CLIENT, "mimi://a.example/u/bob"]),
        Err(IdentityError::Names("more than two URIs"))
    );
    assert_eq!(with(&["mimi://A.example/u/alice", CLIENT]), Err(IdentityError::Names("no user URI")));
}

#[test]
fn a_name_that_is_no_uri_is_not_overlooked() {
    let world = World::new();

    let credential = world.spoiled(&[USER, CLIENT], |params| {
        params.subject_alt_names.push(SanType::DnsName("a.example".try_into().unwrap()));
    });

    assert_eq!(world.verify(&credential), Err(IdentityError::Names("a name that is no URI")));
}

#[test]
fn user_and_client_are_of_one_provider() {
    let world = World::new();

    let credential = world.spoiled(&[USER, "mimi://b.example/d/alice/phone"], |_| {});

    assert_eq!(
        world.verify(&credential),
        Err(IdentityError::DomainsDiffer { user: domain("a.example"), client: domain("b.example") })
    );
}

#[test]
fn an_issuers_certificate_is_no_clients() {
    let world = World::new();

    let issuer = world.spoiled(&[USER, CLIENT], |params| {
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    });
    let other_usage =
        world.spoiled(&[USER, CLIENT], |params| params.key_usages = vec![KeyUsagePurpose::KeyAgreement]);

    assert_eq!(world.verify(&issuer), Err(IdentityError::NotAClient));
    assert_eq!(world.verify(&other_usage), Err(IdentityError::NotAClient));
}

#[test]
fn an_unknown_critical_extension_is_not_ignored() {
    let world = World::new();
    let extended = |critical| {
        world.spoiled(&[USER, CLIENT], |params| {
            let mut extension = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 99_999, 1], vec![5, 0]);
            extension.set_criticality(critical);
            params.custom_extensions.push(extension);
        })
    };

    assert_eq!(world.verify(&extended(true)), Err(IdentityError::UnknownCriticalExtension));
    assert_eq!(world.verify(&extended(false)), Ok(alice()));
}

#[test]
fn a_credential_has_one_certificate() {
    let world = World::new();
    let credential = world.credential();
    let certificate = &credential[4..];
    let twice = [&[0, 2], vector(&[certificate, certificate].concat()).as_slice()].concat();

    assert_eq!(world.verify(&twice), Err(IdentityError::NotOneCertificate(2)));
    assert_eq!(world.verify(&[0, 2, 0]), Err(IdentityError::NotOneCertificate(0)));
    assert!(matches!(world.verify(&[0, 3, 0]), Err(IdentityError::Malformed(_))));
    assert!(matches!(world.verify(&encode_credential(b"no certificate")), Err(IdentityError::Malformed(_))));
    assert_eq!(world.verify(&encode_credential(&[0; 2049])), Err(IdentityError::TooLong));
}

#[test]
fn a_root_is_an_issuer_that_has_signed_itself() {
    let world = World::new();
    let a_example = domain("a.example");
    let mut roots = IdentityRoots::default();
    let client = world.credential()[6..].to_vec();

    assert_eq!(roots.insert(&a_example, client), Err(IdentityError::NotARoot("it may not issue")));
    assert!(matches!(roots.insert(&a_example, vec![1, 2, 3]), Err(IdentityError::Malformed(_))));
    assert_eq!(roots.of(&a_example), &[] as &[Vec<u8>]);
}

#[test]
fn a_domain_has_few_roots_and_each_of_them_vouches() {
    let world = World::new();
    let a_example = domain("a.example");
    let mut roots = IdentityRoots::default();
    for _ in 0..7 {
        let root = IdentityAuthority::generate(&a_example).unwrap().root_der().to_vec();
        roots.insert(&a_example, root).unwrap();
    }

    roots.insert(&a_example, world.authority.root_der().to_vec()).unwrap();
    roots.insert(&a_example, world.authority.root_der().to_vec()).unwrap();

    let ninth = IdentityAuthority::generate(&a_example).unwrap().root_der().to_vec();
    assert_eq!(roots.insert(&a_example, ninth), Err(IdentityError::TooManyRoots));
    assert_eq!(verify_credential(&world.credential(), &world.key.public(), &roots, NOW_S), Ok(alice()));
}

#[test]
fn an_authority_comes_back_from_what_was_stored() {
    let world = World::new();
    let (root, key) = (world.authority.root_der(), world.authority.key_der());

    let authority = IdentityAuthority::from_der(&domain("a.example"), root, &key).unwrap();

    let again = World { authority, key: world.key.clone(), roots: world.roots.clone() };
    assert_eq!(again.verify(&again.credential()), Ok(alice()));
}

#[test]
fn a12_a_basic_credential_names_its_client_and_counts_only_where_it_was_allowed() {
    let mut world = World::new();
    let basic = [&[0, 1], vector(CLIENT.as_bytes()).as_slice()].concat();

    assert_eq!(read_identity(&basic), Ok(alice()));
    assert_eq!(world.verify(&basic), Err(IdentityError::BasicNotAccepted(domain("a.example"))));
    world.roots.accept_basic(&domain("a.example"));
    assert_eq!(world.verify(&basic), Ok(alice()));
    let nobody = [&[0, 1], vector(b"mimi://a.example/d/alice").as_slice()].concat();
    assert!(matches!(read_identity(&nobody), Err(IdentityError::Names(_))));
}
