use std::slice;

use mimi_adapter::{NativeBody, NativeEvent};
use ruma::api::Direction;
use ruma::api::client::context::get_context;
use ruma::api::client::filter::LazyLoadOptions;
use ruma::api::client::message::get_message_events;
use ruma::api::client::state::get_state_event_for_key::{self, v3::StateEventFormat};
use ruma::events::room::history_visibility::HistoryVisibility;
use ruma::events::room::member::MembershipState;
use ruma::events::{AnyTimelineEvent, StateEventType};
use ruma::serde::Raw;
use ruma::{EventId, MilliSecondsSinceUnixEpoch, OwnedEventId, OwnedUserId, RoomId, UInt, UserId, uint};
use serde::Deserialize;

use crate::arrival::NotTaken;
use crate::forgotten::time_ms;
use crate::homeserver::{Acting, CallFault, if_allowed};
use crate::limits::{MEMBERSHIPS_MAX, MISSED_PAGES_MAX, PAGE_EVENTS_MAX};
use crate::session::Link;
use crate::translate::{Translation, translate};

/// What is read of a room: what `translate` knows, and who may see what.
const KINDS: [&str; 4] = ["m.room.message", "m.room.encrypted", "m.room.member", VISIBILITY];
const VISIBILITY: &str = "m.room.history_visibility";

const HIDDEN: &str =
    "what was said in this chat before the other side joined is hidden from it by the room's settings";
const TOO_MUCH: &str = "more was said in this chat before the other side joined than can be fetched";

/// What was said in a room since a puppet was invited, as the puppet sees it now.
pub(crate) struct Missed<'a> {
    pub(crate) link: &'a Link,
    pub(crate) room: &'a RoomId,
    pub(crate) puppet: &'a UserId,
}

/// Where what was said since a time begins, for somebody of ours.
pub(crate) enum Since {
    /// Nothing was said since.
    Nothing,
    /// Just behind this place.
    Place(String),
    /// He is not in the room.
    Outside,
}

/// Where a puppet's present stay begins, invitation included.
struct Stay {
    /// Its first event that the puppet may see: its invitation, or else its join.
    first: Change,
    /// The place in the room just after that.
    after: String,
    /// Whether there was an invitation that it may not see.
    is_hidden: bool,
    /// Whether, when it joined, the room hid from newcomers what was said before.
    ends_hidden: bool,
    /// Its newest event.
    newest: OwnedEventId,
}

/// A state event: a membership of the puppet, or how much of its history the room shows.
#[derive(Deserialize)]
struct Change {
    event_id: OwnedEventId,
    sender: OwnedUserId,
    origin_server_ts: MilliSecondsSinceUnixEpoch,
    content: Content,
    #[serde(default)]
    unsigned: Unsigned,
}

#[derive(Default, Deserialize)]
struct Unsigned {
    prev_content: Option<Content>,
    replaces_state: Option<OwnedEventId>,
}

#[derive(Deserialize)]
struct Content {
    membership: Option<MembershipState>,
    history_visibility: Option<HistoryVisibility>,
}

/// A membership event where it stands in its room.
struct Step {
    change: Change,
    after: String,
    /// Whether the room hid from newcomers then what was said before.
    hides: bool,
}

