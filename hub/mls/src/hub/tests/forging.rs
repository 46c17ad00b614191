//! Handshakes and attachments that are not what they should be.

use super::super::{Attachments, GroupInfoRefusal, HubGroup, MlsRefusal, WelcomeRefusal};
use super::world::{Made, TOPIC, World, update};
use crate::group_info::{GroupInfoOption, PartialGroupInfo, bare_group_info};
use crate::ids::LeafIndex;
use crate::label::sign_with_label;
use crate::message::MlsMessage;
use crate::structure::read_group_info;
use crate::tls::{put_vector, whole};

/// Bob, whose commits are forged in what follows, beside Alice.
struct Scene {
    world: World,
    made: Made,
}

impl Scene {
    /// Alice commits an update, and Bob watches.
    fn new() -> Self {
        let (mut world, [_bob]) = World::with(["bob"]);
        let made = world.alice.commit(vec![update(TOPIC, b"weather")], vec![]);
        Self { world, made }
    }

    /// What the hub says to the commit with this GroupInfo.
    fn with_group_info(&self, group_info: &[u8]) -> GroupInfoRefusal {
        let with = Attachments { group_info: GroupInfoOption::Full(group_info), ..self.made.attachments() };
        match self.world.stage(&self.made.commit, &with) {
            Err(MlsRefusal::GroupInfo(why)) => why,
            other => panic!("{other:?}"),
        }
    }

    /// The GroupInfo with other parts, signed by Alice as they are.
    fn resigned(&self, tag: Option<&[u8]>, signer: Option<u32>) -> Vec<u8> {
        let read = whole(&self.made.group_info, read_group_info).unwrap();
        let mut out = read.group_context.to_vec();
        out.extend_from_slice(&self.made.partial.extensions);
        put_vector(&mut out, tag.unwrap_or(read.confirmation_tag));
        out.extend_from_slice(&signer.unwrap_or(read.signer).to_be_bytes());
        let signature = sign_with_label(self.world.alice.client.signing_key(), "GroupInfoTBS", &out);
        put_vector(&mut out, &signature);
        out
    }
}

#[test]
fn a4_a_group_info_signed_anew_by_the_committer_is_as_good() {
    let scene = Scene::new();
    let group_info = scene.resigned(None, None);
    let with = Attachments { group_info: GroupInfoOption::Full(&group_info), ..scene.made.attachments() };

    assert!(scene.world.stage(&scene.made.commit, &with).is_ok());
}

#[test]
fn a4_a_group_info_of_another_room_or_epoch_is_refused() {
    let scene = Scene::new();
    let foreign = World::new();

    assert_eq!(scene.with_group_info(foreign.hub.group_info()), GroupInfoRefusal::OtherContext);
    assert_eq!(scene.with_group_info(scene.world.hub.group_info()), GroupInfoRefusal::OtherContext);
}

#[test]
fn a4_a_group_info_with_another_confirmation_tag_is_refused() {
    let scene = Scene::new();
    let group_info = scene.resigned(Some(&[0; 32]), None);

    assert_eq!(scene.with_group_info(&group_info), GroupInfoRefusal::OtherConfirmationTag);
}

#[test]
fn a4_a_group_info_by_another_than_the_committer_is_refused() {
    let scene = Scene::new();
    let group_info = scene.resigned(None, Some(1));

    assert_eq!(scene.with_group_info(&group_info), GroupInfoRefusal::OtherSigner(LeafIndex(1)));
}

#[test]
fn a4_a_group_info_with_a_forged_signature_is_refused() {
    let scene = Scene::new();
    let mut group_info = scene.made.group_info.clone();
    *group_info.last_mut().unwrap() ^= 1;

    assert_eq!(scene.with_group_info(&group_info), GroupInfoRefusal::Signature);
}

