//! Any value of every struct.

use mimi_mls::{Epoch, MlsMessage, ProposalRef};
use mimi_uri::{ClientUri, RoomUri, UserUri};
use mimi_wire::*;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::mls;

pub(crate) fn bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..80)
}

fn text() -> impl Strategy<Value = String> {
    "[^\\x00]{0,20}"
}

fn timestamp() -> impl Strategy<Value = Timestamp> {
    any::<u64>().prop_map(Timestamp)
}

fn user() -> impl Strategy<Value = UserUri> {
    "mimi://[a-z]{1,9}\\.example/u/[a-z]{1,40}".prop_map(|text| UserUri::parse(&text).unwrap())
}

fn client() -> impl Strategy<Value = ClientUri> {
    "mimi://[a-z]{1,9}\\.example/d/[a-z]{1,9}/[0-9]".prop_map(|text| ClientUri::parse(&text).unwrap())
}

pub(crate) fn room() -> impl Strategy<Value = RoomUri> {
    "mimi://[a-z]{1,9}\\.example/r/[a-z]{1,40}".prop_map(|text| RoomUri::parse(&text).unwrap())
}

fn types() -> impl Strategy<Value = Vec<u16>> {
    vec(any::<u16>(), 0..5)
}

fn suite() -> impl Strategy<Value = CipherSuite> {
    any::<u16>().prop_map(CipherSuite)
}

fn proposals() -> impl Strategy<Value = Vec<MlsMessage>> {
    vec(any::<u8>().prop_map(mls::proposal), 0..3)
}

fn application() -> impl Strategy<Value = MlsMessage> {
    bytes().prop_map(|ciphertext| mls::private(1, &ciphertext))
}

pub(crate) fn credential() -> impl Strategy<Value = Credential> {
    let basic = bytes().prop_map(|identity| [&[0, 1], mls::vector(&identity).as_slice()].concat());
    let x509 = vec(bytes(), 0..3).prop_map(|chain| {
        let chain: Vec<u8> = chain.iter().flat_map(|certificate| mls::vector(certificate)).collect();
        [&[0, 2], mls::vector(&chain).as_slice()].concat()
    });
    prop_oneof![basic, x509].prop_map(|bytes| Credential::decode(&bytes).unwrap())
}

pub(crate) fn required_capabilities() -> impl Strategy<Value = RequiredCapabilities> {
    (types(), types(), types()).prop_map(|(extension_types, proposal_types, credential_types)| {
        RequiredCapabilities { extension_types, proposal_types, credential_types }
    })
}

pub(crate) fn capabilities() -> impl Strategy<Value = Capabilities> {
    (types(), vec(suite(), 0..3), types(), types(), types()).prop_map(
        |(versions, cipher_suites, extensions, proposals, credentials)| Capabilities {
            versions,
            cipher_suites,
            extensions,
            proposals,
            credentials,
        },
    )
}

pub(crate) fn extension() -> impl Strategy<Value = Extension> {
    (any::<u16>(), bytes())
        .prop_map(|(extension_type, extension_data)| Extension { extension_type, extension_data })
}

pub(crate) fn external_sender() -> impl Strategy<Value = ExternalSender> {
    (bytes(), credential())
        .prop_map(|(signature_key, credential)| ExternalSender { signature_key, credential })
}

pub(crate) fn hpke_ciphertext() -> impl Strategy<Value = HpkeCiphertext> {
    (bytes(), bytes()).prop_map(|(kem_output, ciphertext)| HpkeCiphertext { kem_output, ciphertext })
}

pub(crate) fn dictionary() -> impl Strategy<Value = AppDataDictionary> {
    proptest::collection::btree_map(any::<u16>(), bytes(), 0..3).prop_map(|entries| {
        let entries = entries.into_iter().map(|(component_id, data)| ComponentData { component_id, data });
        AppDataDictionary::new(entries.collect()).unwrap()
    })
}

