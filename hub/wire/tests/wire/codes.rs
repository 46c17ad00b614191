//! Every code table, number by number.

use mimi_wire::*;

macro_rules! tables {
    ($($test:ident: $name:ident [$($code:literal $draft_name:literal),+ $(,)?],)+) => {$(
        #[test]
        fn $test() {
            let known: Vec<_> = $name::ALL.iter().map(|code| (code.code(), code.name())).collect();

            assert_eq!(known, [$(($code, $draft_name)),+]);
            for value in 0..=u8::MAX {
                let expected = $name::ALL
                    .iter()
                    .copied()
                    .find(|code| code.code() == value)
                    .ok_or(DecodeError::UnknownCode { of: stringify!($name), value });
                assert_eq!($name::try_from(value), expected);
            }
        }
    )+};
}

tables! {
    protocol: Protocol [1 "mls10"],
    key_material_user_code: KeyMaterialUserCode [
        0 "success", 1 "partialSuccess", 2 "incompatibleProtocol", 3 "noCompatibleMaterial", 4 "userUnknown",
        5 "noConsent", 6 "noConsentForThisRoom", 7 "userDeleted",
    ],
    key_material_client_code: KeyMaterialClientCode [
        0 "success", 1 "keyMaterialExhausted", 2 "nothingCompatible",
    ],
    group_info_representation: GroupInfoRepresentation [1 "full", 2 "partial"],
    ratchet_tree_presence: RatchetTreePresence [0 "no_ratchet_tree", 1 "present", 2 "removed", 3 "added"],
    ratchet_tree_representation: RatchetTreeRepresentation [
        1 "full", 2 "httpsUri", 3 "outOfBand", 4 "distributionService",
    ],
    update_response_code: UpdateResponseCode [0 "success", 1 "wrongEpoch", 2 "notAllowed", 3 "invalidProposal"],
    submit_response_code: SubmitResponseCode [0 "accepted", 1 "notAllowed", 2 "epochTooOld"],
    group_info_code: GroupInfoCode [1 "success", 2 "notAuthorized", 3 "noSuchRoom"],
    consent_operation: ConsentOperation [0 "cancel", 1 "request", 2 "grant", 3 "revoke"],
    search_identifier_type: SearchIdentifierType [
        1 "handle", 2 "nick", 3 "email", 4 "phone", 5 "partialName", 6 "wholeProfile", 7 "oidcStdClaim",
        8 "vcardField",
    ],
    identifier_query_code: IdentifierQueryCode [
        0 "success", 1 "notFound", 2 "ambiguous", 3 "forbidden", 4 "unsupportedField",
    ],
    field_source: FieldSource [7 "oidcStdClaim", 8 "vcardField"],
    abuse_type: AbuseType [0 "reserved"],
}
