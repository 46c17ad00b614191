//! A provider whose certificate is good and whose word is not.
//!
//! It runs the product, so that it takes part in rooms and hosts some. Around it stands [`Liar`], which answers what it
//! likes, and tells others what it likes: in its own name, in somebody else's, again, in another order, about rooms that are not its own.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use mimi_store::{EventLimit, RoomRole, Seq, Store};
use mimi_transport::{Outbound, Peers};
use mimi_uri::{Domain, RoomUri};
use mimi_wire::{Endpoint, Route, decode_path_value};

use crate::dice::Dice;
use crate::disk::Disk;
use crate::network::Wire;
use crate::papers::{Papers, two_faced};
use crate::plan::LIAR;
use crate::trace::Trace;

/// Requests that were heard and may be told again elsewhere; old ones are forgotten.
const HEARD_MAX: usize = 32;

/// The longest body that is heard.
const BODY_MAX: usize = 1 << 20;

/// What a provider lies with. Clones share what was heard.
#[derive(Clone)]
pub(crate) struct Liar(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    honest: Vec<&'static str>,
    trace: Trace,
}

struct State {
    dice: Dice,
    heard: Vec<(Endpoint, String, Bytes)>,
}

/// How a request is answered.
#[derive(Debug, Clone, Copy)]
enum Mood {
    Honest,
    SaysYesAndForgets,
    SaysNonsense,
    DoesItAndSaysNonsense,
    IsBusy,
    Refuses(u16),
    SaysNothing,
}

