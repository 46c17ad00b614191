use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, FROM, RETRY_AFTER};
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use mimi_client::HostedMint;
use mimi_client::mint::open_secret;
use mimi_client::vault::Vault;
use mimi_uri::{RoomUri, UserUri};
use mimi_wire::{
    Authority, ClientKeyMaterial, ClientMaterial, DIRECTORY_PATH, Directory, Endpoint, FanoutMessage,
    IdentityRootsDocument, KeyMaterialRequest, KeyMaterialResponse, KeyMaterialUserCode, Mint, Route,
    Timestamp, decode_path_value,
};
use tokio::sync::{Mutex as Turn, OwnedMutexGuard, watch};
use tokio::time::Instant;

/// What a scripted provider serves: it takes whatever comes, remembers it, and answers as it is told.
#[derive(Clone)]
pub struct Sink(Arc<Inner>);

struct Inner {
    authority: Authority,
    identity_roots: Vec<Vec<u8>>,
    mint: HostedMint,
    vault: Vault,
    now: Timestamp,
    notified: Mutex<Vec<Notified>>,
    count: watch::Sender<usize>,
    answers: Mutex<Answers>,
    turn: Arc<Turn<()>>,
    asked: Mutex<Vec<(String, Bytes)>>,
    garbling: Mutex<Garbling>,
    secrets: Mutex<Vec<(UserUri, Vec<u8>)>>,
    roots_asked: Mutex<usize>,
}

type Answers = Box<dyn Fn(&Notified) -> SinkAnswer + Send>;
type Garbling = Box<dyn Fn(KeyMaterialResponse) -> (u16, Vec<u8>) + Send>;

/// A request to `/notify`.
#[derive(Debug, Clone)]
pub struct Notified {
    /// The room in its path.
    pub room: RoomUri,
    /// Its From.
    pub from: String,
    /// Its media type.
    pub media_type: String,
    /// Its body.
    pub body: Bytes,
    /// When it came.
    pub at: Instant,
    /// Whether it was taken, once it is answered.
    pub taken: bool,
}

/// What `/notify` is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SinkAnswer {
    /// This status.
    Status(u16),
    /// 503, and not before so many seconds.
    RetryAfter(u64),
}

impl Notified {
    /// The events in it.
    pub fn events(&self) -> Vec<FanoutMessage> {
        FanoutMessage::decode_all(&self.body).unwrap()
    }
}

impl Sink {
    pub(crate) fn new(
        authority: Authority,
        identity_roots: Vec<Vec<u8>>,
        mint: HostedMint,
        vault: Vault,
        now: Timestamp,
    ) -> Self {
        Self(Arc::new(Inner {
            authority,
            identity_roots,
            mint,
            vault,
            now,
            notified: Mutex::default(),
            count: watch::Sender::new(0),
            answers: Mutex::new(Box::new(|_| SinkAnswer::Status(201))),
            turn: Arc::default(),
            asked: Mutex::default(),
            garbling: Mutex::new(Box::new(|response| (200, response.encode()))),
            secrets: Mutex::default(),
            roots_asked: Mutex::default(),
        }))
    }

    /// Has `/notify` answered so from now on.
    pub fn answers(&self, answers: impl Fn(&Notified) -> SinkAnswer + Send + 'static) {
        *self.0.answers.lock().unwrap() = Box::new(answers);
    }

