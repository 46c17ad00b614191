//! Structures to try the door with.

use mimi_uri::{RoomUri, UserUri};
use proptest::prelude::*;

use super::super::*;

pub(super) fn text() -> impl Strategy<Value = Text> {
    "[a-z é]{0,12}".prop_map(|it| Text::new(&it).unwrap())
}

pub(super) fn uri() -> impl Strategy<Value = Uri> {
    prop_oneof![Just(String::new()), "https://[a-z]{1,8}\\.example/[a-z]{0,8}"]
        .prop_map(|it| Uri::new(&it).unwrap())
}

pub(super) fn room() -> impl Strategy<Value = RoomUri> {
    "mimi://[a-z]{1,8}\\.example/r/[a-z]{1,8}".prop_map(|it| RoomUri::parse(&it).unwrap())
}

pub(super) fn index() -> impl Strategy<Value = RoleIndex> {
    (1..9u32).prop_map(RoleIndex)
}

pub(super) fn user() -> impl Strategy<Value = UserUri> {
    "mimi://[ab]\\.example/u/[a-z]{1,8}".prop_map(|it| UserUri::parse(&it).unwrap())
}

pub(super) fn many<T: Strategy>(element: T) -> impl Strategy<Value = Vec<T::Value>>
where
    T::Value: std::fmt::Debug,
{
    proptest::collection::vec(element, 0..4)
}

pub(super) fn u16s() -> impl Strategy<Value = Vec<u16>> {
    many(any::<u16>())
}

pub(super) fn optionality() -> impl Strategy<Value = Optionality> {
    prop_oneof![Just(Optionality::Optional), Just(Optionality::Required), Just(Optionality::Forbidden)]
}

pub(super) fn media_type() -> impl Strategy<Value = MediaType> {
    let parameter = (text(), text())
        .prop_map(|(parameter_name, parameter_value)| Parameter { parameter_name, parameter_value });
    ("[a-z]{1,4}/[a-z]{1,4}", many(parameter))
        .prop_map(|(essence, parameters)| MediaType { essence: Text::new(&essence).unwrap(), parameters })
}

pub(super) fn role() -> impl Strategy<Value = Role> {
    let change = (index(), many(index())).prop_map(|(from_role_index, target_role_indexes)| {
        SingleSourceRoleChangeTargets { from_role_index, target_role_indexes }
    });
    let bounds = (any::<u32>(), any::<Option<u32>>(), any::<u32>(), any::<Option<u32>>());
    (index(), text(), text(), u16s(), bounds, many(change)).prop_map(
        |(role_index, role_name, role_description, role_capabilities, bounds, authorized_role_changes)| {
            Role {
                role_index,
                role_name,
                role_description,
                role_capabilities,
                minimum_participants_constraint: bounds.0,
                maximum_participants_constraint: bounds.1,
                minimum_active_participants_constraint: bounds.2,
                maximum_active_participants_constraint: bounds.3,
                authorized_role_changes,
            }
        },
    )
}

pub(super) fn participants() -> impl Strategy<Value = ParticipantListData> {
    proptest::collection::btree_map(user(), index(), 0..6).prop_map(|pairs| ParticipantListData {
        participants: pairs.into_iter().map(|(user, role_index)| UserRolePair { user, role_index }).collect(),
    })
}

pub(super) fn list_update() -> impl Strategy<Value = ParticipantListUpdate> {
    let pair =
        (0..6u32, index()).prop_map(|(user_index, role_index)| UserIndexRolePair { user_index, role_index });
    let added = (user(), index()).prop_map(|(user, role_index)| UserRolePair { user, role_index });
    (many(pair), many(0..6u32), many(added)).prop_map(
        |(changed_role_participants, removed_indices, added_participants)| ParticipantListUpdate {
            changed_role_participants,
            removed_indices,
            added_participants,
        },
    )
}

pub(super) fn metadata() -> impl Strategy<Value = RoomMetaData> {
    let description = (text(), text(), text()).prop_map(|(media_type, language_tag, description_content)| {
        RichDescription { media_type, language_tag, description_content }
    });
    (room(), text(), many(description), uri(), text(), text()).prop_map(
        |(room_uri, room_name, room_descriptions, room_avatar, room_subject, room_mood)| RoomMetaData {
            room_uri,
            room_name,
            room_descriptions,
            room_avatar,
            room_subject,
            room_mood,
        },
    )
}

pub(super) fn preauth() -> impl Strategy<Value = PreAuthData> {
    let bytes = || many(any::<u8>());
    let claim = (any::<u16>(), bytes(), bytes()).prop_map(|(credential_type, id, claim_value)| Claim {
        claim_id: ClaimId { credential_type, id },
        claim_value,
    });
    let entry =
        (many(claim), role()).prop_map(|(claimset, target_role)| PreAuthRoleEntry { claimset, target_role });
    many(entry).prop_map(|preauthorized_entries| PreAuthData { preauthorized_entries })
}

