//! Rooms of several people: founded by a service participant, changed step by step by whoever may.

use std::collections::BTreeMap;

use mimi_mls::hosted::{CommitPlan, OwnCommit};
use mimi_mls::{IdentityAuthority, IdentityRoots, LeafIndex, mint_key_package, read_identity};
use mimi_room_policy::authorize::{Actor, Roster};
use mimi_room_policy::components::{
    BotPolicy, ParticipantListData, ParticipantListUpdate, RoomMetaData, Text, UserIndexRolePair,
    UserRolePair,
};
use mimi_room_policy::{Action, ComponentId, RoleIndex, RoomPolicy, authorize_commit, template};
use mimi_uri::{RoomUri, UserUri};
use mimi_wire::{
    CreateRoomRequest, GroupInfoOption, HandshakeBundle, RatchetTreeOption, Timestamp, UpdateRequest,
};

use crate::direct::{HubAgents, NewGroup};
use crate::fault::ClientFault;
use crate::limits::KEY_PACKAGE_LIFETIME_S;
use crate::mint::client_of;
use crate::room::{RoomClient, Rules};

/// A room of several people that is to be.
pub struct GroupFounding<'a> {
    /// Its URI, of our own domain.
    pub room: &'a RoomUri,
    /// The service participant who founds and owns it.
    pub service: &'a UserUri,
    /// How it presents itself.
    pub title: &'a Title,
    /// What our hub adds.
    pub agents: &'a HubAgents,
    /// Issues the service participant's certificate.
    pub authority: &'a IdentityAuthority,
    /// The time.
    pub now: Timestamp,
}

/// Name and topic of a room; an empty text is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Title {
    /// What it is called.
    pub name: String,
    /// What is talked about.
    pub topic: String,
}

/// One change of a room: a row of the table B4 each, so that each can be allowed or denied for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Puts somebody on the list, with clients or without.
    List {
        /// Whom.
        user: UserUri,
        /// In which role.
        role: RoleIndex,
        /// TLS `KeyPackage`s of the clients who come along.
        key_packages: Vec<Vec<u8>>,
    },
    /// Adds clients of somebody who is on the list.
    Client {
        /// Whose.
        user: UserUri,
        /// TLS `KeyPackage`s.
        key_packages: Vec<Vec<u8>>,
    },
    /// Gives a participant another role; a ban is this too, and takes all clients away.
    Role {
        /// Whom.
        user: UserUri,
        /// Which.
        role: RoleIndex,
    },
    /// Takes somebody off the list, with all clients.
    Unlist {
        /// Whom.
        user: UserUri,
    },
    /// Gives the room another name or topic.
    Entitle(Title),
}

/// A leaf of a hosted user that is to be added, made without asking anybody: both sides of a claim are ours.
pub struct OwnLeaf {
    /// The TLS `KeyPackage`.
    pub key_package: Vec<u8>,
    /// The secret half, for [`RoomClient::add_hosted`] once the commit stands.
    pub secret: Vec<u8>,
}

/// Makes a leaf for a hosted user.
pub fn own_leaf(
    authority: &IdentityAuthority,
    user: &UserUri,
    now: Timestamp,
) -> Result<OwnLeaf, ClientFault> {
    let client =
        client_of(user).ok_or_else(|| ClientFault::Request("the user has no client name".to_owned()))?;
    let minted = mint_key_package(authority, user, &client, KEY_PACKAGE_LIFETIME_S, now.seconds())
        .map_err(|fault| ClientFault::Request(fault.to_string()))?;
    Ok(OwnLeaf { key_package: minted.key_package, secret: minted.secret })
}

impl RoomClient {
    /// Makes the group with the service participant as the only member, and the request that founds the room at our hub.
    pub fn found_group(founding: &GroupFounding<'_>) -> Result<(Self, CreateRoomRequest), ClientFault> {
        let mut components: BTreeMap<u16, Vec<u8>> = template::bridged(founding.room, founding.service)
            .into_iter()
            .map(|(id, bytes)| (id.0, bytes))
            .collect();
        let titled = entitled(RoomMetaData::of(founding.room), founding.title)?;
        components.insert(ComponentId::ROOM_METADATA.0, titled.encode());
        let new = NewGroup {
            room: founding.room,
            creator: founding.service,
            components,
            agents: founding.agents,
            authority: founding.authority,
            now: founding.now,
        };
        new.found()
    }

