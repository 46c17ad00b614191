//! Posting as a hosted user: sealed and stored in one commit, then submitted until the hub answers.

use mimi_content::NestedPart;
use mimi_store::{Batch, Next, Row, RowChange, fail_point};
use mimi_uri::RoomUri;

use super::Followed;
use crate::bridge::Core;
use crate::delivery::put_link;
use crate::fault::Fault;
use crate::lane::Incoming;
use crate::limits::ROOM_CHANGE_IDLE;
use crate::progress::MessageState;
use crate::rows::{
    self, EVENT, EventRow, InFlight, Intent, Key, Link, LinkId, MESSAGE, MessageRow, Post, Stage,
};
use crate::{translate, wording};

impl Core {
    /// Takes a native message into the room that the link posts to.
    pub(crate) async fn post(
        &self,
        id: &LinkId,
        (link, row): (Link, Row),
        incoming: &Incoming,
        part: &NestedPart,
    ) -> Result<Next, Fault> {
        let Some(room) = self.posting_room(id, link.clone(), &row).await? else { return Ok(Next::Rest) };
        let name = self.name_of(&link).await?;
        let event = &incoming.event;
        let salt = self.vault.message_salt(id.0.as_bytes(), event.id.as_str().as_bytes(), 0, 0);
        let (sender, name) = (&link.hosted, name.as_deref());
        let framed = match (translate::Outbound { sender, room: &room, salt, name, event, part }).framed() {
            Ok(framed) => framed,
            Err(why) => {
                return self.answer(id, &link, incoming, &wording::not_accepted(&why.to_string())).await;
            }
        };
        let post = Post {
            sender: link.hosted.clone(),
            link: id.clone(),
            native_room: incoming.lane.room.clone(),
            native_event: event.id.clone(),
            message: framed.message,
            data: framed.data,
            tag: framed.tag,
            reseals: 0,
        };
        let posted = self
            .in_turn(&room, async |followed| {
                if followed.row.stage != Stage::Joined {
                    return Ok(false);
                }
                self.settle_in_flight(followed).await?;
                self.seal(followed, post, vec![incoming.done()]).await?;
                Ok(true)
            })
            .await?;
        // A room that is still being opened wakes this lane when it is open.
        if posted != Some(true) {
            return Ok(Next::Rest);
        }
        self.last_posts.touch(id);
        self.wake_room(room);
        Ok(Next::Again)
    }

    /// The pair's room with the smallest URI, once nothing of ours may still be on its way through another.
    async fn posting_room(&self, id: &LinkId, mut link: Link, row: &Row) -> Result<Option<RoomUri>, Fault> {
        if link.posting != link.rooms.first().cloned() && self.last_posts.is_idle(id, ROOM_CHANGE_IDLE) {
            link.posting = link.rooms.first().cloned();
            self.store.record(Batch { rows: vec![put_link(id, &link, row)], ..Batch::default() }).await?;
        }
        Ok(link.posting)
    }

    /// Seals a message with the sender's leaf and makes it durable before anybody sees it.
    pub(crate) async fn seal(
        &self,
        followed: &mut Followed,
        post: Post,
        mut changes: Vec<RowChange>,
    ) -> Result<(), Fault> {
        let request = followed.client()?.seal(&post.sender, &post.data, &post.tag)?;
        let native =
            crate::intake::Lane { adapter: self.adapter_of(&post).await?, room: post.native_room.clone() };
        changes.push(RowChange::Put {
            kind: EVENT,
            key: native.event_key(post.native_event.as_str()),
            expected: None,
            bytes: rows::encode(&EventRow::Posted { room: followed.room.clone(), message: post.message }),
        });
        changes.push(post.state(MessageState::Sealed));
        followed.row.in_flight = Some(InFlight { body: request.encode(), intent: Intent::Post(post) });
        fail_point("post.sealed");
        self.store_room(followed, false, Batch { rows: changes, ..Batch::default() }).await?;
        fail_point("post.in_flight");
        Ok(())
    }

    async fn adapter_of(&self, post: &Post) -> Result<String, Fault> {
        if let Some((link, _)) = self.link(&post.link).await? {
            return Ok(link.adapter);
        }
        let group = self.group(&post.link).await?;
        group
            .map(|(group, _)| group.adapter)
            .ok_or_else(|| Fault::Group("the post's link is gone".to_owned()))
    }

    /// The room moved on before the message arrived: same content, same salt, same id, sealed anew.
    pub(super) async fn reseal(
        &self,
        followed: &mut Followed,
        mut post: Post,
        not_allowed: bool,
    ) -> Result<(), Fault> {
        let before = followed.client()?.epoch();
        self.follow_log(followed).await?;
        if followed.client()?.needs_resync() {
            self.rejoin(followed).await?;
        }
        if not_allowed && followed.client()?.epoch() == before || !followed.client()?.is_active(&post.sender)
        {
            return self.give_up_post(followed, &post).await;
        }
        if followed.client()?.epoch() == before {
            // The hub is ahead of what reached us; the message stays in flight, as it was, until the news arrives.
            return Err(Fault::Unreachable("the room's newest commit has not arrived yet".to_owned()));
        }
        post.reseals += 1;
        self.seal(followed, post, vec![]).await
    }
}

impl Post {
    /// The change that notes how far it has come.
    pub(super) fn state(&self, state: MessageState) -> RowChange {
        RowChange::Put {
            kind: MESSAGE,
            key: Key::of(&self.link.0).and(&self.message).bytes(),
            expected: None,
            bytes: rows::encode(&MessageRow { event: Some(self.native_event.clone()), state: Some(state) }),
        }
    }
}
