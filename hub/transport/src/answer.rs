use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};

use crate::limits::RETRY_AFTER_MAX;

/// What a peer answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// How long the peer asks to be left alone.
    pub retry_after: Option<Duration>,
    /// The body, within the endpoint's measure.
    pub body: Bytes,
}

/// Retry-After in either of its forms (RFC 9110 §10.2.3); what is neither is not there.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if text.bytes().all(|byte| byte.is_ascii_digit()) {
        Duration::from_secs(text.parse().ok()?)
    } else {
        httpdate::parse_http_date(text).ok()?.duration_since(now).unwrap_or(Duration::ZERO)
    };
    Some(wait.min(RETRY_AFTER_MAX))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_wait_is_seconds_or_a_date_and_bounded() {
        let now = httpdate::parse_http_date("Fri, 20 Nov 2026 10:00:00 GMT").unwrap();
        let cases = [
            ("7", Some(Duration::from_secs(7))),
            (" 0 ", Some(Duration::ZERO)),
            ("999999999", Some(RETRY_AFTER_MAX)),
            ("99999999999999999999999", None),
            ("-1", None),
            ("1.5", None),
            ("", None),
            ("soon", None),
            ("Fri, 20 Nov 2026 10:01:30 GMT", Some(Duration::from_secs(90))),
            ("Fri, 20 Nov 2026 09:00:00 GMT", Some(Duration::ZERO)),
            ("Fri, 20 Nov 2099 10:00:00 GMT", Some(RETRY_AFTER_MAX)),
        ];

        for (text, wait) in cases {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(text))]);
            assert_eq!(retry_after(&headers, now), wait, "{text}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