pub(crate) fn key_material_request() -> impl Strategy<Value = KeyMaterialRequest> {
    let whom = (user(), user(), option::of(room()));
    let what = (vec(suite(), 1..4), required_capabilities(), bytes(), credential(), bytes());
    (whom, what).prop_map(|((requesting_user, target_user, room), what)| KeyMaterialRequest {
        requesting_user,
        target_user,
        room,
        acceptable_ciphersuites: what.0,
        required_capabilities: what.1,
        requester_signature_key: what.2,
        requester_credential: what.3,
        signature: what.4,
    })
}

pub(crate) fn client_key_material() -> impl Strategy<Value = ClientKeyMaterial> {
    let material = prop_oneof![
        Just(ClientMaterial::Success { key_package: mls::key_package() }),
        Just(ClientMaterial::KeyMaterialExhausted),
        option::of(capabilities())
            .prop_map(|capabilities| ClientMaterial::NothingCompatible { capabilities }),
    ];
    (client(), material).prop_map(|(client, material)| ClientKeyMaterial { client, material })
}

pub(crate) fn key_material_response() -> impl Strategy<Value = KeyMaterialResponse> {
    (select(KeyMaterialUserCode::ALL), user(), vec(client_key_material(), 0..4)).prop_map(
        |(user_status, user, mut clients)| {
            if !user_status.may_list_clients() {
                clients.clear();
            }
            KeyMaterialResponse { user_status, user, clients }
        },
    )
}

pub(crate) fn partial_group_info() -> impl Strategy<Value = PartialGroupInfo> {
    (select(RatchetTreePresence::ALL), vec(extension(), 0..3), bytes()).prop_map(
        |(ratchet_tree, extensions, signature)| {
            let extensions = mls::vector(&extensions.iter().flat_map(Extension::encode).collect::<Vec<_>>());
            PartialGroupInfo { ratchet_tree, parts: mimi_mls::PartialGroupInfo { extensions, signature } }
        },
    )
}

pub(crate) fn group_info_option() -> impl Strategy<Value = GroupInfoOption> {
    prop_oneof![
        Just(GroupInfoOption::Full(mls::group_info())),
        partial_group_info().prop_map(GroupInfoOption::Partial),
    ]
}

pub(crate) fn ratchet_tree_option() -> impl Strategy<Value = RatchetTreeOption> {
    prop_oneof![
        bytes().prop_map(|nodes| RatchetTreeOption::Full(mls::vector(&nodes))),
        "https://[a-z]{1,9}\\.example/[a-z]{0,9}".prop_map(RatchetTreeOption::HttpsUri),
        Just(RatchetTreeOption::OutOfBand),
        Just(RatchetTreeOption::DistributionService),
    ]
}

pub(crate) fn handshake_bundle() -> impl Strategy<Value = HandshakeBundle> {
    let commit = (any::<bool>(), group_info_option(), ratchet_tree_option()).prop_map(
        |(welcome, group_info, ratchet_tree)| HandshakeBundle::Commit {
            commit: mls::commit(),
            welcome: welcome.then(mls::welcome),
            group_info,
            ratchet_tree,
        },
    );
    let proposal = proposals()
        .prop_map(|more_proposals| HandshakeBundle::Proposal { proposal: mls::proposal(9), more_proposals });
    prop_oneof![commit, proposal]
}

pub(crate) fn update_request() -> impl Strategy<Value = UpdateRequest> {
    handshake_bundle().prop_map(|bundle| UpdateRequest { bundle })
}

pub(crate) fn update_room_response() -> impl Strategy<Value = UpdateRoomResponse> {
    let verdict = prop_oneof![
        timestamp().prop_map(|accepted| UpdateVerdict::Success { accepted }),
        any::<u64>().prop_map(|epoch| UpdateVerdict::WrongEpoch { current: Epoch(epoch) }),
        Just(UpdateVerdict::NotAllowed),
        vec(bytes().prop_map(ProposalRef), 0..3)
            .prop_map(|invalid_proposals| UpdateVerdict::InvalidProposal { invalid_proposals }),
    ];
    (text(), verdict).prop_map(|(text, verdict)| UpdateRoomResponse {
        error_description: ErrorDescription::new(&text),
        verdict,
    })
}

