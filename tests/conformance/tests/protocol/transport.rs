//! The layer below all endpoints (A0): who asks whom, in what form, and how much.

use bytes::Bytes;
use conformance::{Call, CertificateAuthority, Reply, Shown, World};
use http::Method;
use http::header::{CONTENT_TYPE, FROM, HOST};
use mimi_wire::{Endpoint, PROBLEM_MEDIA_TYPE};
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose};

/// The endpoints that take a body.
const SERVED: [Endpoint; 4] =
    [Endpoint::KeyMaterial, Endpoint::Update, Endpoint::SubmitMessage, Endpoint::Notify];

/// A message that would be accepted, were it not for what a test does to the request.
async fn acceptable(world: &World) -> Call {
    let mut chat = world.direct_chat().await;
    let body = chat.bob.says("hi").encode();
    world.b.call(Endpoint::SubmitMessage, chat.uri.as_str(), body)
}

/// Says all of them as `b.example`, and gives the statuses; nothing may be stored of any.
async fn statuses_of_nothing_stored(world: &World, calls: impl IntoIterator<Item = Call>) -> Vec<u16> {
    let before = world.a.ledger.entries();
    let mut statuses = Vec::new();
    for call in calls {
        statuses.push(world.b.say(&call).await.status);
    }
    assert_eq!(world.a.ledger.entries(), before);
    statuses
}

#[tokio::test]
async fn pm3_pm4_a_certificate_that_does_not_prove_the_provider_gets_no_answer() {
    let world = World::new().await;
    let call = acceptable(&world).await;
    let before = world.a.ledger.entries();

    for (what, shown) in wrong_certificates(&world) {
        let answer = said_with(&world, shown.as_ref(), &call).await;
        assert!(answer.is_err(), "{what}: {answer:?}");
    }

    assert_eq!(world.a.ledger.entries(), before);
}

#[tokio::test]
async fn pm4_a_peers_certificate_proves_that_peer_only() {
    let world = World::new().await;
    let call = acceptable(&world).await;
    let before = world.a.ledger.entries();

    let as_c = said_with(&world, Some(&world.c.shown()), &call).await.unwrap();

    assert_eq!(as_c.status, 403);
    assert_eq!(world.a.ledger.entries(), before);
}

#[tokio::test]
async fn pm4_any_certificate_is_good_that_a_pinned_root_issued_for_the_provider_to_be_a_client() {
    let world = World::new().await;
    let call = acceptable(&world).await;
    let several = world.b.certificates.issue(&["www.b.example", "b.example"], |_| ());

    let answer = said_with(&world, Some(&several), &call).await.unwrap();

    assert_eq!(answer.status, 200);
}

async fn said_with(world: &World, shown: Option<&Shown>, call: &Call) -> Result<Reply, String> {
    world.b.connect(shown).await?.say(call).await
}

fn wrong_certificates(world: &World) -> Vec<(&'static str, Option<Shown>)> {
    let pinned = &world.b.certificates;
    let spoilt = |names: &[&str], spoil: fn(&mut CertificateParams)| Some(pinned.issue(names, spoil));
    vec![
        ("none", None),
        ("of a root that nobody pinned", Some(CertificateAuthority::new().issue(&["b.example"], |_| ()))),
        ("of another peer's root", Some(world.c.certificates.issue(&["b.example"], |_| ()))),
        ("for another domain", spoilt(&["d.example"], |_| ())),
        ("for another peer", spoilt(&["c.example"], |_| ())),
        ("for us", spoilt(&["a.example"], |_| ())),
        ("for a host below", spoilt(&["mimi.b.example"], |_| ())),
        ("with a wildcard", spoilt(&["*.example"], |_| ())),
        ("with a common name only", spoilt(&[], |_| ())),
        (
            "that has expired",
            spoilt(&["b.example"], |params| params.not_after = rcgen::date_time_ymd(2020, 1, 1)),
        ),
        (
            "that is not valid yet",
            spoilt(&["b.example"], |params| params.not_before = rcgen::date_time_ymd(2999, 1, 1)),
        ),
        (
            "for servers only",
            spoilt(&["b.example"], |params| {
                params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
            }),
        ),
        ("without any usage", spoilt(&["b.example"], |params| params.extended_key_usages.clear())),
    ]
}

