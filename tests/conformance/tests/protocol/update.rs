//! `update` (A4): a participant's provider brings a commit or proposals to the room's hub.

mod proposals;

use bytes::Bytes;
use conformance::{Chat, Member, World, list_update, user};
use futures_util::future::{join, join_all};
use http::header::RETRY_AFTER;
use mimi_mls::hosted::CommitPlan;
use mimi_mls::{ComponentLogic, ComponentOperation, ComponentRefused, Epoch, MlsMessage};
use mimi_room_policy::ComponentId;
use mimi_room_policy::components::{RoomMetaData, Text};
use mimi_room_policy::template;
use mimi_store::{EventKind, InjectedFault};
use mimi_uri::RoomUri;
use mimi_wire::{
    ClientMaterial, CreateRoomResponse, Endpoint, FanoutEvent, FanoutMessage, GroupInfoOption,
    HandshakeBundle, RatchetTreeOption, UpdateRequest, UpdateRoomResponse, UpdateVerdict,
};

use crate::malformed::{every_spoilt_form_is_refused, reread};

// Commits.

#[tokio::test]
async fn a_commit_is_accepted_and_told_to_every_follower_at_the_same_time() {
    let world = World::new().await;
    let mut chat = world.direct_chat().await;
    let update = chat.bob.renews();

    let answer = world.b.update(&chat.uri, &update).await;
    world.a.ledger.settled().await;

    let UpdateVerdict::Success { accepted } = answer.verdict else { panic!("{answer:?}") };
    let message = update.bundle.proposal_or_commit().clone();
    let event = FanoutEvent::Commit { message, external_proposals: vec![] };
    assert_eq!(answer.error_description.as_str(), "");
    assert_eq!(world.b.sink.taken(&chat.uri).pop(), Some(FanoutMessage { timestamp: accepted, event }));
}

#[tokio::test]
async fn g5_every_spoilt_commit_is_refused_and_nothing_of_it_stored() {
    let world = World::new().await;
    let mut chat = world.group_chat().await;
    let update = add(&world, &mut chat, "dora@c").await;
    let valid = world.b.call(Endpoint::Update, chat.uri.as_str(), update.encode());

    every_spoilt_form_is_refused(&world, &world.b, &valid, &update.encode(), reread::<UpdateRequest>).await;

    assert!(is_success(&world.b.update(&chat.uri, &update).await));
}

#[tokio::test]
async fn g5_every_spoilt_proposal_is_refused_and_nothing_of_it_stored() {
    let world = World::new().await;
    let mut chat = world.group_chat().await;
    let update = leave(&mut chat.bob);
    let valid = world.b.call(Endpoint::Update, chat.uri.as_str(), update.encode());

    every_spoilt_form_is_refused(&world, &world.b, &valid, &update.encode(), reread::<UpdateRequest>).await;

    assert!(is_success(&world.b.update(&chat.uri, &update).await));
}

#[tokio::test]
async fn a4_a_repeated_commit_gets_its_first_answer_and_not_wrong_epoch() {
    let mut world = World::new().await;
    let mut chat = world.direct_chat().await;
    let update = chat.bob.renews();

    let first = world.b.update(&chat.uri, &update).await;
    let repeated = world.b.update(&chat.uri, &update).await;
    world.restart().await;
    let after_a_restart = world.b.update(&chat.uri, &update).await;

    assert!(is_success(&first));
    assert_eq!([&repeated, &after_a_restart], [&first, &first]);
    assert_eq!(kinds(&world, &chat.uri).await, [EventKind::Commit, EventKind::Welcome, EventKind::Commit]);
}

#[tokio::test]
async fn a4_a_commit_repeated_at_the_same_time_is_accepted_once() {
    let world = World::new().await;
    let mut chat = world.direct_chat().await;
    let update = chat.bob.renews();

    let answers = join_all((0..8).map(|_| world.b.update(&chat.uri, &update))).await;

    assert!(is_success(&answers[0]));
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(kinds(&world, &chat.uri).await.len(), 3);
}

#[tokio::test]
async fn a4_a_commit_repeated_while_it_is_being_stored_gets_the_same_answer() {
    let world = World::new().await;
    let mut chat = world.direct_chat().await;
    let update = chat.bob.renews();
    world.a.ledger.paces();

    let storing = async {
        world.b.post(Endpoint::Update, chat.uri.as_str(), Bytes::new()).await;
        world.a.ledger.lets(100);
    };
    let answers = join_all((0..3).map(|_| world.b.update(&chat.uri, &update)));
    let (answers, ()) = join(answers, storing).await;

    assert!(is_success(&answers[0]));
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
}

