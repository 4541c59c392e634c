//! Pages for browsers that are no reports: the first page, and errors.
//!
//! A page loads nothing and runs nothing. The invariant: an error page has the status, code and headers of the error; only who asks
//! from a browser gets one: a program that asks for `text/html` is told the envelope, as in every format.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::error::Told;
use super::negotiation;

const STYLE: &str = include_str!("../output/html/style.css");
/// Styles of the page itself and forms to the server, and nothing else.
const POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'");

/// Returns whether a request prefers a page to data.
pub(super) fn wants_page(headers: &HeaderMap) -> bool {
    negotiation::format(headers).is_some_and(|format| format.name() == "html")
}

/// Returns whether a browser asks for a document: it says so, or accepts XHTML, as browsers alone do.
fn is_browser(headers: &HeaderMap) -> bool {
    let says = |name: &str, word: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.contains(word))
    };
    wants_page(headers) && (says("sec-fetch-mode", "navigate") || says("accept", "application/xhtml+xml"))
}

/// Returns a page of a title and a body.
pub(super) fn page(title: &str, subtitle: &str, body: &Markup) -> Response {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            // A part of its own: the style sheet puts the parts of a report in another order than they are written in.
            body { main { div {
                header { h1 { (title) } p.subtitle { (subtitle) } }
                (body)
            } } }
        }
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::VARY, HeaderValue::from_static("accept")),
    ];
    (headers, page.into_string()).into_response()
}

/// Shows errors to browsers as pages.
pub(super) async fn errors(request: Request, next: Next) -> Response {
    let is_browser = is_browser(request.headers());
    let response = next.run(request).await;
    let Some(Told { code, message }) = response.extensions().get().cloned().filter(|_| is_browser) else {
        return response;
    };
    let status = response.status();
    let body = html! {
        p { (message) }
        p { a href="/" { "All features and reports" } }
    };
    let subtitle = format!("HTTP status {}, code {code}", status.as_u16());
    let title = status.canonical_reason().unwrap_or("Error");
    let (mut parts, _) = response.into_parts();
    let (shown, page) = page(title, &subtitle, &body).into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.extend(shown.headers);
    Response::from_parts(parts, page)
}
