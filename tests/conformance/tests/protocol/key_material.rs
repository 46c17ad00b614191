//! `keyMaterial` (A3): as the target's provider, which answers, and as the hub of the room, which passes it on.

use std::time::Duration;

use bytes::Bytes;
use conformance::{Reply, World, domain, user};
use futures_util::future::join_all;
use http::header::DATE;
use mimi_mls::{
    ClientIdentity, IdentityAuthority, IdentityRoots, KeyPackageView, SigningKey, read_key_package,
    verify_credential,
};
use mimi_store::Store;
use mimi_uri::RoomUri;
use mimi_wire::{
    CipherSuite, ClientMaterial, Clock, Endpoint, HubFault, KeyMaterialRequest, KeyMaterialResponse,
    KeyMaterialUserCode,
};

use crate::malformed::{every_spoilt_form_is_refused, reread};

// As the target's provider.

#[tokio::test]
async fn pm9_a_peer_gets_a_key_package_of_the_user_that_is_valid_and_vouched_for() {
    let world = World::new().await;
    let mut room = world.room_of_bob("room");
    let request = room.bob.asks_for(&user("alice@a"), &room.uri);

    let answer = world.b.key_material(&request).await;

    let [package] = packages(&answer).try_into().unwrap();
    let now_s = world.clock.now().seconds();
    package.require_valid_at(now_s).unwrap();
    let mut roots = IdentityRoots::default();
    roots.insert(&world.a.domain, world.a.authority.root_der().to_vec()).unwrap();
    let proven = verify_credential(&package.leaf.credential, &package.leaf.signature_key, &roots, now_s);
    let client = answer.clients[0].client.clone();
    assert_eq!(answer.user_status, KeyMaterialUserCode::Success);
    assert_eq!(proven, Ok(ClientIdentity { user: user("alice@a"), client }));
}

#[tokio::test]
async fn g5_every_spoilt_request_is_refused_and_nothing_of_it_stored() {
    let world = World::new().await;
    let mut room = world.room_of_bob("room");
    let request = room.bob.asks_for(&user("alice@a"), &room.uri);
    let valid = world.b.call(Endpoint::KeyMaterial, "mimi://a.example/u/alice", request.encode());

    every_spoilt_form_is_refused(&world, &world.b, &valid, &request.encode(), reread::<KeyMaterialRequest>)
        .await;

    assert_eq!(world.b.say(&valid).await.status, 200);
}

#[tokio::test]
async fn a3_the_path_names_the_same_user_as_the_body() {
    let world = World::new().await;
    let mut room = world.room_of_bob("room");
    let request = room.bob.asks_for(&user("alice@a"), &room.uri);
    let before = world.a.ledger.entries();

    let reply = world.b.post(Endpoint::KeyMaterial, "mimi://a.example/u/carol", request.encode()).await;

    assert_eq!(reply.status, 403);
    assert_eq!(world.a.ledger.entries(), before);
}

#[tokio::test]
async fn a3_key_material_of_another_providers_user_is_not_ours_to_give() {
    let world = World::new().await;
    let mut room = world.room_of_bob("room");

    for target in ["dora@c", "bert@b"] {
        let request = room.bob.asks_for(&user(target), &room.uri);
        rejected_and_not_stored(world.b.ask(&request), &world).await;
    }
}

#[tokio::test]
async fn g2_only_the_requesters_provider_and_the_rooms_hub_ask_for_him() {
    let world = World::new().await;
    let mut room = world.room_of_bob("room");
    let of_its_own = room.bob.asks_for(&user("alice@a"), &room.uri);
    let at_a_hub = room.bob.asks_for(&user("alice@a"), &RoomUri::parse("mimi://c.example/r/1").unwrap());

    rejected_and_not_stored(world.c.ask(&of_its_own), &world).await;
    let as_the_hub = world.c.key_material(&at_a_hub).await;

    assert_eq!(as_the_hub.user_status, KeyMaterialUserCode::Success);
}

#[tokio::test]
async fn pm6_a_request_names_the_room_that_it_is_for() {
    let world = World::new().await;
    let mut room = world.room_of_bob("room");
    let request = room.bob.asks(&user("alice@a"), |_| ());

    rejected_and_not_stored(world.b.ask(&request), &world).await;
}