#[tokio::test]
async fn g35_a_commit_that_could_not_be_stored_was_not_accepted_and_may_be_sent_again() {
    for fault in [InjectedFault::NothingStored, InjectedFault::AnswerLost] {
        let world = World::new().await;
        let mut chat = world.direct_chat().await;
        let update = chat.bob.renews();
        world.a.ledger.fails_next(fault);

        let failed = world.b.post(Endpoint::Update, chat.uri.as_str(), update.encode()).await;
        let answer = world.b.update(&chat.uri, &update).await;
        let repeated = world.b.update(&chat.uri, &update).await;
        world.deliver(&mut chat).await;

        assert_eq!(failed.status, 503);
        assert!(is_success(&answer), "{fault:?}: {answer:?}");
        assert_eq!(repeated, answer);
        assert_eq!(kinds(&world, &chat.uri).await.len(), 3);
        assert_eq!(chat.alice.room().epoch(), chat.bob.room().epoch());
    }
}

#[tokio::test]
async fn a4_of_two_commits_of_an_epoch_the_second_is_told_the_current_epoch() {
    let world = World::new().await;
    let mut chat = world.direct_chat().await;
    let (of_alice, of_bob) = (chat.alice.renews(), chat.bob.renews());
    assert!(is_success(&world.a.update(&chat.uri, &of_alice).await));
    world.a.ledger.settled().await;
    let before = world.a.ledger.entries();

    let answer = world.b.update(&chat.uri, &of_bob).await;

    assert_eq!(answer.verdict, UpdateVerdict::WrongEpoch { current: Epoch(2) });
    assert_eq!(world.a.ledger.entries(), before);
}

#[tokio::test]
async fn the_epoch_of_a_room_is_nothing_to_a_provider_without_anybody_on_its_list() {
    let world = World::new().await;
    let mut chat = world.direct_chat().await;
    let late = chat.bob.renews();
    chat.bob.gives_up();
    let other = chat.bob.renews();
    assert!(is_success(&world.b.update(&chat.uri, &other).await));

    let answer = world.c.update(&chat.uri, &late).await;

    assert_eq!(answer.verdict, UpdateVerdict::NotAllowed);
}

#[tokio::test]
async fn g2_a_provider_commits_and_proposes_for_its_own_users_only() {
    let world = World::new().await;
    let mut chat = world.direct_chat().await;
    let commits = [chat.bob.renews(), leave(&mut chat.bob)];
    let of_alice = chat.alice.renews();

    for update in &commits {
        refused_and_not_stored(world.c.update(&chat.uri, update), &world).await;
    }
    refused_and_not_stored(world.b.update(&chat.uri, &of_alice), &world).await;
}

#[tokio::test]
async fn a_handshake_of_another_group_than_the_paths_room_is_not_allowed() {
    let world = World::new().await;
    let mut chat = world.direct_chat().await;
    let group = world.group_chat().await;
    let update = chat.bob.renews();

    refused_and_not_stored(world.b.update(&group.uri, &update), &world).await;
}

#[tokio::test]
async fn a_handshake_for_a_room_that_is_not_here_finds_nothing() {
    let world = World::new().await;
    let mut chat = world.direct_chat().await;
    let body = Bytes::from(chat.bob.renews().encode());

    for room in ["mimi://a.example/r/nowhere", "mimi://c.example/r/direct"] {
        assert_eq!(world.b.post(Endpoint::Update, room, body.clone()).await.status, 404, "{room}");
    }
}

