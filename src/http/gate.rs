//! What is refused before anybody is asked who it is: names that are not ours, and pages of other sites.
//!
//! A browser shows its user's credentials, and its place in the network, to whatever page asks. So a request must name a host
//! that is ours (a name that its owner points here later is none), and must not come from a page of another origin, unless the
//! configuration lists that. Programs send neither `Origin` nor `Sec-Fetch-Site`, and pass.
//!
//! The invariant: this holds on every route and for every method, with and without tokens in the store.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::connections::Peer;
use super::origin::{Authority, Origin};
use super::{ApiError, HttpOptions, Shared};

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const METHODS: &str = "GET, HEAD, POST, DELETE, OPTIONS";
const REQUEST_HEADERS: &str = "X-Auth-token, Authorization, Content-Type, X-Request-Id, If-None-Match, If-Range, Range";
const RESPONSE_HEADERS: &str = "Content-Disposition, ETag, Retry-After, X-Request-Id, X-Query-Id, Accept-Ranges, Content-Range";
/// How long a browser may remember what is allowed, in seconds.
const REMEMBERED: &str = "600";
/// Headers that proxies add, besides those that begin with `x-forwarded-`.
const OF_PROXIES: [&str; 11] = [
    "forwarded",
    "via",
    "x-forwarded",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-original-forwarded-for",
    "x-envoy-external-address",
    "true-client-ip",
    "cf-connecting-ip",
    "fastly-client-ip",
];

/// Whether a proxy passed a request on. Whoever asked it is not known to be on this machine.
pub(super) fn is_forwarded(headers: &HeaderMap) -> bool {
    headers
        .keys()
        .any(|name| name.as_str().starts_with("x-forwarded-") || OF_PROXIES.contains(&name.as_str()))
}

/// Lets a request through that names a host of ours and is not of another site.
pub(super) async fn gate(
    State(shared): State<Shared>,
    ConnectInfo(Peer(peer)): ConnectInfo<Peer>,
    request: Request,
    next: Next,
) -> Response {
    let options = &*shared.options;
    let listed = match check(request.uri(), request.headers(), peer, options) {
        Ok(Site::Listed(origin)) => Some(origin),
        Ok(Site::Ours) => None,
        Err(error) => return vary(error.into_response(), options),
    };
    let is_preflight = request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if (is_preflight && listed.is_some()) || request.uri().path() == "*" {
        StatusCode::NO_CONTENT.into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    if let Some(origin) = listed {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if is_preflight {
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(REQUEST_HEADERS));
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(REMEMBERED));
        } else {
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(RESPONSE_HEADERS));
        }
    }
    vary(response, options)
}

/// Says that an answer is another one for another origin, where that is so.
fn vary(mut response: Response, options: &HttpOptions) -> Response {
    if !options.origins.is_empty() {
        response.headers_mut().append(header::VARY, HeaderValue::from_static("Origin"));
    }
    response
}

/// Adds `OPTIONS` to the methods that `Allow` lists: every route answers it.
pub(super) fn complete_allow(headers: &mut HeaderMap) {
    let Some(allowed) = headers.get(header::ALLOW).and_then(|allowed| allowed.to_str().ok()) else {
        return;
    };
    let mut methods: Vec<&str> = allowed.split(',').map(str::trim).filter(|method| !method.is_empty()).collect();
    if !methods.contains(&"OPTIONS") {
        methods.push("OPTIONS");
    }
    if let Ok(allowed) = HeaderValue::from_str(&methods.join(", ")) {
        headers.insert(header::ALLOW, allowed);
    }
}

/// Where a request comes from.
#[derive(Debug, PartialEq, Eq)]
enum Site {
    /// A program, the address bar of a browser, or a page of ours.
    Ours,
    /// A page of an origin that the configuration lists.
    Listed(HeaderValue),
}

