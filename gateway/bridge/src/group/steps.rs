//! From wishes to commits: what is missing until the room is as it should be, in steps that one actor may take.

use std::collections::BTreeSet;
use std::time::Duration;

use mimi_client::{RoomClient, Step, Title, own_leaf};
use mimi_room_policy::RoleIndex;
use mimi_room_policy::template::ORDINARY_USER;
use mimi_store::{Batch, Next};
use mimi_uri::UserUri;
use mimi_wire::KeyMaterialResponse;
use serde_bytes::ByteBuf;

use super::due::due;
use super::table;
use super::wishes::{Found, Subject};
use crate::bridge::Core;
use crate::fault::Fault;
use crate::limits::STEPS_PER_COMMIT_MAX;
use crate::room::{Followed, key_packages, refusal};
use crate::rows::{InFlight, Intent, Origin, Stage, Steps, Target, Wish};

/// What is missing until a wish is fulfilled.
#[derive(Debug, PartialEq, Eq)]
enum Missing {
    Nothing,
    /// A step that needs nobody's key material.
    Step(Step),
    /// A leaf of one of our own people: on the list, in this role, or for who is on it.
    OwnLeaf(UserUri, Option<RoleIndex>),
    /// Key material of somebody elsewhere.
    Claim(UserUri),
    /// It cannot be.
    Never(&'static str),
}

pub(super) type Wished = (Found, Wish);

impl Core {
    /// Brings the room closer to what is wished for: by one commit, or one claim.
    pub(crate) async fn fulfil(&self, followed: &mut Followed) -> Result<Next, Fault> {
        if followed.row.stage != Stage::Joined || followed.client()?.has_pending() {
            return Ok(Next::Rest);
        }
        let wishes = self.wishes(&followed.room).await?;
        if wishes.is_empty() {
            followed.one_by_one = false;
            return self.end_if_deserted(followed).await;
        }
        let (open, settled): (Vec<Wished>, Vec<Wished>) = {
            let client = followed.client()?;
            wishes.into_iter().partition(|wished| self.missing(client, wished) != Missing::Nothing)
        };
        if !settled.is_empty() {
            let rows = settled.iter().map(|(found, _)| found.gone()).collect();
            self.store.record(Batch { rows, ..Batch::default() }).await?;
            self.wake_lanes(followed).await?;
        }
        let (due, next_ms) = due(&open, self.clock.now().0);
        let Some((found, wish)) = due.first() else {
            if let Some(next_ms) = next_ms {
                self.wake_room_later(followed, Duration::from_millis(next_ms));
            }
            return Ok(Next::Rest);
        };
        match self.missing(followed.client()?, &(found.clone(), wish.clone())) {
            Missing::Nothing => Ok(Next::Again),
            Missing::Never(why) => self.refuse_wish(followed, (found, wish), why).await,
            Missing::Claim(user) => self.claim(followed, (found, wish), &user).await,
            Missing::Step(_) | Missing::OwnLeaf(..) => self.commit_due(followed, &due).await,
        }
    }

    /// What is missing for a wish, as the room stands.
    fn missing(&self, client: &RoomClient, (found, wish): &Wished) -> Missing {
        let user = match (&found.subject, &wish.target) {
            (Subject::Title, Target::Title { name, topic }) => {
                return missing_title(client, name.as_ref(), topic.as_ref());
            }
            (Subject::Title, _) | (Subject::User(_), Target::Title { .. }) => return Missing::Nothing,
            (Subject::User(user), _) => user.clone(),
        };
        let listed = client.role_of(&user);
        let is_banned = listed == Some(RoleIndex::BANNED);
        match &wish.target {
            Target::In { .. } if is_banned => Missing::Never("this person is banned from the room"),
            Target::In { role, leaf } => self.missing_presence(client, user, *role, *leaf),
            Target::Role(role) => match listed {
                Some(index) if !is_banned && index != table::in_room(*role) => {
                    Missing::Step(Step::Role { user, role: table::in_room(*role) })
                }
                _ => Missing::Nothing,
            },
            Target::Out if listed.is_some() && !is_banned => Missing::Step(Step::Unlist { user }),
            Target::Unbanned if is_banned => Missing::Step(Step::Unlist { user }),
            Target::Banned if listed.is_none() => {
                Missing::Step(Step::List { user, role: RoleIndex::BANNED, key_packages: vec![] })
            }
            Target::Banned if !is_banned => Missing::Step(Step::Role { user, role: RoleIndex::BANNED }),
            Target::Out | Target::Unbanned | Target::Banned | Target::Title { .. } => Missing::Nothing,
        }
    }

