//! A homeserver of one room, for tests: just what is asked of it while a puppet joins.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub(crate) const ALICE: &str = "@alice:a.example";
pub(crate) const PUPPET: &str = "@_mimi_bob=40b.example:a.example";
pub(crate) const ROOM: &str = "!r:a.example";

/// How many events it tells at once backwards: so few that there is more than one page of a handful.
const PAGE_BEFORE: usize = 2;

#[derive(Debug, Default)]
pub(crate) struct FakeHomeserver {
    /// What was said and done in the room; a place is an index into it.
    pub(crate) timeline: Vec<Value>,
    /// The puppet's newest membership event, if it is there.
    pub(crate) newest: Option<usize>,
    /// Whether the room lets nobody in.
    pub(crate) is_closed: bool,
    /// Whether nothing can be read of what was said.
    pub(crate) is_broken: bool,
    /// The account data of the bot: its marks.
    pub(crate) kept: Option<Value>,
    /// And the room of its probes.
    pub(crate) probe_room: Option<Value>,
    /// What was asked, in short.
    pub(crate) asked: Vec<&'static str>,
}

pub(crate) type Shared = Arc<Mutex<FakeHomeserver>>;

impl FakeHomeserver {
    /// Answers on a port of its own for as long as the test runs.
    pub(crate) async fn start(self) -> (SocketAddr, Shared) {
        let shared = Arc::new(Mutex::new(self));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await });
        (address, shared)
    }

    fn answer(&mut self, request: &str, from: &Place, body: &[u8]) -> Result<Value, StatusCode> {
        let (what, answer) = if request.contains("/register") {
            ("register", Ok(json!({ "user_id": PUPPET })))
        } else if request.contains("/devices/") {
            ("device", Ok(json!({})))
        } else if request.starts_with("PUT") && request.contains("/account_data/drawbridge.probe") {
            self.probe_room = Some(serde_json::from_slice(body).unwrap());
            ("keep probe", Ok(json!({})))
        } else if request.contains("/account_data/drawbridge.probe") {
            ("probe room", self.probe_room.clone().ok_or(StatusCode::NOT_FOUND))
        } else if request.contains("/createRoom") {
            ("create", Ok(json!({ "room_id": "!probe:a.example" })))
        } else if request.contains("/send/drawbridge.probe/") {
            let is_there = !request.contains("gone");
            ("send", is_there.then(|| json!({ "event_id": "$probe" })).ok_or(StatusCode::FORBIDDEN))
        } else if request.starts_with("PUT") && request.contains("/account_data/") {
            self.kept = Some(serde_json::from_slice(body).unwrap());
            ("keep", Ok(json!({})))
        } else if request.contains("/account_data/") {
            ("kept", self.kept.clone().ok_or(StatusCode::NOT_FOUND))
        } else if request.contains("/join") {
            let room = json!({ "room_id": ROOM });
            ("join", if self.is_closed { Err(StatusCode::FORBIDDEN) } else { Ok(room) })
        } else if request.contains("/leave") {
            ("leave", Ok(json!({})))
        } else if request.contains("/state/") {
            let newest = self.newest.map(|newest| self.timeline[newest].clone());
            ("newest", newest.ok_or(StatusCode::FORBIDDEN))
        } else if let Some((_, id)) = request.split_once("/context/") {
            let place = self.timeline.iter().position(|event| event["event_id"] == id);
            let found =
                place.map(|place| json!({ "event": self.timeline[place], "end": (place + 1).to_string() }));
            ("context", found.ok_or(StatusCode::FORBIDDEN))
        } else {
            ("messages", Ok(self.page(from)))
        };
        self.asked.push(what);
        if self.is_broken && what == "messages" {
            return Err(StatusCode::INTERNAL_SERVER_ERROR);
        }
        answer
    }

    fn page(&self, place: &Place) -> Value {
        if place.dir.as_deref() == Some("b") {
            return self.page_before(place.from.unwrap_or(self.timeline.len()));
        }
        let from = place.from.unwrap_or_default();
        let chunk: Vec<_> = self.timeline.iter().skip(from).take(100).collect();
        let end = (!chunk.is_empty()).then(|| (from + chunk.len()).to_string());
        json!({ "start": from.to_string(), "chunk": chunk, "end": end })
    }

    /// From newer to older, a few at a time.
    fn page_before(&self, from: usize) -> Value {
        let chunk: Vec<_> = self.timeline[..from].iter().rev().take(PAGE_BEFORE).collect();
        let end = (!chunk.is_empty()).then(|| (from - chunk.len()).to_string());
        json!({ "start": from.to_string(), "chunk": chunk, "end": end })
    }
}

#[derive(serde::Deserialize)]
struct Place {
    from: Option<usize>,
    dir: Option<String>,
}

async fn answer(
    State(shared): State<Shared>,
    method: Method,
    uri: Uri,
    Query(place): Query<Place>,
    body: Bytes,
) -> Response {
    let request = format!("{method} {}", uri.path());
    match shared.lock().unwrap().answer(&request, &place, &body) {
        Ok(answer) => axum::Json(answer).into_response(),
        Err(status) => {
            let code = match status {
                StatusCode::NOT_FOUND => "M_NOT_FOUND",
                StatusCode::FORBIDDEN => "M_FORBIDDEN",
                _ => "M_UNKNOWN",
            };
            (status, axum::Json(json!({ "errcode": code, "error": "no" }))).into_response()
        }
    }
}

/// Something that happened so many minutes later.
pub(crate) fn later(minutes: u64, event: Value) -> Value {
    let mut event = event;
    event["origin_server_ts"] = json!(minutes * 60_000);
    event
}

pub(crate) fn said(id: &str, text: &str) -> Value {
    json!({
        "type": "m.room.message", "sender": ALICE, "room_id": ROOM, "event_id": id, "origin_server_ts": 1,
        "content": { "msgtype": "m.text", "body": text },
    })
}

/// A membership of the puppet, after another one.
pub(crate) fn member(id: &str, sender: &str, membership: &str, before: Option<(&str, &str)>) -> Value {
    let unsigned = before.map_or_else(
        || json!({}),
        |(id, membership)| json!({ "replaces_state": id, "prev_content": { "membership": membership } }),
    );
    json!({
        "type": "m.room.member", "sender": sender, "state_key": PUPPET, "room_id": ROOM, "event_id": id,
        "origin_server_ts": 1, "content": { "membership": membership }, "unsigned": unsigned,
    })
}
