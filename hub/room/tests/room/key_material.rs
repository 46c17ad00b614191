//! A3 at the hub: may it be asked for, and who has answered.

use mimi_mls::read_key_package;
use mimi_room::{Reason, Refusal};
use mimi_room_policy::DenyReason;
use mimi_uri::ClientUri;
use mimi_wire::{
    CipherSuite, ClientKeyMaterial, ClientMaterial, KeyMaterialRequest, KeyMaterialResponse,
    KeyMaterialUserCode, RequiredCapabilities,
};

use crate::world::*;

pub(crate) fn request(requester: &str, target: &str) -> KeyMaterialRequest {
    KeyMaterialRequest {
        requesting_user: user(requester),
        target_user: user(target),
        room: Some(room_uri()),
        acceptable_ciphersuites: vec![CipherSuite::X25519_AES128GCM_SHA256_ED25519],
        required_capabilities: RequiredCapabilities::default(),
        requester_signature_key: vec![1; 32],
        requester_credential: credential(),
        signature: Vec::new(),
    }
}

fn credential() -> mimi_wire::Credential {
    let agent = [&[1, 7][..], &[0, 1, 1, b'x']].concat();
    mimi_wire::FrankingAgentData::decode(&agent).unwrap().credential
}

#[test]
fn in_a_direct_chat_each_may_ask_for_the_other_and_for_himself() {
    let world = World::direct();

    for (provider, requester, target) in [
        ("a.example", "alice@a", "bob@b"),
        ("b.example", "bob@b", "alice@a"),
        ("b.example", "bob@b", "bob@b"),
    ] {
        assert_eq!(world.room.authorize_key_material(&domain(provider), &request(requester, target)), Ok(()));
    }
}

#[test]
fn a3_the_target_of_a_direct_chat_is_listed() {
    let world = World::direct();

    let verdict = world.room.authorize_key_material(&domain("a.example"), &request("alice@a", "carol@c"));

    assert_eq!(verdict, Err(Refusal::from(DenyReason::FixedMembership)));
}

#[test]
fn a3_strangers_ask_for_nothing() {
    let world = World::direct();

    let verdict = world.room.authorize_key_material(&domain("c.example"), &request("carol@c", "bob@b"));

    assert_eq!(verdict, Err(Refusal::from(DenyReason::NotAParticipant)));
}

#[test]
fn g2_a_provider_asks_for_its_own_users_only() {
    let world = World::direct();

    let verdict = world.room.authorize_key_material(&domain("b.example"), &request("alice@a", "bob@b"));

    assert_eq!(verdict, Err(Refusal::NotAllowed(Reason::NotThatProvider)));
}

#[test]
fn pm6_the_request_names_this_room() {
    let world = World::direct();
    let mut elsewhere = request("alice@a", "bob@b");
    elsewhere.room = None;

    let verdict = world.room.authorize_key_material(&domain("a.example"), &elsewhere);

    assert_eq!(verdict, Err(Refusal::NotAllowed(Reason::OtherRoom)));
}

#[test]
fn a3_who_has_issued_a_key_package_is_remembered() {
    let mut world = World::direct();
    let key_package = world.mint("bob@b");
    let reference = read_key_package(&key_package).unwrap().reference;
    let client = ClientUri::parse("mimi://b.example/d/bob/1").unwrap();
    let client_with = |material| ClientKeyMaterial { client: client.clone(), material };
    let response = KeyMaterialResponse {
        user_status: KeyMaterialUserCode::PartialSuccess,
        user: user("bob@b"),
        clients: vec![
            client_with(ClientMaterial::KeyMaterialExhausted),
            client_with(ClientMaterial::Success { key_package }),
        ],
    };

    let effects = world.room.record_key_material(&request("alice@a", "bob@b"), &response);

    assert_eq!(effects.routes, [(reference, domain("b.example"))]);
    assert!(!effects.state_changed && effects.events.is_empty());
}
