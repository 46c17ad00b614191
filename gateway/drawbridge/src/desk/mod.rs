//! The operator's desk: what waits and why, letters, and what can be done about them.
//!
//! A question is answered by the running provider, at its operator's door, or, where none runs, from its database. Who
//! may read the instance key may ask ([`token`]).

pub(crate) mod ask;
mod queues;
mod table;

pub(crate) mod lane;
pub(crate) mod letter;

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::post;
use axum::{Json, Router};
use mimi_bridge::{Bridge, LetterReport, Letters};
use mimi_client::vault::Vault;
use mimi_server::Server;
use mimi_uri::Domain;
use serde::{Deserialize, Serialize};

use queues::Listed;

/// Where questions are asked.
pub(crate) const PATH: &str = "/desk";

/// What an operator wants.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Question {
    /// Every queue that does not rest.
    Queues,
    /// Try this queue now.
    Hurry { id: String },
    /// All letters, with what they say if `show`.
    Letters { show: bool },
    /// Put letters back into their outboxes; all if none is named.
    Replay { ids: Option<Vec<String>> },
    /// Forget letters; all if none is named.
    Drop { ids: Option<Vec<String>> },
}

/// What he gets.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    Queues(Vec<Listed>),
    /// How the queue stood; none if there is no such one.
    Hurried(Option<Listed>),
    Letters(Vec<LetterReport>),
    Changed(Letters),
}

/// Who answers.
pub(crate) struct Desk {
    pub(crate) bridge: Arc<Bridge>,
    pub(crate) server: Server,
    pub(crate) token: String,
}

impl Desk {
    /// Answers a question.
    pub(crate) async fn answer(&self, question: &Question) -> Result<Answer, String> {
        Ok(match question {
            Question::Queues => Answer::Queues(self.queues().await?),
            Question::Hurry { id } => Answer::Hurried(self.hurry(id).await?),
            Question::Letters { show } => Answer::Letters(self.bridge.letters(*show).await?),
            Question::Replay { ids } => Answer::Changed(self.bridge.replay(ids.as_deref()).await?),
            Question::Drop { ids } => Answer::Changed(self.bridge.drop_letters(ids.as_deref()).await?),
        })
    }
}

/// What proves that somebody may ask: nobody can make it without the instance key.
pub(crate) fn token(vault: &Vault, domain: &Domain) -> String {
    vault.name("operator", &[domain.as_str().as_bytes()])
}

/// The desk, for the operator's door.
pub(crate) fn router(desk: Arc<Desk>) -> Router {
    Router::new().route(PATH, post(answer)).with_state(desk)
}

async fn answer(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    Json(question): Json<Question>,
) -> Result<Json<Answer>, (StatusCode, String)> {
    let shown = headers.get(header::AUTHORIZATION).map_or(b"".as_slice(), |value| value.as_bytes());
    let wanted = format!("Bearer {}", desk.token);
    if verify_slices_are_equal(shown, wanted.as_bytes()).is_err() {
        return Err((StatusCode::UNAUTHORIZED, "the token is not made with this provider's key".to_owned()));
    }
    let answered = desk.answer(&question).await;
    answered.map(Json).map_err(|why| (StatusCode::INTERNAL_SERVER_ERROR, why))
}
