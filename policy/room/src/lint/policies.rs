//! Rules about the other policies.

use super::Findings;
use crate::components::AssetUploadLocation;
use crate::{RoleIndex, RoomPolicy};

/// R11: who can have no client in the group has no history to share.
pub(super) fn history(policy: &RoomPolicy, findings: &mut Findings) {
    let sharing = policy.history.iter().filter_map(|history| history.sharing());
    for index in sharing.flat_map(|sharing| &sharing.roles_that_can_share) {
        if policy.role(*index).is_some_and(|role| !role.may_be_active()) {
            findings.fatal("R11", format!("role {index} shares history, and may not be active"));
        }
    }
}

/// R14: a bot without a role of its own acts inside a client.
pub(super) fn bots(policy: &RoomPolicy, findings: &mut Findings) {
    for bot in policy.bots.iter().flat_map(|bots| &bots.allowed_bots) {
        if !bot.local_client_bot && bot.bot_role_index == RoleIndex::OUTSIDER {
            findings.warning(
                "R14",
                format!("the bot {:?} has no role and no client to act in", bot.name.as_str()),
            );
        }
    }
}

/// R15: assets that go to the hub go to *this* hub.
pub(super) fn assets(policy: &RoomPolicy, findings: &mut Findings) {
    let Some(asset) = &policy.asset else {
        return;
    };
    let hub = policy.metadata.room_uri.domain().as_str();
    let is_hub = |it: &crate::components::ProviderAssetUploadDomains| it.provider.domain.as_str() == hub;
    if asset.asset_upload_location == AssetUploadLocation::Hub && !asset.upload_domains.iter().all(is_hub) {
        findings.fatal("R15", "assets go to the hub, and another provider is listed");
    }
}

/// RM18: an entry without claims is matched by everybody.
pub(super) fn preauth(policy: &RoomPolicy, findings: &mut Findings) {
    for entry in policy.preauth.preauthorized_entries.iter().filter(|entry| entry.claimset.is_empty()) {
        let role = entry.target_role.role_index;
        findings.warning("RM18", format!("everybody is preauthorized for role {role}"));
    }
}

/// R24: links that are made on request are not collected.
pub(super) fn join_links(policy: &RoomPolicy, findings: &mut Findings) {
    let on_request = policy.join_link.as_ref().is_some_and(|policy| policy.on_request);
    if on_request && policy.join_links.as_ref().is_some_and(|links| links.links.len() > 1) {
        findings.fatal("R24", "links are made on request, and several are kept");
    }
}
