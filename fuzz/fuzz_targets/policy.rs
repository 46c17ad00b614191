//! Policy components from a stranger: nothing panics, and what is read is written back byte for byte (I2).
#![no_main]

use libfuzzer_sys::fuzz_target;
use mimi_room_policy::components::{
    AssetPolicy, BaseRoomPolicy, BotPolicy, FrankingAgentData, HistoryPolicy, JoinLinkPolicy, JoinLinksData,
    LinkPreviewPolicy, LoggingPolicy, MessageExpiration, OperationalParameters, ParticipantListData,
    ParticipantListUpdate, PreAuthData, RoleData, RoomMetaData, StatusNotificationPolicy,
};

/// Reads bytes as each of these components.
macro_rules! check {
    ($bytes:expr, $($component:ty),+ $(,)?) => {$(
        if let Ok(component) = <$component>::decode($bytes) {
            assert_eq!(component.encode(), $bytes);
        }
    )+};
}

fuzz_target!(|bytes: &[u8]| {
    check!(bytes, ParticipantListData, ParticipantListUpdate, RoomMetaData, OperationalParameters, RoleData);
    check!(bytes, PreAuthData, BaseRoomPolicy, StatusNotificationPolicy, JoinLinkPolicy, JoinLinksData);
    check!(bytes, LinkPreviewPolicy, AssetPolicy, LoggingPolicy, HistoryPolicy, BotPolicy, MessageExpiration);
    check!(bytes, FrankingAgentData);
});
