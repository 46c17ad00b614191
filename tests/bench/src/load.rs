//! The load: another provider that has always the same number of requests in flight.
//!
//! Each message is sent once. What is counted is what was answered between two moments, and the CPU time that the
//! server used between the same two.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use mimi_wire::SubmitMessageResponse;
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio_rustls::TlsConnector;

use crate::cli::{Answers, Load};
use crate::fault::Outcome;
use crate::limits::{COUNTED, WARM_UP};
use crate::papers::{FOLLOWER, FROM_FOLLOWER, HUB, Papers};
use crate::report::say;
use crate::{cpu, messages};

/// What one turn of one server came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Turn {
    /// Messages that were accepted while it counted.
    pub(crate) accepted: usize,
    /// Requests that were sent, at any time.
    pub(crate) sent: usize,
    /// Requests that got any other answer, at any time.
    pub(crate) refused: usize,
    /// For how long it counted.
    pub(crate) seconds: f64,
    /// Half of the answers came in this time, in milliseconds.
    pub(crate) p50_ms: f64,
    /// And of a hundred all but one.
    pub(crate) p99_ms: f64,
    /// CPU time of the server, in seconds.
    pub(crate) server_cpu_s: f64,
    /// CPU time of this load, in seconds.
    pub(crate) load_cpu_s: f64,
    /// CPU time of the follower that was notified, in seconds.
    pub(crate) sink_cpu_s: f64,
    /// CPU time of everybody else on the machine, in seconds: the kernel, and whoever shares it.
    pub(crate) others_cpu_s: f64,
}

/// Sends, and says what it came to.
pub(crate) async fn run(load: &Load) -> Outcome<()> {
    let shared = Arc::new(Shared::new(&load.messages, load.answers)?);
    let tls = TlsConnector::from(Papers::at(&load.papers).client(FOLLOWER, HUB)?);
    let mut senders = Vec::new();
    for _ in 0..load.connections {
        let connection = connect(&tls, HUB, load.port).await?;
        senders
            .extend((0..load.streams).map(|_| tokio::spawn(send(connection.clone(), Arc::clone(&shared)))));
    }
    tokio::time::sleep(WARM_UP).await;
    let before = Reading::now(load)?;
    shared.enter(Phase::Counted);
    tokio::select! {
        () = tokio::time::sleep(COUNTED) => {}
        () = shared.used_up.notified() => {}
    }
    shared.enter(Phase::Over);
    let after = Reading::now(load)?;

    let mut tally = Tally::default();
    for sender in senders {
        tally.add(sender.await??);
    }
    say(&serde_json::to_string(&tally.turn(&before, &after))?);
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Phase {
    WarmUp,
    Counted,
    Over,
}

/// What all senders share.
struct Shared {
    requests: Vec<(Uri, Bytes)>,
    answers: Answers,
    next: AtomicUsize,
    phase: AtomicU8,
    used_up: Notify,
}

impl Shared {
    fn new(file: &Path, answers: Answers) -> Outcome<Self> {
        let requests = messages::read(file)?
            .into_iter()
            .map(|message| Ok((format!("https://{HUB}{}", message.path).parse()?, message.body)))
            .collect::<Outcome<Vec<_>>>()?;
        let phase = AtomicU8::new(Phase::WarmUp as u8);
        Ok(Self { requests, answers, next: AtomicUsize::new(0), phase, used_up: Notify::new() })
    }

    fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    fn is(&self, phase: Phase) -> bool {
        self.phase.load(Ordering::Relaxed) == phase as u8
    }

    /// The next message that nobody sent yet.
    fn next(&self) -> Option<&(Uri, Bytes)> {
        let next = self.requests.get(self.next.fetch_add(1, Ordering::Relaxed));
        if next.is_none() {
            self.used_up.notify_one();
        }
        next
    }

    fn is_accepted(&self, body: &[u8]) -> bool {
        match self.answers {
            Answers::Control => !body.is_empty(),
            Answers::Product => {
                matches!(SubmitMessageResponse::decode(body), Ok(SubmitMessageResponse::Accepted { .. }))
            }
        }
    }
}

/// A connection to a provider of the run.
pub(crate) async fn connect(
    tls: &TlsConnector,
    to: &'static str,
    port: u16,
) -> Outcome<SendRequest<Full<Bytes>>> {
    let socket = TcpStream::connect(("127.0.0.1", port)).await?;
    socket.set_nodelay(true)?;
    let stream = tls.connect(to.try_into()?, socket).await?;
    let (requests, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(requests)
}

/// One request after the other, until it is over or all is sent.
async fn send(mut connection: SendRequest<Full<Bytes>>, shared: Arc<Shared>) -> Outcome<Tally> {
    let mut tally = Tally::default();
    while !shared.is(Phase::Over) {
        let Some((uri, body)) = shared.next() else { break };
        tally.sent += 1;
        let started = Instant::now();
        let response = connection.send_request(request(uri, body)).await?;
        let status = response.status();
        let answer = response.into_body().collect().await?.to_bytes();
        if !(status.is_success() && shared.is_accepted(&answer)) {
            tally.refused += 1;
        } else if shared.is(Phase::Counted) {
            tally.latencies.push(started.elapsed());
        }
    }
    Ok(tally)
}

/// A request as the follower sends it.
pub(crate) fn request(uri: &Uri, body: &Bytes) -> Request<Full<Bytes>> {
    request_of(uri, body, FROM_FOLLOWER)
}

/// A request as this provider sends it.
pub(crate) fn request_of(uri: &Uri, body: &Bytes, from: &'static str) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::new(body.clone()));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri.clone();
    let headers = request.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::FROM, HeaderValue::from_static(from));
    request
}

/// What the answers came to.
#[derive(Debug, Default)]
struct Tally {
    sent: usize,
    refused: usize,
    latencies: Vec<Duration>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.sent += other.sent;
        self.refused += other.refused;
        self.latencies.extend(other.latencies);
    }

    fn turn(mut self, before: &Reading, after: &Reading) -> Turn {
        self.latencies.sort_unstable();
        let used = |of: fn(&Reading) -> Duration| of(after).saturating_sub(of(before)).as_secs_f64();
        let [server, load, sink, machine] =
            [used(|it| it.server), used(|it| it.load), used(|it| it.sink), used(|it| it.machine)];
        Turn {
            accepted: self.latencies.len(),
            sent: self.sent,
            refused: self.refused,
            seconds: after.at.duration_since(before.at).as_secs_f64(),
            p50_ms: quantile_ms(&self.latencies, 50),
            p99_ms: quantile_ms(&self.latencies, 99),
            server_cpu_s: server,
            load_cpu_s: load,
            sink_cpu_s: sink,
            others_cpu_s: (machine - server - load - sink).max(0.0),
        }
    }
}

