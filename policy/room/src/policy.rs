use std::collections::BTreeMap;

use mimi_uri::UserUri;

use crate::components::{
    AssetPolicy, BaseRoomPolicy, BotPolicy, HistoryPolicy, JoinLinkPolicy, JoinLinksData, LinkPreviewPolicy,
    LoggingPolicy, MessageExpiration, OperationalParameters, ParticipantListData, PreAuthData, Role,
    RoleData, RoleIndex, RoomMetaData, StatusNotificationPolicy,
};
use crate::{ComponentError, ComponentId, check_component};

/// The policy of a room: the parsed view over the components of its group.
///
/// Every part is well-formed and consistent in itself; that the parts fit together is what [`lint`](crate::lint())
/// checks. Components that are none of ours are left aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomPolicy {
    /// Who participates.
    pub participants: ParticipantListData,
    /// What people see of the room.
    pub metadata: RoomMetaData,
    /// The roles.
    pub roles: RoleData,
    /// What kind of room it is.
    pub base: BaseRoomPolicy,
    /// Who may take a role unasked; empty if there is no such component.
    pub preauth: PreAuthData,
    /// How the group is operated.
    pub operational: Option<OperationalParameters>,
    /// Delivery notifications and read receipts.
    pub status: Option<StatusNotificationPolicy>,
    /// How join links are made.
    pub join_link: Option<JoinLinkPolicy>,
    /// The join links there are.
    pub join_links: Option<JoinLinksData>,
    /// Link previews.
    pub link_preview: Option<LinkPreviewPolicy>,
    /// Uploads and downloads.
    pub asset: Option<AssetPolicy>,
    /// Who logs.
    pub logging: Option<LoggingPolicy>,
    /// History for newcomers.
    pub history: Option<HistoryPolicy>,
    /// Which bots may be here.
    pub bots: Option<BotPolicy>,
    /// Messages that expire.
    pub expiration: Option<MessageExpiration>,
    components: BTreeMap<ComponentId, Vec<u8>>,
}

/// Why components are not the policy of a room.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// No room is without this component.
    #[error("a room has a {0}")]
    Missing(ComponentId),
    /// A component is there twice.
    #[error("{0} is there twice")]
    Twice(ComponentId),
    /// A component is not what it should be.
    #[error("{component}: {why}")]
    Component {
        /// The component.
        component: ComponentId,
        /// What is wrong with it.
        why: ComponentError,
    },
}

impl RoomPolicy {
    /// Reads the policy from the components of a group (its application data dictionary).
    pub fn from_components<'a>(
        components: impl IntoIterator<Item = (u16, &'a [u8])>,
    ) -> Result<Self, PolicyError> {
        let mut dictionary = BTreeMap::new();
        for (id, bytes) in components {
            let id = ComponentId(id);
            if dictionary.insert(id, bytes.to_vec()).is_some() {
                return Err(PolicyError::Twice(id));
            }
        }
        Self::read(dictionary)
    }

    /// The policy with one component replaced, or taken away.
    pub fn with(&self, component: ComponentId, value: Option<Vec<u8>>) -> Result<Self, PolicyError> {
        let mut dictionary = self.components.clone();
        match value {
            Some(value) => drop(dictionary.insert(component, value)),
            None => drop(dictionary.remove(&component)),
        }
        Self::read(dictionary)
    }

    /// The components, ascending by their number, as they are in the group.
    pub fn components(&self) -> impl Iterator<Item = (ComponentId, &[u8])> {
        self.components.iter().map(|(id, bytes)| (*id, bytes.as_slice()))
    }

    /// The bytes of a component.
    pub fn component(&self, component: ComponentId) -> Option<&[u8]> {
        self.components.get(&component).map(Vec::as_slice)
    }

    /// The role of this number.
    pub fn role(&self, index: RoleIndex) -> Option<&Role> {
        self.roles.role(index)
    }

    /// The role of a user on the list, as the group has agreed on it.
    pub fn role_of(&self, user: &UserUri) -> Option<RoleIndex> {
        self.participants.role_of(user)
    }

    /// Past epochs whose messages the room still accepts.
    pub fn epoch_tolerance(&self) -> u8 {
        self.operational.as_ref().map_or(0, |parameters| parameters.app_message_policy.epoch_tolerance)
    }

    fn read(components: BTreeMap<ComponentId, Vec<u8>>) -> Result<Self, PolicyError> {
        let parts = Parts(&components);
        for component in WITHOUT_A_FIELD {
            let checked = components.get(&component).map(|bytes| check_component(component, bytes));
            checked.transpose().map_err(|why| PolicyError::Component { component, why })?;
        }
        Ok(Self {
            participants: parts.needed(ComponentId::PARTICIPANT_LIST, ParticipantListData::decode)?,
            metadata: parts.needed(ComponentId::ROOM_METADATA, RoomMetaData::decode)?,
            roles: parts.needed(ComponentId::ROLES_LIST, RoleData::decode)?,
            base: parts.needed(ComponentId::BASE_ROOM_POLICY, BaseRoomPolicy::decode)?,
            preauth: parts.part(ComponentId::PREAUTH_LIST, PreAuthData::decode)?.unwrap_or_default(),
            operational: parts.part(ComponentId::MLS_OPERATIONAL_POLICY, OperationalParameters::decode)?,
            status: parts.part(ComponentId::STATUS_NOTIFICATION_POLICY, StatusNotificationPolicy::decode)?,
            join_link: parts.part(ComponentId::JOIN_LINK_POLICY, JoinLinkPolicy::decode)?,
            join_links: parts.part(ComponentId::JOIN_LINKS, JoinLinksData::decode)?,
            link_preview: parts.part(ComponentId::LINK_PREVIEW_POLICY, LinkPreviewPolicy::decode)?,
            asset: parts.part(ComponentId::ASSET_POLICY, AssetPolicy::decode)?,
            logging: parts.part(ComponentId::LOGGING_POLICY, LoggingPolicy::decode)?,
            history: parts.part(ComponentId::CHAT_HISTORY_POLICY, HistoryPolicy::decode)?,
            bots: parts.part(ComponentId::BOT_POLICY, BotPolicy::decode)?,
            expiration: parts.part(ComponentId::MESSAGE_EXPIRATION_POLICY, MessageExpiration::decode)?,
            components,
        })
    }
}

/// Components of a group that say nothing about who may do what, but must be well-formed all the same.
const WITHOUT_A_FIELD: [ComponentId; 4] = [
    ComponentId::APP_COMPONENTS,
    ComponentId::SAFE_AAD,
    ComponentId::CONTENT_MEDIA_TYPES,
    ComponentId::FRANKING_AGENT,
];

struct Parts<'a>(&'a BTreeMap<ComponentId, Vec<u8>>);

impl Parts<'_> {
    fn part<T>(
        &self,
        component: ComponentId,
        decode: fn(&[u8]) -> Result<T, crate::DecodeError>,
    ) -> Result<Option<T>, PolicyError> {
        let decoded = self.0.get(&component).map(|bytes| decode(bytes)).transpose();
        decoded.map_err(|why| PolicyError::Component { component, why: why.into() })
    }

    fn needed<T>(
        &self,
        component: ComponentId,
        decode: fn(&[u8]) -> Result<T, crate::DecodeError>,
    ) -> Result<T, PolicyError> {
        self.part(component, decode)?.ok_or(PolicyError::Missing(component))
    }
}
