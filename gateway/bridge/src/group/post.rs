//! What somebody says in a native conversation of several people.

use mimi_content::NestedPart;
use mimi_store::{Batch, Next};
use mimi_uri::UserUri;

use super::wishes::Subject;
use crate::bridge::Core;
use crate::fault::Fault;
use crate::lane::Incoming;
use crate::rows::{Group, LinkId, Post, Stage, Target};
use crate::{translate, wording};

/// What became of an attempt to post.
enum Attempt {
    Posted,
    /// The speaker has no client in the room yet.
    NoClient,
    /// The room is not open yet.
    NotOpen,
}

impl Core {
    /// Takes a native message into the room, with its speaker's own leaf; who has none gets one first.
    pub(super) async fn group_post(
        &self,
        id: &LinkId,
        group: &Group,
        incoming: &Incoming,
        part: &NestedPart,
    ) -> Result<Next, Fault> {
        let event = &incoming.event;
        let Some(sender) = self.networks.hosted(&group.adapter, &event.from) else {
            return self.drop_event(incoming).await;
        };
        if let Some(why) = self.member(id, &event.from).await?.refused {
            return self.notify_group(id, incoming, wording::not_accepted(&why)).await;
        }
        let name = self.profile_name(&group.adapter, &event.from).await?;
        let salt = self.vault.message_salt(id.0.as_bytes(), event.id.as_str().as_bytes(), 0, 0);
        let (room, name) = (&group.room, name.as_deref());
        let outbound = translate::Outbound { sender: &sender, room, salt, name, event, part };
        let framed = match outbound.framed() {
            Ok(framed) => framed,
            Err(why) => {
                return self.notify_group(id, incoming, wording::not_accepted(&why.to_string())).await;
            }
        };
        let post = Post {
            sender: sender.clone(),
            link: id.clone(),
            native_room: incoming.lane.room.clone(),
            native_event: event.id.clone(),
            message: framed.message,
            data: framed.data,
            tag: framed.tag,
            reseals: 0,
        };
        let attempt = self
            .in_turn(room, async |followed| {
                if followed.row.stage != Stage::Joined {
                    return Ok(Attempt::NotOpen);
                }
                self.settle_in_flight(followed).await?;
                if !followed.client()?.is_active(&sender) {
                    return Ok(Attempt::NoClient);
                }
                self.seal(followed, post, vec![incoming.done()]).await?;
                Ok(Attempt::Posted)
            })
            .await?;
        match attempt {
            Some(Attempt::Posted) => {
                self.wake_room(room.clone());
                Ok(Next::Again)
            }
            Some(Attempt::NoClient) => self.want_client(id, group, incoming, sender).await,
            // A room that opens wakes this lane.
            Some(Attempt::NotOpen) | None => Ok(Next::Rest),
        }
    }

    /// The speaker is to have a client; that wakes this lane again.
    async fn want_client(
        &self,
        id: &LinkId,
        group: &Group,
        incoming: &Incoming,
        sender: UserUri,
    ) -> Result<Next, Fault> {
        let cause = self.cause(id, group, incoming, false);
        let target = Target::In { role: None, leaf: true };
        let wish = self.wish(&group.room, &Subject::User(sender), target, &cause).await?;
        self.store.record(Batch { rows: vec![wish], ..Batch::default() }).await?;
        self.wake_room(group.room.clone());
        Ok(Next::Rest)
    }
}
