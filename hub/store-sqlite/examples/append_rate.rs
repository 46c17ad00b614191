//! How many decisions of one event each the store takes in a second, and what they cost.
//!
//! `cargo run --release -p mimi-store-sqlite --example append_rate [folder]`
#![expect(clippy::print_stdout, reason = "an example that measures shows what it measured")]

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mimi_store::{Audience, Decide, EventKind, NewEvent, RoomRole, RoomVersion, Seq, Store, StoreFault};
use mimi_store_sqlite::SqliteStore;
use mimi_uri::RoomUri;
use mimi_wire::{RequestHash, Timestamp};
use tokio::task::JoinSet;

const ROUND: Duration = Duration::from_secs(3);
const EVENT_BYTES: usize = 1024;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| ".".into());
    println!("{:>8} {:>6} {:>10} {:>12}", "callers", "rooms", "events/s", "CPU us/event");
    for (callers, rooms) in [(1, 1), (16, 16), (64, 1), (64, 64), (256, 1), (256, 100), (1024, 100)] {
        let path = Path::new(&folder).join(format!("append-rate-{}.db", std::process::id()));
        let store = Arc::new(SqliteStore::open(&path).await?);
        let logs = found(&*store, rooms).await?;

        let (before, began) = (cpu_time(), Instant::now());
        let events = append(&store, &logs, callers).await?;
        let (took, cpu) = (began.elapsed(), cpu_time().saturating_sub(before));

        let rate = per(events, took);
        let cost = cpu.as_secs_f64() * 1e6 / float(events);
        println!("{callers:>8} {rooms:>6} {rate:>10.0} {cost:>12.1}");
        store.close().await;
        for file in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{file}", path.display()));
        }
    }
    Ok(())
}

struct Log {
    room: RoomUri,
    last: AtomicU64,
}

async fn found(store: &dyn Store, rooms: usize) -> Result<Arc<Vec<Log>>, Box<dyn Error>> {
    let mut logs = Vec::new();
    for number in 0..rooms {
        let room = RoomUri::parse(&format!("mimi://hub.example/r/{number}"))?;
        store.decide(Decide::new(room.clone(), RoomRole::Hub, None)).await?;
        logs.push(Log { room, last: AtomicU64::new(0) });
    }
    Ok(Arc::new(logs))
}

async fn append(
    store: &Arc<SqliteStore>,
    logs: &Arc<Vec<Log>>,
    callers: usize,
) -> Result<u64, Box<dyn Error>> {
    let until = Instant::now() + ROUND;
    let mut tasks = JoinSet::new();
    for caller in 0..callers {
        let (store, logs) = (Arc::clone(store), Arc::clone(logs));
        tasks.spawn(async move {
            let log = &logs[caller % logs.len()];
            let mut events = 0;
            while Instant::now() < until {
                store.decide(message(log)).await?;
                events += 1;
            }
            Ok::<u64, StoreFault>(events)
        });
    }
    let mut events = 0;
    while let Some(of_caller) = tasks.join_next().await {
        events += of_caller??;
    }
    Ok(events)
}

fn message(log: &Log) -> Decide {
    let seq = log.last.fetch_add(1, Ordering::Relaxed) + 1;
    let event = NewEvent {
        seq: Seq(seq),
        timestamp: Timestamp(seq),
        kind: EventKind::Application,
        audience: Audience::Everyone,
        bytes: vec![7; EVENT_BYTES],
        request_hash: Some(RequestHash(scattered(seq))),
    };
    let fence = Some(RoomVersion::FIRST);
    Decide { events: vec![event], ..Decide::new(log.room.clone(), RoomRole::Hub, fence) }
}

/// Bytes as scattered as a real hash, so that the index on them works as hard.
fn scattered(number: u64) -> [u8; 32] {
    let mut hash = [0; 32];
    let mut state = number;
    for part in hash.chunks_exact_mut(8) {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        part.copy_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes());
    }
    hash
}

/// CPU time of this process so far, as Linux counts it, in ticks of 10 ms.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let behind_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 =
        behind_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

fn per(events: u64, took: Duration) -> f64 {
    float(events) / took.as_secs_f64()
}

fn float(events: u64) -> f64 {
    u32::try_from(events).map_or(f64::INFINITY, f64::from)
}