    /// The role of somebody on the room's list, the banned included.
    pub fn role_of(&self, user: &UserUri) -> Option<RoleIndex> {
        self.seen.roles.get(user).copied()
    }

    /// Everybody on the room's list, the banned included.
    pub fn list(&self) -> &ParticipantListData {
        &self.seen.list
    }

    /// Name and topic of the room.
    pub fn title(&self) -> Title {
        self.metadata().map_or_else(Title::default, |metadata| Title {
            name: metadata.room_name.as_str().to_owned(),
            topic: metadata.room_subject.as_str().to_owned(),
        })
    }

    /// The role that the room's bot policy gives to the service participants of gateways, if it expects any.
    pub fn gateway_role(&self) -> Option<RoleIndex> {
        let bots = BotPolicy::decode(self.hosted.component(ComponentId::BOT_POLICY.0)?).ok()?;
        let gateway = bots.allowed_bots.into_iter().find(|bot| bot.name.as_str() == template::GATEWAY_BOT)?;
        Some(gateway.bot_role_index)
    }

    /// Whether the participants of the room are fixed for good: a direct chat.
    pub fn is_fixed(&self) -> bool {
        self.policy().is_ok_and(|policy| policy.base.fixed_membership)
    }

    /// Which of these steps `actor` may not take, judged as the hub will judge them; the first one's place.
    pub fn first_denied(
        &self,
        actor: &UserUri,
        steps: &[Step],
    ) -> Result<Option<(usize, String)>, ClientFault> {
        let policy = self.policy()?;
        let users: Vec<UserUri> = self.leaves().map(|(_, user)| user).collect();
        let roster = Roster::new(&policy.participants, &users);
        let who = Actor::user(actor);
        let actions = steps.iter().map(|step| self.action(step)).collect::<Result<Vec<_>, _>>()?;
        let attributed: Vec<_> = actions.iter().map(|action| (&who, action)).collect();
        match authorize_commit(&policy, &roster, &attributed) {
            Ok(()) => Ok(None),
            Err(denied) => Ok(Some((denied.action.unwrap_or(0), denied.reason.to_string()))),
        }
    }

    /// Commits the steps as `actor`, a hosted user with a leaf, with all that is pending.
    pub fn commit_steps(&mut self, actor: &UserUri, steps: &[Step]) -> Result<UpdateRequest, ClientFault> {
        let leaf = self.leaf(actor)?;
        let plan = self.plan(steps)?;
        self.commit_as(leaf, &plan)
    }

    /// Proposes that a hosted user leaves the room and its list; somebody else has to commit it.
    pub fn propose_unlisting(&mut self, user: &UserUri) -> Result<UpdateRequest, ClientFault> {
        let leaf = self.leaf(user)?;
        let index = self.list().index_of(user).ok_or_else(|| ClientFault::NotInTheRoom(user.to_string()))?;
        let update =
            ParticipantListUpdate { removed_indices: vec![index], ..ParticipantListUpdate::default() };
        let component = ComponentId::PARTICIPANT_LIST.0;
        let proposal = self.hosted.propose_component_update(leaf, component, &update.encode())?;
        let more_proposals = vec![self.hosted.propose_self_remove(leaf)?];
        Ok(UpdateRequest { bundle: HandshakeBundle::Proposal { proposal, more_proposals } })
    }

    /// Checks claimed key material as [`commit_add`](Self::commit_add) does: it is of the user that was asked for.
    pub fn check_key_packages(
        user: &UserUri,
        key_packages: &[Vec<u8>],
        roots: &IdentityRoots,
        now: Timestamp,
    ) -> Result<(), ClientFault> {
        crate::room::check_key_packages(user, key_packages, roots, now)
    }

    /// Whether proposals of others wait for a commit.
    pub fn has_pending(&self) -> bool {
        self.pending_proposals > 0
    }

    /// The hosted users with a client in the room.
    pub fn hosted_users(&self) -> Vec<UserUri> {
        self.hosted.hosted_leaves().into_iter().map(|(_, who)| who.user).collect()
    }

    /// How many clients the room has.
    pub fn leaf_count(&self) -> usize {
        self.hosted.members().len()
    }

    pub(crate) fn commit_as(
        &mut self,
        leaf: LeafIndex,
        plan: &CommitPlan,
    ) -> Result<UpdateRequest, ClientFault> {
        let OwnCommit { commit, welcome, group_info, .. } = self.hosted.commit(leaf, plan, &Rules)?;
        let group_info = GroupInfoOption::full(&group_info);
        let ratchet_tree = RatchetTreeOption::DistributionService;
        Ok(UpdateRequest { bundle: HandshakeBundle::Commit { commit, welcome, group_info, ratchet_tree } })
    }