impl Missed<'_> {
    /// Hands all of it to the host, page by page, up to the present. `false` if the puppet is not in the room.
    ///
    /// It goes on behind the join: what was said while the puppet was joining may stand on either side of it, and to
    /// hand over an event twice does no harm.
    pub(crate) async fn ingest(&self) -> Result<bool, NotTaken> {
        let Some(stay) = self.stay().await? else { return Ok(false) };
        if stay.is_hidden {
            let gap = self.gap(&stay.first, &stay.first.event_id, HIDDEN);
            self.link.hand_over(Translation { events: vec![gap], ..Translation::default() }).await?;
        }
        let mut has_come = stay.is_hidden;
        let mut from = stay.after.clone();
        for _ in 0..MISSED_PAGES_MAX {
            let page = self.page(&from).await?;
            self.link.hand_over(self.translation(&page.chunk, &stay, &mut has_come)).await?;
            match page.end {
                Some(end) if end != from => from = end,
                Some(_) | None => return Ok(true),
            }
        }
        if !has_come {
            let gap = self.gap(&stay.first, &stay.newest, TOO_MUCH);
            self.link.hand_over(Translation { events: vec![gap], ..Translation::default() }).await?;
        }
        Ok(true)
    }

    /// Where the things of some kinds begin that were said since a time, and in the puppet's present stay.
    pub(crate) async fn since(&self, time: u64, kinds: &[&str]) -> Result<Since, CallFault> {
        let is_since = |event: &Raw<AnyTimelineEvent>| time_ms(event).is_some_and(|at| at >= time);
        let Some(mut page) = self.page_before(None, kinds).await? else { return Ok(Since::Outside) };
        if !page.chunk.first().is_some_and(is_since) {
            return Ok(Since::Nothing);
        }
        let Some(stay) = self.stay().await? else { return Ok(Since::Outside) };
        if u64::from(stay.first.origin_server_ts.get()) >= time {
            return Ok(Since::Place(stay.after));
        }
        let mut from = None;
        while let Some(end) = page.end.filter(|end| from.as_ref() != Some(end)) {
            if !page.chunk.last().is_some_and(is_since) {
                return Ok(Since::Place(end));
            }
            let Some(before) = self.page_before(Some(end.clone()), kinds).await? else {
                return Ok(Since::Outside);
            };
            (page, from) = (before, Some(end));
        }
        Ok(Since::Place(stay.after))
    }

    async fn page_before(
        &self,
        from: Option<String>,
        kinds: &[&str],
    ) -> Result<Option<get_message_events::v3::Response>, CallFault> {
        let request = page_request(self.room, Direction::Backward, from, kinds);
        if_allowed(self.link.homeserver.call(request, Acting::OnDevice(self.puppet)).await)
    }

    /// What a page says. Until the puppet `has_come` there may be stretches that are hidden from it; each is told of where
    /// it ends.
    fn translation(&self, page: &[Raw<AnyTimelineEvent>], stay: &Stay, has_come: &mut bool) -> Translation {
        let mut all = Translation::default();
        for raw in page {
            if !*has_come && let Ok(change) = raw.deserialize_as_unchecked::<Change>() {
                *has_come = self.is_join(raw, &change);
                if change.ends_hiding() || (*has_come && stay.ends_hidden) {
                    all.events.push(self.gap(&change, &change.event_id, HIDDEN));
                }
            }
            let one = translate(&self.link.names, slice::from_ref(raw));
            all.events.extend(one.events.into_iter().filter(|event| !is_invitation(event)));
            all.set_aside.extend(one.set_aside);
        }
        all
    }

    fn is_join(&self, raw: &Raw<AnyTimelineEvent>, change: &Change) -> bool {
        let is_own =
            matches!(raw.get_field::<OwnedUserId>("state_key"), Ok(Some(user)) if user == self.puppet);
        is_own && change.content.is(&MembershipState::Join)
    }

    /// Goes back from the puppet's newest membership event to the one that began its stay.
    async fn stay(&self) -> Result<Option<Stay>, CallFault> {
        let Some(newest) = self.newest().await? else { return Ok(None) };
        let Some(mut step) = self.step(newest.clone()).await? else { return Ok(None) };
        let (mut is_hidden, mut ends_hidden) = (false, false);
        for _ in 0..MEMBERSHIPS_MAX {
            if step.change.content.is(&MembershipState::Join) {
                ends_hidden = step.hides;
            }
            let Some(before) = step.change.before_in_the_same_stay() else { break };
            let Some(found) = self.step(before).await? else {
                is_hidden = true;
                break;
            };
            step = found;
        }
        Ok(Some(Stay { first: step.change, after: step.after, is_hidden, ends_hidden, newest }))
    }

    /// The puppet's newest membership event, unless it is outside of the room.
    async fn newest(&self) -> Result<Option<OwnedEventId>, CallFault> {
        #[derive(Deserialize)]
        struct Found {
            event_id: OwnedEventId,
        }

        let (room, user) = (self.room.to_owned(), self.puppet.to_string());
        let mut request = get_state_event_for_key::v3::Request::new(room, StateEventType::RoomMember, user);
        request.format = StateEventFormat::Event;
        let answer = self.link.homeserver.call(request, Acting::OnDevice(self.puppet)).await;
        let Some(found) = if_allowed(answer)? else { return Ok(None) };
        let found: Found = serde_json::from_str(found.event_or_content.get())
            .map_err(|error| CallFault::Unreadable(error.to_string()))?;
        Ok(Some(found.event_id))
    }

    /// A membership event of the puppet, if the puppet may see it.
    async fn step(&self, event: OwnedEventId) -> Result<Option<Step>, CallFault> {
        let mut request = get_context::v3::Request::new(self.room.to_owned(), event);
        request.limit = uint!(0);
        request.filter.types = Some(vec![VISIBILITY.to_owned()]);
        request.filter.lazy_load_options = LazyLoadOptions::Enabled { include_redundant_members: false };
        let answer = self.link.homeserver.call(request, Acting::OnDevice(self.puppet)).await;
        let Some(found) = if_allowed(answer)? else { return Ok(None) };
        let (Some(event), Some(after)) = (found.event, found.end) else {
            return Err(CallFault::Unreadable("a context without its event or its place".to_owned()));
        };
        let change =
            event.deserialize_as_unchecked().map_err(|error| CallFault::Unreadable(error.to_string()))?;
        let mut visibility = found.state.iter().filter_map(|raw| raw.get_field::<Content>("content").ok()?);
        Ok(Some(Step { change, after, hides: visibility.any(|content| content.hides()) }))
    }

    async fn page(&self, from: &str) -> Result<get_message_events::v3::Response, CallFault> {
        let request = page_request(self.room, Direction::Forward, Some(from.to_owned()), &KINDS);
        self.link.homeserver.call(request, Acting::OnDevice(self.puppet)).await
    }

    /// A gap at the place of `at`, under an event id that nothing else is ingested by.
    fn gap(&self, at: &Change, id: &EventId, reason: &str) -> NativeEvent {
        NativeEvent {
            lane: self.room.as_str().into(),
            id: id.as_str().into(),
            nonce: None,
            from: at.sender.as_str().into(),
            display_name: None,
            at_ms: at.origin_server_ts.get().into(),
            body: NativeBody::Gap { reason: reason.to_owned() },
        }
    }
}