#[tokio::test]
async fn pm2_from_is_one_addr_spec_of_mimi_at_the_proven_domain() {
    let world = World::new().await;
    let call = acceptable(&world).await;
    let wrong = [
        "mimi@c.example",
        "mimi@a.example",
        "mimi@mimi.b.example",
        "mimi@b.example.",
        "mimi@B.example",
        "Mimi@b.example",
        "alice@b.example",
        "@b.example",
        "b.example",
        "mimi@",
        "<mimi@b.example>",
        "b <mimi@b.example>",
        "mimi@b.example, mimi@c.example",
        "mimi@b.example mimi@b.example",
        "mimi@127.0.0.1",
    ];
    let mut calls: Vec<Call> = wrong.iter().map(|from| call.clone().with(FROM, from)).collect();
    calls.push(call.clone().without(&FROM));
    calls.push(call.clone().and(FROM, "mimi@b.example"));
    calls.push(call.clone().and(FROM, "mimi@c.example"));

    let statuses = statuses_of_nothing_stored(&world, calls).await;

    assert_eq!(statuses, vec![403; wrong.len() + 3]);
    assert_eq!(world.b.say(&call).await.status, 200);
}

#[tokio::test]
async fn pm1_a_request_for_another_host_is_not_ours() {
    let world = World::new().await;
    let call = acceptable(&world).await;
    let hosts = ["b.example", "d.example", "mimi.a.example", "example", "A.example", "127.0.0.1"];

    let statuses = statuses_of_nothing_stored(&world, hosts.map(|host| call.clone().for_host(host))).await;

    assert_eq!(statuses, [403; 6]);
    assert_eq!(world.b.say(&call.for_host("a.example:8443")).await.status, 200);
}

#[tokio::test]
async fn pm1_host_and_target_say_the_same_and_over_http_1_there_is_one_host() {
    let world = World::new().await;
    let call = acceptable(&world).await;
    let before = world.a.ledger.entries();
    let over_1 = world.b.connect_http1().await;

    let other_host = world.b.say(&call.clone().with(HOST, "b.example")).await;
    let twice = over_1.say(&call.clone().with(HOST, "a.example").and(HOST, "b.example")).await.unwrap();
    let foreign = over_1.say(&call.clone().with(HOST, "b.example")).await.unwrap();

    // A stack below us may refuse the two that contradict themselves before we do.
    assert!([400, 403].contains(&other_host.status), "{other_host:?}");
    assert_eq!([twice.status, foreign.status], [403, 403]);
    assert_eq!(world.a.ledger.entries(), before);
    assert_eq!(over_1.say(&call).await.unwrap().status, 200);
}

#[tokio::test]
async fn g4_a_path_names_its_room_or_user_in_canonical_form_or_nothing() {
    let world = World::new().await;
    world.direct_chat().await;
    let spellings = [
        "MIMI%3A%2F%2Fa.example%2Fr%2Fdirect",
        "mimi%3A%2F%2FA.example%2Fr%2Fdirect",
        "mimi%253A%252F%252Fa.example%252Fr%252Fdirect",
        "mimi%3A%2F%2Fa.example%3A443%2Fr%2Fdirect",
        "mimi%3A%2F%2Fu%40a.example%2Fr%2Fdirect",
        "mimi%3A%2F%2Fa.example.%2Fr%2Fdirect",
        "mimi%3A%2F%2Fa.example%2Fr%2F..%2Fr%2Fdirect",
        "mimi%3A%2F%2Fa.example%2Fr%2Fdirect%2F",
        "mimi%3A%2F%2Fa.example%2Fr%2F%2564irect",
        "mimi%3A%2F%2Fa.example%2Fr%2Fdirect%3Fx",
        "mimi%3A%2F%2Fa.example%2Fr%2Fdirect%00",
        "mimi%3A%2F%2Fa.example%2Fd%2Fdirect",
        "a.example%2Fr%2Fdirect",
        "mimi%3A%2F%2Fa.example%2Fr%2Fdirect%",
        "mimi%3A%2F%2Fa.example%2Fr%2Fdirect%FF",
        "x",
    ];

    for endpoint in SERVED {
        let call = world.b.call(endpoint, "", Bytes::from_static(b"x"));
        let paths = spellings.map(|spelling| format!("/v1/{}/{spelling}", endpoint.name()));
        let statuses = statuses_of_nothing_stored(&world, paths.map(|path| call.clone().at(&path))).await;
        assert_eq!(statuses, [400; 16], "{endpoint:?}");
    }
}

