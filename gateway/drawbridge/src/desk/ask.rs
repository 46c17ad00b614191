//! Asking the running provider, or, if none runs, the database it left.

use std::io::ErrorKind;
use std::path::Path;

use axum::body::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use mimi_client::vault::Vault;
use tokio::net::TcpStream;

use super::{Answer, PATH, Question, token};
use crate::config::{Config, StoreConfig};
use crate::keys;
use crate::limits::{ANSWER_BYTES_MAX, ANSWER_TIME_MAX};
use crate::wiring::{OpenStore, Provider};

/// The answer, with who gave it.
pub(crate) struct Asked {
    pub(crate) answer: Answer,
    /// Whether a provider runs; one that does not tries nothing.
    pub(crate) is_running: bool,
}

/// Asks whoever can answer.
pub(crate) fn ask(config: &Path, question: &Question) -> Result<Asked, String> {
    let config = Config::load(config).map_err(|mistakes| mistakes.to_string())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|fault| format!("no threads: {fault}"))?;
    runtime.block_on(async {
        match TcpStream::connect(config.operator_listen).await {
            Ok(stream) => {
                let asking = ask_running(&config, stream, question);
                let answer = tokio::time::timeout(ANSWER_TIME_MAX, asking).await;
                let answer = answer.map_err(|_| format!("no answer in {ANSWER_TIME_MAX:?}"))??;
                Ok(Asked { answer, is_running: true })
            }
            Err(fault) if fault.kind() == ErrorKind::ConnectionRefused => {
                let answer = ask_stopped(&config, question).await?;
                Ok(Asked { answer, is_running: false })
            }
            Err(fault) => Err(format!("operator.listen: {}: {fault}", config.operator_listen)),
        }
    })
}

async fn ask_running(config: &Config, stream: TcpStream, question: &Question) -> Result<Answer, String> {
    let key = keys::instance_key(&config.provider).map_err(|mistake| mistake.to_string())?;
    let token = token(&Vault::new(&key), &config.provider.domain);
    let body = serde_json::to_vec(question).map_err(|fault| fault.to_string())?;
    let request = hyper::Request::post(PATH)
        .header("host", config.operator_listen.to_string())
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body)))
        .map_err(|fault| fault.to_string())?;
    let broken = |fault: hyper::Error| format!("{}: {fault}", config.operator_listen);
    let (mut asking, line) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    tokio::spawn(line);
    let response = asking.send_request(request).await.map_err(broken)?;
    let status = response.status();
    let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
    let body = body.map_err(|fault| format!("{}: {fault}", config.operator_listen))?.to_bytes();
    if !status.is_success() {
        let why = String::from_utf8_lossy(&body);
        return Err(format!("{} answers {status}: {why}", config.operator_listen));
    }
    serde_json::from_slice(&body).map_err(|fault| format!("the answer does not read: {fault}"))
}

/// Nothing is started: the parts are put together, asked, and dropped again.
async fn ask_stopped(config: &Config, question: &Question) -> Result<Answer, String> {
    if let StoreConfig::Sqlite(path) = &config.store
        && !path.exists()
    {
        return Err(format!("nothing runs, and there is no {} to read", path.display()));
    }
    let store = OpenStore::open(&config.store).await?;
    let provider = Provider::assemble(config, store).await?;
    let answer = provider.desk.answer(question).await;
    provider.store.close().await;
    answer
}
