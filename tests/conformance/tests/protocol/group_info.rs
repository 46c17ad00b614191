//! `groupInfo` (A8): who has lost his state comes back with what the hub gives him.

use conformance::{Chat, Member, World, domain, user};
use mimi_mls::hosted::PresentEpoch;
use mimi_mls::{HpkeCiphertext, HpkeKeyPair, SigningKey, open_with_label, verify_with_label};
use mimi_uri::RoomUri;
use mimi_wire::group_info::{
    GROUP_INFO_ENCRYPTION_LABEL, GROUP_INFO_REQUEST_LABEL, GROUP_INFO_RESPONSE_LABEL,
};
use mimi_wire::{
    CipherSuite, Credential, Endpoint, GroupInfoGrant, GroupInfoOption, GroupInfoRatchetTree,
    GroupInfoRequest, GroupInfoResponse, GroupInfoSuccess, HandshakeBundle, RatchetTreeOption,
    SubmitMessageResponse, UpdateRequest, UpdateVerdict,
};

use crate::malformed::{every_spoilt_form_is_refused, reread};

#[tokio::test]
async fn a8_who_can_follow_no_more_comes_back_with_what_the_hub_gives_him() {
    let world = World::new().await;
    let mut chat = world.direct_chat().await;
    world.deliver(&mut chat).await;
    chat.bob.room().stop_following();
    let keys = HpkeKeyPair::generate().unwrap();

    let request = asks(&mut chat.bob, &keys, |_| ());
    let given = granted(&world, &chat, &request).await;
    let present = opened(&chat, &keys, &given);
    let back = comes_back(&mut chat.bob, &present);
    let answer = world.b.update(&chat.uri, &back).await;

    assert!(matches!(answer.verdict, UpdateVerdict::Success { .. }), "{answer:?}");
    chat.bob.room().confirm_commit().unwrap();
    let said = chat.bob.says("back");
    let answer = world.b.submit(&chat.uri, &said).await;
    assert!(matches!(answer, SubmitMessageResponse::Accepted { .. }), "{answer:?}");
    world.deliver(&mut chat).await;
    assert_eq!(chat.alice.room().epoch_authenticator(), chat.bob.room().epoch_authenticator());
}

#[tokio::test]
async fn em8_what_waits_for_a_commit_is_given_and_committed_with_the_return() {
    let world = World::new().await;
    let mut chat = world.direct_chat().await;
    world.deliver(&mut chat).await;
    let leaving = UpdateRequest {
        bundle: HandshakeBundle::Proposal { proposal: chat.alice.leaves(), more_proposals: vec![] },
    };
    let proposed = world.a.update(&chat.uri, &leaving).await;
    chat.bob.room().stop_following();
    let keys = HpkeKeyPair::generate().unwrap();

    let request = asks(&mut chat.bob, &keys, |_| ());
    let given = granted(&world, &chat, &request).await;
    let present = opened(&chat, &keys, &given);
    let back = comes_back(&mut chat.bob, &present);
    let answer = world.b.update(&chat.uri, &back).await;

    let UpdateVerdict::Success { accepted } = proposed.verdict else { panic!("{proposed:?}") };
    assert_eq!(present.pending_proposals[0].hub_accepted_time, accepted);
    assert!(matches!(answer.verdict, UpdateVerdict::Success { .. }), "{answer:?}");
    chat.bob.room().confirm_commit().unwrap();
    assert_eq!(chat.bob.room().members().len(), 1);
}

#[tokio::test]
async fn g5_every_spoilt_request_is_refused_and_nothing_of_it_stored() {
    let world = World::new().await;
    let mut chat = world.direct_chat().await;
    world.deliver(&mut chat).await;
    let request = asks(&mut chat.bob, &HpkeKeyPair::generate().unwrap(), |_| ());
    let valid = world.b.call(Endpoint::GroupInfo, chat.uri.as_str(), request.encode());

    every_spoilt_form_is_refused(&world, &world.b, &valid, &request.encode(), reread::<GroupInfoRequest>)
        .await;

    assert_eq!(world.b.say(&valid).await.status, 200);
}

#[tokio::test]
async fn a8_a_request_that_its_credentials_key_did_not_sign_is_rejected() {
    let world = World::new().await;
    let mut chat = world.direct_chat().await;
    world.deliver(&mut chat).await;
    let keys = HpkeKeyPair::generate().unwrap();
    let valid = asks(&mut chat.bob, &keys, |_| ());
    let other = SigningKey::generate().unwrap();
    let of_another_key =
        asks(&mut chat.bob, &keys, |request| request.requesting_signature_key = other.public());
    let changed = [
        GroupInfoRequest { group_info_public_key: HpkeKeyPair::generate().unwrap().public, ..valid.clone() },
        GroupInfoRequest { signature: vec![0; 64], ..valid.clone() },
        GroupInfoRequest { signature: vec![], ..valid },
        of_another_key,
    ];

    for request in changed {
        let reply = world.b.post(Endpoint::GroupInfo, chat.uri.as_str(), request.encode()).await;
        assert_eq!(reply.status, 403);
    }
}