    fn missing_presence(
        &self,
        client: &RoomClient,
        user: UserUri,
        role: Option<mimi_adapter::Role>,
        leaf: bool,
    ) -> Missing {
        let is_service = user == self.networks.service();
        let is_ours = is_service || self.networks.native(&user).is_some();
        let wanted = if is_service { client.gateway_role() } else { role.map(table::in_room) };
        match client.role_of(&user) {
            None if is_service && wanted.is_none() => Missing::Nothing,
            None if is_ours && leaf => Missing::OwnLeaf(user, Some(wanted.unwrap_or(ORDINARY_USER))),
            None if is_ours => Missing::Step(Step::List {
                user,
                role: wanted.unwrap_or(ORDINARY_USER),
                key_packages: vec![],
            }),
            None if leaf => Missing::Claim(user),
            None => Missing::Nothing,
            Some(index) if !is_service && wanted.is_some_and(|wanted| wanted != index) => {
                Missing::Step(Step::Role { user, role: wanted.unwrap_or(index) })
            }
            Some(_) if is_ours && leaf && !client.is_active(&user) => Missing::OwnLeaf(user, None),
            Some(_) => Missing::Nothing,
        }
    }

    /// Commits what is due and one actor may bring about: the one for whom the oldest wish is.
    async fn commit_due(&self, followed: &mut Followed, due: &[&Wished]) -> Result<Next, Fault> {
        let Some((found, wish)) = due.first().map(|(found, wish)| (found, wish)) else {
            return Ok(Next::Rest);
        };
        let first = self.step(followed.client()?, &(found.clone(), wish.clone()))?;
        let Some((first, secret)) = first else { return Ok(Next::Again) };
        let Some(actor) = self.actor_for(followed.client()?, wish, &first)? else {
            return self.nobody_may(followed, (found, wish)).await;
        };
        let (mut steps, mut secrets, mut subjects) =
            (vec![first], vec![secret], vec![found.subject.name().to_owned()]);
        let more = if followed.one_by_one { 0 } else { STEPS_PER_COMMIT_MAX };
        for wished in due.iter().skip(1) {
            if steps.len() > more {
                break;
            }
            if self.candidates(followed.client()?, &wished.1).first() == Some(&actor)
                && let Some((step, secret)) = self.step(followed.client()?, wished)?
            {
                steps.push(step);
                secrets.push(secret);
                subjects.push(wished.0.subject.name().to_owned());
            }
        }
        // What the actor may not do, or not together with the rest, gets a round of its own.
        while let Some((at, why)) = followed.client()?.first_denied(&actor, &steps)? {
            tracing::debug!(room = %followed.room, subject = %subjects[at], why, "not in this commit");
            if steps.len() == 1 || at == 0 {
                (steps, secrets, subjects) =
                    (steps.drain(..1).collect(), secrets.drain(..1).collect(), subjects.drain(..1).collect());
                break;
            }
            steps.remove(at);
            secrets.remove(at);
            subjects.remove(at);
        }
        let secrets = secrets.into_iter().flatten().collect();
        self.commit_steps(followed, &actor, &steps, Steps { secrets, subjects }).await
    }

    pub(super) async fn commit_steps(
        &self,
        followed: &mut Followed,
        actor: &UserUri,
        steps: &[Step],
        what: Steps,
    ) -> Result<Next, Fault> {
        tracing::debug!(room = %followed.room, %actor, steps = steps.len(), "a group is changed");
        let update = followed.client()?.commit_steps(actor, steps)?;
        followed.row.in_flight = Some(InFlight { body: update.encode(), intent: Intent::Steps(what) });
        self.store_room(followed, true, Batch::default()).await?;
        self.settle_in_flight(followed).await?;
        Ok(Next::Again)
    }

    /// The step that fulfils a wish, with the secret of the leaf that it adds.
    fn step(&self, client: &RoomClient, wished: &Wished) -> Result<Option<(Step, Option<ByteBuf>)>, Fault> {
        Ok(match self.missing(client, wished) {
            Missing::Step(step) => Some((step, None)),
            Missing::OwnLeaf(user, role) => {
                let leaf = own_leaf(&self.authority, &user, self.clock.now())?;
                let key_packages = vec![leaf.key_package];
                let step = match role {
                    Some(role) => Step::List { user, role, key_packages },
                    None => Step::Client { user, key_packages },
                };
                Some((step, Some(ByteBuf::from(leaf.secret))))
            }
            Missing::Nothing | Missing::Claim(_) | Missing::Never(_) => None,
        })
    }

    /// Who takes a step: whoever brought it about, else the service participant, else any of ours who may.
    fn actor_for(&self, client: &RoomClient, wish: &Wish, step: &Step) -> Result<Option<UserUri>, Fault> {
        for actor in self.candidates(client, wish) {
            if client.first_denied(&actor, std::slice::from_ref(step))?.is_none() {
                return Ok(Some(actor));
            }
        }
        Ok(None)
    }

    fn candidates(&self, client: &RoomClient, wish: &Wish) -> Vec<UserUri> {
        let hosted: BTreeSet<UserUri> = client.hosted_users().into_iter().collect();
        let acts_himself = wish.is_kick || !matches!(wish.target, Target::In { .. } | Target::Out);
        let service = self.networks.service();
        let himself = Some(wish.by.clone()).filter(|_| acts_himself);
        // Without a service participant any of ours brings his own people in and out; he says nothing by that.
        let substitute = hosted.iter().find(|user| **user != service).filter(|_| !hosted.contains(&service));
        let inviter = Some(wish.by.clone()).filter(|_| !acts_himself);
        let all = himself.into_iter().chain([service]).chain(inviter).chain(substitute.cloned());
        all.filter(|user| hosted.contains(user)).collect()
    }

