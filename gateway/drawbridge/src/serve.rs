//! `drawbridge serve`: the provider runs until it is told to stop.

use std::io::Read;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use mimi_uri::Domain;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::cli::ServeArgs;
use crate::config::{Config, StoreConfig};
use crate::limits::STOP_TIME_MAX;
use crate::log;
use crate::operator::{self, Readiness};
use crate::turn::{Name, Turn};
use crate::wiring::{OpenStore, Provider};

/// Runs until SIGTERM or SIGINT.
pub(crate) fn run(path: &Path, args: &ServeArgs) -> Result<ExitCode, String> {
    let config = Config::load(path).map_err(|mistakes| mistakes.to_string())?;
    log::start(args.log)?;
    self_test()?;
    let runtime = tokio::runtime::Runtime::new().map_err(|fault| format!("no threads: {fault}"))?;
    runtime.block_on(serve(&config, &path.with_extension("lock"), args.until_stdin_ends))
}

/// Hosted rooms lean on how openmls stores groups; if that has changed, nothing is to be touched.
pub(crate) fn self_test() -> Result<(), String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    mimi_mls::hosted::self_test(now.as_secs()).map_err(|fault| fault.to_string())
}

async fn serve(config: &Config, lock: &Path, until_stdin_ends: bool) -> Result<ExitCode, String> {
    let stop = CancellationToken::new();
    stop_when_told(&stop, until_stdin_ends)?;
    let store = OpenStore::open(&config.store).await?;
    let name = match config.store {
        StoreConfig::Sqlite(_) => Name::random()?,
        StoreConfig::Postgres(_) => Name::of(lock)?,
    };
    let turn = Turn::new(store.shared(), config.provider.listen.to_string(), name);
    let Some(come) = stop.run_until_cancelled(turn.comes()).await else {
        return Ok(ExitCode::SUCCESS);
    };
    let until = come?;
    let outcome = tokio::select! {
        outcome = work(config, store, &stop) => outcome,
        why = turn.keep(until) => Err(why),
    };
    turn.end().await;
    tracing::info!("stopped");
    outcome.map(|()| ExitCode::SUCCESS)
}

/// Works until it is told to stop, or something breaks.
async fn work(config: &Config, store: OpenStore, stop: &CancellationToken) -> Result<(), String> {
    let metrics = operator::metrics()?;
    let provider = Provider::assemble(config, store).await?;
    let door = listen(config.provider.listen, "provider.listen").await?;
    let operators_door = listen(config.operator_listen, "operator.listen").await?;
    let readiness = Arc::new(Readiness {
        store: provider.store.shared(),
        bridge: Arc::clone(&provider.bridge),
        listens: AtomicBool::new(true),
    });
    tracing::info!(domain = %config.provider.domain, listen = %config.provider.listen, operator = %config.operator_listen, "serving");
    tokio::spawn(announce(Arc::clone(&readiness), config.provider.domain.clone(), stop.clone()));

    let mut parts = JoinSet::new();
    let operator = axum::serve(
        operators_door,
        operator::router(Arc::clone(&readiness), metrics, Arc::clone(&provider.desk)),
    )
    .with_graceful_shutdown(stop.clone().cancelled_owned());
    parts.spawn(async { operator.await.map_err(|fault| format!("operator.listen: {fault}")) });
    spawn_provider(&mut parts, &provider, door, stop);

    // The first part that ends, ends all: on `stop` they all do, and else something broke.
    let first = parts.join_next().await;
    readiness.listens.store(false, Ordering::Relaxed);
    stop.cancel();
    let all = async { while parts.join_next().await.is_some() {} };
    if tokio::time::timeout(STOP_TIME_MAX, all).await.is_err() {
        tracing::warn!("what was still under way is cut off; it is stored, and goes on at the next start");
        parts.abort_all();
    }
    provider.store.close().await;
    match first {
        Some(Ok(ended)) => ended,
        Some(Err(panic)) => Err(panic.to_string()),
        None => Ok(()),
    }
}

/// Starts what makes a provider: the door for others, delivery to them, and the gateway.
fn spawn_provider(
    parts: &mut JoinSet<Result<(), String>>,
    provider: &Provider,
    door: TcpListener,
    stop: &CancellationToken,
) {
    let (certificate, peers) = (provider.certificate.clone(), provider.peers.clone());
    let (endpoints, told) = (provider.server.endpoints(), stop.clone().cancelled_owned());
    parts.spawn(async move {
        let served = mimi_transport::serve(door, certificate, peers, endpoints, told).await;
        served.map_err(|fault| format!("provider.certificate: {fault}"))
    });
    let (server, told) = (provider.server.clone(), stop.clone());
    parts.spawn(async move { server.run(told).await });
    let (bridge, told) = (Arc::clone(&provider.bridge), stop.clone());
    parts.spawn(async move {
        bridge.run(told).await;
        Ok(())
    });
}

/// Says once that nothing is missing any more.
async fn announce(readiness: Arc<Readiness>, domain: Domain, stop: CancellationToken) {
    if stop.run_until_cancelled(readiness.complete()).await.is_some() {
        tracing::info!(target: "drawbridge::step", who = %domain, what = "is ready");
    }
}

async fn listen(address: SocketAddr, key: &str) -> Result<TcpListener, String> {
    TcpListener::bind(address)
        .await
        .map_err(|fault| format!("{key}: {address} cannot be listened on: {fault}; write another address"))
}

/// Stops on SIGTERM and SIGINT; with a parent at the other end of our standard input, also when that is gone.
fn stop_when_told(stop: &CancellationToken, until_stdin_ends: bool) -> Result<(), String> {
    let told = |kind| signal(kind).map_err(|fault| format!("signals cannot be heard: {fault}"));
    let (mut terminate, mut interrupt) = (told(SignalKind::terminate())?, told(SignalKind::interrupt())?);
    let stopped = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
        stopped.cancel();
    });
    if until_stdin_ends {
        let stopped = stop.clone();
        // A thread, and not a task: a read that never returns must not keep the runtime from ending.
        std::thread::spawn(move || {
            let mut ignored = [0; 64];
            while matches!(std::io::stdin().read(&mut ignored), Ok(1..)) {}
            stopped.cancel();
        });
    }
    Ok(())
}
