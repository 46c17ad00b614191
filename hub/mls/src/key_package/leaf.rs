use openmls::extensions::{AppDataDictionary, AppDataDictionaryExtension};
use openmls::prelude::{
    Capabilities, CredentialType, Extension, ExtensionType, Extensions, LeafNode, ProposalType,
};

use crate::bridged::Bridged;
use crate::components::{
    APP_COMPONENTS, BRIDGED, CONTENT_MEDIA_TYPES, FRANK_AAD, MIMI_COMPONENTS, SAFE_AAD, encode_component_list,
};
use crate::fault::MlsFault;
use crate::provider::SUITE;
use crate::tls::{put_vector, vector};

/// The content that hosted users can be sent, as media types; MIMI rooms require no others.
const MEDIA_TYPES: [&str; 2] = ["application/mimi-content", "application/mimi-message-status"];

/// What a hosted leaf understands of MLS: the MIMI extensions, and members with either kind of credential.
pub(crate) fn leaf_capabilities() -> Capabilities {
    Capabilities::new(
        None,
        Some(&[SUITE]),
        Some(&[ExtensionType::AppDataDictionary]),
        Some(&[ProposalType::AppDataUpdate, ProposalType::AppEphemeral, ProposalType::SelfRemove]),
        Some(&[CredentialType::X509, CredentialType::Basic]),
    )
}

/// What a hosted leaf says of itself in its dictionary (EM9, EM11): components, SafeAAD, media types, and whether
/// he is behind another network.
pub(crate) fn leaf_extensions(bridged: Option<&Bridged>) -> Result<Extensions<LeafNode>, MlsFault> {
    let supported: Vec<u16> = MIMI_COMPONENTS.into_iter().chain([BRIDGED]).collect();
    let mut dictionary = AppDataDictionary::new();
    dictionary.insert(APP_COMPONENTS, encode_component_list(&supported));
    dictionary.insert(SAFE_AAD, encode_component_list(&[FRANK_AAD]));
    dictionary.insert(CONTENT_MEDIA_TYPES, media_type_list());
    if let Some(bridged) = bridged {
        dictionary.insert(BRIDGED, bridged.encode());
    }
    let dictionary = Extension::AppDataDictionary(AppDataDictionaryExtension::new(dictionary));
    Extensions::single(dictionary).map_err(MlsFault::internal)
}

/// `MediaTypeList` of MIMI content: types without parameters.
fn media_type_list() -> Vec<u8> {
    let mut list = Vec::new();
    for media_type in MEDIA_TYPES {
        put_vector(&mut list, media_type.as_bytes());
        put_vector(&mut list, &[]);
    }
    vector(&list)
}
