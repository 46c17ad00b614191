//! What our hub knows and signs with, from the provider's keys.

use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use mimi_client::HubAgents;
use mimi_client::vault::KEY_LENGTH;
use mimi_mls::hub::ExternalSender;
use mimi_mls::{IdentityAuthority, IdentityRoots, encode_credential};
use mimi_room::{Envelope, FrankingKeys, HubFacts};
use mimi_room_policy::components::{Credential, FrankingAgentData, MediaType, MediaTypeList, Text};
use mimi_wire::HubKey;
use tls_codec::DeserializeBytes;
use zeroize::Zeroizing;

use crate::config::ProviderConfig;
use crate::keys::HubIdentity;

/// The media types that every hosted client reads (`content_media_types`), the default one first.
const MEDIA_TYPES: [&str; 2] = ["application/mimi-content", "application/mimi-message-status"];

/// The hub's facts, and what follows from them for the rooms that we found.
pub(super) struct Facts {
    pub(super) hub: HubFacts,
    pub(super) agents: HubAgents,
}

/// Gathers them.
pub(super) fn gather(
    provider: &ProviderConfig,
    authority: &IdentityAuthority,
    instance: &[u8; KEY_LENGTH],
) -> Result<Facts, String> {
    let identity = HubIdentity::load(provider).map_err(|mistake| mistake.to_string())?;
    let credential = encode_credential(&identity.certificate);
    let public = identity.key.public();
    let agent = FrankingAgentData {
        franking_signature_key: public.clone(),
        credential: Credential::tls_deserialize_exact_bytes(&credential)
            .map_err(|fault| fault.to_string())?,
    }
    .encode();
    let mut roots = IdentityRoots::default();
    roots.insert(&provider.domain, authority.root_der().to_vec()).map_err(|fault| fault.to_string())?;
    let external_sender = ExternalSender { credential, signature_key: public };
    let agents = HubAgents {
        external_sender: (external_sender.credential.clone(), external_sender.signature_key.clone()),
        franking_agent: agent.clone(),
        content_media_types: content_media_types()?,
    };
    let hub_key = HubKey::new(&*hub_key(instance)?);
    let hub = HubFacts {
        domain: provider.domain.clone(),
        roots,
        franking: FrankingKeys { hub_key, signing_key: identity.key, agent },
        external_sender,
        envelope: Envelope::default(),
    };
    Ok(Facts { hub, agents })
}

/// The key of the server frank; derived, so that one secret is all that has to be kept.
fn hub_key(instance: &[u8; KEY_LENGTH]) -> Result<Zeroizing<[u8; KEY_LENGTH]>, String> {
    let mut key = Zeroizing::new([0; KEY_LENGTH]);
    Salt::new(HKDF_SHA256, b"drawbridge hub")
        .extract(instance)
        .expand(&[b"server frank"], HKDF_SHA256)
        .and_then(|derived| derived.fill(key.as_mut_slice()))
        .map_err(|_| "the key of the server frank cannot be derived".to_owned())?;
    Ok(key)
}

fn content_media_types() -> Result<Vec<u8>, String> {
    let media_type = |essence: &str| -> Result<MediaType, String> {
        Ok(MediaType { essence: Text::new(essence).map_err(|fault| fault.to_string())?, parameters: vec![] })
    };
    let list = MEDIA_TYPES.into_iter().map(media_type).collect::<Result<_, _>>()?;
    Ok(MediaTypeList { media_type_list: list }.encode())
}
