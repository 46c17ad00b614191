use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::routing::get;
use http::StatusCode;
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType,
    date_time_ymd,
};
use rustls::pki_types::UnixTime;

use super::{Ca, Running, Stranger, domain, leaf};
use crate::{CertificateFault, PeeringAuthority, Peers, ProviderCertificate, read_roots};

/// What is wrong with a certificate, the certificate, and what the log says of it.
type Wrong = (&'static str, ProviderCertificate, &'static str);

fn self_signed(name: &str) -> ProviderCertificate {
    let key = KeyPair::generate().unwrap();
    let chain = leaf(name, |_| ()).self_signed(&key).unwrap().pem();
    ProviderCertificate::from_pem(chain.as_bytes(), key.serialize_pem().as_bytes()).unwrap()
}

/// What the owner of a good certificate would sign with it, if certificates were authorities.
fn signed_by_a_leaf(a: &Ca) -> ProviderCertificate {
    let (middle_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let middle = leaf("a.example", |_| ());
    let middle_pem = middle.signed_by(&middle_key, &a.issuer).unwrap().pem();
    let end = leaf("a.example", |_| ()).signed_by(&key, &Issuer::new(middle, middle_key)).unwrap();
    let chain = end.pem() + &middle_pem;
    ProviderCertificate::from_pem(chain.as_bytes(), key.serialize_pem().as_bytes()).unwrap()
}

fn without_names(params: &mut CertificateParams) {
    params.subject_alt_names.clear();
}

fn wrong_certificates(a: &Ca) -> Vec<Wrong> {
    let as_named = |name: &str| a.issue(name);
    let with_usages = |usages: Vec<ExtendedKeyUsagePurpose>| {
        a.issue_as("a.example", |params| params.extended_key_usages = usages)
    };
    let uri = SanType::URI("https://a.example".try_into().unwrap());
    let authority = |params: &mut CertificateParams| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    };
    vec![
        ("self-signed", self_signed("a.example"), UNKNOWN_ISSUER),
        ("of another authority", Ca::new("other").issue("a.example"), UNKNOWN_ISSUER),
        ("of an authority of the same name", Ca::new("A").issue("a.example"), "BadSignature"),
        (
            "expired",
            a.issue_as("a.example", |p| p.not_after = date_time_ymd(2020, 1, 1)),
            "certificate expired",
        ),
        (
            "not yet valid",
            a.issue_as("a.example", |p| p.not_before = date_time_ymd(2090, 1, 1)),
            "certificate not valid yet",
        ),
        ("of a domain that is no peer", as_named("c.example"), r#"is a peer's: ["c.example"]"#),
        ("of a subdomain", as_named("sub.a.example"), r#"is a peer's: ["sub.a.example"]"#),
        ("with a common name only", a.issue_as("a.example", without_names), "is a peer's: []"),
        ("with a wildcard", as_named("*.example"), r#"is a peer's: ["*.example"]"#),
        ("with another spelling", as_named("A.example"), r#"is a peer's: ["A.example"]"#),
        ("with a URI", a.issue_as("a.example", |p| p.subject_alt_names = vec![uri]), "is a peer's: []"),
        (
            "of another peer than its authority's",
            as_named("b.example"),
            "b.example's pinned roots do not vouch for the certificate: invalid peer certificate: UnknownIssuer",
        ),
        ("for servers only", with_usages(vec![ExtendedKeyUsagePurpose::ServerAuth]), "is not for clients"),
        ("without usages", with_usages(vec![]), "is not for clients"),
        ("of an unknown peer", Ca::new("C").issue("c.example"), r#"is a peer's: ["c.example"]"#),
        ("signed by a leaf", signed_by_a_leaf(a), "EndEntityUsedAsCa"),
        ("that is an authority itself", a.issue_as("a.example", authority), "CaUsedAsEndEntity"),
    ]
}

const UNKNOWN_ISSUER: &str =
    "a.example's pinned roots do not vouch for the certificate: invalid peer certificate: UnknownIssuer";

#[test]
fn g1_a_wrong_certificate_proves_nobody() {
    let (a, b) = (Ca::new("A"), Ca::new("B"));
    let peers = Peers::new(vec![a.peer("a.example", None), b.peer("b.example", None)]).unwrap();

    for (name, certificate, why) in wrong_certificates(&a) {
        let (leaf, intermediates) = certificate.chain().split_first().unwrap();
        let proven = peers.now().prove(leaf, intermediates, UnixTime::now());

        let reason = proven.unwrap_err().to_string();
        assert!(reason.contains(why), "{name}: {reason}");
    }
}

#[test]
fn a_certificate_proves_each_peer_that_it_names_and_whose_roots_vouch_for_it() {
    let (a, b) = (Ca::new("A"), Ca::new("B"));
    let peers = Peers::new(vec![
        a.peer("a.example", None),
        b.peer("b.example", None),
        a.peer("also-a.example", None),
    ])
    .unwrap();
    let names = ["also-a.example", "b.example", "c.example"];
    let certificate = a.issue_as("a.example", |params| {
        params.subject_alt_names.extend(names.map(|name| SanType::DnsName(name.try_into().unwrap())));
    });

    let proven = peers.now().prove(&certificate.chain()[0], &[], UnixTime::now());

    assert_eq!(proven, Ok(vec![domain("a.example"), domain("also-a.example")]));
}

#[tokio::test]
async fn g1_no_request_of_a_wrong_certificate_is_heard() {
    let (hub, a, b) = (Ca::new("hub"), Ca::new("A"), Ca::new("B"));
    let peers = Peers::new(vec![a.peer("a.example", None), b.peer("b.example", None)]).unwrap();
    let heard = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&heard);
    let router =
        Router::new().route("/", get(move || async move { _ = count.fetch_add(1, Ordering::SeqCst) }));
    let server = Running::start(hub.issue("hub.example"), peers, router).await;

    for (name, certificate, _) in wrong_certificates(&a) {
        assert!(Stranger::new(&hub, Some(&certificate)).status(server.address).await.is_err(), "{name}");
    }
    assert!(Stranger::new(&hub, None).status(server.address).await.is_err());
    assert_eq!(heard.load(Ordering::SeqCst), 0);

    let good = Stranger::new(&hub, Some(&a.issue("a.example"))).status(server.address).await;
    assert_eq!(good, Ok(StatusCode::OK));
    assert_eq!(heard.load(Ordering::SeqCst), 1);
    server.stop().await;
}

#[test]
fn a_generated_certificate_is_good_for_its_domain_under_its_root() {
    let made = PeeringAuthority::generate(&domain("a.example")).unwrap();

    let certificate = ProviderCertificate::from_pem(made.chain.as_bytes(), made.key.as_bytes()).unwrap();
    let roots = read_roots(made.root.as_bytes()).unwrap();
    let peer = crate::PeerTls { domain: domain("a.example"), roots, connect: None };
    let peers = Peers::new(vec![peer]).unwrap();

    let in_ten_years = SystemTime::now() + Duration::from_hours(10 * 365 * 24);
    assert_eq!(certificate.check(&domain("a.example"), SystemTime::now()), Ok(()));
    assert_eq!(certificate.check(&domain("a.example"), in_ten_years), Ok(()));
    let proven = peers.now().prove(&certificate.chain()[0], &[], UnixTime::now());
    assert_eq!(proven, Ok(vec![domain("a.example")]));
}

#[test]
fn what_is_wrong_with_our_own_certificate_is_said_in_one_line() {
    let (a, now) = (Ca::new("A"), SystemTime::now());
    let ours = domain("a.example");
    let checked = |spoil: fn(&mut CertificateParams)| {
        a.issue_as("a.example", spoil).check(&ours, now).unwrap_err().to_string()
    };

    assert_eq!(a.issue("a.example").check(&ours, now), Ok(()));
    assert_eq!(
        checked(|params| params.not_after = date_time_ymd(2020, 1, 1)),
        "the certificate expired Jan  1 00:00:00 2020 +00:00"
    );
    assert_eq!(
        checked(|params| params.not_before = date_time_ymd(2090, 1, 1)),
        "the certificate is not valid before Jan  1 00:00:00 2090 +00:00"
    );
    assert_eq!(
        checked(without_names),
        "the certificate does not name a.example (a dNSName of its subjectAltName must; wildcards do not count)"
    );
    assert_eq!(
        checked(|params| drop(params.extended_key_usages.pop())),
        "the certificate is not for clientAuth (its extended key usage must list serverAuth and clientAuth)"
    );
}

#[test]
fn what_is_not_a_certificate_and_its_key_is_refused() {
    let made = PeeringAuthority::generate(&domain("a.example")).unwrap();
    let other = PeeringAuthority::generate(&domain("a.example")).unwrap();
    let read =
        |chain: &str, key: &str| ProviderCertificate::from_pem(chain.as_bytes(), key.as_bytes()).unwrap_err();
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

    assert!(matches!(read("", &made.key), CertificateFault::NotPem(_)));
    assert!(matches!(read("-----BEGIN CERTIFICATE-----\nAA", &made.key), CertificateFault::NotPem(_)));
    assert_eq!(read(&made.key, &made.key), CertificateFault::NoCertificate);
    assert!(matches!(read(broken, &made.key), CertificateFault::Malformed(_)));
    assert_eq!(read(&made.chain, &made.chain), CertificateFault::NoKey);
    assert_eq!(read(&made.chain, &other.key), CertificateFault::KeyMismatch);
    assert_eq!(read_roots(made.chain.as_bytes()), Err(CertificateFault::NotAnAuthority));
    let missing = std::path::Path::new("/nowhere/chain.pem");
    assert_eq!(
        ProviderCertificate::read(missing, missing).unwrap_err().to_string(),
        "/nowhere/chain.pem cannot be read: No such file or directory (os error 2)"
    );
}

#[test]
fn a_list_with_a_peer_that_cannot_be_used_changes_nothing() {
    let a = Ca::new("A");
    let peers = Peers::new(vec![a.peer("a.example", None)]).unwrap();
    let mut without_roots = a.peer("b.example", None);
    without_roots.roots.clear();

    let replaced = peers.replace(vec![without_roots]);

    assert_eq!(replaced, Err(CertificateFault::NoCertificate));
    assert_eq!(peers.domains(), [domain("a.example")]);
}
