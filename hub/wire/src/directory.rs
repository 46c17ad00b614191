//! The directory: where a provider's endpoints are (A2).

use std::collections::BTreeMap;
use std::fmt;

use mimi_uri::Domain;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::endpoint::Endpoint;
use crate::limits::{DIRECTORY_KEYS_MAX, DIRECTORY_LENGTH_MAX, URL_LENGTH_MAX};

/// Everything but RFC 3986's unreserved characters, as RFC 6570 simple expansion wants it.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The endpoints that a provider offers.
///
/// What a peer publishes is taken generously where nothing depends on it (unknown keys, any name of a variable, none at
/// all), and strictly where something does: only https, only hosts of that provider. A key with an unusable URL spoils
/// that endpoint alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    templates: BTreeMap<Endpoint, Result<Template, LinkError>>,
}

/// Why a document is not a directory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    /// Longer than any directory may be.
    #[error("a directory has at most {DIRECTORY_LENGTH_MAX} bytes")]
    TooLong,
    /// Not a JSON object.
    #[error("the directory is not a JSON object: {0}")]
    NotJson(String),
    /// More keys than any directory may have.
    #[error("a directory has at most {DIRECTORY_KEYS_MAX} keys")]
    TooManyKeys,
    /// A key comes twice, so nobody can say what it means.
    #[error("the directory has {0} twice")]
    Repeated(&'static str),
}

/// Why an endpoint of a peer cannot be reached by its directory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The directory does not name it.
    #[error("the directory does not offer it")]
    NotOffered,
    /// Its value is not a string.
    #[error("its value is not a URL")]
    NotAUrl,
    /// Longer than a URL may be.
    #[error("its URL has more than {URL_LENGTH_MAX} bytes")]
    TooLong,
    /// Not https.
    #[error("its URL is not https")]
    NotHttps,
    /// User information, an address, upper case or a bad port where a host should be.
    #[error("its URL has no plain host name")]
    Host,
    /// A host that is neither the provider's domain nor below it, nor named in our configuration.
    #[error("its URL is on {0}, which is not the provider's")]
    ForeignHost(Domain),
    /// A fragment, a space, a control character or bad braces.
    #[error("its URL is not a template with at most one variable")]
    Template,
}

impl Directory {
    /// Our own directory: these endpoints under `https://<authority>`.
    pub fn publish(authority: &Authority, endpoints: &[Endpoint]) -> Self {
        let template = |endpoint: &Endpoint| {
            let path = endpoint.path_template();
            (*endpoint, Template::parse(&format!("https://{authority}{path}")))
        };
        Self { templates: endpoints.iter().map(template).collect() }
    }

    /// The directory as JSON.
    pub fn to_json(&self) -> Vec<u8> {
        let offered: BTreeMap<&str, String> = self
            .templates
            .iter()
            .filter_map(|(endpoint, template)| Some((endpoint.name(), template.as_ref().ok()?.to_string())))
            .collect();
        // Strings only: serialising them cannot fail.
        serde_json::to_vec_pretty(&offered).unwrap_or_default()
    }

    /// Reads the directory of a provider; `also` are hosts that our configuration allows for it beside its own.
    pub fn parse(bytes: &[u8], provider: &Domain, also: &[Domain]) -> Result<Self, DirectoryError> {
        if bytes.len() > DIRECTORY_LENGTH_MAX {
            return Err(DirectoryError::TooLong);
        }
        let entries: Entries =
            serde_json::from_slice(bytes).map_err(|why| DirectoryError::NotJson(why.to_string()))?;
        if entries.0.len() > DIRECTORY_KEYS_MAX {
            return Err(DirectoryError::TooManyKeys);
        }
        let mut templates = BTreeMap::new();
        for (key, url) in &entries.0 {
            let Some(endpoint) = Endpoint::by_name(key) else { continue };
            let template = match url {
                Some(url) => Template::parse(url).and_then(|template| template.on_host_of(provider, also)),
                None => Err(LinkError::NotAUrl),
            };
            if templates.insert(endpoint, template).is_some() {
                return Err(DirectoryError::Repeated(endpoint.name()));
            }
        }
        Ok(Self { templates })
    }

    /// Where an endpoint is, for what `value` names: a URI, a domain, a URL, or nothing.
    pub fn link(&self, endpoint: Endpoint, value: &str) -> Result<Link, LinkError> {
        let template = self.templates.get(&endpoint).ok_or(LinkError::NotOffered)?;
        template.clone().map(|template| template.expand(value))
    }
}

