//! What a struct's other fields, or its endpoint, say about a field.

use mimi_uri::{InvalidUri, RoomUri, UserUri};
use mimi_wire::limits::{CLIENTS_MAX, FANOUT_MESSAGES_MAX};
use mimi_wire::*;

use crate::mls;

fn user(name: &str) -> UserUri {
    UserUri::parse(&format!("mimi://b.example/u/{name}")).unwrap()
}

fn key_material_request() -> KeyMaterialRequest {
    KeyMaterialRequest {
        requesting_user: user("alice"),
        target_user: user("bob"),
        room: Some(RoomUri::parse("mimi://a.example/r/club").unwrap()),
        acceptable_ciphersuites: vec![CipherSuite::X25519_AES128GCM_SHA256_ED25519],
        required_capabilities: RequiredCapabilities::default(),
        requester_signature_key: b"key".to_vec(),
        requester_credential: Credential::decode(&[0, 1, 2, b'i', b'd']).unwrap(),
        signature: b"signature".to_vec(),
    }
}

#[test]
fn a_key_material_request_is_laid_out_as_the_draft_has_it() {
    let bytes = key_material_request().encode();

    let expected = [
        b"\x01".as_slice(),
        b"\x18mimi://b.example/u/alice",
        b"\x16mimi://b.example/u/bob",
        b"\x17mimi://a.example/r/club",
        b"\x02\0\x01",
        b"\0\0\0",
        b"\x03key",
        b"\0\x01\x02id",
        b"\x09signature",
    ];
    assert_eq!(bytes, expected.concat());
    assert_eq!(key_material_request().to_be_signed(), bytes[..bytes.len() - 10]);
}

#[test]
fn a_key_material_request_names_at_least_one_suite() {
    let request = KeyMaterialRequest { acceptable_ciphersuites: Vec::new(), ..key_material_request() };

    let decoded = KeyMaterialRequest::decode(&request.encode());

    assert_eq!(decoded, Err(DecodeError::Empty { of: "acceptableCiphersuites" }));
}

#[test]
fn pm7_clients_are_listed_only_beside_codes_that_allow_it() {
    let client = ClientKeyMaterial {
        client: "mimi://b.example/d/bob/1".parse().unwrap(),
        material: ClientMaterial::KeyMaterialExhausted,
    };
    for user_status in KeyMaterialUserCode::ALL.iter().copied() {
        let response = KeyMaterialResponse { user_status, user: user("bob"), clients: vec![client.clone()] };

        let decoded = KeyMaterialResponse::decode(&response.encode());

        let may = [0, 1, 3].contains(&user_status.code());
        assert_eq!(decoded, if may { Ok(response) } else { Err(DecodeError::NotEmpty { of: "clients" }) });
    }
}

#[test]
fn a_user_has_no_more_clients_than_the_limit() {
    let client = ClientKeyMaterial {
        client: "mimi://b.example/d/bob/1".parse().unwrap(),
        material: ClientMaterial::KeyMaterialExhausted,
    };
    let response = KeyMaterialResponse {
        user_status: KeyMaterialUserCode::Success,
        user: user("bob"),
        clients: vec![client; CLIENTS_MAX + 1],
    };

    let decoded = KeyMaterialResponse::decode(&response.encode());

    assert_eq!(decoded, Err(DecodeError::TooMany { of: "clients", max: CLIENTS_MAX }));
}

#[test]
fn an_identifier_of_another_class_is_refused_where_it_stands() {
    let mut bytes = key_material_request().encode();
    let class = bytes.iter().position(|&byte| byte == b'u').unwrap();
    bytes[class] = b'r';

    let decoded = KeyMaterialRequest::decode(&bytes);

    let why = InvalidUri::Class { expected: 'u' };
    assert_eq!(decoded, Err(DecodeError::Uri { of: "requestingUser", why }));
}

#[test]
fn a_credential_of_a_type_without_known_structure_is_refused() {
    assert_eq!(Credential::decode(&[0, 3, 0]), Err(DecodeError::UnsupportedCredential(3)));
}

#[test]
fn em1_a_dictionary_is_strictly_ascending() {
    let not_ascending = Err(DecodeError::NotAscending { of: "component_data" });

    assert_eq!(AppDataDictionary::decode(&[6, 0, 2, 0, 0, 1, 0]), not_ascending);
    assert_eq!(AppDataDictionary::decode(&[6, 0, 1, 0, 0, 1, 0]), not_ascending);
    let dictionary = AppDataDictionary::decode(&[7, 0, 1, 0, 0, 2, 1, 7]).unwrap();
    assert_eq!((dictionary.component(2), dictionary.component(3)), (Some([7].as_slice()), None));
}

#[test]
fn only_a_private_application_message_is_submitted() {
    for message in
        [mls::private(2, b""), mls::private(3, b""), mls::proposal(1), mls::commit(), mls::welcome()]
    {
        let request = SubmitMessageRequest { app_message: message, sending_user: user("bob") };

        let decoded = SubmitMessageRequest::decode(&request.encode());

        assert!(matches!(decoded, Err(DecodeError::WrongMessage { of: "appMessage", .. })), "{decoded:?}");
    }
}