    /// The steps as proposals of one commit: all changes of the list in one update.
    fn plan(&self, steps: &[Step]) -> Result<CommitPlan, ClientFault> {
        let list = self.list();
        let index =
            |user: &UserUri| list.index_of(user).ok_or_else(|| ClientFault::NotInTheRoom(user.to_string()));
        let (mut plan, mut update) = (CommitPlan::default(), ParticipantListUpdate::default());
        for step in steps {
            match step {
                Step::List { user, role, key_packages } => {
                    update.added_participants.push(UserRolePair { user: user.clone(), role_index: *role });
                    plan.adds.extend(key_packages.iter().cloned());
                }
                Step::Client { key_packages, .. } => plan.adds.extend(key_packages.iter().cloned()),
                Step::Role { user, role } => {
                    let change = UserIndexRolePair { user_index: index(user)?, role_index: *role };
                    update.changed_role_participants.push(change);
                    if *role == RoleIndex::BANNED {
                        plan.removes.extend(self.leaves_of(user));
                    }
                }
                Step::Unlist { user } => {
                    update.removed_indices.push(index(user)?);
                    plan.removes.extend(self.leaves_of(user));
                }
                Step::Entitle(title) => {
                    let metadata = self.metadata().unwrap_or_else(|| RoomMetaData::of(&self.room));
                    let update = entitled(metadata, title)?.encode();
                    plan.component_updates.push((ComponentId::ROOM_METADATA.0, update));
                }
            }
        }
        if update != ParticipantListUpdate::default() {
            plan.component_updates.push((ComponentId::PARTICIPANT_LIST.0, update.encode()));
        }
        Ok(plan)
    }

    fn action(&self, step: &Step) -> Result<Action, ClientFault> {
        let count = |clients: usize| u32::try_from(clients).unwrap_or(u32::MAX);
        Ok(match step {
            Step::List { user, role, key_packages } => {
                Action::AddParticipant { user: user.clone(), role: *role, clients: count(key_packages.len()) }
            }
            Step::Client { user, key_packages } => {
                Action::AddClients { user: user.clone(), clients: count(key_packages.len()) }
            }
            Step::Role { user, role } => {
                let removed = if *role == RoleIndex::BANNED { self.leaves_of(user).len() } else { 0 };
                Action::ChangeRole { user: user.clone(), role: *role, removed_clients: count(removed) }
            }
            Step::Unlist { user } => {
                Action::RemoveParticipant { user: user.clone(), clients: count(self.leaves_of(user).len()) }
            }
            Step::Entitle(title) => {
                let metadata = self.metadata().unwrap_or_else(|| RoomMetaData::of(&self.room));
                let update = entitled(metadata, title)?.encode();
                Action::UpdateComponent { component: ComponentId::ROOM_METADATA, update }
            }
        })
    }

    fn leaves(&self) -> impl Iterator<Item = (LeafIndex, UserUri)> {
        let members = self.hosted.members();
        members
            .into_iter()
            .filter_map(|member| Some((member.leaf, read_identity(&member.credential).ok()?.user)))
    }

    fn leaves_of(&self, user: &UserUri) -> Vec<LeafIndex> {
        self.leaves().filter(|(_, of)| of == user).map(|(leaf, _)| leaf).collect()
    }

    fn policy(&self) -> Result<RoomPolicy, ClientFault> {
        let ids = ComponentId::FRANKING_AGENT.0..=ComponentId::MESSAGE_EXPIRATION_POLICY.0;
        let components = ids.filter_map(|id| Some((id, self.hosted.component(id)?)));
        RoomPolicy::from_components(components).map_err(|fault| ClientFault::State(fault.to_string()))
    }

    pub(crate) fn metadata(&self) -> Option<RoomMetaData> {
        RoomMetaData::decode(self.hosted.component(ComponentId::ROOM_METADATA.0)?).ok()
    }
}

/// The metadata with another name and topic; what no text may be is left out of them.
fn entitled(metadata: RoomMetaData, title: &Title) -> Result<RoomMetaData, ClientFault> {
    let text = |text: &str| Text::new(text).map_err(|fault| ClientFault::Request(fault.to_string()));
    Ok(RoomMetaData { room_name: text(&title.name)?, room_subject: text(&title.topic)?, ..metadata })
}

#[cfg(test)]
mod tests;