/// A host, and a port where it is not 443.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Authority {
    /// The host; never an address.
    pub host: Domain,
    /// The port, if it is written.
    pub port: Option<u16>,
}

impl Authority {
    /// Reads `host` or `host:port`.
    pub fn parse(text: &str) -> Option<Self> {
        let (host, port) = match text.split_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok().filter(|_| !port.starts_with(['+', '0']))?)),
            None => (text, None),
        };
        Some(Self { host: Domain::parse(host).ok()?, port })
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.host),
            None => self.host.fmt(f),
        }
    }
}

/// The place of an endpoint, expanded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The host to ask; its certificate must be valid for it.
    pub authority: Authority,
    /// Path and query.
    pub path: String,
}

/// An https URL with at most one variable in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    authority: Authority,
    before: String,
    variable: Option<String>,
    after: String,
}

impl Template {
    /// Reads a URL template: RFC 6570 simple expansion, whatever the variable is called.
    pub fn parse(url: &str) -> Result<Self, LinkError> {
        if url.len() > URL_LENGTH_MAX {
            return Err(LinkError::TooLong);
        }
        let rest = url.strip_prefix("https://").ok_or(LinkError::NotHttps)?;
        let path_start = rest.find(['/', '?', '#', '{']).ok_or(LinkError::Template)?;
        let (authority, path) = rest.split_at(path_start);
        let authority = Authority::parse(authority).ok_or(LinkError::Host)?;
        if !path.starts_with('/') || path.bytes().any(|byte| !byte.is_ascii_graphic() || byte == b'#') {
            return Err(LinkError::Template);
        }
        let (before, variable, after) = split_variable(path).ok_or(LinkError::Template)?;
        Ok(Self { authority, before: before.to_owned(), variable, after: after.to_owned() })
    }

    fn on_host_of(self, provider: &Domain, also: &[Domain]) -> Result<Self, LinkError> {
        let host = &self.authority.host;
        let below = host.as_str().strip_suffix(provider.as_str()).is_some_and(|sub| sub.ends_with('.'));
        if host == provider || below || also.contains(host) {
            return Ok(self);
        }
        Err(LinkError::ForeignHost(self.authority.host))
    }

    /// The link for what `value` names. Where there is no variable, it becomes the last segment.
    fn expand(&self, value: &str) -> Link {
        let encoded = utf8_percent_encode(value, RESERVED).to_string();
        let joint = match (&self.variable, value) {
            (Some(_), _) | (None, "") => "",
            (None, _) if self.before.ends_with(['/', '=']) => "",
            (None, _) => "/",
        };
        let path = [&self.before, joint, &encoded, &self.after].concat();
        Link { authority: self.authority.clone(), path }
    }
}

/// Splits `before{variable}after`; none if the braces are anything but one simple expression.
fn split_variable(path: &str) -> Option<(&str, Option<String>, &str)> {
    let Some((before, rest)) = path.split_once('{') else {
        return (!path.contains('}')).then_some((path, None, ""));
    };
    let (variable, after) = rest.split_once('}')?;
    let is_name = |name: &str| {
        !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
    };
    let is_simple = is_name(variable) && ![before, after].iter().any(|part| part.contains(['{', '}']));
    is_simple.then(|| (before, Some(variable.to_owned()), after))
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "https://{}{}", self.authority, self.before)?;
        match &self.variable {
            Some(variable) => write!(f, "{{{variable}}}{}", self.after),
            None => f.write_str(&self.after),
        }
    }
}

/// The members of a JSON object as they come: each key, and its value if that is a string.
struct Entries(Vec<(String, Option<String>)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key()? {
            let value = match map.next_value()? {
                Scalar::Text(text) => Some(text),
                Scalar::Other(IgnoredAny) => None,
            };
            entries.push((key, value));
        }
        Ok(Entries(entries))
    }
}