pub(crate) fn frank() -> impl Strategy<Value = Frank> {
    (any::<[u8; 32]>(), suite(), bytes()).prop_map(|(server_frank, suite, signature)| Frank {
        server_frank: ServerFrank(server_frank),
        franking_signature_ciphersuite: suite,
        franking_integrity_signature: signature,
    })
}

pub(crate) fn server_franking_context() -> impl Strategy<Value = ServerFrankingContext> {
    (user(), room(), timestamp()).prop_map(|(sender, room, accepted_timestamp)| ServerFrankingContext {
        sender,
        room,
        accepted_timestamp,
    })
}

pub(crate) fn franking_integrity_tbs() -> impl Strategy<Value = FrankingIntegrityTbs> {
    (any::<[u8; 32]>(), suite(), server_franking_context()).prop_map(|(server_frank, suite, context)| {
        FrankingIntegrityTbs {
            server_frank: ServerFrank(server_frank),
            franking_signature_ciphersuite: suite,
            context,
        }
    })
}

pub(crate) fn franking_agent_data() -> impl Strategy<Value = FrankingAgentData> {
    (bytes(), credential()).prop_map(|(franking_signature_key, credential)| FrankingAgentData {
        franking_signature_key,
        credential,
    })
}

pub(crate) fn submit_message_request() -> impl Strategy<Value = SubmitMessageRequest> {
    (application(), user())
        .prop_map(|(app_message, sending_user)| SubmitMessageRequest { app_message, sending_user })
}

pub(crate) fn submit_message_response() -> impl Strategy<Value = SubmitMessageResponse> {
    prop_oneof![
        (timestamp(), option::of(frank()))
            .prop_map(|(accepted, frank)| SubmitMessageResponse::Accepted { accepted, frank }),
        Just(SubmitMessageResponse::NotAllowed),
        any::<u64>().prop_map(|epoch| SubmitMessageResponse::EpochTooOld { current: Epoch(epoch) }),
    ]
}

pub(crate) fn fanout_message() -> impl Strategy<Value = FanoutMessage> {
    let event = prop_oneof![
        (application(), option::of(frank()))
            .prop_map(|(message, frank)| FanoutEvent::Application { message, frank }),
        ratchet_tree_option()
            .prop_map(|ratchet_tree| FanoutEvent::Welcome { message: mls::welcome(), ratchet_tree }),
        proposals()
            .prop_map(|more_proposals| FanoutEvent::Proposal { message: mls::proposal(3), more_proposals }),
        proposals().prop_map(|external_proposals| FanoutEvent::Commit {
            message: mls::commit(),
            external_proposals,
        }),
    ];
    (timestamp(), event).prop_map(|(timestamp, event)| FanoutMessage { timestamp, event })
}

pub(crate) fn group_info_request() -> impl Strategy<Value = GroupInfoRequest> {
    (suite(), bytes(), credential(), bytes(), option::of(bytes()), bytes()).prop_map(
        |(cipher_suite, key, requesting_credential, hpke, joining_code, signature)| GroupInfoRequest {
            cipher_suite,
            requesting_signature_key: key,
            requesting_credential,
            group_info_public_key: hpke,
            joining_code: joining_code.map(JoiningCode),
            signature,
        },
    )
}

pub(crate) fn pending_proposal() -> impl Strategy<Value = PendingProposal> {
    (any::<u8>(), timestamp()).prop_map(|(removed, hub_accepted_time)| PendingProposal {
        proposal: mls::proposal(removed),
        hub_accepted_time,
    })
}

pub(crate) fn group_info_ratchet_tree() -> impl Strategy<Value = GroupInfoRatchetTree> {
    (ratchet_tree_option(), vec(pending_proposal(), 0..3)).prop_map(|(ratchet_tree, pending_proposals)| {
        GroupInfoRatchetTree { group_info: mls::group_info(), ratchet_tree, pending_proposals }
    })
}

