//! The structures of the policy components, as the drafts name them, one file per component.
//!
//! Every structure has `decode` and `encode`; what is decoded is well-formed *and* consistent in itself. What one
//! component says about another is for the [linter](crate::lint()).

mod asset;
mod base;
mod bot;
mod extensions;
mod franking_agent;
mod history;
mod join_link;
mod link_preview;
mod logging;
mod message_expiration;
mod metadata;
mod operational;
mod participant_list;
mod preauth;
mod roles;
mod status;
mod text;

pub use asset::{
    AssetPolicy, AssetUploadLocation, DomainName, DownloadPrivacy, DownloadPrivacyType, MediaTypes,
    ProviderAssetUploadDomains,
};
pub use base::{BaseRoomPolicy, ParentRoom};
pub use bot::{Bot, BotPolicy};
pub use extensions::{ComponentsList, MediaType, MediaTypeList, Parameter};
pub use franking_agent::{Credential, FrankingAgentData};
pub use history::{HistoryPolicy, HistorySharing};
pub use join_link::{JoinLink, JoinLinkPolicy, JoinLinksData, JoinLinksUpdate};
pub use link_preview::{LinkPreviewPolicy, LinkPreviewProxy};
pub use logging::{LoggingPolicy, LoggingProviders};
pub use message_expiration::{ExpirationBounds, MessageExpiration};
pub use metadata::{RichDescription, RoomMetaData};
pub use operational::{
    AppMessagePolicy, ExtendedCapabilities, MinDefaultMaxTime, OperationalParameters, PendingProposalPolicy,
    UnknownStrategy,
};
pub use participant_list::{ParticipantListData, ParticipantListUpdate, UserIndexRolePair, UserRolePair};
pub use preauth::{Claim, ClaimId, PreAuthData, PreAuthRoleEntry};
pub use roles::{Role, RoleData, RoleIndex, SingleSourceRoleChangeTargets};
pub use status::{Optionality, StatusNotificationPolicy};
pub use text::{Text, Uri};

#[cfg(test)]
mod tests;
