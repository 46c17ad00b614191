//! The endpoint table (A1), and how a request's path names what it is about.

use std::str::FromStr;

use percent_encoding::percent_decode_str;

use crate::limits::{
    BODY_LENGTH_MAX, DIRECTORY_LENGTH_MAX, GROUP_INFO_ANSWER_LENGTH_MAX, HANDSHAKE_BODY_LENGTH_MAX,
    MESSAGE_BODY_LENGTH_MAX,
};

/// Where a provider's directory is.
pub const DIRECTORY_PATH: &str = "/.well-known/mimi-protocol-directory";

/// The endpoints of a provider, in the draft's order; ours behind them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Endpoint {
    /// Claims KeyPackages of a user.
    KeyMaterial,
    /// Brings a proposal or a commit to a room.
    Update,
    /// Tells followers what a hub accepted.
    Notify,
    /// Brings a message to a room.
    SubmitMessage,
    /// Gives an external joiner what he needs.
    GroupInfo,
    /// Asks a user for consent.
    RequestConsent,
    /// Says what a user says to that.
    UpdateConsent,
    /// Finds users.
    IdentifierQuery,
    /// Reports abuse to a hub.
    ReportAbuse,
    /// Downloads an asset by way of the hub.
    ProxyDownload,
    /// Publishes identity roots. Ours, not the draft's.
    IdentityRoots,
}

/// An HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// GET
    Get,
    /// POST
    Post,
}

impl Method {
    /// The method as HTTP writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

impl Endpoint {
    /// Every endpoint.
    pub const ALL: [Self; 11] = [
        Self::KeyMaterial,
        Self::Update,
        Self::Notify,
        Self::SubmitMessage,
        Self::GroupInfo,
        Self::RequestConsent,
        Self::UpdateConsent,
        Self::IdentifierQuery,
        Self::ReportAbuse,
        Self::ProxyDownload,
        Self::IdentityRoots,
    ];

    /// The key in a directory, also used in logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::KeyMaterial => "keyMaterial",
            Self::Update => "update",
            Self::Notify => "notify",
            Self::SubmitMessage => "submitMessage",
            Self::GroupInfo => "groupInfo",
            Self::RequestConsent => "requestConsent",
            Self::UpdateConsent => "updateConsent",
            Self::IdentifierQuery => "identifierQuery",
            Self::ReportAbuse => "reportAbuse",
            Self::ProxyDownload => "proxyDownload",
            Self::IdentityRoots => "x-identityRoots",
        }
    }

    /// The endpoint with this directory key.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|endpoint| endpoint.name() == name)
    }

    /// How it is asked.
    pub const fn method(self) -> Method {
        match self {
            Self::ProxyDownload | Self::IdentityRoots => Method::Get,
            Self::KeyMaterial
            | Self::Update
            | Self::Notify
            | Self::SubmitMessage
            | Self::GroupInfo
            | Self::RequestConsent
            | Self::UpdateConsent
            | Self::IdentifierQuery
            | Self::ReportAbuse => Method::Post,
        }
    }

    /// What the last segment of its path names, as our directory writes it.
    pub const fn variable(self) -> Option<&'static str> {
        match self {
            Self::KeyMaterial => Some("targetUser"),
            Self::Update | Self::Notify | Self::SubmitMessage | Self::GroupInfo | Self::ReportAbuse => {
                Some("roomId")
            }
            Self::RequestConsent => Some("targetDomain"),
            Self::UpdateConsent => Some("requesterDomain"),
            Self::IdentifierQuery => Some("domain"),
            Self::ProxyDownload => Some("downloadUrl"),
            Self::IdentityRoots => None,
        }
    }

    /// Its path on our server, as a template: `/v1/update/{roomId}`.
    pub fn path_template(self) -> String {
        match self.variable() {
            Some(variable) => format!("/v1/{}/{{{variable}}}", self.segment()),
            None => format!("/v1/{}", self.segment()),
        }
    }

    /// Its segment in the path.
    const fn segment(self) -> &'static str {
        match self {
            Self::IdentityRoots => "identityRoots",
            other => other.name(),
        }
    }

    /// Largest body of a request (G5).
    pub const fn request_length_max(self) -> usize {
        match self {
            Self::Update | Self::Notify => HANDSHAKE_BODY_LENGTH_MAX,
            Self::SubmitMessage => MESSAGE_BODY_LENGTH_MAX,
            Self::KeyMaterial
            | Self::GroupInfo
            | Self::RequestConsent
            | Self::UpdateConsent
            | Self::IdentifierQuery
            | Self::ReportAbuse => BODY_LENGTH_MAX,
            Self::ProxyDownload | Self::IdentityRoots => 0,
        }
    }

    /// Largest body of an answer that is read.
    pub const fn answer_length_max(self) -> usize {
        match self {
            Self::GroupInfo => GROUP_INFO_ANSWER_LENGTH_MAX,
            Self::IdentityRoots => DIRECTORY_LENGTH_MAX,
            Self::KeyMaterial
            | Self::Update
            | Self::Notify
            | Self::SubmitMessage
            | Self::RequestConsent
            | Self::UpdateConsent
            | Self::IdentifierQuery
            | Self::ReportAbuse
            | Self::ProxyDownload => BODY_LENGTH_MAX,
        }
    }

    /// The HTTP status of its success. The draft's "201 Accepted" is sent as 201; any 2xx is taken for it.
    pub const fn success_status(self) -> u16 {
        match self {
            Self::Notify | Self::RequestConsent | Self::UpdateConsent | Self::ReportAbuse => 201,
            Self::KeyMaterial
            | Self::Update
            | Self::SubmitMessage
            | Self::GroupInfo
            | Self::IdentifierQuery
            | Self::ProxyDownload
            | Self::IdentityRoots => 200,
        }
    }
}