impl Liar {
    pub(crate) fn new(dice: Dice, honest: Vec<&'static str>, trace: Trace) -> Self {
        let state = Mutex::new(State { dice, heard: vec![] });
        Self(Arc::new(Inner { state, honest, trace }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The product's endpoints, answered as it likes.
    pub(crate) fn around(&self, router: Router) -> Router {
        let liar = self.clone();
        router.layer(from_fn(move |request: Request, next: Next| {
            let liar = liar.clone();
            async move { liar.answer(request, next).await }
        }))
    }

    async fn answer(&self, request: Request, next: Next) -> Response {
        let Some(endpoint) = Route::parse(request.uri().path()).map(|route| route.endpoint) else {
            return next.run(request).await;
        };
        let value = Route::parse(request.uri().path()).and_then(|route| decode_path_value(route.value?).ok());
        let (parts, body) = request.into_parts();
        let Ok(body) = to_bytes(body, BODY_MAX).await else { return StatusCode::BAD_REQUEST.into_response() };
        if let Some(value) = value {
            self.hear(endpoint, value, body.clone());
        }
        let mood = self.mood();
        self.0.trace.note(LIAR, &format_args!("is asked {} and {mood:?}", endpoint.name()));
        let request = Request::from_parts(parts, Body::from(body));
        match mood {
            Mood::Honest => next.run(request).await,
            Mood::SaysYesAndForgets => StatusCode::CREATED.into_response(),
            Mood::SaysNonsense => vec![0x5a; 40].into_response(),
            Mood::DoesItAndSaysNonsense => {
                next.run(request).await;
                vec![0xff; 3].into_response()
            }
            Mood::IsBusy => (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "2")]).into_response(),
            Mood::Refuses(status) => StatusCode::from_u16(status).unwrap_or_default().into_response(),
            Mood::SaysNothing => {
                tokio::time::sleep(Duration::from_secs(40)).await;
                StatusCode::CREATED.into_response()
            }
        }
    }

    fn mood(&self) -> Mood {
        let dice = &mut self.state().dice;
        match dice.below(14) {
            0 => Mood::SaysYesAndForgets,
            1 => Mood::SaysNonsense,
            2 => Mood::DoesItAndSaysNonsense,
            3 => Mood::IsBusy,
            4 => Mood::Refuses([400, 403, 404, 413, 422, 500][dice.below(6)]),
            5 => Mood::SaysNothing,
            _ => Mood::Honest,
        }
    }

    fn hear(&self, endpoint: Endpoint, value: String, body: Bytes) {
        let heard = &mut self.state().heard;
        heard.push((endpoint, value, body));
        if heard.len() > HEARD_MAX {
            heard.remove(0);
        }
    }

    /// Tells others things, until it is switched off.
    pub(crate) async fn lie(self, disk: Disk, peers: Peers) -> Result<(), String> {
        let papers = Papers::of(LIAR);
        let own =
            Outbound::through(Arc::new(Wire), &papers.certificate, papers.domain.clone(), peers.clone());
        let own = own.map_err(|fault| fault.to_string())?;
        let (name, certificate) = two_faced();
        let false_name = Outbound::through(Arc::new(Wire), certificate, name.clone(), peers);
        let false_name = false_name.map_err(|fault| fault.to_string())?;
        loop {
            let pause = self.state().dice.millis(100..=900);
            tokio::time::sleep(pause).await;
            let Some((endpoint, value, body)) = self.invent(&disk).await else { continue };
            let (to, in_false_name) = {
                let dice = &mut self.state().dice;
                (self.0.honest[dice.below(self.0.honest.len())], dice.percent(20))
            };
            let Ok(to) = Domain::parse(to) else { continue };
            let outbound = if in_false_name { &false_name } else { &own };
            let answer = outbound.send(&to, endpoint, &value, body).await;
            let status = answer.map(|answer| answer.status.as_u16()).unwrap_or_default();
            let as_whom = if in_false_name { name.as_str() } else { LIAR };
            let what = endpoint.name();
            self.0.trace.note(LIAR, &format_args!("tells {to} as {as_whom} {what}: {status}"));
        }
    }

    /// Something to tell: what it heard, again and elsewhere; a piece of a log of its own; or nonsense.
    async fn invent(&self, disk: &Disk) -> Option<(Endpoint, String, Bytes)> {
        let draw = self.state().dice.below(10);
        let room = self.some_room(disk).await?;
        match draw {
            0 => Some((Endpoint::Notify, room.to_string(), Bytes::from_static(b"\x00nonsense"))),
            1..=3 => {
                let state = &mut *self.state();
                let at = state.dice.below(state.heard.len().max(1));
                state.heard.get(at).cloned()
            }
            _ => {
                let pieces = self.pieces(disk, &room).await;
                let is_elsewhere = self.state().dice.percent(25);
                let about = if is_elsewhere { self.other_room(&room) } else { None };
                Some((Endpoint::Notify, about.unwrap_or(room).to_string(), Bytes::from(pieces)))
            }
        }
    }

    async fn some_room(&self, disk: &Disk) -> Option<RoomUri> {
        let role = if self.state().dice.percent(70) { RoomRole::Hub } else { RoomRole::Follower };
        let rooms = disk.look().rooms(Some(role)).await.ok()?;
        let dice = &mut self.state().dice;
        (!rooms.is_empty()).then(|| rooms[dice.below(rooms.len())].clone())
    }

    /// A room of the same name somewhere else.
    fn other_room(&self, room: &RoomUri) -> Option<RoomUri> {
        let dice = &mut self.state().dice;
        let domain = Domain::parse(self.0.honest[dice.below(self.0.honest.len())]).ok()?;
        RoomUri::new(&domain, &[room.path()]).ok()
    }

    /// Events of a room's log: some of them, some twice, in some order.
    async fn pieces(&self, disk: &Disk, room: &RoomUri) -> Vec<u8> {
        let all = EventLimit { count: usize::MAX, bytes: usize::MAX };
        let mut events = disk.look().events(room, Seq::FIRST, all).await.unwrap_or_default();
        let dice = &mut self.state().dice;
        events.retain(|_| dice.percent(60));
        if dice.percent(30) {
            events.reverse();
        }
        if dice.percent(30) {
            events.extend_from_within(..);
        }
        events.iter().flat_map(|event| event.bytes.iter().copied()).collect()
    }
}