#[test]
fn a4_a_partial_group_info_of_another_commit_is_refused() {
    let scene = Scene::new();
    let mut other = Scene::new();
    other.made.partial.extensions.clone_from(&scene.made.partial.extensions);
    let with =
        Attachments { group_info: GroupInfoOption::Partial(&other.made.partial), ..scene.made.attachments() };

    let refusal = scene.world.stage(&scene.made.commit, &with).unwrap_err();

    assert_eq!(refusal, MlsRefusal::GroupInfo(GroupInfoRefusal::Signature));
}

#[test]
fn a4_a_group_info_that_nobody_could_join_with_is_refused() {
    let scene = Scene::new();
    let partial = PartialGroupInfo { extensions: vec![0], ..scene.made.partial.clone() };
    let with = Attachments { group_info: GroupInfoOption::Partial(&partial), ..scene.made.attachments() };

    let refusal = scene.world.stage(&scene.made.commit, &with).unwrap_err();

    assert_eq!(refusal, MlsRefusal::GroupInfo(GroupInfoRefusal::NoExternalPub));
}

#[test]
fn a4_the_tree_travels_beside_the_group_info_and_not_in_it() {
    let world = World::new();
    let with_tree = world.alice.exported_group_info(true);

    let founded = HubGroup::found(&with_tree, &world.alice.tree());

    assert_eq!(founded.unwrap_err(), MlsRefusal::GroupInfo(GroupInfoRefusal::HasRatchetTree));
}

#[test]
fn a_group_info_cut_anywhere_is_malformed() {
    let scene = Scene::new();
    let bytes = &scene.made.group_info;

    for length in [0, 1, bytes.len() / 2, bytes.len() - 1] {
        assert_eq!(scene.with_group_info(&bytes[..length]), GroupInfoRefusal::Malformed);
    }
    let longer = [bytes.as_slice(), b"x"].concat();
    assert_eq!(scene.with_group_info(&longer), GroupInfoRefusal::Malformed);
}

#[test]
fn a_room_is_not_founded_with_anothers_tree_or_a_forged_group_info() {
    let (mut world, other) = (World::new(), World::new());
    let group_info = world.alice.group_info();
    let tree = world.alice.tree();
    let mut forged = group_info.clone();
    *forged.last_mut().unwrap() ^= 1;

    let foreign_tree = HubGroup::found(&group_info, &other.alice.tree());
    let forged = HubGroup::found(&forged, &tree);
    let no_tree = HubGroup::found(&group_info, b"tree");
    world.alice.commit(vec![], vec![]);
    world.alice.merge();
    let later_tree = HubGroup::found(&group_info, &world.alice.tree());

    assert_eq!(foreign_tree.unwrap_err(), MlsRefusal::GroupInfo(GroupInfoRefusal::Signature));
    assert!(matches!(later_tree, Err(MlsRefusal::RatchetTree(_))));
    assert_eq!(forged.unwrap_err(), MlsRefusal::GroupInfo(GroupInfoRefusal::Signature));
    assert_eq!(no_tree.unwrap_err(), MlsRefusal::Malformed("the ratchet tree"));
}

#[test]
fn a4_the_welcome_is_for_exactly_those_who_are_added() {
    let mut world = World::new();
    let (bob, carol) = (world.candidate("bob"), world.candidate("carol"));
    let both = world.alice.commit(vec![], vec![bob.key_package.clone(), carol.key_package.clone()]);
    world.alice.group.clear_pending_commit(world.alice.provider.storage_ref()).unwrap();
    let one = world.alice.commit(vec![], vec![bob.key_package.clone()]);
    let stage = |commit: &Made, welcome| {
        let with = Attachments { welcome, ..commit.attachments() };
        world.stage(&commit.commit, &with).map(|_| ())
    };

    assert_eq!(stage(&one, one.welcome.as_ref()), Ok(()));
    assert_eq!(stage(&one, None), Err(WelcomeRefusal::MissingOrIdle.into()));
    assert_eq!(stage(&one, Some(&one.commit)), Err(WelcomeRefusal::NotAWelcome.into()));
    assert_eq!(
        stage(&one, both.welcome.as_ref()),
        Err(WelcomeRefusal::Extra(vec![carol.reference.clone()]).into())
    );
    assert_eq!(
        stage(&both, one.welcome.as_ref()),
        Err(WelcomeRefusal::Missing(vec![carol.reference.clone()]).into())
    );
}

