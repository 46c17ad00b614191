//! Conversations of several people: who is in them, kept in a file of one change a line.
//!
//! The file outlives the process, not the machine: a line is written whole, and not forced onto the disk.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use mimi_adapter::{GroupMember, GroupProfile, Role};
use serde::{Deserialize, Serialize};

use crate::LoopbackNames;

/// All of them.
#[derive(Debug)]
pub(crate) struct Groups(Mutex<Kept>);

#[derive(Debug)]
struct Kept {
    file: File,
    now: State,
}

/// What the changes come to.
#[derive(Debug, Default)]
pub(crate) struct State {
    groups: HashMap<String, Group>,
    /// Whoever has logged in once: what is said is kept until they have heard it.
    listeners: BTreeSet<String>,
}

/// A conversation.
#[derive(Debug, Clone, Default)]
pub(crate) struct Group {
    pub(crate) profile: GroupProfile,
    /// Whether the gateway made it.
    is_gateways: bool,
    members: BTreeMap<String, Role>,
    banned: BTreeSet<String>,
}

/// A change, as a line of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Change {
    /// Somebody, or the gateway, made a conversation.
    Made { room: String, by: Option<String>, profile: GroupProfile },
    /// They are in.
    Came { room: String, who: Vec<String> },
    /// He is out.
    Went { room: String, who: String },
    /// He is out, and stays out.
    Banned { room: String, who: String },
    /// He may come back.
    Unbanned { room: String, who: String },
    /// He has another role.
    Given { room: String, who: String, role: Role },
    /// It is called otherwise.
    Entitled { room: String, name: Option<String> },
    /// It is about something else.
    Discussed { room: String, topic: Option<String> },
    /// A user has logged in for the first time.
    Heard { user: String },
}

impl Groups {
    /// Reads the file, or begins it.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let mut now = State::default();
        let written = match std::fs::read_to_string(path) {
            Ok(written) => written,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        for line in written.lines() {
            let change = serde_json::from_str(line).map_err(io::Error::other)?;
            now.apply(&change);
        }
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self(Mutex::new(Kept { file, now })))
    }

    /// Makes a change, if it is one.
    pub(crate) fn change(&self, change: &Change) -> io::Result<()> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !kept.now.would_change(change) {
            return Ok(());
        }
        let mut line = serde_json::to_vec(change)?;
        line.push(b'\n');
        kept.file.write_all(&line)?;
        kept.now.apply(change);
        Ok(())
    }

    /// Looks at the state.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.0.lock().unwrap_or_else(PoisonError::into_inner).now)
    }

    /// A conversation as it is now.
    pub(crate) fn group(&self, room: &str) -> Option<Group> {
        self.look(|state| state.groups.get(room).cloned())
    }

    /// The users in a conversation who are waited for when something happens in it.
    pub(crate) fn listeners(&self, room: &str) -> Vec<String> {
        self.look(|state| {
            let members = state.groups.get(room).into_iter().flat_map(|group| group.members.keys());
            members.filter(|member| state.listeners.contains(*member)).cloned().collect()
        })
    }
}

impl State {
    /// Whether what happens is kept for the user until he has heard it.
    pub(crate) fn is_listener(&self, user: &str) -> bool {
        self.listeners.contains(user)
    }

    fn would_change(&self, change: &Change) -> bool {
        let group = |room: &String| self.groups.get(room);
        match change {
            Change::Made { room, .. } => group(room).is_none(),
            Change::Came { room, who } => {
                group(room).is_some_and(|group| who.iter().any(|it| !group.has(it)))
            }
            Change::Went { room, who } => group(room).is_some_and(|group| group.has(who)),
            Change::Banned { room, who } => group(room).is_some_and(|group| !group.has_banned(who)),
            Change::Unbanned { room, who } => group(room).is_some_and(|group| group.has_banned(who)),
            Change::Given { room, who, role } => {
                group(room).and_then(|group| group.role(who)).is_some_and(|before| before != *role)
            }
            Change::Entitled { room, name } => group(room).is_some_and(|it| it.profile.name != *name),
            Change::Discussed { room, topic } => group(room).is_some_and(|it| it.profile.topic != *topic),
            Change::Heard { user } => !self.listeners.contains(user),
        }
    }

    fn apply(&mut self, change: &Change) {
        if let Change::Heard { user } = change {
            self.listeners.insert(user.clone());
            return;
        }
        if let Change::Made { room, by, profile } = change {
            let owner = by.iter().map(|owner| (owner.clone(), Role::Owner)).collect();
            let profile = profile.clone();
            let made = Group { profile, is_gateways: by.is_none(), members: owner, ..Group::default() };
            self.groups.insert(room.clone(), made);
            return;
        }
        let Some(group) = change.room().and_then(|room| self.groups.get_mut(room)) else { return };
        match change {
            Change::Came { who, .. } => {
                for who in who {
                    group.members.entry(who.clone()).or_insert(Role::Member);
                }
            }
            Change::Went { who, .. } => drop(group.members.remove(who)),
            Change::Banned { who, .. } => {
                group.members.remove(who);
                group.banned.insert(who.clone());
            }
            Change::Unbanned { who, .. } => drop(group.banned.remove(who)),
            Change::Given { who, role, .. } => drop(group.members.insert(who.clone(), *role)),
            Change::Entitled { name, .. } => group.profile.name.clone_from(name),
            Change::Discussed { topic, .. } => group.profile.topic.clone_from(topic),
            Change::Made { .. } | Change::Heard { .. } => {}
        }
    }
}

impl Group {
    pub(crate) fn has(&self, who: &str) -> bool {
        self.members.contains_key(who)
    }

    pub(crate) fn has_banned(&self, who: &str) -> bool {
        self.banned.contains(who)
    }

    pub(crate) fn role(&self, who: &str) -> Option<Role> {
        self.members.get(who).copied()
    }

    /// Whether the gateway hears of what happens in it.
    pub(crate) fn is_bridged(&self) -> bool {
        self.is_gateways || self.members.keys().any(|member| !LoopbackNames::is_user(member))
    }

    /// Everybody in it.
    pub(crate) fn everybody(&self) -> Vec<GroupMember> {
        let member = |(user, role): (&String, &Role)| GroupMember {
            user: user.as_str().into(),
            display_name: None,
            role: *role,
        };
        self.members.iter().map(member).collect()
    }
}

impl Change {
    fn room(&self) -> Option<&String> {
        match self {
            Self::Made { room, .. }
            | Self::Came { room, .. }
            | Self::Went { room, .. }
            | Self::Banned { room, .. }
            | Self::Unbanned { room, .. }
            | Self::Given { room, .. }
            | Self::Entitled { room, .. }
            | Self::Discussed { room, .. } => Some(room),
            Self::Heard { .. } => None,
        }
    }
}
