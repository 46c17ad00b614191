//! Rooms to start from: all components of a new room, ascending by their number, ready for a group's dictionary.
//!
//! The templates of the draft's appendix have holes (capabilities without a number, minima that a new room cannot
//! meet); here they are mended, and a test holds that each lints clean.

use mimi_uri::{RoomUri, UserUri};

use crate::components::{
    AppMessagePolicy, BaseRoomPolicy, Bot, BotPolicy, ComponentsList, ExtendedCapabilities,
    OperationalParameters, ParticipantListData, Role, RoleData, RoomMetaData, SingleSourceRoleChangeTargets,
    Text, Uri, UserRolePair,
};
use crate::limits::{EPOCH_TOLERANCE, KEY_PACKAGE_LIFETIME_S};
use crate::{Capability, ComponentId, RoleIndex};

/// The role of ordinary participants in every template.
pub const ORDINARY_USER: RoleIndex = RoleIndex(2);
/// The role that moderates a cooperative room.
pub const GROUP_ADMIN: RoleIndex = RoleIndex(3);
/// The role that owns a cooperative room.
pub const SUPER_ADMIN: RoleIndex = RoleIndex(4);
/// The role of policy enforcers: it acts without a client in the group.
pub const POLICY_ENFORCER: RoleIndex = RoleIndex(5);
/// The role of the gateways that follow a bridged room: each brings the people of its own network in.
pub const GATEWAY: RoleIndex = RoleIndex(6);
/// What the bot policy of a bridged room calls the service participants of its gateways.
pub const GATEWAY_BOT: &str = "drawbridge";

/// A direct chat: two users, fixed for good, both of whom may do all that one may do in a chat.
///
/// The users must differ; a chat with oneself has one participant.
pub fn direct(room: &RoomUri, a: &UserUri, b: &UserUri) -> Vec<(ComponentId, Vec<u8>)> {
    let mut users = vec![a, b];
    users.dedup();
    let mut user = role(ORDINARY_USER, "user", &[OWN_CLIENTS, MESSAGING, ASSETS_AND_LINKS, METADATA]);
    user.maximum_participants_constraint = Some(2);
    let roles = RoleData { roles: vec![outsider(), banned(), user] };
    let base = BaseRoomPolicy { fixed_membership: true, max_users: Some(2), ..base_policy() };
    components(room, &users.into_iter().map(|user| (user, ORDINARY_USER)).collect::<Vec<_>>(), &roles, &base)
}

/// A group of friends: everybody brings and removes ordinary users, admins keep order, the creator owns it.
///
/// The draft's "cooperatively administered room", without the capabilities that have no number; the minimum of one
/// admin is left out, for a new room has only its owner (R12).
pub fn cooperative(room: &RoomUri, owner: &UserUri) -> Vec<(ComponentId, Vec<u8>)> {
    components(room, &[(owner, SUPER_ADMIN)], &RoleData { roles: cooperative_roles() }, &base_policy())
}

/// A native room of several people, founded by its gateway: the cooperative room, in which gateways have a role.
///
/// The founder is the service participant of the gateway, and owns the room together with those whom the native room
/// calls its owners. Every participant may bring in the gateway of a network, and a gateway the people of its own.
pub fn bridged(room: &RoomUri, service: &UserUri) -> Vec<(ComponentId, Vec<u8>)> {
    let mut roles = cooperative_roles();
    for role in &mut roles {
        match role.role_index {
            ORDINARY_USER => permit(role, &[(0, 6)]),
            GROUP_ADMIN => permit(role, &[(0, 6), (6, 0)]),
            SUPER_ADMIN => {
                permit(role, &[(0, 6), (6, 0)]);
                role.role_capabilities.push(Capability::ADD_CLIENT_OF_OWN_PROVIDER.0);
            }
            _ => {}
        }
    }
    let own_people: &[Capability] = &[
        Capability::ADD_PARTICIPANT,
        Capability::REMOVE_PARTICIPANT,
        Capability::REMOVE_SELF,
        Capability::RECEIVE_MESSAGE,
        Capability::ADD_CLIENT_OF_OWN_PROVIDER,
    ];
    let gateway = role(GATEWAY, "gateway", &[OWN_CLIENTS, own_people]);
    roles.push(with_changes(gateway, &[(0, &[2]), (2, &[0]), (6, &[0])]));
    let mut base = base_policy();
    base.policy_component_ids.push(ComponentId::BOT_POLICY.0);
    let mut components = components(room, &[(service, SUPER_ADMIN)], &RoleData { roles }, &base);
    components.push((ComponentId::BOT_POLICY, gateways_as_bots().encode()));
    components.sort_by_key(|(id, _)| *id);
    components
}

