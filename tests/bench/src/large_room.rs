//! A room with many members, founded for real: one of the hub's, all others hosted by the follower.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use mimi_client::{GroupFounding, RoomClient, Step, Title, own_leaf};
use mimi_room_policy::template::ORDINARY_USER;
use mimi_store::{EventKind, EventLimit, Seq, Store};
use mimi_store_sqlite::SqliteStore;
use mimi_uri::{RoomUri, UserUri};
use mimi_wire::{
    CreateRoomResponse, Endpoint, FanoutMessage, Hub, IdentityRootsDocument, UpdateRequest, UpdateVerdict,
};

use crate::database::FILE;
use crate::fault::Outcome;
use crate::founding::{HUB_KEYS, MESSAGES, ROOTS, World, path_of};
use crate::messages::Messages;
use crate::papers::Papers;
use crate::provider::now;

/// The room as the follower's gateway holds it, and its hosted users.
pub(crate) struct LargeRoom {
    pub(crate) client: RoomClient,
    pub(crate) users: Vec<UserUri>,
    pub(crate) room: RoomUri,
    /// The room as its founder at the hub holds it.
    pub(crate) service: RoomClient,
    pub(crate) founder: UserUri,
}

/// Founds the room in the hub's database in `directory`, and makes commits of its hosted users, each for the epoch
/// that the one before begins.
pub(crate) async fn found_with_commits(
    papers: &Papers,
    directory: &Path,
    members: usize,
    commits: usize,
) -> Outcome<()> {
    let store = Arc::new(SqliteStore::open(directory.join(FILE)).await?);
    let world = World::start(papers, Arc::clone(&store) as _).await?;
    world.alices.keep(&directory.join(HUB_KEYS))?;
    let roots = world.hub.server.hub().identity_roots(&world.bobs.domain).await?;
    fs::write(directory.join(ROOTS), IdentityRootsDocument { roots }.encode())?;
    let mut large = found(&world, &*store, members - 1, members).await?;
    let mut requests = Messages::create(&directory.join(MESSAGES))?;
    let path = path_of(Endpoint::Update, &large.room)?;
    for number in 0..commits {
        // Far from each other in the tree, as people are.
        let committer = large.users[number * 37 % large.users.len()].clone();
        let update = large.client.commit_steps(&committer, &[])?;
        large.client.confirm()?;
        requests.push(&path, &update.encode())?;
    }
    requests.finish()?;
    world.stop().await?;
    store.close().await;
    Ok(())
}

/// Founds the room at the hub and brings users of the follower into it, in one commit: so many with a client, and so many
/// more on the list that it has `people` with its founder.
pub(crate) async fn found(
    world: &World,
    store: &dyn Store,
    hosted: usize,
    people: usize,
) -> Outcome<LargeRoom> {
    let room = RoomUri::new(&world.alices.domain, &["large"])?;
    let founder = world.alices.user("_drawbridge")?;
    let founding = GroupFounding {
        room: &room,
        service: &founder,
        title: &Title { name: "Large".to_owned(), topic: String::new() },
        agents: &world.alices.agents()?,
        authority: &world.alices.authority,
        now: now(),
    };
    let (mut service, request) = RoomClient::found_group(&founding)?;
    let hub: Arc<dyn Hub> = world.hub.server.hub();
    if let CreateRoomResponse::Refused(why) = hub.create_room(request).await? {
        return Err(format!("the hub refuses to found a room: {why}").into());
    }
    let (mut users, mut steps, mut secrets) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..hosted {
        let user = world.bobs.user(&format!("member-{number}"))?;
        let leaf = own_leaf(&world.bobs.authority, &user, now())?;
        let key_packages = vec![leaf.key_package];
        steps.push(Step::List { user: user.clone(), role: ORDINARY_USER, key_packages });
        secrets.push(leaf.secret);
        users.push(user);
    }
    for number in hosted + 1..people {
        let user = world.bobs.user(&format!("listed-{number}"))?;
        steps.push(Step::List { user, role: ORDINARY_USER, key_packages: vec![] });
    }
    let update = service.commit_steps(&founder, &steps)?;
    commit(&*hub, &room, &update).await?;
    service.confirm()?;
    let client = RoomClient::join(&room, &welcome(store, &room).await?, &secrets)?;
    Ok(LargeRoom { client, users, room, service, founder })
}

async fn commit(hub: &dyn Hub, room: &RoomUri, update: &UpdateRequest) -> Outcome<()> {
    match hub.update(room, update).await?.verdict {
        UpdateVerdict::Success { .. } => Ok(()),
        refused => Err(format!("the hub refuses to add the members: {refused:?}").into()),
    }
}

/// The Welcome as the hub has it for the follower.
async fn welcome(store: &dyn Store, room: &RoomUri) -> Outcome<FanoutMessage> {
    let all = EventLimit { count: usize::MAX, bytes: usize::MAX };
    let events = store.events(room, Seq::FIRST, all).await?;
    let welcome = events.iter().find(|event| event.kind == EventKind::Welcome);
    Ok(FanoutMessage::decode(&welcome.ok_or("the hub has no Welcome for the members")?.bytes)?)
}
