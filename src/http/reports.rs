//! Reports over HTTP.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts as _, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures::stream;

use super::{ApiError, Shared, body, negotiation, parameters, trace};
use crate::access::Caller;
use crate::app::{Ask, Prepared};
use crate::output::{self, Format};
use crate::store::Quality;

/// What an answer depends on besides its address.
const VARY: &str = "accept, accept-encoding, authorization, x-auth-token";
const QUALITY: HeaderName = HeaderName::from_static("x-data-quality");
const QUALITY_BYTES: usize = 4096;

/// Answers requests for one report.
#[derive(Debug, Clone)]
pub(super) struct Handler(pub(super) Arc<str>);

impl axum::handler::Handler<(), Shared> for Handler {
    type Future = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn call(self, request: Request, shared: Shared) -> Self::Future {
        trace::learn_report(request.extensions(), &self.0);
        Box::pin(async move {
            answer(&self.0, request, shared)
                .await
                .unwrap_or_else(axum::response::IntoResponse::into_response)
        })
    }
}

async fn answer(name: &str, request: Request, shared: Shared) -> Result<Response, ApiError> {
    let (mut parts, form) = request.into_parts();
    let caller = Caller::from_request_parts(&mut parts, &shared).await?;
    if let Some(address) = without_empty_fields(&parts) {
        return Ok((StatusCode::SEE_OTHER, [(header::LOCATION, address)]).into_response());
    }
    let path = RawPathParams::from_request_parts(&mut parts, &shared)
        .await
        .map_err(|error| ApiError::unreadable_body(&error.to_string()))?;
    let mut given = Vec::new();
    let mut named = None;
    for (name, value) in &path {
        match name {
            "format" => named = Some(value),
            name => given.push((name.to_owned(), value.to_owned())),
        }
    }
    let format = match named {
        Some(name) => output::find(name).ok_or_else(|| ApiError::unknown_format(name))?,
        None => negotiation::format(&parts.headers).ok_or_else(ApiError::not_acceptable)?,
    };
    let typed = parameters::of_report(&parts.method, parts.uri.query(), &parts.headers, form).await?;
    let of_path: Vec<String> = given.iter().map(|(name, _)| name.clone()).collect();
    if let Some((name, _)) = typed.iter().find(|(name, _)| of_path.contains(name)) {
        return Err(ApiError::repeated_parameter(name));
    }
    given.extend(typed);
    let ask = Ask {
        report: name,
        given: &given,
        format,
        caller: &caller,
        place: Some(place(&parts, named.is_some())),
    };
    let prepared = shared.app.prepare(&ask)?;
    let headers = headers(&ask, &prepared)?;
    let is_post = parts.method == Method::POST;
    let tag = headers.get(header::ETAG).and_then(|tag| tag.to_str().ok());
    if !is_post && tag.is_some_and(|tag| negotiation::has_already(&parts.headers, tag)) {
        let mut headers = headers;
        headers.remove(header::CONTENT_TYPE);
        headers.remove(header::CONTENT_DISPOSITION);
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    if parts.method == Method::HEAD {
        // A stream, since nobody knows how long the answer would be.
        let nothing = Body::from_stream(stream::empty::<Result<Bytes, std::io::Error>>());
        return Ok((headers, nothing).into_response());
    }
    let rendering = prepared.run().await?;
    let mut headers = headers;
    body::announce(&mut headers, &rendering);
    Ok((headers, body::of(rendering)).into_response())
}

/// The headers of an answer.
fn headers(ask: &Ask<'_>, prepared: &Prepared<'_>) -> Result<HeaderMap, ApiError> {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(ask.format.media_type()));
    headers.insert(header::VARY, HeaderValue::from_static(VARY));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    let text = |text: String| HeaderValue::from_str(&text).map_err(|error| ApiError::internal(&error));
    if let Some(tag) = prepared.public_tag() {
        headers.insert(header::ETAG, text(format!("W/\"{tag}\""))?);
    }
    body::name(&mut headers, ask.format, || file_name(ask, prepared))?;
    if let Some(quality) = prepared.quality() {
        headers.insert(QUALITY, text(brief(quality))?);
    }
    Ok(headers)
}

/// The doubts on one line. Where there are very many license servers, what is covered is left out: headers have limits.
fn brief(quality: &Quality) -> String {
    let json = quality.to_json();
    if json.len() <= QUALITY_BYTES {
        return json;
    }
    let covered = Vec::new();
    Quality {
        covered,
        ..quality.clone()
    }
    .to_json()
}

/// A name that says what is in the file: report, feature and days.
fn file_name(ask: &Ask<'_>, prepared: &Prepared<'_>) -> String {
    let mut file = ask.report.to_owned();
    if let Some((_, feature)) = ask.given.iter().find(|(name, _)| name == "feature") {
        file.push('-');
        file.extend(feature.chars().take(40).map(|c| if c.is_ascii_alphanumeric() { c } else { '+' }));
    }
    if let Some((first, last)) = prepared.days().filter(|(first, last)| first <= last) {
        file.push_str(&format!("-{first}-{last}"));
    }
    format!("{file}.{}", Format::name(ask.format))
}

/// What relative addresses of other formats begin with: they are neighbours of a named one, and below the others.
fn place(parts: &Parts, named: bool) -> String {
    let last = parts.uri.path().rsplit('/').next().unwrap_or_default();
    if named { String::new() } else { format!("{last}/") }
}

/// A form of a page sends every field, also those that say nothing: where to find the same without them.
fn without_empty_fields(parts: &Parts) -> Option<String> {
    let query = parts.uri.query().filter(|_| parts.method == Method::GET)?;
    let fields: Vec<(String, String)> = serde_urlencoded::from_str(query).ok()?;
    fields.iter().find(|(name, _)| name == output::FORM_MARK)?;
    let said: Vec<&(String, String)> = fields
        .iter()
        .filter(|(name, value)| name != output::FORM_MARK && !value.is_empty())
        .collect();
    // Relative, since a proxy may show the path under another name.
    let query = serde_urlencoded::to_string(said).ok()?;
    let last = parts.uri.path().rsplit('/').next().unwrap_or_default();
    Some(format!("{last}?{query}"))
}
