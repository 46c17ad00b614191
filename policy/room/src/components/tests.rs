//! The door: what decodes is exactly what encodes.

mod generators;

use mimi_uri::{RoomUri, UserUri};
use proptest::prelude::*;

use super::*;
use crate::DecodeError;
use generators::*;

/// Values whose encodings must decode to them; and prefixes of which, and anything longer, must not decode.
macro_rules! round_trips {
    ($($name:ident: $structure:ty = $strategy:expr;)+) => {
        proptest! {
            #![proptest_config(ProptestConfig::with_cases(48))]
            $(#[test]
            fn $name(value in $strategy, extra in any::<u8>()) {
                let bytes = value.encode();
                let mut longer = bytes.clone();
                longer.push(extra);

                prop_assert_eq!(<$structure>::decode(&bytes), Ok(value));
                prop_assert!(<$structure>::decode(&longer).is_err());
                prop_assert!(<$structure>::decode(&bytes[..bytes.len() - 1]).is_err());
            })+
        }
    };
}

round_trips! {
    participant_list_data: ParticipantListData = participants();
    participant_list_update: ParticipantListUpdate = list_update();
    room_metadata: RoomMetaData = metadata();
    pre_auth_data: PreAuthData = preauth();
    base_room_policy: BaseRoomPolicy = base();
    operational_parameters: OperationalParameters = operational();
    asset_policy: AssetPolicy = asset();
    status_notification_policy: StatusNotificationPolicy = (optionality(), optionality()).prop_map(
        |(delivery_notifications, read_receipts)| StatusNotificationPolicy { delivery_notifications, read_receipts });
    join_link_policy: JoinLinkPolicy = (any::<[bool; 2]>(), uri(), any::<u32>()).prop_map(
        |(flags, join_link, expiration_s)| JoinLinkPolicy {
            on_request: flags[0], join_link, multiuser: flags[1], expiration_s });
    join_links: JoinLinksData = many(many(any::<u8>())).prop_map(|links| JoinLinksData {
        links: links.into_iter().map(|join_link| JoinLink { join_link }).collect() });
    logging_policy: LoggingPolicy = prop_oneof![
        Just(LoggingPolicy::Forbidden),
        uri().prop_map(|human_readable_policy| LoggingPolicy::Required(LoggingProviders {
            logging_clients: vec![Uri::new("mimi://a.example/u/log").unwrap()],
            machine_readable_policy: Uri::default(),
            human_readable_policy,
        })),
    ];
    history_policy: HistoryPolicy = (2..9u32, any::<bool>(), any::<u32>()).prop_map(
        |(role, automatically_share, max_time_period_s)| HistoryPolicy::Optional(HistorySharing {
            roles_that_can_share: vec![RoleIndex(role)], automatically_share, max_time_period_s }));
    bot_policy: BotPolicy = many((text(), uri(), index(), any::<[bool; 2]>())).prop_map(|bots| BotPolicy {
        allowed_bots: bots.into_iter().map(|(name, homepage, bot_role_index, flags)| Bot {
            name, description: Text::default(), homepage, local_client_bot: false, bot_role_index,
            can_target_message_in_group: flags[0], per_user_content: flags[1] }).collect() });
    message_expiration: MessageExpiration = (0..9u32, 9..99u32, proptest::option::of(Just(9))).prop_map(
        |(min, max, preferred)| MessageExpiration::Required(ExpirationBounds {
            min_expiration_duration_s: min, max_expiration_duration_s: max, default_expiration_duration_s: preferred }));
    link_preview: LinkPreviewPolicy = (optionality(), any::<bool>()).prop_map(
        |(send_link_previews, proxy)| LinkPreviewPolicy {
            autodetect_hyperlinks_in_text: Optionality::Forbidden,
            send_link_previews,
            automatic_link_previews: Optionality::Optional,
            link_preview_proxy_use: if proxy {
                LinkPreviewProxy::Required(vec![Uri::new("https://p.example/").unwrap()])
            } else { LinkPreviewProxy::Forbidden },
        });
    franking_agent: FrankingAgentData = (any::<[u8; 32]>(), any::<u16>(), many(any::<u8>())).prop_map(
        |(key, credential_type, body)| FrankingAgentData {
            franking_signature_key: key.to_vec(), credential: Credential { credential_type, body } });
    components_list: ComponentsList = proptest::collection::btree_set(any::<u16>(), 0..5).prop_map(
        |ids| ComponentsList { component_ids: ids.into_iter().collect() });
    media_type_list: MediaTypeList = media_type().prop_map(|it| MediaTypeList { media_type_list: vec![it] });
}