pub(crate) fn group_info_response() -> impl Strategy<Value = GroupInfoResponse> {
    let success = (suite(), external_sender(), hpke_ciphertext(), bytes()).prop_map(
        |(cipher_suite, hub_sender, encrypted_groupinfo_and_tree, signature)| {
            GroupInfoGrant::Success(GroupInfoSuccess {
                cipher_suite,
                hub_sender,
                encrypted_groupinfo_and_tree,
                signature,
            })
        },
    );
    let grant = prop_oneof![success, Just(GroupInfoGrant::NotAuthorized), Just(GroupInfoGrant::NoSuchRoom)];
    (room(), grant).prop_map(|(room, grant)| GroupInfoResponse { room, grant })
}

pub(crate) fn consent_scope() -> impl Strategy<Value = ConsentScope> {
    (user(), user(), option::of(room())).prop_map(|(requester, target, room)| ConsentScope {
        requester,
        target,
        room,
    })
}

pub(crate) fn consent_entry() -> impl Strategy<Value = ConsentEntry> {
    let step = prop_oneof![
        Just(ConsentStep::Cancel),
        Just(ConsentStep::Request),
        vec(Just(mls::key_package()), 0..3)
            .prop_map(|client_key_packages| ConsentStep::Grant { client_key_packages }),
        Just(ConsentStep::Revoke),
    ];
    (consent_scope(), step, dictionary()).prop_map(|(scope, step, extensions)| ConsentEntry {
        scope,
        step,
        extensions,
    })
}

pub(crate) fn query_element() -> impl Strategy<Value = QueryElement> {
    let field = prop_oneof![
        select(vec![
            SearchField::Handle,
            SearchField::Nick,
            SearchField::Email,
            SearchField::Phone,
            SearchField::PartialName,
            SearchField::WholeProfile,
        ]),
        text().prop_map(SearchField::OidcStdClaim),
        text().prop_map(SearchField::VcardField),
    ];
    (field, text()).prop_map(|(field, search_value)| QueryElement { field, search_value })
}

pub(crate) fn identifier_request() -> impl Strategy<Value = IdentifierRequest> {
    (vec(query_element(), 0..4), dictionary())
        .prop_map(|(query_elements, extensions)| IdentifierRequest { query_elements, extensions })
}

pub(crate) fn profile_field() -> impl Strategy<Value = ProfileField> {
    (select(FieldSource::ALL), text(), bytes()).prop_map(|(source, name, value)| ProfileField {
        source,
        name,
        value,
    })
}

pub(crate) fn user_profile() -> impl Strategy<Value = UserProfile> {
    (user(), vec(profile_field(), 0..3)).prop_map(|(stable_uri, fields)| UserProfile { stable_uri, fields })
}

pub(crate) fn identifier_response() -> impl Strategy<Value = IdentifierResponse> {
    (select(IdentifierQueryCode::ALL), vec(user(), 0..3), vec(user_profile(), 0..3), dictionary()).prop_map(
        |(code, uris, found_profiles, extensions)| IdentifierResponse {
            code,
            uris,
            found_profiles,
            extensions,
        },
    )
}

pub(crate) fn abusive_message() -> impl Strategy<Value = AbusiveMessage> {
    (bytes(), frank(), timestamp()).prop_map(|(message_content, frank, accepted_timestamp)| AbusiveMessage {
        message_content,
        frank,
        accepted_timestamp,
    })
}

pub(crate) fn abuse_report() -> impl Strategy<Value = AbuseReport> {
    (option::of(user()), user(), text(), vec(abusive_message(), 0..3), dictionary()).prop_map(
        |(reporting_user, alleged_abuser, note, messages, extensions)| AbuseReport {
            reporting_user,
            alleged_abuser,
            reason_code: AbuseType::Reserved,
            note,
            messages,
            extensions,
        },
    )
}

pub(crate) fn identity_roots_document() -> impl Strategy<Value = IdentityRootsDocument> {
    vec(bytes(), 0..4).prop_map(|roots| IdentityRootsDocument { roots })
}