#[tokio::test]
async fn a3_a_request_that_its_credentials_key_did_not_sign_is_rejected() {
    let world = World::new().await;
    let mut room = world.room_of_bob("room");
    let valid = room.bob.asks_for(&user("alice@a"), &room.uri);
    let changed = [
        KeyMaterialRequest {
            room: Some(RoomUri::parse("mimi://b.example/r/other").unwrap()),
            ..valid.clone()
        },
        KeyMaterialRequest { target_user: user("carol@a"), ..valid.clone() },
        KeyMaterialRequest { requesting_user: user("eve@b"), ..valid.clone() },
        KeyMaterialRequest { acceptable_ciphersuites: vec![CipherSuite(7)], ..valid.clone() },
        KeyMaterialRequest { signature: vec![0; 64], ..valid.clone() },
        KeyMaterialRequest { signature: vec![], ..valid },
    ];

    for request in changed {
        rejected_and_not_stored(world.b.ask(&request), &world).await;
    }
}

#[tokio::test]
async fn a12_the_credential_names_the_requester() {
    let world = World::new().await;
    let mut room = world.room_of_bob("room");

    let request = room.bob.asks(&user("alice@a"), |request| {
        request.room = Some(RoomUri::parse("mimi://b.example/r/room").unwrap());
        request.requesting_user = user("eve@b");
    });

    rejected_and_not_stored(world.b.ask(&request), &world).await;
}

#[tokio::test]
async fn a12_the_signing_key_is_the_one_that_the_credential_is_about() {
    let world = World::new().await;
    let mut room = world.room_of_bob("room");
    let other = SigningKey::generate().unwrap();
    let mut request = room.bob.asks_for(&user("alice@a"), &room.uri);
    request.requester_signature_key = other.public();
    request.signature = mimi_mls::sign_with_label(&other, "KeyMaterialRequestTBS", &request.to_be_signed());

    rejected_and_not_stored(world.b.ask(&request), &world).await;
}

#[tokio::test]
async fn a12_a_hub_cannot_make_a_requester_up_whom_his_own_provider_does_not_vouch_for() {
    let world = World::new().await;
    let own_ca = IdentityAuthority::generate(&domain("b.example")).unwrap();
    let mut impostor = world.room_certified_by(&own_ca, "bob@b", "room");
    let at_c = RoomUri::parse("mimi://c.example/r/1").unwrap();
    let request = impostor.bob.asks_for(&user("alice@a"), &at_c);

    rejected_and_not_stored(world.c.ask(&request), &world).await;
}

#[tokio::test]
async fn pm7_g9_unknown_and_blocked_users_are_told_apart_by_nobody() {
    let world = World::new().await;
    let mut room = world.room_of_bob("room");
    let mut heard = Vec::new();

    for target in ["blocked@a", "nobody1@a"] {
        let request = room.bob.asks_for(&user(target), &room.uri);
        heard.push(world.b.ask(&request).await);
    }

    let [blocked, unknown] = [&heard[0], &heard[1]].map(anonymous);
    let answer: KeyMaterialResponse = heard[0].decode();
    assert_eq!(blocked, unknown);
    assert_eq!((answer.user_status, answer.clients), (KeyMaterialUserCode::NoConsent, vec![]));
    assert_eq!(world.a.ledger.entries(), Vec::<String>::new());
}

/// An answer without the name that was asked for and the time; all such names here are of one length.
fn anonymous(reply: &Reply) -> (u16, Vec<(String, Bytes)>, String) {
    let headers = reply.headers.iter().filter(|(name, _)| *name != DATE);
    let headers = headers.map(|(name, value)| (name.to_string(), Bytes::copy_from_slice(value.as_bytes())));
    let body = String::from_utf8_lossy(&reply.body).replace("nobody1", "blocked");
    (reply.status, headers.collect(), body)
}

#[tokio::test]
async fn a3_checks_come_in_order_so_that_a_bad_signature_learns_nothing_of_consent() {
    let world = World::new().await;
    let mut room = world.room_of_bob("room");
    let mut statuses = Vec::new();

    for target in ["blocked@a", "nobody1@a", "alice@a"] {
        let mut request = room.bob.asks_for(&user(target), &room.uri);
        request.signature = vec![0; 64];
        statuses.push(anonymous(&world.b.ask(&request).await));
    }

    assert_eq!(statuses[0].0, 403);
    assert!(statuses.iter().all(|status| *status == statuses[0]));
}