macro_rules! only_one_encoding {
    ($bytes:expr, $($structure:ty),+) => {
        $(if let Ok(value) = <$structure>::decode($bytes) {
            prop_assert_eq!(value.encode(), $bytes, "{}", stringify!($structure));
        })+
    };
}

proptest! {
    #[test]
    fn bytes_decode_to_nothing_or_to_what_encodes_to_them(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        only_one_encoding!(
            &bytes[..], ParticipantListData, ParticipantListUpdate, RoomMetaData, RoleData, PreAuthData,
            BaseRoomPolicy, StatusNotificationPolicy, JoinLinkPolicy, JoinLinksData, JoinLinksUpdate,
            LinkPreviewPolicy, AssetPolicy, LoggingPolicy, HistoryPolicy, BotPolicy, MessageExpiration,
            OperationalParameters, ComponentsList, MediaTypeList, FrankingAgentData
        );
    }

    #[test]
    fn changed_bytes_decode_to_nothing_or_to_what_encodes_to_them(
        value in operational(), at in any::<prop::sample::Index>(), byte in any::<u8>()
    ) {
        let mut bytes = value.encode();
        let at = at.index(bytes.len());
        bytes[at] = byte;

        only_one_encoding!(&bytes[..], OperationalParameters);
    }

    #[test]
    fn roles_round_trip_or_repeat_an_index(roles in many(role())) {
        let data = RoleData { roles };
        let unique: std::collections::BTreeSet<_> = data.roles.iter().map(|role| role.role_index).collect();

        let decoded = RoleData::decode(&data.encode());

        // R1
        prop_assert_eq!(decoded.is_ok(), unique.len() == data.roles.len());
    }
}

/// The bytes of a participant list with one entry for this user.
fn list_of(user: &str) -> Vec<u8> {
    let mut bytes = vec![u8::try_from(user.len() + 5).unwrap(), u8::try_from(user.len()).unwrap()];
    bytes.extend(user.bytes());
    bytes.extend([0, 0, 0, 2]);
    bytes
}

#[test]
fn a_user_on_a_list_is_canonical() {
    assert!(ParticipantListData::decode(&list_of("mimi://a.example/u/alice")).is_ok());
    for other in ["mimi://A.example/u/alice", "mimi://a.example/d/alice", "mimi:a.example/u/alice", ""] {
        let refused = ParticipantListData::decode(&list_of(other));
        assert!(matches!(refused, Err(DecodeError::Malformed(_))), "{other}");
    }
}

#[test]
fn a_user_is_on_a_list_once_and_not_in_role_zero() {
    let pair = |role| UserRolePair {
        user: UserUri::parse("mimi://a.example/u/alice").unwrap(),
        role_index: RoleIndex(role),
    };
    let twice = ParticipantListData { participants: vec![pair(2), pair(3)] }.encode();
    let outsider = ParticipantListData { participants: vec![pair(0)] }.encode();

    assert!(matches!(ParticipantListData::decode(&twice), Err(DecodeError::Invalid(_))));
    assert!(matches!(ParticipantListData::decode(&outsider), Err(DecodeError::Invalid(_))));
}