#[tokio::test]
async fn g2_a_provider_asks_for_its_own_users_only() {
    let world = World::new().await;
    let mut chat = world.direct_chat().await;
    world.deliver(&mut chat).await;
    let request = asks(&mut chat.bob, &HpkeKeyPair::generate().unwrap(), |_| ());

    let reply = world.c.post(Endpoint::GroupInfo, chat.uri.as_str(), request.encode()).await;

    assert_eq!(reply.status, 403);
}

#[tokio::test]
async fn a8_a_stranger_hears_the_same_of_a_room_that_is_and_of_one_that_is_not() {
    let world = World::new().await;
    let chat = world.direct_chat().await;
    let mut strange = world.room_of_bob("strange");
    // A client of his own, who proves to be bob@b; but of another room's list.
    let elsewhere = world.direct_chat_with(&user("dora@c")).await;
    let absent = RoomUri::new(&domain("a.example"), &["r", "absent"]).unwrap();
    let request = asks(&mut strange.bob, &HpkeKeyPair::generate().unwrap(), |_| ());

    for room in [&elsewhere, &absent] {
        let reply = world.b.post(Endpoint::GroupInfo, room.as_str(), request.encode()).await;
        let answer: GroupInfoResponse = reply.decode();
        assert_eq!(answer, GroupInfoResponse { room: room.clone(), grant: GroupInfoGrant::NotAuthorized });
    }
    drop(chat);
}

#[tokio::test]
async fn a8_another_suite_is_none_of_ours() {
    let world = World::new().await;
    let mut chat = world.direct_chat().await;
    world.deliver(&mut chat).await;
    let request = asks(&mut chat.bob, &HpkeKeyPair::generate().unwrap(), |request| {
        request.cipher_suite = CipherSuite(7);
    });

    let reply = world.b.post(Endpoint::GroupInfo, chat.uri.as_str(), request.encode()).await;

    assert_eq!(reply.decode::<GroupInfoResponse>().grant, GroupInfoGrant::NotAuthorized);
}

/// A properly signed request of a member's client, with something else than usual in it.
fn asks(
    member: &mut Member,
    keys: &HpkeKeyPair,
    other: impl FnOnce(&mut GroupInfoRequest),
) -> GroupInfoRequest {
    let leaf = member.leaf();
    let client = member.room().member(leaf).unwrap().clone();
    let mut request = GroupInfoRequest {
        cipher_suite: CipherSuite::X25519_AES128GCM_SHA256_ED25519,
        requesting_signature_key: client.signature_key,
        requesting_credential: Credential::decode(&client.credential).unwrap(),
        group_info_public_key: keys.public.clone(),
        joining_code: None,
        signature: vec![],
    };
    other(&mut request);
    let signed = request.to_be_signed();
    request.signature = member.room().sign_as(leaf, GROUP_INFO_REQUEST_LABEL, &signed).unwrap();
    request
}

async fn granted(world: &World, chat: &Chat, request: &GroupInfoRequest) -> GroupInfoSuccess {
    let reply = world.b.post(Endpoint::GroupInfo, chat.uri.as_str(), request.encode()).await;
    let answer: GroupInfoResponse = reply.decode();
    assert_eq!(answer.room, chat.uri);
    let GroupInfoGrant::Success(given) = answer.grant else { panic!("{answer:?}") };
    given
}

/// What the hub has sealed, and signed as who the group says it is.
fn opened(chat: &Chat, keys: &HpkeKeyPair, given: &GroupInfoSuccess) -> GroupInfoRatchetTree {
    let (key, signed) = (&given.hub_sender.signature_key, given.to_be_signed(&chat.uri));
    assert!(verify_with_label(key, GROUP_INFO_RESPONSE_LABEL, &signed, &given.signature));
    let sealed = HpkeCiphertext {
        kem_output: given.encrypted_groupinfo_and_tree.kem_output.clone(),
        ciphertext: given.encrypted_groupinfo_and_tree.ciphertext.clone(),
    };
    let context = chat.uri.as_str().as_bytes();
    let plain = open_with_label(&keys.private, GROUP_INFO_ENCRYPTION_LABEL, context, &sealed).unwrap();
    GroupInfoRatchetTree::decode(&plain).unwrap()
}

fn comes_back(member: &mut Member, present: &GroupInfoRatchetTree) -> UpdateRequest {
    let leaf = member.leaf();
    let RatchetTreeOption::Full(ratchet_tree) = &present.ratchet_tree else { panic!("{present:?}") };
    let pending: Vec<_> = present.pending_proposals.iter().map(|pending| pending.proposal.clone()).collect();
    let epoch = PresentEpoch { group_info: &present.group_info, ratchet_tree, pending: &pending };
    let own = member.room().resync(epoch, leaf).unwrap();
    let bundle = HandshakeBundle::Commit {
        commit: own.commit,
        welcome: own.welcome,
        group_info: GroupInfoOption::full(&own.group_info),
        ratchet_tree: RatchetTreeOption::DistributionService,
    };
    UpdateRequest { bundle }
}
