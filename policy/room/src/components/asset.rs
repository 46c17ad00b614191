use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

use super::{MediaType, Text};
use crate::DecodeError;
use crate::codec::{Consistent, doors};

/// Where assets are uploaded to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[repr(u8)]
pub enum AssetUploadLocation {
    /// Anywhere.
    Unspecified = 0,
    /// To the sender's provider.
    LocalProvider = 1,
    /// To the hub.
    Hub = 2,
}

/// The name of a host.
#[derive(Debug, Clone, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct DomainName {
    /// As it is written.
    pub domain: Text,
}

/// Where the users of a provider upload to.
#[derive(Debug, Clone, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct ProviderAssetUploadDomains {
    /// The provider, exactly the domain in its users' URIs.
    pub provider: DomainName,
    /// The hosts that keep their assets.
    pub asset_upload_destinations: Vec<DomainName>,
}

/// A way to download.
#[derive(Debug, Clone, Copy, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[repr(u8)]
pub enum DownloadPrivacyType {
    /// From the asset's host.
    Direct = 0,
    /// Through a proxy at the hub.
    HubProxy = 1,
    /// By Oblivious HTTP through the hub.
    Ohttp = 2,
}

/// How assets are downloaded.
#[derive(Debug, Clone, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct DownloadPrivacy {
    /// The ways that may be used.
    pub allowed_download_types: Vec<DownloadPrivacyType>,
    /// The ways that must not.
    pub forbidden_download_types: Vec<DownloadPrivacyType>,
    /// The suggested way.
    pub default_download_type: DownloadPrivacyType,
}

/// A vector of media types, so that it can be optional.
#[derive(Debug, Clone, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct MediaTypes {
    /// The media types.
    pub types: Vec<MediaType>,
}

/// Uploads and downloads (`asset_policy`).
#[derive(Debug, Clone, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct AssetPolicy {
    /// Where assets are uploaded to.
    pub asset_upload_location: AssetUploadLocation,
    /// The hosts, by provider.
    pub upload_domains: Vec<ProviderAssetUploadDomains>,
    /// How assets are downloaded.
    pub download_privacy: DownloadPrivacy,
    /// Bytes of an image at most.
    pub max_image: u64,
    /// Bytes of an audio file at most.
    pub max_audio: u64,
    /// Bytes of a video at most.
    pub max_video: u64,
    /// Bytes of any other attachment at most.
    pub max_attachment: u64,
    /// Media types that are not allowed.
    pub forbidden_media_types: Vec<MediaType>,
    /// If present, the only media types that are allowed.
    pub permitted_media_types: Option<MediaTypes>,
}

impl AssetPolicy {
    /// Whether an asset of this media type may be sent (RM11).
    pub fn permits(&self, media: &MediaType) -> bool {
        let covered = |list: &[MediaType]| list.iter().any(|entry| entry.covers(media));
        !covered(&self.forbidden_media_types)
            && self.permitted_media_types.as_ref().is_none_or(|permitted| covered(&permitted.types))
    }
}

impl Consistent for AssetPolicy {
    /// R15, as far as it can be told without knowing the hub.
    fn check(&self) -> Result<(), DecodeError> {
        let privacy = &self.download_privacy;
        let forbidden = |way| privacy.forbidden_download_types.contains(way);
        if privacy.allowed_download_types.iter().any(forbidden) {
            return Err(DecodeError::Invalid("a way to download is allowed and forbidden"));
        }
        if !privacy.allowed_download_types.contains(&privacy.default_download_type) {
            return Err(DecodeError::Invalid("the suggested way to download is not allowed"));
        }
        if self.asset_upload_location == AssetUploadLocation::Hub && self.upload_domains.len() != 1 {
            return Err(DecodeError::Invalid("assets go to the hub, so the hub alone is listed"));
        }
        Ok(())
    }
}

doors!(AssetPolicy);