/// A page of a room's events of some kinds.
pub(crate) fn page_request(
    room: &RoomId,
    direction: Direction,
    from: Option<String>,
    kinds: &[&str],
) -> get_message_events::v3::Request {
    let mut request = get_message_events::v3::Request::new(room.to_owned(), direction);
    request.from = from;
    request.limit = UInt::from(PAGE_EVENTS_MAX);
    request.filter.types = Some(kinds.iter().map(|&kind| kind.to_owned()).collect());
    request
}

impl Change {
    /// The event before this one, if the puppet was invited or joined then already.
    fn before_in_the_same_stay(&self) -> Option<OwnedEventId> {
        let before = self.unsigned.prev_content.as_ref()?;
        let is_same = before.is(&MembershipState::Invite) || before.is(&MembershipState::Join);
        self.unsigned.replaces_state.clone().filter(|_| is_same)
    }

    /// Whether what was said just before this was hidden from newcomers, and what is said after it is not.
    fn ends_hiding(&self) -> bool {
        !self.content.hides() && self.unsigned.prev_content.as_ref().is_some_and(Content::hides)
    }
}

impl Content {
    fn is(&self, membership: &MembershipState) -> bool {
        self.membership.as_ref() == Some(membership)
    }

    fn hides(&self) -> bool {
        self.history_visibility == Some(HistoryVisibility::Joined)
    }
}

/// Invitations of puppets are pushed in any case, and only then with what tells a direct chat and its inviter's name.
fn is_invitation(event: &NativeEvent) -> bool {
    matches!(event.body, NativeBody::DirectInvite { .. })
}
