use super::*;
use crate::components::{
    AssetPolicy, AssetUploadLocation, BaseRoomPolicy, Bot, BotPolicy, DomainName, DownloadPrivacy,
    DownloadPrivacyType, HistoryPolicy, HistorySharing, JoinLink, JoinLinkPolicy, JoinLinksData, ParentRoom,
    PreAuthData, PreAuthRoleEntry, ProviderAssetUploadDomains, Role, Text, Uri,
};
use crate::{Capability, ComponentId, RoleIndex, template};

fn room(text: &str) -> RoomUri {
    RoomUri::parse(text).unwrap()
}

fn user(name: &str) -> UserUri {
    UserUri::parse(&format!("mimi://a.example/u/{name}")).unwrap()
}

fn cooperative() -> RoomPolicy {
    let components = template::cooperative(&room("mimi://a.example/r/1"), &user("alice"));
    RoomPolicy::from_components(components.iter().map(|(id, bytes)| (id.0, bytes.as_slice()))).unwrap()
}

fn direct() -> RoomPolicy {
    let components = template::direct(&room("mimi://a.example/r/1"), &user("alice"), &user("bob"));
    RoomPolicy::from_components(components.iter().map(|(id, bytes)| (id.0, bytes.as_slice()))).unwrap()
}

fn with_role(policy: &RoomPolicy, index: u32, change: impl FnOnce(&mut Role)) -> RoomPolicy {
    let mut roles = policy.roles.clone();
    change(roles.roles.iter_mut().find(|role| role.role_index == RoleIndex(index)).unwrap());
    policy.with(ComponentId::ROLES_LIST, Some(roles.encode())).unwrap()
}

fn with_base(policy: &RoomPolicy, change: impl FnOnce(&mut BaseRoomPolicy)) -> RoomPolicy {
    let mut base = policy.base.clone();
    change(&mut base);
    policy.with(ComponentId::BASE_ROOM_POLICY, Some(base.encode())).unwrap()
}

/// Adds a component, and lists it.
fn with_component(policy: &RoomPolicy, component: ComponentId, bytes: Vec<u8>) -> RoomPolicy {
    let policy = policy.with(component, Some(bytes)).unwrap();
    with_base(&policy, |base| base.policy_component_ids.push(component.0))
}

fn rules(policy: &RoomPolicy) -> Vec<(&'static str, Severity)> {
    rules_with(policy, &Facts::default())
}

fn rules_with(policy: &RoomPolicy, facts: &Facts<'_>) -> Vec<(&'static str, Severity)> {
    lint(policy, facts).into_iter().map(|finding| (finding.rule, finding.severity)).collect()
}

fn fatal(rule: &'static str) -> Vec<(&'static str, Severity)> {
    vec![(rule, Severity::Fatal)]
}

#[test]
fn r2_role_zero_is_there() {
    let mut roles = direct().roles;
    roles.roles.retain(|role| role.role_index != RoleIndex::OUTSIDER);

    let policy = direct().with(ComponentId::ROLES_LIST, Some(roles.encode())).unwrap();

    assert_eq!(rules(&policy), fatal("R2"));
}

#[test]
fn r3_role_one_is_the_role_of_the_banned() {
    let named = with_role(&direct(), 1, |role| role.role_name = Text::new("guest").unwrap());
    let capable = with_role(&direct(), 1, |role| role.role_capabilities.push(0x0100));
    let active = with_role(&direct(), 1, |role| role.maximum_active_participants_constraint = None);

    assert_eq!(rules(&named), fatal("R3"));
    assert_eq!(rules(&capable), fatal("R3"));
    assert_eq!(rules(&active), fatal("R3"));
}

#[test]
fn r4_the_ways_in_stand_where_they_belong() {
    let open = with_role(&cooperative(), 2, |role| role.role_capabilities.push(Capability::OPEN_JOIN.0));
    let expected =
        with_role(&cooperative(), 0, |role| role.role_capabilities.push(Capability::JOIN_IF_PREAUTHORIZED.0));

    assert_eq!(rules(&open), fatal("R4"));
    assert_eq!(rules(&expected), fatal("R4"));
}

#[test]
fn b2_a_capability_that_nobody_registered_is_noted() {
    let policy = with_role(&direct(), 2, |role| role.role_capabilities.push(0xF123));

    assert_eq!(rules(&policy), [("B2", Severity::Note)]);
}

#[test]
fn r5_every_role_that_is_spoken_of_is_there() {
    let missing = Role { role_index: RoleIndex(7), ..cooperative().roles.roles[2].clone() };
    let entry = PreAuthRoleEntry { claimset: vec![], target_role: missing };
    let preauth = PreAuthData { preauthorized_entries: vec![entry] };
    let policy = with_component(&cooperative(), ComponentId::PREAUTH_LIST, preauth.encode());
    let change = with_role(&cooperative(), 2, |role| {
        role.authorized_role_changes[0].target_role_indexes.push(RoleIndex(8));
    });

    assert_eq!(rules(&policy), [("R5", Severity::Fatal), ("RM18", Severity::Warning)]);
    assert_eq!(rules(&change), fatal("R5"));
}

