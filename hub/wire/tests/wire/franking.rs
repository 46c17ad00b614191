//! Franking, against the vector of page A6.

use mimi_wire::*;

/// The example "original" of the content draft: its salt, its encoding, and when a hub accepted it.
const SALT: &str = "5eed9406c2545547ab6f09f20a18b003";
const CONTENT: &str = "\
    87505eed9406c2545547ab6f09f20a18b003f640f6f6a20178206d696d693a2f2f6578616d706c652e636f6d2f752f616c69\
    63652d736d6974680278256d696d693a2f2f6578616d706c652e636f6d2f722f656e67696e656572696e675f7465616d8501\
    6001781e746578742f6d61726b646f776e3b76617269616e743d47464d2d4d494d49583948692065766572796f6e652c2077\
    65206a75737420736869707065642072656c6561736520322e302e205f5f476f6f642020776f726b5f5f21";
const ACCEPTED: Timestamp = Timestamp(1_644_387_225_019);

fn hub_key() -> HubKey {
    let mut secret = [0; 32];
    for (place, byte) in (0..).zip(&mut secret) {
        *byte = place;
    }
    HubKey::new(&secret)
}

fn tag() -> FrankingTag {
    FrankingTag::of(&hex::decode(SALT).unwrap(), &hex::decode(CONTENT).unwrap())
}

fn context() -> ServerFrankingContext {
    ServerFrankingContext {
        sender: "mimi://example.com/u/alice-smith".parse().unwrap(),
        room: "mimi://example.com/r/engineering_team".parse().unwrap(),
        accepted_timestamp: ACCEPTED,
    }
}

#[test]
fn the_tag_and_the_server_frank_are_those_of_the_vector() {
    assert_eq!(hex::encode(tag().0), "a9a69f1d2fe6f37984190c093ecb8a10d647093db735fb7ba926bfdccff4c2bf");
    assert_eq!(
        hex::encode(hub_key().frank(tag(), &context()).0),
        "395d272f8a11846200e6c5cece361210556ac6981b2f6462c29ad92bbcba8609"
    );
}

#[test]
fn a_hub_knows_its_own_frank_and_no_other() {
    let frank = hub_key().frank(tag(), &context());
    let later = ServerFrankingContext { accepted_timestamp: Timestamp(ACCEPTED.0 + 1), ..context() };

    assert!(hub_key().made(frank, tag(), &context()));
    assert!(!hub_key().made(frank, tag(), &later));
    assert!(!hub_key().made(frank, FrankingTag([0; 32]), &context()));
    assert!(!HubKey::new(&[0; 32]).made(frank, tag(), &context()));
}

#[test]
fn what_the_agent_signs_is_frank_suite_and_context() {
    let tbs = FrankingIntegrityTbs {
        server_frank: ServerFrank([7; 32]),
        franking_signature_ciphersuite: CipherSuite(1),
        context: context(),
    };

    let expected = [[7; 32].as_slice(), &[0, 1], &context().encode()].concat();

    assert_eq!(tbs.encode(), expected);
}
