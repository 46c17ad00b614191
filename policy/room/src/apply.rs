//! What `AppDataUpdate` proposals make of a component: the one logic of hub and clients.

use crate::components::{
    AssetPolicy, BaseRoomPolicy, BotPolicy, ComponentsList, FrankingAgentData, HistoryPolicy, JoinLinkPolicy,
    JoinLinksData, JoinLinksUpdate, LinkPreviewPolicy, LoggingPolicy, MediaTypeList, MessageExpiration,
    OperationalParameters, ParticipantListData, ParticipantListUpdate, PreAuthData, RoleData, RoomMetaData,
    StatusNotificationPolicy,
};
use crate::limits::COMPONENT_LENGTH_MAX;
use crate::{ComponentId, DecodeError, ParticipantListError, participants};

/// The operation of an `AppDataUpdate` proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ComponentOperation<'a> {
    /// Change the component by these bytes, in the component's own update format.
    Update(&'a [u8]),
    /// Take the component out of the dictionary.
    Remove,
}

/// Why the operations of one commit on a component are invalid, and with them the commit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ComponentError {
    /// A component that a MIMI group does not have.
    #[error("{0} is not a component of a group")]
    Unknown(ComponentId),
    /// Nothing is to be done.
    #[error("no operation on the component")]
    NoOperation,
    /// A removal beside anything else (EM2).
    #[error("a removal stands alone")]
    RemovalNotAlone,
    /// A removal of what is not there (EM3).
    #[error("what is removed is not there")]
    NothingToRemove,
    /// No room is without this component.
    #[error("{0} is never removed")]
    Indispensable(ComponentId),
    /// Several updates of a component that takes one in a commit (PM26).
    #[error("{0} takes one update in a commit")]
    OneUpdateOnly(ComponentId),
    /// An update of a component that is set once (PS4: a new franking agent comes with a new group).
    #[error("{0} is set once")]
    SetOnce(ComponentId),
    /// The present state or an update is not what it should be.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The updates do not fit the participant list, or each other.
    #[error(transparent)]
    ParticipantList(#[from] ParticipantListError),
    /// The updates remove a link that is not there, or one twice.
    #[error("no join link stands at position {0}")]
    NoLinkAt(u32),
}