#[tokio::test]
async fn what_is_not_served_is_not_found_and_what_is_asked_otherwise_is_not_allowed() {
    let world = World::new().await;
    let call = acceptable(&world).await;
    let paths = [
        "/",
        "/v1",
        "/v1/",
        "/v1/submit/x",
        "/v2/submitMessage/x",
        "/v1/identifierQuery/x",
        "/v1/requestConsent/x",
        "/v1/submitMessage/mimi://a.example/r/direct",
        "/v1/submitMessage",
        "/.well-known/",
        "/metrics",
    ];

    let unknown = statuses_of_nothing_stored(&world, paths.map(|path| call.clone().at(path))).await;
    let others = [Method::GET, Method::PUT, Method::DELETE, Method::PATCH];
    let otherwise = statuses_of_nothing_stored(&world, others.map(|it| call.clone().by(it))).await;

    assert_eq!(unknown, [404; 11]);
    assert_eq!(otherwise, [405; 4]);
}

#[tokio::test]
async fn a_body_of_a_foreign_media_type_is_not_taken() {
    let world = World::new().await;
    let call = acceptable(&world).await;
    let types = [
        "application/json",
        "text/plain",
        "application/octet",
        "multipart/form-data",
        "application/mimi",
        "application/x-www-form-urlencoded",
        "x",
        "",
    ];

    let statuses =
        statuses_of_nothing_stored(&world, types.map(|it| call.clone().with(CONTENT_TYPE, it))).await;

    assert_eq!(statuses, [415; 8]);
    for accepted in ["application/octet-stream; v=1", "Application/Octet-Stream", "application/mimi-message"]
    {
        assert_eq!(world.b.say(&call.clone().with(CONTENT_TYPE, accepted)).await.status, 200, "{accepted}");
    }
    assert_eq!(world.b.say(&call.without(&CONTENT_TYPE)).await.status, 200);
}

#[tokio::test]
async fn g5_a_body_beyond_its_endpoints_measure_is_too_large() {
    let world = World::new().await;
    let chat = world.direct_chat().await;
    let before = world.a.ledger.entries();

    for endpoint in SERVED {
        let value = match endpoint {
            Endpoint::KeyMaterial => "mimi://a.example/u/alice",
            Endpoint::Notify => "mimi://b.example/r/direct",
            _ => chat.uri.as_str(),
        };
        let max = endpoint.request_length_max();
        let too_large = world.b.post(endpoint, value, vec![0; max + 1]).await;
        let just_not = world.b.post(endpoint, value, vec![0; max]).await;
        assert_eq!([too_large.status, just_not.status], [413, 400], "{endpoint:?}");
    }

    assert_eq!(world.a.ledger.entries(), before);
}

#[tokio::test]
async fn a_rejection_is_a_problem_that_tells_nothing_of_our_policy() {
    let world = World::new().await;
    let call = acceptable(&world).await;

    let malformed = world.b.say(&call.clone().saying(Bytes::new())).await;
    let foreign = world.b.say(&call.with(FROM, "mimi@c.example")).await;

    for reply in [&malformed, &foreign] {
        assert_eq!(reply.headers[CONTENT_TYPE], PROBLEM_MEDIA_TYPE);
        assert_eq!((reply.problem().status, reply.problem().detail), (reply.status, None));
    }
    insta::assert_snapshot!(std::str::from_utf8(&malformed.body).unwrap(), @r#"{"type":"about:blank","title":"the body does not decode","status":400}"#);
    insta::assert_snapshot!(std::str::from_utf8(&foreign.body).unwrap(), @r#"{"type":"about:blank","title":"the certificate does not allow this","status":403}"#);
}

#[tokio::test]
async fn many_requests_share_a_connection_and_each_has_its_own_answer() {
    let world = World::new().await;
    let mut chat = world.direct_chat().await;
    let calls: Vec<_> = (0..100)
        .map(|n| {
            world.b.call(Endpoint::SubmitMessage, chat.uri.as_str(), chat.bob.says(&n.to_string()).encode())
        })
        .collect();

    let replies = futures_util::future::join_all(calls.iter().map(|call| world.b.say(call))).await;

    let bodies: std::collections::BTreeSet<_> = replies.iter().map(|reply| reply.body.clone()).collect();
    assert!(replies.iter().all(|reply| reply.status == 200));
    assert_eq!(bodies.len(), 100);
}