#[test]
fn r6_bounds_make_sense_and_maxima_are_kept() {
    let crossed = with_role(&direct(), 2, |role| {
        role.minimum_active_participants_constraint = 2;
        role.maximum_active_participants_constraint = Some(1);
    });
    let crowded = with_role(&direct(), 2, |role| role.maximum_participants_constraint = Some(1));

    assert_eq!(rules(&crossed), fatal("R6"));
    assert_eq!(rules(&crowded), fatal("R6"));
}

#[test]
fn r6_active_maxima_are_kept() {
    let policy = with_role(&direct(), 2, |role| role.maximum_active_participants_constraint = Some(1));
    let (alice, bob) = (user("alice"), user("bob"));
    let one = Roster::new(&policy.participants, [&alice, &alice]);
    let two = Roster::new(&policy.participants, [&alice, &bob]);

    assert_eq!(rules_with(&policy, &Facts { roster: Some(&one), ..Facts::default() }), []);
    assert_eq!(rules_with(&policy, &Facts { roster: Some(&two), ..Facts::default() }), fatal("R6"));
}

#[test]
fn r12_a_minimum_that_is_not_met_is_noted() {
    let policy = with_role(&cooperative(), 3, |role| role.minimum_participants_constraint = 1);

    assert_eq!(rules(&policy), [("R12", Severity::Note)]);
}

#[test]
fn r7_nobody_comes_to_a_fixed_room() {
    let adds = with_role(&direct(), 2, |role| role.role_capabilities.push(Capability::ADD_PARTICIPANT.0));
    let open = with_role(&direct(), 0, |role| role.role_capabilities.push(Capability::USE_JOIN_CODE.0));
    let leaves = with_role(&direct(), 2, |role| role.role_capabilities.push(Capability::REMOVE_SELF.0));

    assert_eq!(rules(&adds), fatal("R7"));
    assert_eq!(rules(&open), fatal("R7"));
    assert_eq!(rules(&leaves), [("R7", Severity::Warning)]);
}

#[test]
fn r8_a_child_lives_at_its_parents_hub_with_fewer_participants() {
    let child = |parent: &str| {
        with_base(&direct(), |base| {
            base.parent_dependant = true;
            base.parent_room = vec![ParentRoom(room(parent))];
        })
    };
    let policy = child("mimi://a.example/r/parent");
    let parents = |names: &[&str]| names.iter().map(|name| user(name)).collect::<BTreeSet<_>>();
    let (more, same, others) = (
        parents(&["alice", "bob", "carol"]),
        parents(&["alice", "bob"]),
        parents(&["alice", "carol", "dave"]),
    );
    let of = |set| Facts { parent_participants: Some(set), ..Facts::default() };

    assert_eq!(rules(&policy), []);
    assert_eq!(rules(&child("mimi://b.example/r/parent")), fatal("R8"));
    assert_eq!(rules(&child("mimi://a.example/r/1")), fatal("R8"));
    assert_eq!(rules_with(&policy, &of(&more)), []);
    assert_eq!(rules_with(&policy, &of(&same)), fatal("R8"));
    assert_eq!(rules_with(&policy, &of(&others)), fatal("R8"));
}

#[test]
fn r11_roles_that_may_not_be_active_share_no_history() {
    let sharing = |role| {
        let sharing = HistorySharing {
            roles_that_can_share: vec![RoleIndex(role)],
            automatically_share: false,
            max_time_period_s: 60,
        };
        with_component(
            &cooperative(),
            ComponentId::CHAT_HISTORY_POLICY,
            HistoryPolicy::Optional(sharing).encode(),
        )
    };

    assert_eq!(rules(&sharing(2)), []);
    assert_eq!(rules(&sharing(5)), fatal("R11"));
}

#[test]
fn r14_a_bot_without_a_role_acts_in_a_client() {
    let bot = |local_client_bot| {
        let bot = Bot {
            name: Text::new("dice").unwrap(),
            description: Text::default(),
            homepage: Uri::default(),
            local_client_bot,
            bot_role_index: RoleIndex::OUTSIDER,
            can_target_message_in_group: false,
            per_user_content: false,
        };
        with_component(&direct(), ComponentId::BOT_POLICY, BotPolicy { allowed_bots: vec![bot] }.encode())
    };

    assert_eq!(rules(&bot(true)), []);
    assert_eq!(rules(&bot(false)), [("R14", Severity::Warning)]);
}