#[tokio::test]
async fn a3_consent_comes_before_compatibility() {
    let world = World::new().await;
    let mut room = world.room_of_bob("room");
    let uri = room.uri.clone();
    let request = room.bob.asks(&user("blocked@a"), |request| {
        request.room = Some(uri);
        request.acceptable_ciphersuites = vec![CipherSuite(7)];
    });

    assert_eq!(world.b.key_material(&request).await.user_status, KeyMaterialUserCode::NoConsent);
}

#[tokio::test]
async fn pm7_where_nothing_is_compatible_no_key_package_is_given() {
    let world = World::new().await;
    let mut room = world.room_of_bob("room");
    let target = user("alice@a");
    let spoilt: [fn(&mut KeyMaterialRequest); 4] = [
        |request| request.acceptable_ciphersuites = vec![CipherSuite(7), CipherSuite(2)],
        |request| request.required_capabilities.extension_types.push(0x7777),
        |request| request.required_capabilities.proposal_types.push(0x7777),
        |request| request.required_capabilities.credential_types.push(0x7777),
    ];

    for spoil in spoilt {
        let uri = room.uri.clone();
        let request = room.bob.asks(&target, |request| {
            request.room = Some(uri);
            spoil(request);
        });
        let answer = world.b.key_material(&request).await;
        assert_eq!(answer.user_status, KeyMaterialUserCode::NoCompatibleMaterial);
        assert!(packages(&answer).is_empty());
    }
    assert_eq!(world.a.ledger.count("claim"), 0);
}

#[tokio::test]
async fn a3_a_repeated_request_gets_the_same_answer_for_ten_minutes_and_mints_nothing() {
    let mut world = World::new().await;
    let mut room = world.room_of_bob("room");
    let request = room.bob.asks_for(&user("alice@a"), &room.uri);

    let first = world.b.ask(&request).await.body;
    world.clock.pass(Duration::from_secs(599));
    let repeated = world.b.ask(&request).await.body;
    world.restart().await;
    let after_a_restart = world.b.ask(&request).await.body;
    assert_eq!(world.a.ledger.count("claim"), 1);
    world.clock.pass(Duration::from_secs(1));
    let afterwards = world.b.ask(&request).await.body;

    assert_eq!([&repeated, &after_a_restart], [&first, &first]);
    assert_ne!(afterwards, first);
    assert_eq!(world.a.ledger.count("claim"), 2);
}

#[tokio::test]
async fn a3_a_request_repeated_at_the_same_time_mints_once() {
    let world = World::new().await;
    let mut room = world.room_of_bob("room");
    let request = room.bob.asks_for(&user("alice@a"), &room.uri);

    let answers = join_all((0..8).map(|_| world.b.key_material(&request))).await;

    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(world.a.ledger.count("claim"), 1);
}

#[tokio::test]
async fn pm8_no_key_package_is_in_two_answers() {
    let world = World::new().await;
    let mut given = Vec::new();

    for name in ["one", "two", "three"] {
        let mut room = world.room_of_bob(name);
        for target in ["alice@a", "carol@a"] {
            let request = room.bob.asks_for(&user(target), &room.uri);
            given.extend(packages(&world.b.key_material(&request).await).into_iter().map(|it| it.reference));
        }
    }

    let distinct: std::collections::BTreeSet<_> = given.iter().collect();
    assert_eq!((given.len(), distinct.len()), (6, 6));
}

// As the hub of the room.

#[tokio::test]
async fn pm5_the_hub_passes_a_request_on_as_it_is_and_remembers_who_issued_what() {
    let world = World::new().await;
    let mut chat = world.group_chat().await;
    let request = chat.bob.asks_for(&user("dora@c"), &chat.uri);

    let answer = world.b.key_material(&request).await;

    let [package] = packages(&answer).try_into().unwrap();
    assert_eq!(world.c.sink.asked(), [("mimi@a.example".to_owned(), Bytes::from(request.encode()))]);
    let route = world.a.ledger.route(&chat.uri, &package.reference).await.unwrap();
    assert_eq!(route, Some(world.c.domain.clone()));
}

#[tokio::test]
async fn pm5_the_hub_serves_its_own_users_itself() {
    let world = World::new().await;
    let mut chat = world.group_chat().await;
    let request = chat.bob.asks_for(&user("carol@a"), &chat.uri);

    let answer = world.b.key_material(&request).await;

    let [package] = packages(&answer).try_into().unwrap();
    let stored = world.a.ledger.key_package(&package.reference).await.unwrap().unwrap();
    assert_eq!((stored.user, stored.requester, stored.room), (user("carol@a"), user("bob@b"), chat.uri));
}