#[test]
fn only_a_public_proposal_or_commit_updates_a_room() {
    for message in [mls::private(1, b""), mls::private(3, b""), mls::welcome()] {
        let decoded = UpdateRequest::decode(message.as_bytes());

        assert!(matches!(decoded, Err(DecodeError::WrongMessage { of: "proposalOrCommit", .. })));
    }
}

#[test]
fn more_proposals_are_proposals() {
    let bundle =
        HandshakeBundle::Proposal { proposal: mls::proposal(1), more_proposals: vec![mls::commit()] };

    let decoded = HandshakeBundle::decode(&bundle.encode());

    assert!(matches!(decoded, Err(DecodeError::WrongMessage { of: "moreProposals", .. })));
}

#[test]
fn a_private_handshake_is_not_fanned_out() {
    for content_type in [2, 3] {
        let message = mls::private(content_type, b"");

        let decoded = FanoutMessage::decode(&[&[0; 8], message.as_bytes()].concat());

        assert!(matches!(decoded, Err(DecodeError::WrongMessage { of: "message", .. })));
    }
}

#[test]
fn a_notify_body_has_at_least_one_message_and_not_too_many() {
    let message = FanoutMessage {
        timestamp: Timestamp(1),
        event: FanoutEvent::Application { message: mls::private(1, b""), frank: None },
    };
    let body = message.encode().repeat(FANOUT_MESSAGES_MAX + 1);

    let too_many = DecodeError::TooMany { of: "FanoutMessage", max: FANOUT_MESSAGES_MAX };
    assert_eq!(FanoutMessage::decode_all(&body), Err(too_many));
    assert_eq!(FanoutMessage::decode_all(&[]), Err(DecodeError::Empty { of: "FanoutMessage" }));
}

#[test]
fn a_group_info_is_bare_on_the_wire_however_it_was_given() {
    let framed = [&[0, 1, 0, 4], mls::group_info().as_slice()].concat();

    assert_eq!(GroupInfoOption::full(&framed), GroupInfoOption::full(&mls::group_info()));
    assert_eq!(GroupInfoOption::full(&framed).encode(), [&[1], mls::group_info().as_slice()].concat());
}

#[test]
fn a_ratchet_tree_is_fetched_by_https_only() {
    let option = RatchetTreeOption::HttpsUri("http://a.example/tree".to_owned());

    let decoded = RatchetTreeOption::decode(&option.encode());

    assert_eq!(decoded, Err(DecodeError::NotHttps { of: "ratchet tree url" }));
}

#[test]
fn a_group_info_request_signs_its_joining_code() {
    let request = GroupInfoRequest {
        cipher_suite: CipherSuite(1),
        requesting_signature_key: b"key".to_vec(),
        requesting_credential: Credential::decode(&[0, 1, 0]).unwrap(),
        group_info_public_key: b"hpke".to_vec(),
        joining_code: Some(JoiningCode(b"code".to_vec())),
        signature: b"signature".to_vec(),
    };

    assert_eq!(request.to_be_signed(), b"\x01\0\x01\x03key\0\x01\0\x04hpke\x01\x04code");
    assert_eq!(request.encode(), b"\x01\0\x01\x03key\0\x01\0\x04hpke\x01\x04code\x09signature");
}

#[test]
fn a_group_info_response_signs_everything_before_the_signature() {
    let room = RoomUri::parse("mimi://a.example/r/club").unwrap();
    let success = GroupInfoSuccess {
        cipher_suite: CipherSuite(1),
        hub_sender: ExternalSender {
            signature_key: b"key".to_vec(),
            credential: Credential::decode(&[0, 1, 0]).unwrap(),
        },
        encrypted_groupinfo_and_tree: HpkeCiphertext {
            kem_output: b"kem".to_vec(),
            ciphertext: b"ct".to_vec(),
        },
        signature: b"signature".to_vec(),
    };
    let response = GroupInfoResponse { room: room.clone(), grant: GroupInfoGrant::Success(success.clone()) };

    let bytes = response.encode();

    assert_eq!(success.to_be_signed(&room), bytes[..bytes.len() - 10]);
}

#[test]
fn secrets_and_reported_words_do_not_show_themselves_in_logs() {
    let message = AbusiveMessage {
        message_content: b"words".to_vec(),
        frank: Frank {
            server_frank: ServerFrank([0; 32]),
            franking_signature_ciphersuite: CipherSuite(1),
            franking_integrity_signature: Vec::new(),
        },
        accepted_timestamp: Timestamp(1),
    };

    assert_eq!(format!("{:?}", JoiningCode(b"code".to_vec())), "JoiningCode(..)");
    assert!(format!("{message:?}").starts_with("AbusiveMessage { length: 5, frank: "));
    assert_eq!(format!("{:?}", HubKey::new(&[7; 32])), "HubKey(..)");
}
