//! The operator's own door: is it alive, is it ready, how is it doing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use mimi_bridge::Bridge;
use mimi_store::Store;
use serde::Serialize;

use crate::desk::{self, Desk};
use crate::limits::{METRICS_UPKEEP, SECONDS_BUCKETS};

/// What readiness is made of.
pub(crate) struct Readiness {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) bridge: Arc<Bridge>,
    /// Whether other providers are let in.
    pub(crate) listens: AtomicBool,
}

/// Whether it is ready, and what is missing.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    ready: bool,
    missing: Vec<&'static str>,
}

impl Readiness {
    /// Looks at everything that a ready provider needs.
    pub(crate) async fn report(&self) -> Report {
        let mut missing = Vec::new();
        if self.store.rooms(None).await.is_err() {
            missing.push("the store does not answer");
        }
        if !self.bridge.is_ready().await {
            missing.push("a native network is not connected");
        }
        if !self.listens.load(Ordering::Relaxed) {
            missing.push("other providers are not let in");
        }
        Report { ready: missing.is_empty(), missing }
    }

    /// Waits until nothing is missing.
    pub(crate) async fn complete(&self) {
        while !self.report().await.ready {
            tokio::time::sleep(crate::limits::READY_GLANCE).await;
        }
    }
}

/// Makes the process's metrics, and keeps them tidy.
pub(crate) fn metrics() -> Result<PrometheusHandle, String> {
    let builder =
        PrometheusBuilder::new().set_buckets(&SECONDS_BUCKETS).map_err(|fault| fault.to_string())?;
    let handle = builder.install_recorder().map_err(|fault| fault.to_string())?;
    let kept = handle.clone();
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(METRICS_UPKEEP);
        loop {
            ticks.tick().await;
            kept.run_upkeep();
        }
    });
    Ok(handle)
}

/// `/health/live`, `/health/ready`, `/metrics`, and the desk.
pub(crate) fn router(readiness: Arc<Readiness>, metrics: PrometheusHandle, desk: Arc<Desk>) -> Router {
    Router::new()
        .route("/health/live", get(async || "alive\n"))
        .route("/health/ready", get(ready).with_state(readiness))
        .route("/metrics", get(async move || metrics.render()))
        .merge(desk::router(desk))
}

async fn ready(State(readiness): State<Arc<Readiness>>) -> (StatusCode, Json<Report>) {
    let report = readiness.report().await;
    let status = if report.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(report))
}