pub(super) fn base() -> impl Strategy<Value = BaseRoomPolicy> {
    let flags = any::<[bool; 5]>();
    (flags, proptest::option::of(room()), any::<[Option<u32>; 2]>(), u16s()).prop_map(
        |(flags, parent, maxima, policy_component_ids)| BaseRoomPolicy {
            fixed_membership: flags[0],
            parent_dependant: parent.is_some(),
            parent_room: parent.into_iter().map(ParentRoom).collect(),
            multi_device: flags[1],
            max_clients: maxima[0],
            max_users: maxima[1],
            pseudonyms_allowed: flags[2],
            persistent_room: flags[3],
            discoverable: flags[4],
            policy_component_ids,
        },
    )
}

pub(super) fn extended_capabilities() -> impl Strategy<Value = ExtendedCapabilities> {
    let lists = proptest::collection::vec(u16s(), 8);
    (lists, many(media_type()), many(any::<u8>())).prop_map(|(lists, media_types, content_types)| {
        let mut lists = lists.into_iter();
        let mut next = || lists.next().unwrap_or_default();
        ExtendedCapabilities {
            versions: next(),
            cipher_suites: next(),
            extensions: next(),
            proposals: next(),
            credentials: next(),
            wire_formats: next(),
            component_ids: next(),
            safe_aad_types: next(),
            media_types,
            content_types,
        }
    })
}

pub(super) fn operational() -> impl Strategy<Value = OperationalParameters> {
    let delay = prop_oneof![
        Just(PendingProposalPolicy::Unspecified),
        Just(PendingProposalPolicy::ImmediateCommit),
        Just(PendingProposalPolicy::RandomDelay { minimum_delay_ms: 1, maximum_delay_ms: 2 }),
    ];
    let time = MinDefaultMaxTime { minimum_time_s: 1, default_time_s: 0, maximum_time_s: 9 };
    let app = (any::<u8>(), any::<u16>(), any::<u32>()).prop_map(
        |(epoch_tolerance, pad_to_size, max_generations_skipahead)| AppMessagePolicy {
            epoch_tolerance,
            pad_to_size,
            max_generations_skipahead,
        },
    );
    let capabilities = || extended_capabilities();
    let numbers = any::<([u64; 3], [u32; 2])>();
    (capabilities(), capabilities(), capabilities(), u16s(), any::<[bool; 2]>(), delay, app, numbers)
        .prop_map(move |(mandatory, default, forbidden, handshake_formats, flags, delay, app, numbers)| {
            OperationalParameters {
                mandatory_capabilities: mandatory,
                default_capabilities: default,
                forbidden_capabilities: forbidden,
                handshake_formats,
                external_proposal_allowed: flags[0],
                external_commit_allowed: flags[1],
                pending_proposal_policy: delay,
                leaf_node_update_time: time,
                app_message_policy: app,
                max_kp_lifetime: numbers.0[0],
                max_credential_lifetime: numbers.0[1],
                resumption_psk_lifetime: numbers.0[2],
                sender_nonce_keypair_lifetime: MinDefaultMaxTime::default(),
                max_keypairs: numbers.1[0],
                buffer_incoming_message_time: time,
                max_buffered_messages: numbers.1[1],
            }
        })
}

pub(super) fn asset() -> impl Strategy<Value = AssetPolicy> {
    let domain = || text().prop_map(|domain| DomainName { domain });
    let upload = (domain(), many(domain())).prop_map(|(provider, asset_upload_destinations)| {
        ProviderAssetUploadDomains { provider, asset_upload_destinations }
    });
    let permitted = proptest::option::of(many(media_type()).prop_map(|types| MediaTypes { types }));
    let location =
        prop_oneof![Just(AssetUploadLocation::Unspecified), Just(AssetUploadLocation::LocalProvider)];
    (location, many(upload), any::<[u64; 4]>(), many(media_type()), permitted).prop_map(
        |(asset_upload_location, upload_domains, sizes, forbidden_media_types, permitted_media_types)| {
            AssetPolicy {
                asset_upload_location,
                upload_domains,
                download_privacy: DownloadPrivacy {
                    allowed_download_types: vec![DownloadPrivacyType::Direct, DownloadPrivacyType::HubProxy],
                    forbidden_download_types: vec![DownloadPrivacyType::Ohttp],
                    default_download_type: DownloadPrivacyType::HubProxy,
                },
                max_image: sizes[0],
                max_audio: sizes[1],
                max_video: sizes[2],
                max_attachment: sizes[3],
                forbidden_media_types,
                permitted_media_types,
            }
        },
    )
}