fn check(uri: &Uri, headers: &HeaderMap, peer: SocketAddr, options: &HttpOptions) -> Result<Site, ApiError> {
    let named = host(headers, options)?;
    if let Some(authority) = uri.authority() {
        ours(authority.as_str(), options)?;
    }
    let is_trusted = options.proxies.iter().any(|proxy| proxy.holds(peer.ip()));
    let named = match headers.get(FORWARDED_HOST) {
        // The last one is what the proxy itself was asked for.
        Some(_) if is_trusted => {
            let forwarded = headers.get_all(FORWARDED_HOST).iter().next_back();
            let forwarded = forwarded.and_then(|host| host.to_str().ok()).unwrap_or_default();
            ours(forwarded.rsplit(',').next().unwrap_or_default().trim(), options)?
        }
        _ => named,
    };
    let mut origins = headers.get_all(header::ORIGIN).iter();
    if let Some(value) = origins.next() {
        let origin: Option<Origin> = value.to_str().ok().and_then(|origin| origin.parse().ok());
        let origin = origin.filter(|_| origins.next().is_none()).ok_or_else(ApiError::other_site)?;
        if options.origins.contains(&origin) {
            return Ok(Site::Listed(value.clone()));
        }
        if !origin.is_of(&named) {
            return Err(ApiError::other_site());
        }
    }
    let is_ours = |site: &HeaderValue| {
        let site = site.as_bytes();
        site.eq_ignore_ascii_case(b"none") || site.eq_ignore_ascii_case(b"same-origin")
    };
    if headers.get_all(FETCH_SITE).iter().all(is_ours) {
        Ok(Site::Ours)
    } else {
        Err(ApiError::other_site())
    }
}

/// The host that a request names: once, whatever the version of HTTP.
fn host(headers: &HeaderMap, options: &HttpOptions) -> Result<Authority, ApiError> {
    let mut named = headers.get_all(header::HOST).iter();
    match (named.next(), named.next()) {
        (Some(host), None) => ours(host.to_str().unwrap_or_default(), options),
        (None, _) => Err(ApiError::other_host("the header Host is missing")),
        (Some(_), Some(_)) => Err(ApiError::other_host("the header Host is given twice")),
    }
}

fn ours(host: &str, options: &HttpOptions) -> Result<Authority, ApiError> {
    let known = Authority::read(host).filter(|authority| authority.is_ours(&options.hosts));
    known.ok_or_else(|| ApiError::other_host(&format!("the host {host:?} is not one of this server")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(given: &[(&'static str, &str)], peer: &str, options: &HttpOptions) -> Result<Site, u16> {
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            headers.append(HeaderName::from_static(name), value.parse().unwrap());
        }
        let peer = SocketAddr::new(peer.parse().unwrap(), 5000);
        check(&Uri::from_static("/api/v1/reports"), &headers, peer, options).map_err(|error| error.code())
    }

    #[test]
    fn pages_of_other_sites_are_refused_unless_listed() {
        let options = HttpOptions {
            origins: vec!["https://grafana.example".parse().unwrap()],
            ..HttpOptions::default()
        };
        let from = |given: &[(&'static str, &str)]| {
            let given: Vec<_> = [("host", "localhost:8080")].into_iter().chain(given.iter().copied()).collect();
            checked(&given, "127.0.0.1", &options)
        };
        for ours in [
            &[][..],
            &[("origin", "http://localhost:8080")],
            &[("sec-fetch-site", "none")],
            &[("sec-fetch-site", "same-origin"), ("origin", "http://LOCALHOST:8080")],
        ] {
            assert_eq!(from(ours), Ok(Site::Ours), "{ours:?}");
        }
        for other in [
            &[("origin", "https://evil.example")][..],
            &[("origin", "null")],
            &[("origin", "")],
            &[("origin", "http://localhost")],
            &[("origin", "http://localhost:8080"), ("origin", "https://evil.example")],
            &[("origin", "http://localhost:8080"), ("sec-fetch-site", "cross-site")],
            &[("origin", "https://evil.example"), ("sec-fetch-site", "none")],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "none"), ("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "")],
        ] {
            assert_eq!(from(other), Err(1105), "{other:?}");
        }
        assert_eq!(
            from(&[("origin", "https://grafana.example"), ("sec-fetch-site", "cross-site")]),
            Ok(Site::Listed(HeaderValue::from_static("https://grafana.example")))
        );
    }

    #[test]
    fn proxies_are_believed_when_they_are_trusted() {
        let options = HttpOptions {
            hosts: vec!["headroom.example".to_owned()],
            proxies: vec!["10.0.0.0/8".parse().unwrap()],
            ..HttpOptions::default()
        };
        let page = [
            ("host", "127.0.0.1:8080"),
            ("x-forwarded-host", "headroom.example"),
            ("origin", "https://headroom.example"),
        ];
        assert_eq!(checked(&page, "10.1.1.1", &options), Ok(Site::Ours));
        assert_eq!(checked(&page, "127.0.0.1", &options), Err(1105), "nobody says that this is a proxy");
        let other = [("host", "127.0.0.1:8080"), ("x-forwarded-host", "headroom.example, evil.example")];
        assert_eq!(checked(&other, "10.1.1.1", &options), Err(1307));
    }
}
