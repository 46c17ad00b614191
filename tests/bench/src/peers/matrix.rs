//! Synapse, on `SQLite`, by its client API.

use std::sync::Arc;

use bytes::Bytes;
use end_to_end::{Synapse, SynapsePlan};
use http::{Method, Request, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::{OCCUPANTS, SENDERS, Tally, Turn, WINDOW, counted, text};
use crate::fault::Outcome;

/// A homeserver of its own, one room, and senders.
pub(super) async fn turn() -> Outcome<Turn> {
    let synapse = tokio::task::spawn_blocking(|| Synapse::start(SynapsePlan::named("hs.example"))).await?;
    let address = synapse.url().trim_start_matches("http://").to_owned();
    let (tokens, room) = people(&address).await?;
    let tally = Arc::new(Tally::default());
    let mut senders = JoinSet::new();
    for number in 0..SENDERS * WINDOW {
        let (address, room) = (address.clone(), room.clone());
        let (token, tally) = (tokens[number % SENDERS].clone(), Arc::clone(&tally));
        senders.spawn(async move { send(&address, &token, &room, number, &tally).await });
    }
    let turn = counted(&tally).await?;
    while let Some(sender) = senders.join_next().await {
        sender??;
    }
    tokio::task::spawn_blocking(move || drop(synapse)).await?;
    Ok(turn)
}

/// Registers people, and brings all of them into one room.
async fn people(address: &str) -> Outcome<(Vec<String>, String)> {
    let mut client = Client::connect(address).await?;
    let mut tokens: Vec<String> = Vec::new();
    for number in 0..OCCUPANTS {
        let body = json!({ "username": format!("u{number}"), "password": "pw", "auth": { "type": "m.login.dummy" } });
        let answer = client.ask(Method::POST, "/_matrix/client/v3/register", None, &body).await?;
        tokens.push(answer["access_token"].as_str().ok_or("nobody is registered")?.to_owned());
    }
    let body = json!({ "preset": "public_chat" });
    let answer = client.ask(Method::POST, "/_matrix/client/v3/createRoom", Some(&tokens[0]), &body).await?;
    let room = answer["room_id"].as_str().ok_or("no room is made")?.to_owned();
    for token in &tokens[1..] {
        client.ask(Method::POST, &format!("/_matrix/client/v3/join/{room}"), Some(token), &json!({})).await?;
    }
    Ok((tokens, room))
}

async fn send(address: &str, token: &str, room: &str, number: usize, tally: &Tally) -> Outcome<()> {
    let mut client = Client::connect(address).await?;
    let body = json!({ "msgtype": "m.text", "body": text() });
    for message in 0.. {
        if tally.is_over() {
            break;
        }
        let path = format!("/_matrix/client/v3/rooms/{room}/send/m.room.message/{number}-{message}");
        client.ask(Method::PUT, &path, Some(token), &body).await?;
        tally.accept(1);
    }
    Ok(())
}

struct Client {
    address: String,
    connection: SendRequest<Full<Bytes>>,
}

impl Client {
    async fn connect(address: &str) -> Outcome<Self> {
        let socket = TcpStream::connect(address).await?;
        socket.set_nodelay(true)?;
        let (connection, driven) = http1::handshake(TokioIo::new(socket)).await?;
        tokio::spawn(driven);
        Ok(Self { address: address.to_owned(), connection })
    }

    /// What the server answers, if it does what is asked.
    async fn ask(&mut self, method: Method, path: &str, token: Option<&str>, body: &Value) -> Outcome<Value> {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, &self.address);
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Full::new(Bytes::from(body.to_string())))?;
        self.connection.ready().await?;
        let answer = self.connection.send_request(request).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        if !status.is_success() {
            return Err(format!("{path}: {status}: {}", String::from_utf8_lossy(&body)).into());
        }
        Ok(serde_json::from_slice(&body)?)
    }
}
