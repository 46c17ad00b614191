use mimi_uri::UserUri;
use serde::{Deserialize, Serialize};

use crate::{GroupProfile, NativeEventId, NativeRoomId, NativeUserId, OpId, Person, Progress, Role};

/// One step towards the native network.
///
/// The gateway promises: in order per conversation, at most one in flight per conversation, the same `op_id` and the
/// same operation over all attempts. Only [`Operation::ShowProgress`] goes beside the others, as the decoration it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The operation's own id.
    pub op_id: OpId,
    /// How often it was tried before: 0 the first time.
    pub attempt: u32,
    /// The conversation; none where the operation makes one, or belongs to none.
    pub room: Option<NativeRoomId>,
    /// Who acts.
    pub speaker: Speaker,
    /// What is done.
    pub operation: Operation,
}

/// Who acts on the native side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
    /// The puppet of this MIMI user.
    Puppet(UserUri),
    /// The gateway itself.
    Service,
}

/// What is done on the native side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Makes the puppet if there is none, and gives it its name.
    EnsurePuppet(PuppetProfile),
    /// Makes a direct chat of the puppet with a native user, or finds the one that this very operation made before.
    /// The answer names it: [`crate::Outcome::Done`]`.room`.
    OpenDirect {
        /// The puppet that opens it.
        puppet: UserUri,
        /// The native user it is for.
        with: NativeUserId,
    },
    /// Lets the puppet come into the conversation that it is invited to.
    AcceptInvite {
        /// The puppet that was invited.
        puppet: UserUri,
    },
    /// Makes a conversation of several people that the gateway itself owns, or finds the one that this very operation
    /// made before. The answer names it: [`crate::Outcome::Done`]`.room`.
    OpenGroup {
        /// How it presents itself.
        group: GroupProfile,
        /// The native users who are invited.
        invite: Vec<NativeUserId>,
    },
    /// Invites a native user into the conversation.
    Invite {
        /// Whom.
        user: NativeUserId,
    },
    /// Lets the puppet come into the conversation of several people, inviting it first where the network wants that.
    Enter {
        /// The MIMI user whose puppet comes in.
        user: UserUri,
    },
    /// Takes somebody out of the conversation; he may come back.
    Remove {
        /// Whom.
        person: Person,
    },
    /// Takes somebody out of the conversation, or keeps him out, for good.
    Ban {
        /// Whom.
        person: Person,
    },
    /// Takes a ban back.
    Unban {
        /// Whose.
        person: Person,
    },
    /// Gives somebody another role.
    SetRole {
        /// Whom.
        person: Person,
        /// Which.
        role: Role,
    },
    /// Gives the conversation another name; `None` takes it away.
    Rename(Option<String>),
    /// Gives the conversation another topic; `None` takes it away.
    SetTopic(Option<String>),
    /// Shows a native user how far his message has come.
    ShowProgress {
        /// His message.
        event: NativeEventId,
        /// How far.
        progress: Progress,
    },
    /// Says something.
    Post(Prepared),
    /// Takes the puppet out of the conversation; an invitation is declined.
    Leave {
        /// The MIMI user whose puppet goes.
        user: UserUri,
    },
    /// Says something that is no one's message: a refusal shown to its sender, a gap.
    Notice(String),
}

impl Operation {
    /// The kind in one word: part of what operations are named by, and for people to read.
    pub fn name(&self) -> &'static str {
        match self {
            Self::EnsurePuppet(_) => "puppet",
            Self::OpenDirect { .. } => "open",
            Self::AcceptInvite { .. } => "accept",
            Self::OpenGroup { .. } => "group",
            Self::Invite { .. } => "invite",
            Self::Enter { .. } => "enter",
            Self::Remove { .. } => "remove",
            Self::Ban { .. } => "ban",
            Self::Unban { .. } => "unban",
            Self::SetRole { .. } => "role",
            Self::Rename(_) => "rename",
            Self::SetTopic(_) => "topic",
            Self::ShowProgress { .. } => "progress",
            Self::Post(_) => "post",
            Self::Leave { .. } => "leave",
            Self::Notice(_) => "notice",
        }
    }
}

/// How a puppet looks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PuppetProfile {
    /// The MIMI user.
    pub user: UserUri,
    /// What he is called; `None` leaves the name as it is.
    pub display_name: Option<String>,
}

/// Content that was planned for a network: at least plain text, richer forms only where the network declares them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prepared {
    /// The text without mark-up; says all there is to say.
    pub plain: String,
    /// The same in HTML.
    pub html: Option<String>,
    /// The same in Markdown.
    pub markdown: Option<String>,
}

impl Prepared {
    /// Text without mark-up.
    pub fn text(plain: impl Into<String>) -> Self {
        Self { plain: plain.into(), html: None, markdown: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_delivery_reads_back_from_every_format() {
        let user = UserUri::parse("mimi://b.example/u/bob").unwrap();
        let delivery = Delivery {
            op_id: "op".into(),
            attempt: 3,
            room: None,
            speaker: Speaker::Puppet(user.clone()),
            operation: Operation::OpenDirect { puppet: user, with: "@alice:a.example".into() },
        };

        let packed = rmp_serde::to_vec(&delivery).unwrap();
        let json = serde_json::to_string(&delivery).unwrap();

        assert_eq!(rmp_serde::from_slice::<Delivery>(&packed).unwrap(), delivery);
        assert_eq!(serde_json::from_str::<Delivery>(&json).unwrap(), delivery);
    }
}