/// What a request's path says: which endpoint, and about what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route<'a> {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// The segment that names what it is about, still encoded; none where there is nothing to name.
    pub value: Option<&'a str>,
}

impl<'a> Route<'a> {
    /// Reads the raw path of a request to our server; none if it is no endpoint of ours.
    pub fn parse(path: &'a str) -> Option<Self> {
        let rest = path.strip_prefix("/v1/")?;
        let (segment, value) = match rest.split_once('/') {
            Some((segment, value)) => (segment, Some(value)),
            None => (rest, None),
        };
        let endpoint = Endpoint::ALL.into_iter().find(|endpoint| endpoint.segment() == segment)?;
        (endpoint.variable().is_some() == value.is_some()).then_some(Self { endpoint, value })
    }
}

/// Why a segment of a path does not name what it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError<E> {
    /// It is not one segment of properly percent-encoded UTF-8.
    #[error("the last path segment is not percent-encoded UTF-8")]
    Encoding,
    /// Decoded, it is not what belongs there, in its canonical form.
    #[error("the last path segment: {0}")]
    Value(E),
}

/// Reads what a raw path segment names: decodes exactly once, then takes only the canonical form (G4).
pub fn decode_path_value<T: FromStr>(raw: &str) -> Result<T, PathError<T::Err>> {
    if raw.contains('/') || !escapes_are_whole(raw) {
        return Err(PathError::Encoding);
    }
    let decoded = percent_decode_str(raw).decode_utf8().map_err(|_| PathError::Encoding)?;
    decoded.parse().map_err(PathError::Value)
}

fn escapes_are_whole(raw: &str) -> bool {
    raw.split('%').skip(1).all(|after| {
        let mut digits = after.bytes();
        [digits.next(), digits.next()]
            .iter()
            .all(|digit| digit.is_some_and(|digit| digit.is_ascii_hexdigit()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use mimi_uri::{Domain, InvalidUri, RoomUri};

    #[test]
    fn the_table_is_the_drafts() {
        let table: Vec<_> = Endpoint::ALL
            .iter()
            .map(|e| format!("{} {} {}", e.method().as_str(), e.path_template(), e.success_status()))
            .collect();

        assert_eq!(
            table,
            [
                "POST /v1/keyMaterial/{targetUser} 200",
                "POST /v1/update/{roomId} 200",
                "POST /v1/notify/{roomId} 201",
                "POST /v1/submitMessage/{roomId} 200",
                "POST /v1/groupInfo/{roomId} 200",
                "POST /v1/requestConsent/{targetDomain} 201",
                "POST /v1/updateConsent/{requesterDomain} 201",
                "POST /v1/identifierQuery/{domain} 200",
                "POST /v1/reportAbuse/{roomId} 201",
                "GET /v1/proxyDownload/{downloadUrl} 200",
                "GET /v1/identityRoots 200",
            ]
        );
        for endpoint in Endpoint::ALL {
            assert_eq!(Endpoint::by_name(endpoint.name()), Some(endpoint));
        }
    }

    #[test]
    fn g4_a_room_in_a_path_is_decoded_exactly_once() {
        let room = RoomUri::parse("mimi://a.example/r/club%2Fhouse").unwrap();
        let path = "/v1/update/mimi%3A%2F%2Fa.example%2Fr%2Fclub%252Fhouse";

        let route = Route::parse(path).unwrap();

        assert_eq!(route.endpoint, Endpoint::Update);
        assert_eq!(decode_path_value(route.value.unwrap()), Ok(room));
    }

    #[test]
    fn g4_every_other_spelling_of_a_room_in_a_path_is_refused() {
        let encoding = PathError::Encoding;
        for (raw, why) in [
            ("mimi://a.example/r/club", encoding.clone()),
            ("mimi%253A%252F%252Fa.example%252Fr%252Fclub", PathError::Value(InvalidUri::Scheme)),
            ("MIMI%3A%2F%2Fa.example%2Fr%2Fclub", PathError::Value(InvalidUri::Scheme)),
            ("mimi%3A%2F%2Fa.example%2Fr%2F..", PathError::Value(InvalidUri::Path)),
            ("mimi%3A%2F%2Fa.example%2Fr%2Fclub%", encoding.clone()),
            ("mimi%3A%2F%2Fa.example%2Fr%2Fclub%2", encoding.clone()),
            ("mimi%3A%2F%2Fa.example%2Fr%2Fclub%zz", encoding.clone()),
            ("mimi%3A%2F%2Fa.example%2Fr%2Fclub%FF", encoding.clone()),
            ("mimi%3A%2F%2Fa.example%2Fu%2Fclub", PathError::Value(InvalidUri::Class { expected: 'r' })),
            ("a.example%2Fr%2Fclub", PathError::Value(InvalidUri::Scheme)),
            ("", PathError::Value(InvalidUri::Scheme)),
        ] {
            assert_eq!(decode_path_value::<RoomUri>(raw), Err(why), "{raw}");
        }
    }

    #[test]
    fn a_path_names_an_endpoint_or_nothing() {
        for path in
            ["/v1/update", "/v2/update/x", "/v1/submit/x", "/v1//update/x", "/v1/identityRoots/x", "/v1/", ""]
        {
            assert_eq!(Route::parse(path), None, "{path}");
        }
        let route = Route::parse("/v1/requestConsent/b.example").unwrap();
        assert_eq!(decode_path_value::<Domain>(route.value.unwrap()).unwrap().as_str(), "b.example");
        assert_eq!(Route::parse("/v1/identityRoots").unwrap().endpoint, Endpoint::IdentityRoots);
    }
}