#[test]
fn a_length_that_is_not_minimal_is_refused() {
    assert!(ComponentsList::decode(&[0x02, 0x00, 0x20]).is_ok());
    assert!(ComponentsList::decode(&[0x40, 0x02, 0x00, 0x20]).is_err());
    assert!(ComponentsList::decode(&[0x80, 0x00, 0x00, 0x02, 0x00, 0x20]).is_err());
    assert!(ComponentsList::decode(&[0xC0, 0, 0, 0, 0, 0, 0, 0x02, 0x00, 0x20]).is_err());
}

#[test]
fn a_length_that_lies_allocates_nothing() {
    assert!(JoinLinksData::decode(&[0xBF, 0xFF, 0xFF, 0xFF]).is_err());
    assert!(RoomMetaData::decode(&[0xFF; 8]).is_err());
}

#[test]
fn a_component_longer_than_the_limit_is_refused() {
    let bytes = vec![0; crate::limits::COMPONENT_LENGTH_MAX + 1];

    assert_eq!(ComponentsList::decode(&bytes), Err(DecodeError::TooLong));
}

#[test]
fn booleans_options_and_enums_have_only_their_values() {
    assert!(JoinLinkPolicy::decode(&[1, 0, 1, 0, 0, 0, 9]).is_ok());
    assert!(JoinLinkPolicy::decode(&[2, 0, 1, 0, 0, 0, 9]).is_err());
    assert!(StatusNotificationPolicy::decode(&[2, 0]).is_ok());
    assert!(StatusNotificationPolicy::decode(&[3, 0]).is_err());
    assert!(MessageExpiration::decode(&[0, 0, 0, 0, 1, 0, 0, 0, 2, 0]).is_ok());
    assert!(MessageExpiration::decode(&[0, 0, 0, 0, 1, 0, 0, 0, 2, 2, 0, 0, 0, 1]).is_err());
}

#[test]
fn what_is_forbidden_says_nothing_else() {
    assert_eq!(LoggingPolicy::decode(&[2]), Ok(LoggingPolicy::Forbidden));
    assert_eq!(HistoryPolicy::decode(&[2]), Ok(HistoryPolicy::Forbidden));
    assert!(HistoryPolicy::decode(&[2, 0, 0, 0, 0, 0, 0]).is_err());
}

#[test]
fn a_strategy_that_nobody_knows_is_kept_as_it_came() {
    let parameters = OperationalParameters::default();
    let mut bytes = parameters.encode();
    let at = bytes.len() - (8 * 3 * 3 + 7 + 8 * 3 + 4 + 4) - 1;
    bytes[at] = 9;

    let decoded = OperationalParameters::decode(&bytes).unwrap();

    assert!(matches!(decoded.pending_proposal_policy, PendingProposalPolicy::Unknown(_)));
    assert_eq!(decoded.encode(), bytes);
}

#[test]
fn r9_detection_is_never_required_and_a_proxy_is_named() {
    assert!(LinkPreviewPolicy::decode(&[0, 0, 0, 2]).is_ok());
    // RM9
    assert!(LinkPreviewPolicy::decode(&[1, 0, 0, 2]).is_err());
    // RM10
    assert!(LinkPreviewPolicy::decode(&[0, 0, 0, 1, 0]).is_err());
    assert!(LinkPreviewPolicy::decode(&[0, 0, 0, 0, 0]).is_err());
}

#[test]
fn r10_required_logging_names_who_logs_one_of_each_provider() {
    let clients = |clients: &[&str]| {
        LoggingPolicy::Required(LoggingProviders {
            logging_clients: clients.iter().map(|it| Uri::new(it).unwrap()).collect(),
            ..LoggingProviders::default()
        })
        .encode()
    };

    assert!(LoggingPolicy::decode(&clients(&["mimi://a.example/u/l", "mimi://b.example/u/l"])).is_ok());
    assert!(LoggingPolicy::decode(&clients(&[])).is_err());
    assert!(LoggingPolicy::decode(&clients(&["mimi://a.example/u/l", "mimi://a.example/u/m"])).is_err());
}

