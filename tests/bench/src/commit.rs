//! `bench commit`: what a commit in a large room costs its hub: to validate, to persist, to fan out.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2::SendRequest;
use mimi_store::{EventLimit, Store};
use mimi_store_sqlite::SqliteStore;
use mimi_wire::{UpdateRoomResponse, UpdateVerdict};
use tokio_rustls::TlsConnector;

use crate::cli::Plan;
use crate::cpu;
use crate::database::FILE;
use crate::fault::Outcome;
use crate::founding::MESSAGES;
use crate::large_room;
use crate::limits::{COMMIT_MS, COMMITS, LARGE_ROOM};
use crate::load::{connect, quantile_ms, request};
use crate::messages::{self, Message};
use crate::papers::{FOLLOWER, HUB, Papers};
use crate::part::{Running, copy_founded};
use crate::report::{median, say};

/// Runs all rounds and says what they come to.
pub(crate) async fn run(plan: &Plan) -> Outcome<()> {
    let directory = tempfile::Builder::new().prefix("bench-commit-").tempdir()?;
    let (papers, founded) = (directory.path().join("papers"), directory.path().join("founded"));
    fs::create_dir(&papers)?;
    fs::create_dir(&founded)?;
    say(&format!("load average before: {}", cpu::load_average()));
    Papers::at(&papers).issue()?;
    large_room::found_with_commits(&Papers::at(&papers), &founded, LARGE_ROOM, COMMITS).await?;
    say(&format!("{COMMITS} commits, one after the other, in a room of {LARGE_ROOM} members"));
    say("round  hub CPU ms/commit  p50 ms  p99 ms  bytes/commit");
    let mut figures = Vec::new();
    for round in 1..=plan.rounds {
        let own = tempfile::tempdir_in(directory.path())?;
        let turn = turn(&papers, &founded, own.path()).await?;
        say(&turn.line(round));
        figures.push(turn.cpu_ms);
    }
    say(&format!("load average after: {}", cpu::load_average()));
    let cpu_ms = median(figures).ok_or("a run has at least one round")?;
    let verdict = COMMIT_MS.verdict(cpu_ms);
    say(&format!("commit in a room of {LARGE_ROOM}: {cpu_ms:.1} ms of CPU at the hub {verdict}"));
    Ok(())
}

struct Turn {
    cpu_ms: f64,
    p50_ms: f64,
    p99_ms: f64,
    bytes: usize,
}

impl Turn {
    fn line(&self, round: usize) -> String {
        let Self { cpu_ms, p50_ms, p99_ms, bytes } = self;
        format!("{round:>5}  {cpu_ms:>17.1}  {p50_ms:>6.1}  {p99_ms:>6.1}  {bytes:>12}")
    }
}

/// How many events of its founding the room has still to deliver.
async fn undelivered(directory: &Path) -> Outcome<usize> {
    let store = SqliteStore::open(directory.join(FILE)).await?;
    let mut events = 0;
    for lane in store.lanes().await? {
        let all = EventLimit { count: usize::MAX, bytes: usize::MAX };
        events += store.events(&lane.room, lane.position, all).await?.len();
    }
    store.close().await;
    Ok(events)
}

/// Posts a commit, which has to be accepted.
async fn commit(connection: &mut SendRequest<Full<Bytes>>, message: &Message) -> Outcome<()> {
    let uri = format!("https://{HUB}{}", message.path).parse()?;
    let answer = connection.send_request(request(&uri, &message.body)).await?;
    let status = answer.status();
    if !status.is_success() {
        return Err(format!("the hub does not take a commit: {status}").into());
    }
    let answer = UpdateRoomResponse::decode(&answer.into_body().collect().await?.to_bytes())?;
    match answer.verdict {
        UpdateVerdict::Success { .. } => Ok(()),
        refused => Err(format!("the hub refuses a commit: {refused:?}").into()),
    }
}

/// A hub and a follower of their own; all commits, until the follower has them.
async fn turn(papers: &Path, founded: &Path, own: &Path) -> Outcome<Turn> {
    copy_founded(founded, own)?;
    let mut args: Vec<PathBuf> = vec!["--papers".into(), papers.into(), "--directory".into(), own.into()];
    let mut sink_args = args.clone();
    let until = undelivered(own).await? + COMMITS;
    sink_args.extend(["--until".into(), until.to_string().into()]);
    let mut sink = Running::start("sink", &sink_args)?;
    args.extend(["--deliver-to".into(), sink.port()?.to_string().into()]);
    let mut hub = Running::start("product", &args)?;
    let tls = TlsConnector::from(Papers::at(papers).client(FOLLOWER, HUB)?);
    let mut connection = connect(&tls, HUB, hub.port()?).await?;
    let requests = messages::read(&founded.join(MESSAGES))?;
    let mut latencies = Vec::new();
    // The first loads the group, as it does once after a start.
    let mut before = Duration::ZERO;
    for (number, message) in requests.iter().enumerate() {
        if number == 1 {
            before = cpu::of_process(hub.id())?;
        }
        let started = Instant::now();
        let mut taken = commit(&mut connection, message).await;
        // It asks the follower for its identity roots first, once after a start.
        if number == 0 && taken.is_err() {
            taken = commit(&mut connection, message).await;
        }
        taken?;
        latencies.push(started.elapsed());
    }
    sink.told()?;
    let used = cpu::of_process(hub.id())?.saturating_sub(before);
    hub.stop()?;
    sink.stop()?;
    latencies.remove(0);
    latencies.sort_unstable();
    Ok(Turn {
        cpu_ms: used.as_secs_f64() * 1000.0 / f64::from(u32::try_from(latencies.len())?),
        p50_ms: quantile_ms(&latencies, 50),
        p99_ms: quantile_ms(&latencies, 99),
        bytes: requests.iter().map(|message| message.body.len()).sum::<usize>() / requests.len(),
    })
}