/// Drafts' word for what a service participant is: a bot with a role, and a client of its own.
#[expect(clippy::expect_used, reason = "the name is short and has no NUL")]
fn gateways_as_bots() -> BotPolicy {
    let gateway = Bot {
        name: Text::new(GATEWAY_BOT).expect("a name is a text"),
        description: Text::default(),
        homepage: Uri::default(),
        local_client_bot: false,
        bot_role_index: GATEWAY,
        can_target_message_in_group: false,
        per_user_content: false,
    };
    BotPolicy { allowed_bots: vec![gateway] }
}

fn cooperative_roles() -> Vec<Role> {
    let membership: &[Capability] =
        &[Capability::ADD_PARTICIPANT, Capability::REMOVE_PARTICIPANT, Capability::REMOVE_SELF];
    let ordinary = [OWN_CLIENTS, membership, MESSAGING, ASSETS_AND_LINKS, METADATA];
    let admin = [&ordinary[..], &[MODERATION]].concat();
    let ownership: &[Capability] = &[
        Capability::CHANGE_ROOM_MEMBERSHIP_STYLE,
        Capability::CHANGE_PREAUTHORIZED_USER_LIST,
        Capability::DESTROY_ROOM,
    ];
    let super_admin = [&admin[..], &[ownership]].concat();
    let mut enforcer = role(POLICY_ENFORCER, "policy_enforcer", &[ENFORCEMENT]);
    enforcer.maximum_participants_constraint = Some(2);
    enforcer.maximum_active_participants_constraint = Some(0);
    vec![
        outsider(),
        banned(),
        with_changes(role(ORDINARY_USER, "ordinary_user", &ordinary), &[(0, &[2]), (2, &[0])]),
        with_changes(
            role(GROUP_ADMIN, "group_admin", &admin),
            &[(0, &[1, 2, 3]), (1, &[0, 2, 3]), (2, &[0, 1, 3]), (3, &[0, 1, 2])],
        ),
        with_changes(
            role(SUPER_ADMIN, "super_admin", &super_admin),
            &[
                (0, &[1, 2, 3, 4]),
                (1, &[0, 2, 3, 4]),
                (2, &[0, 1, 3, 4]),
                (3, &[0, 1, 2, 4]),
                (4, &[0, 1, 2, 3]),
            ],
        ),
        with_changes(enforcer, &[(0, &[1]), (1, &[0]), (2, &[0, 1]), (3, &[0, 1]), (4, &[0, 1])]),
    ]
}

const OWN_CLIENTS: &[Capability] = &[Capability::ADD_OWN_CLIENT, Capability::REMOVE_OWN_CLIENT];

const MESSAGING: &[Capability] = &[
    Capability::SEND_MESSAGE,
    Capability::RECEIVE_MESSAGE,
    Capability::COPY_MESSAGE,
    Capability::REPORT_ABUSE,
    Capability::REPLY_TO_MESSAGE,
    Capability::REACT_TO_MESSAGE,
    Capability::EDIT_REACTION,
    Capability::DELETE_OWN_REACTION,
    Capability::EDIT_OWN_MESSAGE,
    Capability::DELETE_OWN_MESSAGE,
    Capability::START_TOPIC,
    Capability::REPLY_IN_TOPIC,
    Capability::EDIT_OWN_TOPIC,
];

const ASSETS_AND_LINKS: &[Capability] = &[
    Capability::UPLOAD_IMAGE,
    Capability::UPLOAD_AUDIO,
    Capability::UPLOAD_VIDEO,
    Capability::UPLOAD_ATTACHMENT,
    Capability::DOWNLOAD_IMAGE,
    Capability::DOWNLOAD_AUDIO,
    Capability::DOWNLOAD_VIDEO,
    Capability::DOWNLOAD_ATTACHMENT,
    Capability::SEND_LINK,
    Capability::SEND_LINK_PREVIEW,
    Capability::FOLLOW_LINK,
    Capability::COPY_LINK,
];