/// In which time so many of a hundred came, in milliseconds.
pub(crate) fn quantile_ms(sorted: &[Duration], percent: usize) -> f64 {
    let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1000.0)
}

/// The clocks of all who take part, at one moment.
struct Reading {
    at: Instant,
    server: Duration,
    load: Duration,
    sink: Duration,
    machine: Duration,
}

impl Reading {
    fn now(load: &Load) -> Outcome<Self> {
        Ok(Self {
            at: Instant::now(),
            server: cpu::of_process(load.server)?
                + load.database.map_or(Ok(Duration::ZERO), cpu::of_family)?,
            load: cpu::of_process(std::process::id())?,
            sink: load.sink.map_or(Ok(Duration::ZERO), cpu::of_process)?,
            machine: cpu::of_machine()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn milliseconds(all: &[u64]) -> Vec<Duration> {
        all.iter().copied().map(Duration::from_millis).collect()
    }

    #[test]
    fn of_a_hundred_answers_the_slowest_is_beyond_p99_and_no_other() {
        let hundred = milliseconds(&(1..=100).collect::<Vec<_>>());

        let quantiles = [50, 99].map(|percent| quantile_ms(&hundred, percent).to_string());
        assert_eq!(quantiles, ["51", "100"]);
        assert!(quantile_ms(&[], 50).is_nan());
    }

    #[test]
    fn a_turn_is_what_happened_between_two_readings() {
        let seconds = Duration::from_secs;
        let start = Instant::now();
        let before = Reading {
            at: start,
            server: seconds(1),
            load: seconds(2),
            sink: seconds(0),
            machine: seconds(10),
        };
        let after = Reading {
            at: start + seconds(5),
            server: seconds(4),
            load: seconds(4),
            sink: seconds(1),
            machine: seconds(18),
        };
        let mut tally = Tally { sent: 3, refused: 1, latencies: milliseconds(&[3, 1]) };
        tally.add(Tally { sent: 2, refused: 1, latencies: milliseconds(&[2]) });

        let turn = tally.turn(&before, &after);

        let told = serde_json::to_string(&turn).unwrap();
        assert_eq!(
            told,
            r#"{"accepted":3,"sent":5,"refused":2,"seconds":5.0,"p50_ms":2.0,"p99_ms":3.0,"server_cpu_s":3.0,"load_cpu_s":2.0,"sink_cpu_s":1.0,"others_cpu_s":2.0}"#
        );
    }
}