#[test]
fn r13_the_bounds_of_expiration_agree() {
    let bounds = |min, max, preferred| {
        MessageExpiration::Optional(ExpirationBounds {
            min_expiration_duration_s: min,
            max_expiration_duration_s: max,
            default_expiration_duration_s: preferred,
        })
        .encode()
    };

    assert!(MessageExpiration::decode(&bounds(1, 9, Some(5))).is_ok());
    assert!(MessageExpiration::decode(&bounds(9, 1, None)).is_err());
    assert!(MessageExpiration::decode(&bounds(1, 9, Some(10))).is_err());
    assert!(MessageExpiration::decode(&bounds(1, 9, Some(0))).is_err());
}

#[test]
fn rm11_a_media_type_without_parameters_means_all_its_forms() {
    let media = |essence: &str, parameters: &[(&str, &str)]| MediaType {
        essence: Text::new(essence).unwrap(),
        parameters: parameters
            .iter()
            .map(|(name, value)| Parameter {
                parameter_name: Text::new(name).unwrap(),
                parameter_value: Text::new(value).unwrap(),
            })
            .collect(),
    };
    let policy = AssetPolicy {
        asset_upload_location: AssetUploadLocation::Unspecified,
        upload_domains: vec![],
        download_privacy: DownloadPrivacy {
            allowed_download_types: vec![DownloadPrivacyType::Direct],
            forbidden_download_types: vec![],
            default_download_type: DownloadPrivacyType::Direct,
        },
        max_image: 0,
        max_audio: 0,
        max_video: 0,
        max_attachment: 0,
        forbidden_media_types: vec![media("text/html", &[("charset", "utf-7")])],
        permitted_media_types: Some(MediaTypes {
            types: vec![media("text/html", &[]), media("image/png", &[])],
        }),
    };

    assert!(policy.permits(&media("text/html", &[("charset", "utf-8")])));
    assert!(policy.permits(&media("image/png", &[])));
    assert!(!policy.permits(&media("text/html", &[("charset", "utf-7")])));
    assert!(!policy.permits(&media("video/mp4", &[])));
}

#[test]
fn a_text_has_no_nul_and_a_uri_a_scheme() {
    assert!(Text::new("a\0b").is_err());
    assert!(Uri::new("no scheme").is_err());
    assert!(Uri::new("https://a.example/ü").is_err());
    assert!(Uri::new(&format!("https://{}", "a".repeat(3000))).is_err());
    assert!(
        RoomMetaData::decode(
            &RoomMetaData {
                room_avatar: Uri::new("http://a.example/").unwrap(),
                ..RoomMetaData::of(&RoomUri::parse("mimi://a.example/r/1").unwrap())
            }
            .encode()
        )
        .is_err()
    );
}

#[test]
fn r8_a_room_has_a_parent_exactly_if_it_depends_on_one() {
    let parent = RoomUri::parse("mimi://a.example/r/1").unwrap();
    let base = |parent_dependant, parents: &[&RoomUri]| {
        BaseRoomPolicy {
            fixed_membership: false,
            parent_dependant,
            parent_room: parents.iter().map(|it| ParentRoom((*it).clone())).collect(),
            multi_device: true,
            max_clients: None,
            max_users: None,
            pseudonyms_allowed: false,
            persistent_room: false,
            discoverable: false,
            policy_component_ids: vec![],
        }
        .encode()
    };

    assert!(BaseRoomPolicy::decode(&base(true, &[&parent])).is_ok());
    assert!(BaseRoomPolicy::decode(&base(true, &[])).is_err());
    assert!(BaseRoomPolicy::decode(&base(false, &[&parent])).is_err());
    assert!(BaseRoomPolicy::decode(&base(true, &[&parent, &parent])).is_err());
}