const METADATA: &[Capability] = &[
    Capability::CHANGE_ROOM_NAME,
    Capability::CHANGE_ROOM_AVATAR,
    Capability::CHANGE_ROOM_SUBJECT,
    Capability::CHANGE_ROOM_MOOD,
];

const MODERATION: &[Capability] = &[
    Capability::BAN,
    Capability::UNBAN,
    Capability::KICK,
    Capability::CHANGE_USER_ROLE,
    Capability::DELETE_OTHER_MESSAGE,
    Capability::EDIT_OTHER_TOPIC,
    Capability::CHANGE_ROOM_DESCRIPTION,
];

/// Without `canUnBan`: an enforcer cleans the list of the banned up, it does not let them in again.
const ENFORCEMENT: &[Capability] = &[
    Capability::REMOVE_PARTICIPANT,
    Capability::CHANGE_USER_ROLE,
    Capability::BAN,
    Capability::CHANGE_ROLE_DEFINITIONS,
    Capability::CHANGE_PREAUTHORIZED_USER_LIST,
    Capability::CHANGE_MLS_OPERATIONAL_POLICIES,
    Capability::DESTROY_ROOM,
    Capability::SEND_MLS_REINIT_PROPOSAL,
];

fn outsider() -> Role {
    Role { maximum_active_participants_constraint: Some(0), ..role(RoleIndex::OUTSIDER, "no_role", &[]) }
}

fn banned() -> Role {
    let banned = role(RoleIndex::BANNED, RoleIndex::BANNED_NAME, &[]);
    Role { maximum_active_participants_constraint: Some(0), ..banned }
}

#[expect(clippy::expect_used, reason = "the names in this file are short and have no NUL")]
fn role(role_index: RoleIndex, name: &str, capabilities: &[&[Capability]]) -> Role {
    let mut capabilities: Vec<u16> = capabilities.concat().into_iter().map(|it| it.0).collect();
    capabilities.sort_unstable();
    Role {
        role_index,
        role_name: Text::new(name).expect("a name is a text"),
        role_description: Text::default(),
        role_capabilities: capabilities,
        minimum_participants_constraint: 0,
        maximum_participants_constraint: None,
        minimum_active_participants_constraint: 0,
        maximum_active_participants_constraint: None,
        authorized_role_changes: Vec::new(),
    }
}

fn with_changes(role: Role, changes: &[(u32, &[u32])]) -> Role {
    let changes = changes.iter().map(|(from, targets)| SingleSourceRoleChangeTargets {
        from_role_index: RoleIndex(*from),
        target_role_indexes: targets.iter().copied().map(RoleIndex).collect(),
    });
    Role { authorized_role_changes: changes.collect(), ..role }
}

/// Lets a role make more changes of roles.
fn permit(role: &mut Role, changes: &[(u32, u32)]) {
    for (from, to) in changes {
        let (from_role_index, to) = (RoleIndex(*from), RoleIndex(*to));
        let known = role.authorized_role_changes.iter_mut().find(|it| it.from_role_index == from_role_index);
        match known {
            Some(known) => known.target_role_indexes.push(to),
            None => role
                .authorized_role_changes
                .push(SingleSourceRoleChangeTargets { from_role_index, target_role_indexes: vec![to] }),
        }
    }
}

fn base_policy() -> BaseRoomPolicy {
    let policies = [ComponentId::MLS_OPERATIONAL_POLICY, ComponentId::ROLES_LIST];
    BaseRoomPolicy {
        fixed_membership: false,
        parent_dependant: false,
        parent_room: Vec::new(),
        multi_device: true,
        max_clients: None,
        max_users: None,
        pseudonyms_allowed: false,
        persistent_room: false,
        discoverable: false,
        policy_component_ids: policies.map(|policy| policy.0).to_vec(),
    }
}

/// Takes a position on what the hub and the hosted readers depend on, and on nothing else.
fn operational_parameters() -> OperationalParameters {
    /// `PublicMessage`: the hub reads handshakes.
    const PUBLIC_MESSAGE: u16 = 1;
    let mandatory_capabilities = ExtendedCapabilities {
        extensions: vec![0x0006],
        proposals: vec![0x0008, 0x000a],
        ..ExtendedCapabilities::default()
    };
    OperationalParameters {
        mandatory_capabilities,
        handshake_formats: vec![PUBLIC_MESSAGE],
        external_proposal_allowed: true,
        external_commit_allowed: true,
        app_message_policy: AppMessagePolicy { epoch_tolerance: EPOCH_TOLERANCE, ..Default::default() },
        max_kp_lifetime: KEY_PACKAGE_LIFETIME_S,
        ..OperationalParameters::default()
    }
}

