use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

use super::{RoleIndex, Text, Uri};
use crate::DecodeError;
use crate::codec::{Consistent, doors};

/// A bot that may be here.
#[derive(Debug, Clone, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct Bot {
    /// Its name for people.
    pub name: Text,
    /// Its description for people.
    pub description: Text,
    /// Where more is said of it; may be empty.
    pub homepage: Uri,
    /// It acts inside the client of a user and is no participant.
    #[tls_codec(with = "crate::codec::boolean")]
    pub local_client_bot: bool,
    /// The role it acts in; 0 if it is no participant.
    pub bot_role_index: RoleIndex,
    /// It may address single members.
    #[tls_codec(with = "crate::codec::boolean")]
    pub can_target_message_in_group: bool,
    /// It may tell every member something else.
    #[tls_codec(with = "crate::codec::boolean")]
    pub per_user_content: bool,
}

/// Which bots may be here (`bot_policy`).
#[derive(Debug, Clone, Default, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct BotPolicy {
    /// The bots.
    pub allowed_bots: Vec<Bot>,
}

impl Consistent for BotPolicy {
    /// R14: a bot inside a client has no role of its own. (Of the converse the draft only says "not active".)
    fn check(&self) -> Result<(), DecodeError> {
        let has_role = |bot: &Bot| bot.bot_role_index != RoleIndex::OUTSIDER;
        if self.allowed_bots.iter().any(|bot| bot.local_client_bot && has_role(bot)) {
            return Err(DecodeError::Invalid("a bot inside a client has a role of its own"));
        }
        Ok(())
    }
}

doors!(BotPolicy);
