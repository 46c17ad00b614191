//! Every struct: decode ∘ encode is the identity, and whatever decodes encodes to the same bytes.

use std::fmt::Debug;

use mimi_wire::*;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError};

use crate::any;

/// A value has one encoding, and its neighbours are other values or none.
fn has_one_encoding<T: Body + Debug + PartialEq>(value: &T) -> Result<(), TestCaseError> {
    let bytes = value.encode();
    let decoded = T::decode(&bytes);
    prop_assert_eq!(decoded.as_ref(), Ok(value));

    for place in 0..bytes.len() {
        prop_assert!(T::decode(&bytes[..place]).is_err(), "cut at {}", place);
        for inserted in [0, 1, bytes[place]] {
            let mut longer = bytes.clone();
            longer.insert(place, inserted);
            decodes_to_itself_or_not::<T>(&longer)?;
        }
        let mut altered = bytes.clone();
        altered[place] ^= 1 << (place % 8);
        decodes_to_itself_or_not::<T>(&altered)?;
    }
    prop_assert_eq!(T::decode(&[&bytes[..], &[0]].concat()), Err(DecodeError::TrailingBytes(1)));
    Ok(())
}

fn decodes_to_itself_or_not<T: Body + Debug>(bytes: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(value) = T::decode(bytes) {
        prop_assert_eq!(value.encode(), bytes, "{:?}", value);
    }
    Ok(())
}

macro_rules! structs {
    ($($test:ident: $name:ty,)+) => {
        proptest! {
            #![proptest_config(Config::with_cases(24))]
            $(
                #[test]
                fn $test(value in any::$test()) {
                    has_one_encoding::<$name>(&value)?;
                }
            )+

            #[test]
            fn any_bytes_are_decoded_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
                $(decodes_to_itself_or_not::<$name>(&bytes)?;)+
                let _ = FanoutMessage::decode_all(&bytes);
            }
        }
    };
}

structs! {
    abuse_report: AbuseReport,
    abusive_message: AbusiveMessage,
    capabilities: Capabilities,
    client_key_material: ClientKeyMaterial,
    consent_entry: ConsentEntry,
    consent_scope: ConsentScope,
    credential: Credential,
    dictionary: AppDataDictionary,
    extension: Extension,
    external_sender: ExternalSender,
    fanout_message: FanoutMessage,
    frank: Frank,
    franking_agent_data: FrankingAgentData,
    franking_integrity_tbs: FrankingIntegrityTbs,
    group_info_option: GroupInfoOption,
    group_info_ratchet_tree: GroupInfoRatchetTree,
    group_info_request: GroupInfoRequest,
    group_info_response: GroupInfoResponse,
    handshake_bundle: HandshakeBundle,
    hpke_ciphertext: HpkeCiphertext,
    identifier_request: IdentifierRequest,
    identifier_response: IdentifierResponse,
    identity_roots_document: IdentityRootsDocument,
    key_material_request: KeyMaterialRequest,
    key_material_response: KeyMaterialResponse,
    partial_group_info: PartialGroupInfo,
    pending_proposal: PendingProposal,
    profile_field: ProfileField,
    query_element: QueryElement,
    ratchet_tree_option: RatchetTreeOption,
    required_capabilities: RequiredCapabilities,
    server_franking_context: ServerFrankingContext,
    submit_message_request: SubmitMessageRequest,
    submit_message_response: SubmitMessageResponse,
    update_request: UpdateRequest,
    update_room_response: UpdateRoomResponse,
    user_profile: UserProfile,
}

proptest! {
    #![proptest_config(Config::with_cases(24))]

    #[test]
    fn a_notify_body_is_its_messages_one_behind_the_other(
        messages in proptest::collection::vec(any::fanout_message(), 1..5),
    ) {
        let body: Vec<u8> = messages.iter().flat_map(FanoutMessage::encode).collect();

        prop_assert_eq!(FanoutMessage::decode_all(&body), Ok(messages));
        prop_assert!(FanoutMessage::decode_all(&body[..body.len() - 1]).is_err());
    }
}