fn components(
    room: &RoomUri,
    participants: &[(&UserUri, RoleIndex)],
    roles: &RoleData,
    base: &BaseRoomPolicy,
) -> Vec<(ComponentId, Vec<u8>)> {
    let participants = participants
        .iter()
        .map(|(user, role_index)| UserRolePair { user: (*user).clone(), role_index: *role_index });
    let list = ParticipantListData { participants: participants.collect() };
    let aad = ComponentsList::from_iter([ComponentId::FRANK_AAD]);
    vec![
        (ComponentId::SAFE_AAD, aad.encode()),
        (ComponentId::PARTICIPANT_LIST, list.encode()),
        (ComponentId::ROOM_METADATA, RoomMetaData::of(room).encode()),
        (ComponentId::MLS_OPERATIONAL_POLICY, operational_parameters().encode()),
        (ComponentId::ROLES_LIST, roles.encode()),
        (ComponentId::BASE_ROOM_POLICY, base.encode()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authorize::Roster;
    use crate::lint::{Facts, GroupFacts};
    use crate::{Finding, RoomPolicy, lint};

    fn room() -> RoomUri {
        RoomUri::parse("mimi://a.example/r/1").unwrap()
    }

    fn user(name: &str) -> UserUri {
        UserUri::parse(&format!("mimi://{name}")).unwrap()
    }

    fn policy(components: &[(ComponentId, Vec<u8>)]) -> RoomPolicy {
        RoomPolicy::from_components(components.iter().map(|(id, bytes)| (id.0, bytes.as_slice()))).unwrap()
    }

    fn findings(policy: &RoomPolicy) -> Vec<Finding> {
        let room = room();
        let roster = Roster::new(&policy.participants, []);
        let group = GroupFacts {
            required_extensions: &[6],
            required_proposals: &[8, 10],
            has_hub: true,
            has_pseudonym: false,
        };
        let facts =
            Facts { room: Some(&room), roster: Some(&roster), group: Some(group), ..Facts::default() };
        lint(policy, &facts)
    }

    #[test]
    fn the_direct_template_lints_clean_and_is_ascending() {
        let components = direct(&room(), &user("a.example/u/alice"), &user("b.example/u/bob"));

        assert!(components.is_sorted_by_key(|(id, _)| *id));
        assert_eq!(findings(&policy(&components)), []);
    }

    #[test]
    fn the_direct_template_is_a_fixed_room_of_two_equals() {
        let (alice, bob) = (user("a.example/u/alice"), user("b.example/u/bob"));

        let policy = policy(&direct(&room(), &alice, &bob));

        assert!(policy.base.fixed_membership && policy.base.multi_device);
        assert_eq!(policy.role_of(&alice), Some(ORDINARY_USER));
        assert_eq!(policy.role_of(&bob), Some(ORDINARY_USER));
        assert_eq!(policy.epoch_tolerance(), 1);
        assert_eq!(policy.metadata.room_uri, room());
    }

    #[test]
    fn a_chat_with_oneself_has_one_participant() {
        let alice = user("a.example/u/alice");

        let policy = policy(&direct(&room(), &alice, &alice));

        assert_eq!(policy.participants.participants.len(), 1);
        assert_eq!(findings(&policy), []);
    }

    #[test]
    fn the_cooperative_template_lints_clean() {
        let components = cooperative(&room(), &user("a.example/u/alice"));

        assert!(components.is_sorted_by_key(|(id, _)| *id));
        assert_eq!(findings(&policy(&components)), []);
    }

    #[test]
    fn the_bridged_template_lints_clean_and_is_ascending() {
        let components = bridged(&room(), &user("a.example/u/_drawbridge"));

        assert!(components.is_sorted_by_key(|(id, _)| *id));
        assert_eq!(findings(&policy(&components)), []);
    }

    #[test]
    fn the_bot_policy_of_a_bridged_room_names_the_gateways_and_their_role() {
        let policy = policy(&bridged(&room(), &user("a.example/u/_drawbridge")));

        let bots = policy.bots.unwrap().allowed_bots;
        assert_eq!(bots.len(), 1);
        assert_eq!((bots[0].name.as_str(), bots[0].bot_role_index), (GATEWAY_BOT, GATEWAY));
    }
}