#[test]
fn r15_assets_that_go_to_the_hub_go_to_this_hub() {
    let at = |provider: &str| {
        let name = DomainName { domain: Text::new(provider).unwrap() };
        let asset = AssetPolicy {
            asset_upload_location: AssetUploadLocation::Hub,
            upload_domains: vec![ProviderAssetUploadDomains {
                provider: name.clone(),
                asset_upload_destinations: vec![name],
            }],
            download_privacy: DownloadPrivacy {
                allowed_download_types: vec![DownloadPrivacyType::Direct],
                forbidden_download_types: vec![],
                default_download_type: DownloadPrivacyType::Direct,
            },
            max_image: 1,
            max_audio: 1,
            max_video: 1,
            max_attachment: 1,
            forbidden_media_types: vec![],
            permitted_media_types: None,
        };
        with_component(&direct(), ComponentId::ASSET_POLICY, asset.encode())
    };

    assert_eq!(rules(&at("a.example")), []);
    assert_eq!(rules(&at("b.example")), fatal("R15"));
}

#[test]
fn r16_the_base_policy_lists_the_policies_that_are_there() {
    let unlisted = direct().with(ComponentId::PREAUTH_LIST, Some(PreAuthData::default().encode())).unwrap();
    let absent = with_base(&direct(), |base| base.policy_component_ids.push(ComponentId::BOT_POLICY.0));

    assert_eq!(rules(&unlisted), fatal("R16"));
    assert_eq!(rules(&absent), fatal("R16"));
}

#[test]
fn r17_the_group_requires_what_a_room_needs() {
    let check = |required_proposals: &[u16], has_hub, has_pseudonym| {
        let group = GroupFacts { required_extensions: &[6], required_proposals, has_hub, has_pseudonym };
        rules_with(&direct(), &Facts { group: Some(group), ..Facts::default() })
    };

    assert_eq!(check(&[8, 10], true, false), []);
    assert_eq!(check(&[8], true, false), fatal("R17"));
    assert_eq!(check(&[8, 10], false, false), fatal("R17"));
    assert_eq!(check(&[8, 10], true, true), fatal("R21"));
}

#[test]
fn r20_the_maxima_of_the_room_are_kept() {
    let users = with_base(&direct(), |base| base.max_users = Some(1));
    let clients = with_base(&direct(), |base| base.max_clients = Some(1));
    let single = with_base(&direct(), |base| base.multi_device = false);
    let alice = user("alice");
    let roster = Roster::new(&direct().participants, [&alice, &alice]);
    let facts = Facts { roster: Some(&roster), ..Facts::default() };

    assert_eq!(rules(&users), fatal("R20"));
    assert_eq!(rules_with(&clients, &facts), fatal("R20"));
    assert_eq!(rules_with(&single, &facts), fatal("I1"));
}

#[test]
fn r23_a_discoverable_room_is_noted() {
    let policy = with_base(&direct(), |base| base.discoverable = true);

    assert_eq!(rules(&policy), [("R23", Severity::Note)]);
}

#[test]
fn r24_links_on_request_are_not_collected() {
    let policy =
        JoinLinkPolicy { on_request: true, join_link: Uri::default(), multiuser: false, expiration_s: 60 };
    let policy = with_component(&cooperative(), ComponentId::JOIN_LINK_POLICY, policy.encode());
    let with_links = |count| {
        let links = JoinLinksData { links: vec![JoinLink { join_link: vec![1] }; count] };
        policy.with(ComponentId::JOIN_LINKS, Some(links.encode())).unwrap()
    };

    assert_eq!(rules(&with_links(1)), []);
    assert_eq!(rules(&with_links(2)), fatal("R24"));
}

#[test]
fn i11_the_policy_is_of_this_room() {
    let (here, elsewhere) = (room("mimi://a.example/r/1"), room("mimi://a.example/r/2"));

    assert_eq!(rules_with(&direct(), &Facts { room: Some(&here), ..Facts::default() }), []);
    assert_eq!(rules_with(&direct(), &Facts { room: Some(&elsewhere), ..Facts::default() }), fatal("I11"));
}

#[test]
fn a_policy_without_what_every_room_has_is_none() {
    use crate::{ComponentError, PolicyError};

    let list = direct().component(ComponentId::PARTICIPANT_LIST).unwrap().to_vec();

    assert_eq!(
        direct().with(ComponentId::ROLES_LIST, None),
        Err(PolicyError::Missing(ComponentId::ROLES_LIST))
    );
    assert_eq!(
        RoomPolicy::from_components([(0x22, &list[..]), (0x22, &list[..])]),
        Err(PolicyError::Twice(ComponentId::PARTICIPANT_LIST))
    );
    let undecodable = direct().with(ComponentId::SAFE_AAD, Some(vec![1]));
    assert!(matches!(
        undecodable,
        Err(PolicyError::Component { component: ComponentId::SAFE_AAD, why: ComponentError::Decode(_) })
    ));
    assert!(direct().with(ComponentId(0x8D00), Some(vec![1])).is_ok());
}