    /// Nobody here may commit it. To leave is everybody's right, as a proposal.
    async fn nobody_may(
        &self,
        followed: &mut Followed,
        (found, wish): (&Found, &Wish),
    ) -> Result<Next, Fault> {
        if let (Subject::User(user), Target::Out, false) = (&found.subject, &wish.target, wish.is_kick)
            && followed.client()?.is_active(user)
            && self.networks.native(user).is_some()
        {
            return self.propose_unlisting(followed, user).await;
        }
        if let (Subject::User(_), Target::In { role: Some(_), leaf }) = (&found.subject, &wish.target) {
            // A role that the room gives to nobody from here: then without it.
            return self.wish_without_role(followed, (found, wish), *leaf).await;
        }
        self.refuse_wish(followed, (found, wish), "the room does not allow it").await
    }

    async fn propose_unlisting(&self, followed: &mut Followed, user: &UserUri) -> Result<Next, Fault> {
        let update = followed.client()?.propose_unlisting(user)?;
        followed.row.in_flight =
            Some(InFlight { body: update.encode(), intent: Intent::Leave(user.clone()) });
        self.store_room(followed, true, Batch::default()).await?;
        self.settle_in_flight(followed).await?;
        Ok(Next::Again)
    }

    async fn claim(
        &self,
        followed: &mut Followed,
        (found, wish): (&Found, &Wish),
        user: &UserUri,
    ) -> Result<Next, Fault> {
        let Some(requester) = self.candidates(followed.client()?, wish).into_iter().next() else {
            return self.refuse_wish(followed, (found, wish), "nobody here may invite").await;
        };
        let request = followed.client()?.key_material_request(&requester, user)?;
        followed.row.in_flight =
            Some(InFlight { body: request.encode(), intent: Intent::Claim(user.clone()) });
        self.store_room(followed, false, Batch::default()).await?;
        self.settle_in_flight(followed).await?;
        Ok(Next::Again)
    }

    /// Somebody's provider answered: add what it gave, or tell why he does not come.
    pub(crate) async fn add_to_group(
        &self,
        followed: &mut Followed,
        user: &UserUri,
        response: &KeyMaterialResponse,
    ) -> Result<(), Fault> {
        let key_packages = key_packages(response);
        if key_packages.is_empty() {
            return self.refuse_claim(followed, user, refusal(response.user_status)).await;
        }
        self.know_roots(user.domain()).await?;
        let roots = self.roots.read().await.clone();
        if let Err(fault) = RoomClient::check_key_packages(user, &key_packages, &roots, self.clock.now()) {
            return self.refuse_claim(followed, user, &fault.to_string()).await;
        }
        followed.row.in_flight = None;
        let wishes = self.wishes(&followed.room).await?;
        let subject = Subject::User(user.clone());
        let Some((_, wish)) = wishes.iter().find(|(found, _)| found.subject == subject) else {
            return self.store_room(followed, false, Batch::default()).await;
        };
        let step = Step::List { user: user.clone(), role: ORDINARY_USER, key_packages };
        let Some(actor) = self.actor_for(followed.client()?, wish, &step)? else {
            return self.refuse_claim(followed, user, "the room does not allow it").await;
        };
        let what = Steps { secrets: vec![], subjects: vec![subject.name().to_owned()] };
        Box::pin(self.commit_steps(followed, &actor, &[step], what)).await.map(drop)
    }

    /// Nobody of ours is in the room any more but the service participant: it goes too, and the room is left.
    async fn end_if_deserted(&self, followed: &mut Followed) -> Result<Next, Fault> {
        let service = self.networks.service();
        let client = followed.client()?;
        let is_deserted = !client.participants().iter().any(|user| self.networks.native(user).is_some());
        let may_go = client.is_active(&service) && !client.is_leaving(&service);
        if !is_deserted || !may_go || self.is_founder(followed).await? {
            return Ok(Next::Rest);
        }
        self.propose_unlisting(followed, &service).await
    }

    /// Whether the room is of our own making: it stays with its native conversation.
    async fn is_founder(&self, followed: &Followed) -> Result<bool, Fault> {
        for (_, id) in &followed.row.links {
            if self.group(id).await?.is_some_and(|(group, _)| group.origin == Origin::Native) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn missing_title(client: &RoomClient, name: Option<&String>, topic: Option<&String>) -> Missing {
    let now = client.title();
    let wanted = Title {
        name: name.cloned().unwrap_or_else(|| now.name.clone()),
        topic: topic.cloned().unwrap_or_else(|| now.topic.clone()),
    };
    if wanted == now { Missing::Nothing } else { Missing::Step(Step::Entitle(wanted)) }
}
