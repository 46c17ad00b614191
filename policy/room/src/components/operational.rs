use std::io::Write;

use tls_codec::{DeserializeBytes, Error, Serialize, Size, TlsDeserializeBytes, TlsSerialize, TlsSize};

use super::MediaType;
use crate::DecodeError;
use crate::codec::{Consistent, doors};

/// What clients support, beyond MLS's own `Capabilities`.
#[derive(Debug, Clone, Default, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct ExtendedCapabilities {
    /// Protocol versions.
    pub versions: Vec<u16>,
    /// Cipher suites.
    pub cipher_suites: Vec<u16>,
    /// Extension types.
    pub extensions: Vec<u16>,
    /// Proposal types.
    pub proposals: Vec<u16>,
    /// Credential types.
    pub credentials: Vec<u16>,
    /// Wire formats.
    pub wire_formats: Vec<u16>,
    /// Components.
    pub component_ids: Vec<u16>,
    /// Safe AAD components.
    pub safe_aad_types: Vec<u16>,
    /// Media types of application messages.
    pub media_types: Vec<MediaType>,
    /// MLS content types.
    pub content_types: Vec<u8>,
}

/// When a member commits what others proposed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PendingProposalPolicy {
    /// The room takes no position.
    #[default]
    Unspecified,
    /// At once.
    ImmediateCommit,
    /// After a random delay between the two bounds.
    RandomDelay {
        /// Shortest delay in milliseconds.
        minimum_delay_ms: u64,
        /// Longest delay in milliseconds.
        maximum_delay_ms: u64,
    },
    /// A strategy that we do not know, and that has no parameters of its own: as good as unspecified, but kept as it
    /// was sent, because a component is compared byte for byte. Never 0, 1 or 2.
    Unknown(UnknownStrategy),
}

/// The number of a strategy that we do not know: 3 to 255.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownStrategy(u8);

impl Size for PendingProposalPolicy {
    fn tls_serialized_len(&self) -> usize {
        match self {
            Self::Unspecified | Self::ImmediateCommit | Self::Unknown(_) => 1,
            Self::RandomDelay { .. } => 1 + 8 + 8,
        }
    }
}

impl Serialize for PendingProposalPolicy {
    fn tls_serialize<W: Write>(&self, writer: &mut W) -> Result<usize, Error> {
        match self {
            Self::Unspecified => 0u8.tls_serialize(writer),
            Self::ImmediateCommit => 1u8.tls_serialize(writer),
            Self::RandomDelay { minimum_delay_ms, maximum_delay_ms } => Ok(2u8.tls_serialize(writer)?
                + minimum_delay_ms.tls_serialize(writer)?
                + maximum_delay_ms.tls_serialize(writer)?),
            Self::Unknown(strategy) => strategy.0.tls_serialize(writer),
        }
    }
}

impl DeserializeBytes for PendingProposalPolicy {
    fn tls_deserialize_bytes(bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
        let (strategy, rest) = u8::tls_deserialize_bytes(bytes)?;
        match strategy {
            0 => Ok((Self::Unspecified, rest)),
            1 => Ok((Self::ImmediateCommit, rest)),
            2 => {
                let (minimum_delay_ms, rest) = u64::tls_deserialize_bytes(rest)?;
                let (maximum_delay_ms, rest) = u64::tls_deserialize_bytes(rest)?;
                Ok((Self::RandomDelay { minimum_delay_ms, maximum_delay_ms }, rest))
            }
            3.. => Ok((Self::Unknown(UnknownStrategy(strategy)), rest)),
        }
    }
}

/// A time in seconds with its bounds; 0 means that the room takes no position \[I\].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct MinDefaultMaxTime {
    /// Shortest.
    pub minimum_time_s: u64,
    /// Usual.
    pub default_time_s: u64,
    /// Longest.
    pub maximum_time_s: u64,
}

impl MinDefaultMaxTime {
    /// Whether those of its times that are given are in order.
    fn is_ordered(&self) -> bool {
        [self.minimum_time_s, self.default_time_s, self.maximum_time_s]
            .into_iter()
            .filter(|time| *time != 0)
            .is_sorted()
    }
}

/// How application messages are sent and received.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct AppMessagePolicy {
    /// Past epochs whose messages are still accepted.
    pub epoch_tolerance: u8,
    /// Plaintexts are padded to a multiple of this many bytes.
    pub pad_to_size: u16,
    /// Generations that a receiver skips at most.
    pub max_generations_skipahead: u32,
}

/// How the group is operated (`mls_operational_policy`); times in seconds \[I\], 0 is no position.
#[derive(Debug, Clone, Default, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct OperationalParameters {
    /// What every client must support.
    pub mandatory_capabilities: ExtendedCapabilities,
    /// What clients are expected to use.
    pub default_capabilities: ExtendedCapabilities,
    /// What no client may use.
    pub forbidden_capabilities: ExtendedCapabilities,
    /// The wire formats of handshake messages.
    pub handshake_formats: Vec<u16>,
    /// Proposals from outside the group are accepted.
    #[tls_codec(with = "crate::codec::boolean")]
    pub external_proposal_allowed: bool,
    /// Commits from outside the group are accepted.
    #[tls_codec(with = "crate::codec::boolean")]
    pub external_commit_allowed: bool,
    /// When members commit what others proposed.
    pub pending_proposal_policy: PendingProposalPolicy,
    /// How often a leaf is renewed.
    pub leaf_node_update_time: MinDefaultMaxTime,
    /// Application messages.
    pub app_message_policy: AppMessagePolicy,
    /// Longest life of a `KeyPackage`.
    pub max_kp_lifetime: u64,
    /// Longest life of a credential.
    pub max_credential_lifetime: u64,
    /// How long resumption secrets are kept.
    pub resumption_psk_lifetime: u64,
    /// How long unused keys of a sender are kept.
    pub sender_nonce_keypair_lifetime: MinDefaultMaxTime,
    /// Unused keys that are kept at most.
    pub max_keypairs: u32,
    /// How long messages that came too early are kept.
    pub buffer_incoming_message_time: MinDefaultMaxTime,
    /// Messages that are kept at most.
    pub max_buffered_messages: u32,
}

impl Consistent for OperationalParameters {
    fn check(&self) -> Result<(), DecodeError> {
        let times = [
            self.leaf_node_update_time,
            self.sender_nonce_keypair_lifetime,
            self.buffer_incoming_message_time,
        ];
        if !times.iter().all(MinDefaultMaxTime::is_ordered) {
            return Err(DecodeError::Invalid("a time's bounds contradict each other"));
        }
        if let PendingProposalPolicy::RandomDelay { minimum_delay_ms, maximum_delay_ms } =
            self.pending_proposal_policy
            && minimum_delay_ms > maximum_delay_ms
        {
            return Err(DecodeError::Invalid("the bounds of the random delay contradict each other"));
        }
        Ok(())
    }
}

doors!(OperationalParameters);
