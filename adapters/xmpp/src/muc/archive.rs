//! The archive of a room (XEP-0313): what was missed, and whether something was said before.

use mimi_adapter::{NativeBody, NativeEventId, OpId, Outcome};
use xmpp_parsers::iq::Iq;
use xmpp_parsers::jid::BareJid;
use xmpp_parsers::minidom::Element;
use xmpp_parsers::ns;

use super::iq;
use super::presence::event_of;
use super::room::{CatchingUp, Lookup, Rooms};
use crate::hear::Heard;
use crate::limits::{ARCHIVE_PAGE_MAX, ARCHIVE_PAGES_BACK_MAX};
use crate::line::Answer;
use crate::link::Link;
use crate::names::on_device;
use crate::stanza::{find, fresh_id};

const PURGED: &str = "what was said in this room while Drawbridge was away is not in its archive any more";

/// Asks a room's archive. The question has the query's name, so that its answer is known.
pub(super) fn question(who: &BareJid, room: &BareJid, query: &str, payload: Element) -> Iq {
    let (from, to) = (Some(on_device(who)), Some(room.clone().into()));
    Iq::Set { from, to, id: query.to_owned(), payload }
}

impl Link {
    /// A message out of an archive.
    pub(super) fn hear_archived(&self, room: &BareJid, result: &Element) -> Heard {
        let (Some(id), Some(query)) = (result.attr("id"), result.attr("queryid")) else {
            return Heard::default();
        };
        let Some(forwarded) = result.get_child("forwarded", ns::FORWARD) else { return Heard::default() };
        if self.questions.found(query, || lookup_of(id, forwarded)) {
            return Heard::default();
        }
        let heard = self.rooms.with(room, |state| {
            if state.catching_up.as_ref().is_none_or(|catching_up| catching_up.query != query) {
                return Heard::default();
            }
            state.last = Some(id.to_owned());
            let event = self.archived_event(state, room, (id, forwarded));
            Heard {
                events: event.into_iter().collect(),
                mark: Some((room.to_string(), Rooms::note(state))),
                ..Heard::default()
            }
        });
        heard.unwrap_or_default()
    }

    /// The end of a page of what was missed: then the next one, or what was heard meanwhile.
    pub(super) fn hear_archive_end(&self, query: &str, answer: &Answer) -> Option<Heard> {
        self.rooms.all().into_iter().find_map(|room| {
            let heard = self.rooms.with(&room, |state| {
                let catching_up = state.catching_up.take_if(|catching_up| catching_up.query == query)?;
                let mut heard = Heard::default();
                match (answer, &state.listener) {
                    (Ok(Some(end)), Some(listener)) if !is_complete(end) => {
                        let query = fresh_id();
                        let asked =
                            iq::archive(&query, state.last.as_deref().unwrap_or_default(), ARCHIVE_PAGE_MAX);
                        heard.now.push(question(listener, &room, &query, asked).into());
                        state.catching_up = Some(CatchingUp { query, held: catching_up.held });
                        return Some(heard);
                    }
                    (Err(error), _) => {
                        tracing::warn!(%room, ?error, "the archive cannot be read");
                        let body = NativeBody::Gap { reason: PURGED.to_owned() };
                        heard.events.push(event_of(state, &room, self.names.service().as_str().into(), body));
                    }
                    (Ok(_), _) => {}
                }
                catching_up.held.into_iter().for_each(|held| heard.append(held));
                Some(heard)
            });
            heard.flatten()
        })
    }

    /// Notes where the archive stands, so that from now on nothing is missed.
    pub(super) async fn know_place_in_archive(&self, room: &BareJid, who: &BareJid) -> Result<(), Outcome> {
        if self.rooms.with(room, |room| room.last.is_some()) == Some(true) {
            return Ok(());
        }
        let newest = self.look_up(room, who, None, 1).await?;
        // Of an empty archive, and of none, the beginning.
        let last = newest.last().map_or_else(String::new, |found| found.id.clone());
        let note = self.rooms.known(room, |room| {
            room.last.get_or_insert(last);
            Rooms::note(room)
        });
        let kept = self.host.keep(room.as_str(), Some(&note)).await;
        kept.map_err(|fault| Outcome::Broken { why: fault.to_string() })
    }

    /// The event that an operation became, if it did.
    pub(super) async fn said_before(
        &self,
        room: &BareJid,
        who: &BareJid,
        op_id: &OpId,
    ) -> Result<Option<NativeEventId>, Outcome> {
        let mut before: Option<String> = None;
        for _ in 0..ARCHIVE_PAGES_BACK_MAX {
            let page = self.look_up(room, who, before.as_deref(), ARCHIVE_PAGE_MAX).await?;
            if let Some(found) = page.iter().find(|found| found.said_as.iter().any(|id| id == op_id.as_str()))
            {
                return Ok(Some(found.id.as_str().into()));
            }
            match page.first() {
                Some(first) => before = Some(first.id.clone()),
                None => break,
            }
        }
        Ok(None)
    }

    /// A page of the archive, the last one or the one before a message; nothing where there is no archive.
    async fn look_up(
        &self,
        room: &BareJid,
        who: &BareJid,
        before: Option<&str>,
        count: usize,
    ) -> Result<Vec<Lookup>, Outcome> {
        let query = fresh_id();
        self.questions.look_up(&query);
        let asked =
            self.line.ask(question(who, room, &query, iq::archive_before(&query, before, count))).await;
        let found = self.questions.looked_up(&query);
        match asked? {
            Ok(_) => Ok(found),
            Err(error) => {
                tracing::debug!(%room, ?error, "no archive");
                Ok(vec![])
            }
        }
    }
}

/// By what a message of the archive can be known as one of ours.
fn lookup_of(id: &str, forwarded: &Element) -> Lookup {
    let message = forwarded.children().find(|child| child.name() == "message");
    let own = message.and_then(|message| message.attr("id")).map(str::to_owned);
    let payloads: Vec<Element> =
        message.map(|message| message.children().cloned().collect()).unwrap_or_default();
    let origin =
        find(&payloads, "origin-id", ns::SID).and_then(|origin| origin.attr("id")).map(str::to_owned);
    Lookup { id: id.to_owned(), said_as: own.into_iter().chain(origin).collect() }
}

fn is_complete(end: &Element) -> bool {
    matches!(end.attr("complete"), Some("true" | "1"))
}