#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Other(IgnoredAny),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain(text: &str) -> Domain {
        Domain::parse(text).unwrap()
    }

    fn parse(json: &str) -> Result<Directory, DirectoryError> {
        Directory::parse(json.as_bytes(), &domain("a.example"), &[domain("hosting.example")])
    }

    fn update_link(url: &str) -> Result<String, LinkError> {
        let json = serde_json::json!({ "update": url }).to_string();
        parse(&json).unwrap().link(Endpoint::Update, "mimi://a.example/r/club").map(|link| link.path)
    }

    #[test]
    fn our_directory_is_correct_json_and_reads_back() {
        let authority = Authority::parse("mimi.a.example:8443").unwrap();
        let endpoints = [Endpoint::Update, Endpoint::ProxyDownload, Endpoint::IdentityRoots];

        let published = Directory::publish(&authority, &endpoints);

        insta::assert_snapshot!(String::from_utf8(published.to_json()).unwrap(), @r#"
        {
          "proxyDownload": "https://mimi.a.example:8443/v1/proxyDownload/{downloadUrl}",
          "update": "https://mimi.a.example:8443/v1/update/{roomId}",
          "x-identityRoots": "https://mimi.a.example:8443/v1/identityRoots"
        }
        "#);
        let read = Directory::parse(&published.to_json(), &domain("a.example"), &[]).unwrap();
        assert_eq!(read, published);
        let link = read.link(Endpoint::IdentityRoots, "").unwrap();
        assert_eq!((link.authority, link.path.as_str()), (authority, "/v1/identityRoots"));
    }

    #[test]
    fn a_template_is_expanded_whatever_its_variable_is_called() {
        let uri = "mimi%3A%2F%2Fa.example%2Fr%2Fclub";
        for (template, path) in [
            ("https://a.example/v1/update/{roomId}", format!("/v1/update/{uri}")),
            ("https://mimi.a.example/{x}/update?v=1", format!("/{uri}/update?v=1")),
            ("https://a.example/v1/update{roomId}", format!("/v1/update{uri}")),
            ("https://a.example/v1/update", format!("/v1/update/{uri}")),
            ("https://a.example/v1/update/", format!("/v1/update/{uri}")),
            ("https://a.example/v1?room=", format!("/v1?room={uri}")),
            ("https://hosting.example:8443/{r}", format!("/{uri}")),
        ] {
            assert_eq!(update_link(template), Ok(path), "{template}");
        }
    }

    #[test]
    fn g21_a_url_that_leads_elsewhere_is_refused() {
        let foreign = |host| LinkError::ForeignHost(domain(host));
        for (url, why) in [
            ("http://a.example/{r}", LinkError::NotHttps),
            ("HTTPS://a.example/{r}", LinkError::NotHttps),
            ("https://b.example/{r}", foreign("b.example")),
            ("https://nota.example/{r}", foreign("nota.example")),
            ("https://127.0.0.1/{r}", LinkError::Host),
            ("https://[::1]/{r}", LinkError::Host),
            ("https://a.example@b.example/{r}", LinkError::Host),
            ("https://a.example:0443/{r}", LinkError::Host),
            ("https://a.example:/{r}", LinkError::Host),
            ("https://A.example/{r}", LinkError::Host),
            ("https:///{r}", LinkError::Host),
            ("https://{host}/x", LinkError::Host),
            ("https://a.example", LinkError::Template),
            ("https://a.example?{r}", LinkError::Template),
            ("https://a.example/{r}/{s}", LinkError::Template),
            ("https://a.example/{+r}", LinkError::Template),
            ("https://a.example/{r", LinkError::Template),
            ("https://a.example/r}", LinkError::Template),
            ("https://a.example/{r}#x", LinkError::Template),
            ("https://a.example/ {r}", LinkError::Template),
        ] {
            assert_eq!(update_link(url), Err(why), "{url}");
        }
    }

    #[test]
    fn a_bad_key_spoils_its_own_endpoint_only() {
        let json = r#"{ "update": 7, "notify": "https://a.example/n/{r}", "x-new": {"a": [1]} }"#;

        let directory = parse(json).unwrap();

        assert_eq!(directory.link(Endpoint::Update, "x"), Err(LinkError::NotAUrl));
        assert_eq!(directory.link(Endpoint::GroupInfo, "x"), Err(LinkError::NotOffered));
        assert_eq!(directory.link(Endpoint::Notify, "x").unwrap().path, "/n/x");
    }

    #[test]
    fn what_is_no_directory_is_refused() {
        let many: BTreeMap<String, u8> = (0..=DIRECTORY_KEYS_MAX).map(|key| (format!("k{key}"), 0)).collect();

        assert!(matches!(parse("[]"), Err(DirectoryError::NotJson(_))));
        assert!(matches!(parse(r#"{"update": "x""#), Err(DirectoryError::NotJson(_))));
        assert_eq!(parse(&serde_json::to_string(&many).unwrap()), Err(DirectoryError::TooManyKeys));
        assert_eq!(parse(r#"{"notify": "", "notify": ""}"#), Err(DirectoryError::Repeated("notify")));
        assert_eq!(parse(&" ".repeat(DIRECTORY_LENGTH_MAX + 1)), Err(DirectoryError::TooLong));
    }
}