#[tokio::test]
async fn a4_a_group_info_a_welcome_or_a_tree_that_do_not_belong_to_the_commit_are_not_allowed() {
    let world = World::new().await;
    let mut chat = world.group_chat().await;
    let UpdateRequest { bundle } = add(&world, &mut chat, "dora@c").await;
    let HandshakeBundle::Commit { commit, welcome, group_info, .. } = bundle else { panic!("no commit") };
    chat.bob.gives_up();
    let HandshakeBundle::Commit { group_info: of_another, .. } = chat.bob.renews().bundle else { panic!() };
    let with = |welcome: Option<&MlsMessage>, group_info: &GroupInfoOption, ratchet_tree| {
        let (commit, welcome) = (commit.clone(), welcome.cloned());
        let bundle =
            HandshakeBundle::Commit { commit, welcome, group_info: group_info.clone(), ratchet_tree };
        UpdateRequest { bundle }
    };
    let there = RatchetTreeOption::DistributionService;
    let tree = chat.bob.room().ratchet_tree().unwrap();

    for spoilt in [
        with(None, &group_info, there.clone()),
        with(welcome.as_ref(), &of_another, there.clone()),
        with(welcome.as_ref(), &group_info, RatchetTreeOption::OutOfBand),
        with(welcome.as_ref(), &group_info, RatchetTreeOption::HttpsUri("https://b.example/tree".to_owned())),
        with(welcome.as_ref(), &group_info, RatchetTreeOption::Full(tree)),
    ] {
        refused_and_not_stored(world.b.update(&chat.uri, &spoilt), &world).await;
    }
    let good = with(welcome.as_ref(), &group_info, there);
    assert!(is_success(&world.b.update(&chat.uri, &good).await));
}

// Participants.

#[tokio::test]
async fn pm10_nobody_is_added_to_the_group_who_is_not_on_the_list() {
    let world = World::new().await;
    let mut chat = world.group_chat().await;
    let package = key_package(&world, &mut chat, "dora@c").await;

    let update = chat.bob.commits(&CommitPlan { adds: vec![package], ..CommitPlan::default() });

    refused_and_not_stored(world.b.update(&chat.uri, &update), &world).await;
}

#[tokio::test]
async fn pm10_who_is_listed_with_the_commit_is_added_by_it_and_welcomed_at_his_own_provider_only() {
    let world = World::new().await;
    let mut chat = world.group_chat().await;
    let update = add(&world, &mut chat, "dora@c").await;

    let answer = world.b.update(&chat.uri, &update).await;
    world.a.ledger.settled().await;

    assert!(is_success(&answer));
    let [commit, welcome] = world.c.sink.taken(&chat.uri).try_into().unwrap();
    assert_eq!(commit.message(), update.bundle.proposal_or_commit());
    assert!(matches!(welcome.event, FanoutEvent::Welcome { ratchet_tree: RatchetTreeOption::Full(_), .. }));
    let at_b = world.b.sink.taken(&chat.uri);
    let welcomes = at_b.iter().filter(|it| matches!(it.event, FanoutEvent::Welcome { .. }));
    // His own, when he came.
    assert_eq!(welcomes.count(), 1);
}

#[tokio::test]
async fn a12_a_room_waits_for_the_roots_of_a_new_provider_and_takes_nobody_it_cannot_prove() {
    let world = World::new().await;
    let mut chat = world.group_chat().await;
    let update = add_unknown(&world, &mut chat, "dora@c").await;
    assert_eq!(world.c.sink.roots_asked(), 0);

    let first = world.b.post(Endpoint::Update, chat.uri.as_str(), update.encode()).await;

    assert_eq!(first.status, 503);
    assert!(first.headers.contains_key(RETRY_AFTER));
    assert_eq!(world.c.sink.roots_asked(), 1);
    assert!(is_success(&world.b.update(&chat.uri, &update).await));
}

#[tokio::test]
async fn pm25_a_commit_touches_each_user_at_most_once_in_the_list() {
    let world = World::new().await;
    let mut chat = world.group_chat().await;
    let dora = user("dora@c");
    let twice = [
        list_update(&[], &[], &[(&dora, 2), (&dora, 2)]),
        list_update(&[(1, 1)], &[1], &[]),
        list_update(&[(1, 1), (1, 2)], &[], &[]),
    ];

    for update in twice {
        let proposal = chat.alice.would_update(update);
        let bundle = HandshakeBundle::Proposal { proposal, more_proposals: vec![] };
        refused_and_not_stored(world.a.update(&chat.uri, &UpdateRequest { bundle }), &world).await;
    }
}

#[tokio::test]
async fn pm26_a_room_changes_its_metadata_once_per_commit() {
    let world = World::new().await;
    let mut chat = world.group_chat().await;
    let named = |name| {
        let metadata = RoomMetaData { room_name: Text::new(name).unwrap(), ..RoomMetaData::of(&chat.uri) };
        (ComponentId::ROOM_METADATA.0, metadata.encode())
    };
    let plan = CommitPlan { component_updates: vec![named("one"), named("two")], ..CommitPlan::default() };
    let update = chat.bob.commits_by(&plan, &LastUpdateWins);

    refused_and_not_stored(world.b.update(&chat.uri, &update), &world).await;
}

