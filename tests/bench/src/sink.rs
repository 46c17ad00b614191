//! The follower: takes what the hub notifies it of, and counts it when all is over. It has identity roots if it was
//! given any.

use std::fs;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use mimi_wire::{Authority, Directory, Endpoint, FanoutMessage, Route};

use crate::cli::Sink as Arguments;
use crate::fault::Outcome;
use crate::founding::ROOTS;
use crate::https::{self, Answering};
use crate::papers::{FOLLOWER, HUB, Papers};
use crate::report::say;

struct Sink {
    directory: Bytes,
    roots: Bytes,
    notified: Mutex<Notified>,
    until: Option<usize>,
}

#[derive(Default)]
struct Notified {
    bodies: Vec<Bytes>,
    /// Counted meanwhile only if somebody waits for them.
    events: usize,
}

/// Serves until nobody wants it; then says how many events it was notified of.
pub(crate) async fn run(arguments: &Arguments) -> Outcome<()> {
    let authority = Authority::parse(FOLLOWER).ok_or("the follower's name is no authority")?;
    let directory =
        Directory::publish(&authority, &[Endpoint::Notify, Endpoint::IdentityRoots]).to_json().into();
    let roots = fs::read(arguments.part.directory.join(ROOTS)).unwrap_or_default().into();
    let sink = Arc::new(Sink { directory, roots, notified: Mutex::default(), until: arguments.until });
    https::serve(Papers::at(&arguments.part.papers).server(FOLLOWER, HUB)?, &sink).await?;

    let notified = std::mem::take(&mut *sink.notified.lock().unwrap_or_else(PoisonError::into_inner));
    let mut events = 0;
    for body in notified.bodies {
        events += FanoutMessage::decode_all(&body)?.len();
    }
    say(&events.to_string());
    Ok(())
}

impl Sink {
    fn take(&self, body: Bytes) -> StatusCode {
        let mut notified = self.notified.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(until) = self.until {
            let Ok(events) = FanoutMessage::decode_all(&body) else { return StatusCode::BAD_REQUEST };
            let before = notified.events;
            notified.events += events.len();
            if before < until && notified.events >= until {
                say("complete");
            }
        }
        notified.bodies.push(body);
        StatusCode::CREATED
    }
}

impl Answering for Sink {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::default());
        if request.method() == Method::GET {
            let asks_for_roots = Route::parse(request.uri().path()).is_some();
            *response.body_mut() = if asks_for_roots { &self.roots } else { &self.directory }.clone().into();
            return response;
        }
        *response.status_mut() = match request.into_body().collect().await {
            Ok(body) => self.take(body.to_bytes()),
            Err(_) => StatusCode::BAD_REQUEST,
        };
        response
    }
}
