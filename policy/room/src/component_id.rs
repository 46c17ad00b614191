use std::fmt;

/// Which component of a group's application data dictionary is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ComponentId(pub u16);

macro_rules! component_ids {
    ($($(#[$doc:meta])+ $constant:ident = $value:literal $name:literal;)+) => {
        impl ComponentId {
            $($(#[$doc])+ pub const $constant: Self = Self($value);)+

            /// The registered name, if it is a component that the MIMI drafts name.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some($name),)+
                    _ => None,
                }
            }
        }
    };
}

component_ids! {
    /// The components that a leaf supports, or that a group requires.
    APP_COMPONENTS = 0x0001 "app_components";
    /// The Safe AAD components; in a group, all authenticated data are a `SafeAAD`.
    SAFE_AAD = 0x0002 "safe_aad";
    /// The media types of the group's application messages.
    CONTENT_MEDIA_TYPES = 0x0003 "content_media_types";
    /// Marks a `KeyPackage` of last resort.
    LAST_RESORT_KEY_PACKAGE = 0x0004 "last_resort_key_package";
    /// Acknowledges application messages.
    APP_ACK = 0x0005 "app_ack";
    /// Virtual clients.
    VIRTUAL_CLIENTS = 0x0006 "virtual_clients";
    /// The franking tag in a message's authenticated data.
    FRANK_AAD = 0x0020 "frank_aad";
    /// The key with which the hub franks.
    FRANKING_AGENT = 0x0021 "franking_agent";
    /// Who participates, and in which role.
    PARTICIPANT_LIST = 0x0022 "participant_list";
    /// Name, picture, subject of the room.
    ROOM_METADATA = 0x0023 "room_metadata";
    /// How the group is operated: timing, tolerances, formats.
    MLS_OPERATIONAL_POLICY = 0x0024 "mls_operational_policy";
    /// The roles and what they may do.
    ROLES_LIST = 0x0025 "roles_list";
    /// Which credentials may take which role unasked.
    PREAUTH_LIST = 0x0026 "preauth_list";
    /// What kind of room it is.
    BASE_ROOM_POLICY = 0x0027 "base_room_policy";
    /// Delivery notifications and read receipts.
    STATUS_NOTIFICATION_POLICY = 0x0028 "status_notification_policy";
    /// How join links are made.
    JOIN_LINK_POLICY = 0x0029 "join_link_policy";
    /// The join links there are.
    JOIN_LINKS = 0x002A "join_links";
    /// Link previews.
    LINK_PREVIEW_POLICY = 0x002B "link_preview_policy";
    /// Uploads and downloads.
    ASSET_POLICY = 0x002C "asset_policy";
    /// Who logs.
    LOGGING_POLICY = 0x002D "logging_policy";
    /// History for newcomers.
    CHAT_HISTORY_POLICY = 0x002E "chat_history_policy";
    /// Which bots may be here.
    BOT_POLICY = 0x002F "bot_policy";
    /// Messages that expire.
    MESSAGE_EXPIRATION_POLICY = 0x0030 "message_expiration_policy";
    /// The MIMI message id in authenticated data.
    MESSAGE_ID = 0x0040 "message_id";
}

impl ComponentId {
    /// Whether `policy_component_ids` of the base policy names it where it is present (R16): the policies beside the
    /// base policy itself, not the list of links that one of them governs.
    pub fn is_listed_policy(self) -> bool {
        (Self::MLS_OPERATIONAL_POLICY..=Self::MESSAGE_EXPIRATION_POLICY).contains(&self)
            && self != Self::BASE_ROOM_POLICY
            && self != Self::JOIN_LINKS
    }

    /// Whether no room is without it: it is never removed, only replaced.
    pub fn is_indispensable(self) -> bool {
        [Self::PARTICIPANT_LIST, Self::ROOM_METADATA, Self::ROLES_LIST, Self::BASE_ROOM_POLICY]
            .contains(&self)
    }
}

impl fmt::Display for ComponentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "{:#06x}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_is_shown_by_its_name_and_an_unknown_one_by_its_number() {
        assert_eq!(ComponentId(0x0022).to_string(), "participant_list");
        assert_eq!(ComponentId(0x8D00).to_string(), "0x8d00");
    }

    #[test]
    fn r16_lists_policies_but_neither_the_base_policy_nor_its_data() {
        let listed: Vec<u16> = (0..=0xFFFF).filter(|id| ComponentId(*id).is_listed_policy()).collect();

        assert_eq!(listed, [0x24, 0x25, 0x26, 0x28, 0x29, 0x2B, 0x2C, 0x2D, 0x2E, 0x2F, 0x30]);
    }
}