#[tokio::test]
async fn pm10_who_may_not_add_the_user_is_not_given_his_keys() {
    let world = World::new().await;
    let mut direct = world.direct_chat().await;
    let mut elsewhere = world.room_certified_by(&world.b.authority, "eve@b", "elsewhere");
    let by_a_stranger = elsewhere.bob.asks_for(&user("alice@a"), &direct.uri);
    let not_listed = direct.bob.asks_for(&user("dora@c"), &direct.uri);

    for request in [by_a_stranger, not_listed] {
        rejected_and_not_stored(world.b.ask(&request), &world).await;
    }
    assert_eq!(world.c.sink.asked(), []);
}

#[tokio::test]
async fn g2_a_hub_asks_for_the_users_of_the_provider_that_asks_it_only() {
    let world = World::new().await;
    let mut chat = world.group_chat().await;
    let request = chat.bob.asks_for(&user("dora@c"), &chat.uri);

    rejected_and_not_stored(world.c.ask(&request), &world).await;

    assert_eq!(world.c.sink.asked(), []);
}

#[tokio::test]
async fn pm6_a_room_that_is_not_here_has_no_hub_here() {
    let world = World::new().await;
    let mut room = world.room_of_bob("room");
    let nowhere = RoomUri::parse("mimi://a.example/r/nowhere").unwrap();
    let request = room.bob.asks_for(&user("dora@c"), &nowhere);

    let reply = world.b.ask(&request).await;

    assert_eq!(reply.status, 404);
    assert_eq!(world.c.sink.asked(), []);
}

#[tokio::test]
async fn an_answer_that_is_none_is_not_passed_on_and_its_keys_have_no_route() {
    let world = World::new().await;
    let mut chat = world.group_chat().await;
    world.a.ledger.settled().await;
    let before = world.a.ledger.entries();
    let request = chat.bob.asks_for(&user("dora@c"), &chat.uri);

    world.c.sink.garbles(|response| (200, KeyMaterialResponse { user: user("eve@c"), ..response }.encode()));
    let of_another = world.b.ask(&request).await;
    world.c.sink.garbles(|response| (200, [response.encode(), vec![0]].concat()));
    let garbled = world.b.ask(&request).await;
    world.c.sink.garbles(|_| (403, vec![]));
    let rejected = world.b.ask(&request).await;

    assert_eq!([of_another.status, garbled.status, rejected.status], [503; 3]);
    assert_eq!(world.a.ledger.entries(), before);
}

#[tokio::test]
async fn pm7_a_refusal_of_the_target_is_passed_on() {
    let world = World::new().await;
    let mut chat = world.group_chat().await;
    let request = chat.bob.asks_for(&user("dora@c"), &chat.uri);
    world.c.sink.garbles(|response| {
        let user_status = KeyMaterialUserCode::NoConsent;
        (200, KeyMaterialResponse { user_status, clients: vec![], ..response }.encode())
    });

    let answer = world.b.key_material(&request).await;

    assert_eq!((answer.user_status, answer.clients), (KeyMaterialUserCode::NoConsent, vec![]));
}

#[tokio::test]
async fn a_target_that_cannot_be_reached_is_our_fault_and_may_be_asked_again() {
    let mut world = World::new().await;
    let mut chat = world.group_chat().await;
    let request = chat.alice.asks_for(&user("dora@c"), &chat.uri);

    world.c.goes_down().await;
    let down = world.a.hub().key_material(&request).await;
    world.c.comes_up().await;
    let up = world.a.hub().key_material(&request).await;

    assert!(matches!(down, Err(HubFault::Unreachable { .. })), "{down:?}");
    assert_eq!(up.unwrap().user_status, KeyMaterialUserCode::Success);
}

fn packages(answer: &KeyMaterialResponse) -> Vec<KeyPackageView> {
    let packages = answer.clients.iter().filter_map(|client| match &client.material {
        ClientMaterial::Success { key_package } => Some(read_key_package(key_package).unwrap()),
        ClientMaterial::KeyMaterialExhausted | ClientMaterial::NothingCompatible { .. } => None,
    });
    packages.collect()
}

async fn rejected_and_not_stored(asking: impl Future<Output = Reply>, world: &World) {
    world.a.ledger.settled().await;
    let before = world.a.ledger.entries();

    let reply = asking.await;

    assert_eq!(reply.status, 403, "{reply:?}");
    assert_eq!(world.a.ledger.entries(), before);
}
