//! Franking: the hub's mark on what it accepts (A6).

use mimi_mls::{FRANK_AAD, SafeAad, sign_with_label};
use mimi_room_policy::{ComponentId, RoomPolicy};
use mimi_wire::{CipherSuite, Frank, FrankingIntegrityTbs, FrankingTag, ServerFrankingContext};

use crate::facts::FrankingKeys;
use crate::refusal::Reason;

/// The tag that is to be franked: if the room has a franking agent, and it is ours, and the sender has put a tag.
///
/// A room whose agent is another one (the hub has changed its keys since, PS4) gets no franks, for nobody could check
/// them.
pub(crate) fn tag(
    policy: &RoomPolicy,
    keys: &FrankingKeys,
    safe_aad: Option<&SafeAad>,
) -> Result<Option<FrankingTag>, Reason> {
    if policy.component(ComponentId::FRANKING_AGENT) != Some(keys.agent.as_slice()) {
        return Ok(None);
    }
    let Some(tag) = safe_aad.and_then(|safe_aad| safe_aad.item(FRANK_AAD)) else { return Ok(None) };
    let tag = tag.try_into().map_err(|_| Reason::FrankingTag)?;
    Ok(Some(FrankingTag(tag)))
}

/// Franks a tag: one HMAC for the hub itself, one signature for everybody.
pub(crate) fn frank(keys: &FrankingKeys, tag: FrankingTag, context: ServerFrankingContext) -> Frank {
    let server_frank = keys.hub_key.frank(tag, &context);
    let suite = CipherSuite::X25519_AES128GCM_SHA256_ED25519;
    let signed = FrankingIntegrityTbs { server_frank, franking_signature_ciphersuite: suite, context };
    let signature = sign_with_label(&keys.signing_key, LABEL, &signed.encode());
    Frank { server_frank, franking_signature_ciphersuite: suite, franking_integrity_signature: signature }
}

const LABEL: &str = "FrankingIntegrityTBS";
