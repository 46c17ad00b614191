use std::time::{Duration, SystemTime};

use http::StatusCode;
use mimi_adapter::{Outcome, RefusedCode};
use ruma::api::error::{Error as MatrixError, ErrorKind, RetryAfter};

use crate::homeserver::CallFault;
use crate::limits::{RATE_LIMIT_WAIT, RATE_LIMIT_WAIT_MAX};

/// What the gateway does about a request that failed. Every operation can be repeated under its id, so whatever may
/// have been done or not is simply broken: the same again.
impl From<CallFault> for Outcome {
    fn from(fault: CallFault) -> Self {
        match fault {
            CallFault::Unreachable(_) | CallFault::Unreadable(_) => Self::Broken { why: fault.to_string() },
            CallFault::Malformed(why) => Self::refused(RefusedCode::Malformed, why),
            CallFault::Refused(no) => outcome_of(&no),
        }
    }
}

impl CallFault {
    /// Whether the homeserver said this.
    pub(crate) fn is(&self, kind: &ErrorKind) -> bool {
        matches!(self, Self::Refused(no) if no.error_kind() == Some(kind))
    }
}

fn outcome_of(no: &MatrixError) -> Outcome {
    if let Some(wait) = wait_of(no) {
        return Outcome::RetryAfter { wait };
    }
    let text = no.to_string();
    let code = match (no.status_code, no.error_kind()) {
        (_, Some(ErrorKind::TooLarge)) | (StatusCode::PAYLOAD_TOO_LARGE, _) => RefusedCode::TooLarge,
        (_, Some(ErrorKind::Forbidden | ErrorKind::UserSuspended | ErrorKind::InviteBlocked)) => {
            RefusedCode::NotAllowed
        }
        (_, Some(ErrorKind::NotFound)) => RefusedCode::UnknownRoom,
        // The token is wrong or the homeserver forgot our puppet: that is mended by people or by the next attempt.
        (StatusCode::UNAUTHORIZED, _) => return Outcome::Broken { why: text },
        (status, _) if status.is_server_error() => return Outcome::Broken { why: text },
        (_, _) => RefusedCode::Malformed,
    };
    Outcome::refused(code, text)
}

/// How long to wait, if the homeserver says that it is too much.
fn wait_of(no: &MatrixError) -> Option<Duration> {
    let asked = match no.error_kind() {
        Some(ErrorKind::LimitExceeded(limit)) => limit.retry_after,
        _ if no.status_code == StatusCode::TOO_MANY_REQUESTS => None,
        _ => return None,
    };
    let wait = match asked {
        Some(RetryAfter::Delay(delay)) => delay,
        Some(RetryAfter::DateTime(date)) => date.duration_since(SystemTime::now()).unwrap_or_default(),
        None => RATE_LIMIT_WAIT,
    };
    Some(wait.min(RATE_LIMIT_WAIT_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ruma::api::EndpointError;

    fn outcome(status: u16, header: Option<&str>, body: &str) -> Outcome {
        let mut response = http::Response::builder().status(status);
        if let Some(wait) = header {
            response = response.header("Retry-After", wait);
        }
        let response = response.body(body.as_bytes().to_vec()).unwrap();
        CallFault::Refused(MatrixError::from_http_response(response)).into()
    }

    fn code(status: u16, errcode: &str) -> Option<RefusedCode> {
        let body = format!(r#"{{"errcode": "{errcode}", "error": "no"}}"#);
        match outcome(status, None, &body) {
            Outcome::Refused { code, .. } => Some(code),
            Outcome::Broken { .. } => None,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_rate_limit_says_when_to_come_again() {
        let limited = |extra| format!(r#"{{"errcode": "M_LIMIT_EXCEEDED", "error": "no"{extra}}}"#);
        let wait = |millis| Outcome::RetryAfter { wait: Duration::from_millis(millis) };

        assert_eq!(outcome(429, None, &limited(r#", "retry_after_ms": 2500"#)), wait(2500));
        assert_eq!(outcome(429, Some("7"), &limited("")), wait(7000));
        assert_eq!(outcome(429, None, &limited("")), wait(1000));
        assert_eq!(outcome(429, None, "slow down"), wait(1000));
        assert_eq!(outcome(429, Some("86400"), &limited("")), wait(300_000));
    }

    #[test]
    fn what_the_homeserver_will_not_do_is_refused() {
        assert_eq!(code(413, "M_TOO_LARGE"), Some(RefusedCode::TooLarge));
        assert_eq!(code(400, "M_TOO_LARGE"), Some(RefusedCode::TooLarge));
        assert_eq!(code(403, "M_FORBIDDEN"), Some(RefusedCode::NotAllowed));
        assert_eq!(code(404, "M_NOT_FOUND"), Some(RefusedCode::UnknownRoom));
        assert_eq!(code(400, "M_BAD_JSON"), Some(RefusedCode::Malformed));
    }

    #[test]
    fn what_may_work_later_is_broken() {
        assert_eq!(code(500, "M_UNKNOWN"), None);
        assert_eq!(code(502, "M_UNKNOWN"), None);
        assert_eq!(code(401, "M_UNKNOWN_TOKEN"), None);
        let gone: Outcome = CallFault::Unreachable("connection refused".into()).into();
        assert!(matches!(gone, Outcome::Broken { .. }));
    }
}