/// What a client might apply that does not know the rules.
struct LastUpdateWins;

impl ComponentLogic for LastUpdateWins {
    fn apply(
        &self,
        _: u16,
        _: Option<&[u8]>,
        updates: &[ComponentOperation<'_>],
    ) -> Result<Option<Vec<u8>>, ComponentRefused> {
        Ok(updates.last().and_then(|update| match update {
            ComponentOperation::Update(bytes) => Some(bytes.to_vec()),
            ComponentOperation::Remove => None,
        }))
    }
}

#[tokio::test]
async fn pm22_pm23_a_room_without_the_hub_among_its_external_senders_is_not_founded() {
    let mut world = World::new().await;
    let uri = RoomUri::parse("mimi://a.example/r/new").unwrap();
    let components = template::direct(&uri, &user("alice@a"), &user("bob@b"));
    let (_, good) = world.founding(&uri, &user("alice@a"), components.clone());
    world.a.facts.external_sender.signature_key = vec![7; 32];
    let (_, without) = world.founding(&uri, &user("alice@a"), components);

    let refused = world.a.hub().create_room(without).await.unwrap();
    assert_eq!(world.a.ledger.entries(), Vec::<String>::new());
    let created = world.a.hub().create_room(good.clone()).await.unwrap();
    let again = world.a.hub().create_room(good).await.unwrap();

    assert!(matches!(refused, CreateRoomResponse::Refused(_)));
    assert!(matches!(created, CreateRoomResponse::Created { .. }));
    assert_eq!(again, created);
}

fn leave(who: &mut Member) -> UpdateRequest {
    let bundle = HandshakeBundle::Proposal { proposal: who.leaves(), more_proposals: vec![] };
    UpdateRequest { bundle }
}

/// Bob's provider brings proposals.
async fn propose(world: &World, room: &RoomUri, proposals: &[MlsMessage]) -> UpdateRoomResponse {
    let (proposal, more) = proposals.split_first().unwrap();
    let bundle = HandshakeBundle::Proposal { proposal: proposal.clone(), more_proposals: more.to_vec() };
    world.b.update(room, &UpdateRequest { bundle }).await
}

/// A `KeyPackage`, as the hub gives it to Bob.
async fn key_package(world: &World, chat: &mut Chat, target: &str) -> Vec<u8> {
    let request = chat.bob.asks_for(&user(target), &chat.uri);
    let mut answer = world.b.key_material(&request).await;
    let ClientMaterial::Success { key_package } = answer.clients.remove(0).material else {
        panic!("no KeyPackage")
    };
    key_package
}

/// A commit of Bob's that lists somebody and adds him, to a hub that knows the roots that prove him.
async fn add(world: &World, chat: &mut Chat, target: &str) -> UpdateRequest {
    world.a.hub().identity_roots(user(target).domain()).await.unwrap();
    add_unknown(world, chat, target).await
}

/// The same to a hub that may not know them.
async fn add_unknown(world: &World, chat: &mut Chat, target: &str) -> UpdateRequest {
    let package = key_package(world, chat, target).await;
    let whom = user(target);
    let listed = list_update(&[], &[], &[(&whom, 2)]);
    chat.bob.commits(&CommitPlan {
        adds: vec![package],
        component_updates: vec![listed],
        ..CommitPlan::default()
    })
}

async fn kinds(world: &World, room: &RoomUri) -> Vec<EventKind> {
    world.a.ledger.log(room).await.into_iter().map(|event| event.kind).collect()
}

fn is_success(answer: &UpdateRoomResponse) -> bool {
    matches!(answer.verdict, UpdateVerdict::Success { .. })
}

/// Refused as policy refuses, and nothing of it stored.
async fn refused_and_not_stored(asking: impl Future<Output = UpdateRoomResponse>, world: &World) {
    world.a.ledger.settled().await;
    let before = world.a.ledger.entries();

    let answer = asking.await;

    let is_refused =
        matches!(answer.verdict, UpdateVerdict::NotAllowed | UpdateVerdict::InvalidProposal { .. });
    assert!(is_refused, "{answer:?}");
    assert_eq!(world.a.ledger.entries(), before);
}