#[test]
fn a4_a_welcome_without_adds_is_idle() {
    let mut world = World::new();
    let bob = world.candidate("bob");
    let adding = world.alice.commit(vec![], vec![bob.key_package.clone()]);
    world.alice.group.clear_pending_commit(world.alice.provider.storage_ref()).unwrap();
    let made = world.alice.commit(vec![update(TOPIC, b"weather")], vec![]);
    let with = Attachments { welcome: adding.welcome.as_ref(), ..made.attachments() };

    assert_eq!(world.stage(&made.commit, &with).unwrap_err(), WelcomeRefusal::MissingOrIdle.into());
}

#[test]
fn a4_a_tree_that_was_sent_along_is_that_of_the_next_epoch() {
    let mut world = World::new();
    let before = world.alice.tree();
    let made = world.alice.commit(vec![], vec![]);
    world.alice.merge();
    let after = world.alice.tree();
    let stage = |tree: &[u8]| {
        let with = Attachments { ratchet_tree: Some(tree), ..made.attachments() };
        world.stage(&made.commit, &with).map(|_| ())
    };

    assert_eq!(stage(&after), Ok(()));
    assert!(matches!(stage(&before), Err(MlsRefusal::RatchetTree(_))));
    assert_eq!(stage(b"tree"), Err(MlsRefusal::Malformed("the ratchet tree")));
}

#[test]
fn a_handshake_altered_on_the_way_is_refused() {
    let scene = Scene::new();
    let mut bytes = scene.made.commit.as_bytes().to_vec();
    let place = bytes.windows(7).position(|window| window == b"weather").unwrap();
    bytes[place] ^= 1;
    let altered = MlsMessage::decode(&bytes).unwrap();

    assert!(matches!(scene.world.hub.examine(&altered), Err(MlsRefusal::Invalid(_))));
}

#[test]
fn a_handshake_for_another_group_is_refused() {
    let scene = Scene::new();
    let mut bytes = scene.made.commit.as_bytes().to_vec();
    let place = bytes.windows(6).position(|window| window == b"g/room").unwrap();
    bytes[place..place + 6].copy_from_slice(b"g/moor");
    let foreign = MlsMessage::decode(&bytes).unwrap();

    assert_eq!(scene.world.hub.examine(&foreign).unwrap_err(), MlsRefusal::OtherGroup);
}

#[test]
fn what_is_no_public_handshake_is_not_examined() {
    let (mut world, [_bob]) = World::with(["bob"]);
    let carol = world.candidate("carol");
    let made = world.alice.commit(vec![], vec![carol.key_package]);
    let mut private = vec![0, 1, 0, 2];
    put_vector(&mut private, b"mimi://a.example/g/room");
    private.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 1, 3, 0, 0, 0]);
    let private = MlsMessage::decode(&private).unwrap();

    assert_eq!(world.hub.examine(&private).unwrap_err(), MlsRefusal::NotAHandshake);
    assert_eq!(world.hub.examine(&made.welcome.unwrap()).unwrap_err(), MlsRefusal::NotAHandshake);
}

#[test]
fn a_group_info_is_the_same_bare_and_as_a_message() {
    let scene = Scene::new();
    let message = [&[0, 1, 0, 4], scene.made.group_info.as_slice()].concat();

    assert_eq!(bare_group_info(&message), scene.made.group_info);
    assert_eq!(bare_group_info(&scene.made.group_info), scene.made.group_info);
    let followed = [scene.made.group_info.as_slice(), b"rest"].concat();
    assert_eq!(crate::group_info_length(&followed), Some(scene.made.group_info.len()));
}