/// The component's next value, after all operations of one commit in their order; none if it is gone.
///
/// It does not ask who may do this: [`authorize`](crate::authorize()) does.
pub fn apply_component(
    component: ComponentId,
    current: Option<&[u8]>,
    operations: &[ComponentOperation<'_>],
) -> Result<Option<Vec<u8>>, ComponentError> {
    let logic = logic_of(component).ok_or(ComponentError::Unknown(component))?;
    let updates = updates(operations)?;
    let Some(updates) = updates else {
        return remove(component, current).map(|()| None);
    };
    let is_single = updates.len() == 1;
    let next = match logic {
        Logic::ReplaceOnce(_) if !is_single => return Err(ComponentError::OneUpdateOnly(component)),
        Logic::SetOnce(_) if current.is_some() || !is_single => {
            return Err(ComponentError::SetOnce(component));
        }
        Logic::Replace(check) | Logic::ReplaceOnce(check) | Logic::SetOnce(check) => {
            replace(check, &updates)?
        }
        Logic::ParticipantList => participant_list(current, &updates)?,
        Logic::JoinLinks => join_links(current, &updates)?,
    };
    if next.len() > COMPONENT_LENGTH_MAX {
        return Err(DecodeError::TooLong.into());
    }
    Ok(Some(next))
}

/// Checks bytes that are to be a component's whole value, as at the founding of a room.
pub fn check_component(component: ComponentId, bytes: &[u8]) -> Result<(), ComponentError> {
    match logic_of(component).ok_or(ComponentError::Unknown(component))? {
        Logic::Replace(check) | Logic::ReplaceOnce(check) | Logic::SetOnce(check) => check(bytes)?,
        Logic::ParticipantList => ParticipantListData::decode(bytes).map(drop)?,
        Logic::JoinLinks => JoinLinksData::decode(bytes).map(drop)?,
    }
    Ok(())
}

type Check = fn(&[u8]) -> Result<(), DecodeError>;

/// How a component takes updates.
enum Logic {
    /// An update is the next value.
    Replace(Check),
    /// The same, but one update in a commit.
    ReplaceOnce(Check),
    /// An update is the first value, and there is no second.
    SetOnce(Check),
    ParticipantList,
    JoinLinks,
}

macro_rules! checks {
    ($structure:ty) => {
        |bytes| <$structure>::decode(bytes).map(drop)
    };
}

fn logic_of(component: ComponentId) -> Option<Logic> {
    Some(match component {
        ComponentId::APP_COMPONENTS | ComponentId::SAFE_AAD => Logic::Replace(checks!(ComponentsList)),
        ComponentId::CONTENT_MEDIA_TYPES => Logic::Replace(checks!(MediaTypeList)),
        ComponentId::FRANKING_AGENT => Logic::SetOnce(checks!(FrankingAgentData)),
        ComponentId::PARTICIPANT_LIST => Logic::ParticipantList,
        ComponentId::ROOM_METADATA => Logic::ReplaceOnce(checks!(RoomMetaData)),
        ComponentId::MLS_OPERATIONAL_POLICY => Logic::Replace(checks!(OperationalParameters)),
        ComponentId::ROLES_LIST => Logic::Replace(checks!(RoleData)),
        ComponentId::PREAUTH_LIST => Logic::Replace(checks!(PreAuthData)),
        ComponentId::BASE_ROOM_POLICY => Logic::Replace(checks!(BaseRoomPolicy)),
        ComponentId::STATUS_NOTIFICATION_POLICY => Logic::Replace(checks!(StatusNotificationPolicy)),
        ComponentId::JOIN_LINK_POLICY => Logic::Replace(checks!(JoinLinkPolicy)),
        ComponentId::JOIN_LINKS => Logic::JoinLinks,
        ComponentId::LINK_PREVIEW_POLICY => Logic::Replace(checks!(LinkPreviewPolicy)),
        ComponentId::ASSET_POLICY => Logic::Replace(checks!(AssetPolicy)),
        ComponentId::LOGGING_POLICY => Logic::Replace(checks!(LoggingPolicy)),
        ComponentId::CHAT_HISTORY_POLICY => Logic::Replace(checks!(HistoryPolicy)),
        ComponentId::BOT_POLICY => Logic::Replace(checks!(BotPolicy)),
        ComponentId::MESSAGE_EXPIRATION_POLICY => Logic::Replace(checks!(MessageExpiration)),
        ComponentId(_) => return None,
    })
}

/// The updates, or none if the operation is a removal.
fn updates<'a>(operations: &[ComponentOperation<'a>]) -> Result<Option<Vec<&'a [u8]>>, ComponentError> {
    let mut updates = Vec::with_capacity(operations.len());
    for operation in operations {
        match operation {
            ComponentOperation::Update(update) => updates.push(*update),
            // EM2: exactly one remove, or one or more updates, never both.
            ComponentOperation::Remove if operations.len() > 1 => {
                return Err(ComponentError::RemovalNotAlone);
            }
            ComponentOperation::Remove => return Ok(None),
        }
    }
    if updates.is_empty() { Err(ComponentError::NoOperation) } else { Ok(Some(updates)) }
}

fn remove(component: ComponentId, current: Option<&[u8]>) -> Result<(), ComponentError> {
    if component.is_indispensable() {
        return Err(ComponentError::Indispensable(component));
    }
    // EM3: a remove needs state.
    current.map(drop).ok_or(ComponentError::NothingToRemove)
}

/// Every update is checked, the last one stays.
fn replace(check: Check, updates: &[&[u8]]) -> Result<Vec<u8>, ComponentError> {
    for update in updates {
        check(update)?;
    }
    updates.last().map(|last| last.to_vec()).ok_or(ComponentError::NoOperation)
}

fn participant_list(current: Option<&[u8]>, updates: &[&[u8]]) -> Result<Vec<u8>, ComponentError> {
    let list = current.map(ParticipantListData::decode).transpose()?.unwrap_or_default();
    let updates: Result<Vec<_>, _> =
        updates.iter().map(|update| ParticipantListUpdate::decode(update)).collect();
    Ok(participants::apply(&list, &updates?)?.encode())
}

/// As with participants, positions mean the links before the commit.
fn join_links(current: Option<&[u8]>, updates: &[&[u8]]) -> Result<Vec<u8>, ComponentError> {
    let mut links: Vec<_> = match current {
        Some(current) => JoinLinksData::decode(current)?.links.into_iter().map(Some).collect(),
        None => Vec::new(),
    };
    let mut added = Vec::new();
    for update in updates {
        let update = JoinLinksUpdate::decode(update)?;
        for index in update.removed_indices {
            let link = usize::try_from(index).ok().and_then(|at| links.get_mut(at));
            link.and_then(Option::take).ok_or(ComponentError::NoLinkAt(index))?;
        }
        added.extend(update.added_links);
    }
    let links = links.into_iter().flatten().chain(added).collect();
    Ok(JoinLinksData { links }.encode())
}

#[cfg(test)]
mod tests;
