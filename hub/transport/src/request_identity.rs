use http::header::{FROM, HOST};
use http::{HeaderMap, HeaderName};
use mimi_uri::Domain;

use crate::peer::Peer;

/// Why a request's claims about source and target are not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityMismatch {
    /// Not exactly one From.
    #[error("a request has exactly one From, not {0}")]
    FromCount(usize),
    /// From is not `mimi@` and a domain in canonical form.
    #[error("From is mimi@ and the provider's domain, and nothing else")]
    FromForm,
    /// From names a provider that the certificate did not prove.
    #[error("the certificate does not prove {0}")]
    FromNotProven(Domain),
    /// Neither Host nor `:authority`, or several.
    #[error("a request has exactly one Host, not {0}")]
    HostCount(usize),
    /// Host and `:authority` differ.
    #[error("Host and the request's target differ")]
    HostsDiffer,
    /// Host is not a domain with or without a port.
    #[error("Host is a domain in canonical form, with or without a port")]
    HostForm,
    /// Host names somebody else.
    #[error("{0} is not served here")]
    HostNotOurs(Domain),
}

/// Who a request comes from, if From, Host and the certificate agree on it (PM1–PM4, security row G1).
///
/// `authority` is HTTP/2's `:authority`, or that of an absolute-form target. Nothing is normalised (G4): a second
/// spelling of a name is not that name.
pub fn check_request_identity(
    headers: &HeaderMap,
    authority: Option<&str>,
    peer: &Peer,
    our_domains: &[Domain],
) -> Result<Domain, IdentityMismatch> {
    let host = target(headers, authority)?;
    if !our_domains.contains(&host) {
        return Err(IdentityMismatch::HostNotOurs(host));
    }
    let source = source(headers)?;
    if !peer.is(&source) {
        return Err(IdentityMismatch::FromNotProven(source));
    }
    Ok(source)
}

/// PM2: "The target provider is indicated using a Host header"; its port is ignored.
fn target(headers: &HeaderMap, authority: Option<&str>) -> Result<Domain, IdentityMismatch> {
    let text = match (authority, only(headers, &HOST)) {
        (Some(authority), Err(0)) => authority,
        (Some(authority), Ok(host)) if host == authority.as_bytes() => authority,
        (Some(_), Ok(_)) => return Err(IdentityMismatch::HostsDiffer),
        (None, Ok(host)) => std::str::from_utf8(host).map_err(|_| IdentityMismatch::HostForm)?,
        (_, Err(count)) => return Err(IdentityMismatch::HostCount(count)),
    };
    let host = match text.split_once(':') {
        Some((host, port)) if port.len() <= 5 && port.bytes().all(|b| b.is_ascii_digit()) => host,
        Some(_) => return Err(IdentityMismatch::HostForm),
        None => text,
    };
    Domain::parse(host).map_err(|_| IdentityMismatch::HostForm)
}

/// PM3, PM4: the `addr-spec` form with the local part `mimi`.
fn source(headers: &HeaderMap) -> Result<Domain, IdentityMismatch> {
    let from = only(headers, &FROM).map_err(IdentityMismatch::FromCount)?;
    let domain = std::str::from_utf8(from).ok().and_then(|text| text.strip_prefix("mimi@"));
    domain.and_then(|domain| Domain::parse(domain).ok()).ok_or(IdentityMismatch::FromForm)
}

/// The only value of a header, or how many there are.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<&'a [u8], usize> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.count()) {
        (Some(value), 0) => Ok(value.as_bytes()),
        (Some(_), more) => Err(more + 1),
        (None, _) => Err(0),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn domain(text: &str) -> Domain {
        Domain::parse(text).unwrap()
    }

    fn checked(
        froms: &[&'static str],
        hosts: &[&'static str],
        authority: Option<&str>,
    ) -> Result<Domain, IdentityMismatch> {
        let mut headers = HeaderMap::new();
        for from in froms {
            headers.append(FROM, HeaderValue::from_static(from));
        }
        for host in hosts {
            headers.append(HOST, HeaderValue::from_static(host));
        }
        let peer = Peer::new([domain("a.example"), domain("b.example")]);
        check_request_identity(&headers, authority, &peer, &[domain("us.example"), domain("our.example")])
    }

    #[test]
    fn a_provider_that_its_certificate_proves_is_believed() {
        let a = Ok(domain("a.example"));

        assert_eq!(checked(&["mimi@a.example"], &["us.example"], None), a);
        assert_eq!(checked(&["mimi@a.example"], &["us.example:8443"], None), a);
        assert_eq!(checked(&["mimi@a.example"], &[], Some("our.example:443")), a);
        assert_eq!(checked(&["mimi@a.example"], &["us.example"], Some("us.example")), a);
        assert_eq!(checked(&["mimi@b.example"], &["us.example"], None), Ok(domain("b.example")));
    }

    #[test]
    fn exactly_one_from_in_its_exact_form_is_accepted() {
        use IdentityMismatch::{FromCount, FromForm, FromNotProven};
        let cases: [(&[&str], IdentityMismatch); 15] = [
            (&[], FromCount(0)),
            (&["mimi@a.example", "mimi@a.example"], FromCount(2)),
            (&["mimi@a.example", "mimi@b.example", "x"], FromCount(3)),
            (&["mimi@c.example"], FromNotProven(domain("c.example"))),
            (&["mimi@sub.a.example"], FromNotProven(domain("sub.a.example"))),
            (&["Mimi@a.example"], FromForm),
            (&["alice@a.example"], FromForm),
            (&["@a.example"], FromForm),
            (&["a.example"], FromForm),
            (&["mimi@A.example"], FromForm),
            (&["mimi@a.example."], FromForm),
            (&["mimi@a.example:443"], FromForm),
            (&["<mimi@a.example>"], FromForm),
            (&["A <mimi@a.example>"], FromForm),
            (&["mimi@a.example, mimi@b.example"], FromForm),
        ];

        for (froms, why) in cases {
            assert_eq!(checked(froms, &["us.example"], None), Err(why), "{froms:?}");
        }
    }

    #[test]
    fn exactly_one_host_of_ours_is_accepted() {
        use IdentityMismatch::{HostCount, HostForm, HostNotOurs, HostsDiffer};
        let cases: [(&[&str], Option<&str>, IdentityMismatch); 14] = [
            (&[], None, HostCount(0)),
            (&["us.example", "us.example"], None, HostCount(2)),
            (&["us.example", "us.example"], Some("us.example"), HostCount(2)),
            (&["us.example"], Some("our.example"), HostsDiffer),
            (&["us.example:1"], Some("us.example"), HostsDiffer),
            (&["a.example"], None, HostNotOurs(domain("a.example"))),
            (&[], Some("x.us.example"), HostNotOurs(domain("x.us.example"))),
            (&["US.example"], None, HostForm),
            (&["us.example."], None, HostForm),
            (&["us.example:"], Some("u@us.example:"), HostsDiffer),
            (&[], Some("u@us.example"), HostForm),
            (&["us.example:x"], None, HostForm),
            (&["127.0.0.1:443"], None, HostForm),
            (&["[::1]:443"], None, HostForm),
        ];

        for (hosts, authority, why) in cases {
            assert_eq!(checked(&["mimi@a.example"], hosts, authority), Err(why), "{hosts:?} {authority:?}");
        }
    }
}
