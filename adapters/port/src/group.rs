use mimi_uri::UserUri;
use serde::{Deserialize, Serialize};

use crate::NativeUserId;

/// What somebody may do in a conversation of several people: the ladder that all networks share.
///
/// An adapter maps it to its network's own (power levels, affiliations, modes) by one table, and back; what lies between
/// two rungs counts as the lower one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Takes part.
    Member,
    /// May remove and ban members, and change name and topic.
    Moderator,
    /// May do everything, and give roles.
    Owner,
}

/// How a conversation of several people presents itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupProfile {
    /// Its name.
    pub name: Option<String>,
    /// What it is about.
    pub topic: Option<String>,
}

/// Somebody in a conversation of several people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupMember {
    /// Who, native or puppet.
    pub user: NativeUserId,
    /// What he calls himself there.
    pub display_name: Option<String>,
    /// What he may do.
    pub role: Role,
}

/// Somebody whom an operation is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Person {
    /// A user of the native network.
    Native(NativeUserId),
    /// The puppet of this MIMI user.
    Puppet(UserUri),
}

/// What a receiver did with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Receipt {
    /// His client has it.
    Delivered,
    /// He saw it.
    Read,
}

/// How far a native user's own message has come, for him to see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// On its way, and longer than usual.
    Waiting {
        /// What it waits for, for people to read.
        why: String,
    },
    /// The room has it: it is in the order, and will not be lost.
    Accepted,
    /// Somebody on the other side has it, or read it.
    Received(Receipt),
    /// It will not arrive.
    Refused {
        /// Why, for people to read.
        why: String,
    },
}
