use mimi_content::NestedPart;
use mimi_uri::UserUri;

use super::{NativePerson, RecordingHost};
use crate::{
    Addresses, Delivery, Guarantees, NativeBody, NativeRoomId, NativeUserId, OpId, Operation, Outcome,
    Prepared, PuppetProfile, Session, Speaker,
};

/// Everything a check stands on.
pub struct Stage<'a> {
    /// The open session.
    pub session: &'a dyn Session,
    /// The host it was opened with.
    pub host: &'a RecordingHost,
    /// How the network names people.
    pub addresses: &'a dyn Addresses,
    /// What the adapter promises.
    pub guarantee: Guarantees,
    /// Somebody at the network.
    pub person: &'a dyn NativePerson,
    /// The MIMI user whose puppet he meets.
    pub user: UserUri,
}

/// What an adapter did that it must not do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Violation(String);

/// Goes through all checks, in one direct chat that the person opens.
pub async fn run(stage: &Stage<'_>) -> Result<(), Violation> {
    let room = a_direct_chat_is_announced(stage).await?;
    what_a_person_says_comes_in(stage, &room).await?;
    a_post_reaches_the_person(stage, &room).await?;
    a_notice_reaches_the_person(stage, &room).await?;
    a_repeated_operation_has_one_effect(stage, &room).await?;
    events_the_host_refused_come_again(stage, &room).await
}

/// A puppet that is made can be asked into a direct chat, and comes.
pub async fn a_direct_chat_is_announced(stage: &Stage<'_>) -> Result<NativeRoomId, Violation> {
    let puppet = stage.puppet()?;
    let profile = PuppetProfile { user: stage.user.clone(), display_name: Some("Bob".to_owned()) };
    stage.done("ensure-puppet", None, Operation::EnsurePuppet(profile)).await?;

    let room = stage.person.open_direct(&puppet).await;
    let invite = stage
        .host
        .event(|event| event.lane == room && matches!(event.body, NativeBody::DirectInvite { .. }))
        .await;
    check(invite.from == stage.person.user(), "a direct chat is opened by the person who opens it")?;
    check(invite.body == NativeBody::DirectInvite { puppet }, "a direct chat names the puppet it is for")?;

    let accept = Operation::AcceptInvite { puppet: stage.user.clone() };
    stage.done("accept", Some(&room), accept.clone()).await?;
    stage.done("accept", Some(&room), accept).await?;
    Ok(room)
}

/// Texts come in as they were said: long, of several lines, of any script; in order, and once.
pub async fn what_a_person_says_comes_in(stage: &Stage<'_>, room: &NativeRoomId) -> Result<(), Violation> {
    let texts = ["hi", "two\nlines", "👩‍👩‍👧 שלום \u{202e}txet", " <b>&amp; ", &"long ".repeat(12_000)];
    for text in texts {
        stage.person.say(room, text).await;
    }

    let last = NestedPart::plain(texts[texts.len() - 1]);
    stage.host.event(|event| event.body == NativeBody::Post(last.clone())).await;
    let posts: Vec<_> = stage
        .host
        .events()
        .into_iter()
        .filter(|event| event.lane == *room && event.from == stage.person.user())
        .filter_map(|event| match event.body {
            NativeBody::Post(part) => Some(part),
            _ => None,
        })
        .collect();
    let wanted = texts.map(NestedPart::plain);
    check(posts == wanted, "every text comes in as it was said, in order, and once")
}

/// A text that is posted is heard as it is.
pub async fn a_post_reaches_the_person(stage: &Stage<'_>, room: &NativeRoomId) -> Result<(), Violation> {
    let text = "two\nlines, 👩‍👩‍👧 and שלום <b>&amp;";
    stage.done("post", Some(room), Operation::Post(Prepared::text(text))).await?;

    let heard = stage.person.hears(room, text).await;
    check(heard.iter().filter(|each| *each == text).count() == 1, "a post is heard once")
}

/// A notice is heard too.
pub async fn a_notice_reaches_the_person(stage: &Stage<'_>, room: &NativeRoomId) -> Result<(), Violation> {
    let text = "Bob cannot be reached";
    stage.done("notice", Some(room), Operation::Notice(text.to_owned())).await?;

    stage.person.hears(room, text).await;
    Ok(())
}

/// The same operation under the same id is seen once, unless the adapter says that it cannot promise that.
pub async fn a_repeated_operation_has_one_effect(
    stage: &Stage<'_>,
    room: &NativeRoomId,
) -> Result<(), Violation> {
    if stage.guarantee.outbound == crate::Guarantee::AtLeastOnce {
        return Ok(());
    }
    let said = Operation::Post(Prepared::text("only once"));
    let first = stage.done("repeated", Some(room), said.clone()).await?;
    let second = stage.done("repeated", Some(room), said).await?;
    stage.done("after", Some(room), Operation::Post(Prepared::text("afterwards"))).await?;

    let heard = stage.person.hears(room, "afterwards").await;
    check(heard.iter().filter(|each| *each == "only once").count() == 1, "a repeated post is heard once")?;
    check(first == second, "a repeated operation is answered the same")
}

/// What was not durable was not acknowledged: it comes again, before what was said after it, and is stored once.
pub async fn events_the_host_refused_come_again(
    stage: &Stage<'_>,
    room: &NativeRoomId,
) -> Result<(), Violation> {
    let refused_before = stage.host.refused();
    stage.host.refuse_next(1);
    stage.person.say(room, "not lost").await;
    stage.person.say(room, "said later").await;

    let [not_lost, said_later] =
        ["not lost", "said later"].map(|text| NativeBody::Post(NestedPart::plain(text)));
    stage.host.event(|event| event.body == said_later).await;
    let bodies: Vec<_> = stage.host.events().into_iter().map(|event| event.body).collect();
    let order: Vec<_> = bodies.iter().filter(|body| [&not_lost, &said_later].contains(body)).collect();
    check(stage.host.refused() == refused_before + 1, "the first attempt was refused")?;
    check(order == [&not_lost, &said_later], "what was refused comes again, in its place, and once")
}

impl Stage<'_> {
    fn puppet(&self) -> Result<NativeUserId, Violation> {
        self.addresses.puppet(&self.user).map_err(|why| Violation(why.to_string()))
    }

    /// Delivers under an id of this run, and wants it done.
    async fn done(
        &self,
        op_id: &str,
        room: Option<&NativeRoomId>,
        operation: Operation,
    ) -> Result<Outcome, Violation> {
        let delivery = Delivery {
            op_id: OpId::new(format!("conformance-{op_id}")),
            attempt: 0,
            room: room.cloned(),
            speaker: Speaker::Puppet(self.user.clone()),
            operation,
        };
        match self.session.deliver(delivery).await {
            done @ Outcome::Done { .. } => Ok(done),
            other => Err(Violation(format!("{op_id} ended as {other:?}"))),
        }
    }
}

fn check(holds: bool, rule: &str) -> Result<(), Violation> {
    if holds { Ok(()) } else { Err(Violation(format!("violated: {rule}"))) }
}
