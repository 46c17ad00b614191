//! The follower: takes what the hub notifies it of, and counts it when all is over.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use mimi_wire::{Authority, Directory, Endpoint, FanoutMessage};

use crate::cli::Sink as Arguments;
use crate::fault::Outcome;
use crate::https::{self, Answering};
use crate::papers::{FOLLOWER, HUB, Papers};
use crate::report::say;

struct Sink {
    directory: Bytes,
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
    let directory = Directory::publish(&authority, &[Endpoint::Notify]).to_json().into();
    let sink = Arc::new(Sink { directory, notified: Mutex::default(), until: arguments.until });
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
            *response.body_mut() = self.directory.clone().into();
            return response;
        }
        *response.status_mut() = match request.into_body().collect().await {
            Ok(body) => self.take(body.to_bytes()),
            Err(_) => StatusCode::BAD_REQUEST,
        };
        response
    }
}
