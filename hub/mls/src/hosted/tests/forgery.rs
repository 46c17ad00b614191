use super::super::sender::{LeafSender, Said};
use super::*;
use crate::ids::Epoch;

#[test]
fn an_altered_message_is_refused_wherever_it_was_altered() {
    let mut world = World::with_hosted(3);
    let said = world.alice.say(b"the truth").unwrap();

    for place in 0..said.as_bytes().len() {
        let mut altered = said.as_bytes().to_vec();
        altered[place] ^= 0x01;
        let Ok(altered) = MlsMessage::decode(&altered) else { continue };
        let refused = world.room.process(&altered, &Replace);
        assert!(matches!(refused, Err(_) | Ok(Processed::Ignored(_))), "byte {place}: {refused:?}");
    }

    assert_eq!(application(world.room.process(&said, &Replace).unwrap()).data, b"the truth");
    world.all_can_talk();
}

#[test]
fn an_altered_commit_is_refused_and_the_true_one_is_followed() {
    let mut world = World::with_hosted(3);
    let commit = world.alice.update();

    for place in (0..commit.as_bytes().len()).step_by(7) {
        let mut altered = commit.as_bytes().to_vec();
        altered[place] ^= 0x10;
        let Ok(altered) = MlsMessage::decode(&altered) else { continue };
        let refused = world.room.process(&altered, &Replace);
        assert!(matches!(refused, Err(_) | Ok(Processed::Ignored(_))), "byte {place}: {refused:?}");
    }

    world.room.process(&commit, &Replace).unwrap();
    world.all_can_talk();
}

#[test]
fn nobody_speaks_with_anothers_signature() {
    let mut world = World::with_hosted(3);
    let imposter = world.room.hosted[&LeafIndex(2)].key.clone();
    let secrets = world.room.current.secrets.clone();
    let mut sender = LeafSender::derive(&world.room.crypto, &secrets, LeafIndex(3)).unwrap();

    let forged = sender
        .seal(&world.room.crypto, &secrets, &imposter, &Said { authenticated_data: &[0], data: b"it was me" })
        .unwrap();
    let forged = MlsMessage::decode(&forged).unwrap();

    assert!(matches!(world.room.process(&forged, &Replace), Err(ProcessFault::BadSignature(LeafIndex(3)))));
    world.all_can_talk();
}

#[test]
fn authenticated_data_must_be_a_safe_aad_and_nothing_else() {
    let mut world = World::with_hosted(2);
    let secrets = world.room.current.secrets.clone();
    let key = world.room.hosted[&LeafIndex(2)].key.clone();

    for authenticated_data in [&b""[..], b"\x05junk", &[0, 1]] {
        let mut sender = LeafSender::derive(&world.room.crypto, &secrets, LeafIndex(2)).unwrap();
        let bytes = sender
            .seal(&world.room.crypto, &secrets, &key, &Said { authenticated_data, data: b"?" })
            .unwrap();
        let refused = world.room.process(&MlsMessage::decode(&bytes).unwrap(), &Replace);
        assert!(matches!(refused, Err(ProcessFault::MalformedSafeAad)), "{refused:?}");
    }
}

#[test]
fn a_generation_too_far_ahead_is_refused() {
    let mut world = World::with_hosted(2);
    let key = world.room.hosted[&LeafIndex(2)].key.clone();
    let secrets = world.room.current.secrets.clone();
    let mut sender = LeafSender::derive(&world.room.crypto, &secrets, LeafIndex(2)).unwrap();
    sender.advance_to(&world.room.crypto, 10_001).unwrap();

    let far = sender
        .seal(&world.room.crypto, &secrets, &key, &Said { authenticated_data: &[0], data: b"far" })
        .unwrap();
    let refused = world.room.process(&MlsMessage::decode(&far).unwrap(), &Replace);

    assert!(
        matches!(refused, Err(ProcessFault::GenerationTooFarAhead { generation: 10_001, .. })),
        "{refused:?}"
    );
    world.all_can_talk();
}

#[test]
fn messages_of_another_room_or_another_time_are_told_apart() {
    let mut world = World::with_hosted(2);
    let mut elsewhere = Town::new();
    let creator = elsewhere.client();
    let new_room = NewRoom {
        group_id: b"other".to_vec(),
        components: vec![],
        external_senders: vec![],
        creator: &creator,
    };
    let other = PlainMember::found(&new_room).unwrap().say(b"?").unwrap();
    world.alice.update();
    let ahead = world.alice.say(b"?").unwrap();
    let ahead_commit = world.alice.update();

    let refused =
        [&other, &ahead, &ahead_commit].map(|message| world.room.process(message, &Replace).unwrap_err());

    assert!(matches!(refused[0], ProcessFault::OtherGroup));
    for refused in &refused[1..] {
        assert!(
            matches!(refused, ProcessFault::EpochNotBegun { epoch: Epoch(2), current: Epoch(1) }),
            "{refused:?}"
        );
    }
}

#[test]
fn a_component_is_not_removed_beside_an_update_nor_from_nowhere_nor_against_its_rules() {
    use openmls::prelude::{AppDataUpdateProposal, Proposal};
    use openmls_traits::OpenMlsProvider as _;

    let [gone, topic, sealed] = [0x8d77, TOPIC, SEALED].map(AppDataUpdateProposal::remove);
    let renamed = AppDataUpdateProposal::update(TOPIC, b"renamed".to_vec());
    for proposals in [vec![gone], vec![renamed, topic], vec![sealed]] {
        let mut world = World::with_hosted(2);
        let super::super::reader::Reader { provider, group } = &mut world.alice.reader;
        let updates = proposals.iter().map(|proposal| Proposal::AppDataUpdate(Box::new(proposal.clone())));
        let mut builder =
            group.commit_builder().add_proposals(updates).load_psks(provider.storage()).unwrap();
        let mut next = builder.app_data_dictionary_updater();
        for proposal in &proposals {
            next.remove(&proposal.component_id());
        }
        let changes = next.changes();
        builder.with_app_data_dictionary_updates(changes);
        let bundle = builder.build(provider.rand(), provider.crypto(), &world.alice.key, |_| true).unwrap();
        let bundle = bundle.stage_commit(provider).unwrap();
        let commit = message(bundle.commit()).unwrap();

        let refused = world.room.process(&commit, &Replace);

        assert!(matches!(refused, Err(ProcessFault::Component(_))), "{proposals:?}: {refused:?}");
        assert_eq!(world.room.component(TOPIC), Some(b"start".as_slice()));
    }
}