    /// Lets nothing be answered until the guard is dropped; what comes is heard all the same.
    pub async fn holds(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.0.turn).lock_owned().await
    }

    /// Every request to `/notify` so far.
    pub fn notified(&self) -> Vec<Notified> {
        self.0.notified.lock().unwrap().clone()
    }

    /// Waits until there were so many requests to `/notify`.
    pub async fn notified_times(&self, count: usize) -> Vec<Notified> {
        self.0.count.subscribe().wait_for(|heard| *heard >= count).await.unwrap();
        self.notified()
    }

    /// The events of a room that were taken, in their order.
    pub fn taken(&self, room: &RoomUri) -> Vec<FanoutMessage> {
        let notified = self.notified().into_iter();
        notified.filter(|it| it.taken && it.room == *room).flat_map(|it| it.events()).collect()
    }

    /// Every request to `/keyMaterial` so far: who was named in From, and the body.
    pub fn asked(&self) -> Vec<(String, Bytes)> {
        self.0.asked.lock().unwrap().clone()
    }

    /// Has `/keyMaterial` answered so from now on, out of the proper answer.
    pub fn garbles(&self, garbling: impl Fn(KeyMaterialResponse) -> (u16, Vec<u8>) + Send + 'static) {
        *self.0.garbling.lock().unwrap() = Box::new(garbling);
    }

    /// How often the identity roots were fetched.
    pub fn roots_asked(&self) -> usize {
        *self.0.roots_asked.lock().unwrap()
    }

    /// The secrets of all `KeyPackage`s of a user that were handed out.
    pub fn secrets(&self, user: &UserUri) -> Vec<Vec<u8>> {
        let secrets = self.0.secrets.lock().unwrap();
        secrets.iter().filter(|(of, _)| of == user).map(|(_, secret)| secret.clone()).collect()
    }

    pub(crate) fn router(&self) -> Router {
        Router::new()
            .route(DIRECTORY_PATH, get(directory))
            .route(&Endpoint::IdentityRoots.path_template(), get(identity_roots))
            .route(&Endpoint::KeyMaterial.path_template(), post(key_material))
            .route(&Endpoint::Notify.path_template(), post(notify))
            .with_state(self.clone())
    }
}

async fn directory(State(sink): State<Sink>) -> Vec<u8> {
    let served = [Endpoint::KeyMaterial, Endpoint::Notify, Endpoint::IdentityRoots];
    Directory::publish(&sink.0.authority, &served).to_json()
}

async fn identity_roots(State(sink): State<Sink>) -> Vec<u8> {
    *sink.0.roots_asked.lock().unwrap() += 1;
    IdentityRootsDocument { roots: sink.0.identity_roots.clone() }.encode()
}

async fn key_material(State(sink): State<Sink>, headers: HeaderMap, body: Bytes) -> Response {
    sink.0.asked.lock().unwrap().push((header(&headers, &FROM), body.clone()));
    let request = KeyMaterialRequest::decode(&body).unwrap();
    let minted = sink.0.mint.mint(&request, sink.0.now).unwrap();
    let secret = open_secret(&sink.0.vault, &minted.reference, &minted.secret).unwrap();
    sink.0.secrets.lock().unwrap().push((request.target_user.clone(), secret));
    let material = ClientMaterial::Success { key_package: minted.key_package };
    let response = KeyMaterialResponse {
        user_status: KeyMaterialUserCode::Success,
        user: request.target_user,
        clients: vec![ClientKeyMaterial { client: minted.client, material }],
    };
    let (status, body) = (sink.0.garbling.lock().unwrap())(response);
    (StatusCode::from_u16(status).unwrap(), body).into_response()
}

async fn notify(State(sink): State<Sink>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let value = Route::parse(parts.uri.path()).unwrap().value.unwrap();
    let notified = Notified {
        room: decode_path_value(value).unwrap(),
        from: header(&parts.headers, &FROM),
        media_type: header(&parts.headers, &CONTENT_TYPE),
        body: body.collect().await.unwrap().to_bytes(),
        at: Instant::now(),
        taken: false,
    };
    let place = {
        let mut all = sink.0.notified.lock().unwrap();
        all.push(notified.clone());
        sink.0.count.send_replace(all.len());
        all.len() - 1
    };
    let _turn = sink.0.turn.lock().await;
    let answer = (sink.0.answers.lock().unwrap())(&notified);
    match answer {
        SinkAnswer::RetryAfter(seconds) => {
            (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, seconds.to_string())]).into_response()
        }
        SinkAnswer::Status(status) => {
            let status = StatusCode::from_u16(status).unwrap();
            sink.0.notified.lock().unwrap()[place].taken = status.is_success();
            status.into_response()
        }
    }
}

fn header(headers: &HeaderMap, name: &http::HeaderName) -> String {
    headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}
