//! Reports over HTTP.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequestParts as _, RawPathParams, Request};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use futures::stream;

use super::{ApiError, Shared, parameters};
use crate::access::Access;
use crate::app::Rendering;
use crate::output;

/// Answers requests for one report.
#[derive(Debug, Clone)]
pub(super) struct Handler(pub(super) Arc<str>);

impl axum::handler::Handler<(), Shared> for Handler {
    type Future = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn call(self, request: Request, shared: Shared) -> Self::Future {
        Box::pin(async move {
            answer(&self.0, request, shared)
                .await
                .unwrap_or_else(axum::response::IntoResponse::into_response)
        })
    }
}

async fn answer(name: &str, request: Request, shared: Shared) -> Result<Response, ApiError> {
    let (mut parts, body) = request.into_parts();
    let access = Access::from_request_parts(&mut parts, &shared).await?;
    let path = RawPathParams::from_request_parts(&mut parts, &shared)
        .await
        .map_err(|error| ApiError::unreadable_body(&error.to_string()))?;
    let mut given = Vec::new();
    let mut format = "";
    for (name, value) in &path {
        match name {
            "format" => format = value,
            name => given.push((name.to_owned(), value.to_owned())),
        }
    }
    let format = output::find(format).ok_or_else(|| ApiError::unknown_format(format))?;
    let typed = parameters::of_report(&parts.method, parts.uri.query(), &parts.headers, body).await?;
    let of_path: Vec<String> = given.iter().map(|(name, _)| name.clone()).collect();
    if let Some((name, _)) = typed.iter().find(|(name, _)| of_path.contains(name)) {
        return Err(ApiError::repeated_parameter(name));
    }
    given.extend(typed);
    let rendering = shared.app.report(name, &given, format, &access).await?;
    let file = file_name(name, &given, &rendering);
    let mut response = body_of(rendering).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    if format.is_download()
        && let Ok(disposition) = HeaderValue::from_str(&format!("attachment; filename=\"{file}\""))
    {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    Ok(response)
}

/// A name that says what is in the file: report, feature and days.
fn file_name(name: &str, given: &[(String, String)], rendering: &Rendering) -> String {
    let mut file = name.to_owned();
    if let Some((_, feature)) = given.iter().find(|(name, _)| name == "feature") {
        file.push('-');
        file.extend(feature.chars().take(40).map(|c| if c.is_ascii_alphanumeric() { c } else { '+' }));
    }
    if let Some((first, last)) = rendering.days() {
        file.push_str(&format!("-{first}-{last}"));
    }
    format!("{file}.{}", rendering.format().name())
}

/// The pieces of a rendering as a body. A failure cuts the body, so that no reader takes it for whole.
fn body_of(rendering: Rendering) -> Body {
    Body::from_stream(stream::unfold(Some(rendering), async |rendering| {
        let mut rendering = rendering?;
        match rendering.next().await {
            Ok(Some(piece)) => Some((Ok(piece), Some(rendering))),
            Ok(None) => None,
            Err(error) => {
                tracing::error!(error = %super::error::chain(&error), "report failed after its first byte");
                Some((Err(std::io::Error::other("the report failed")), None))
            }
        }
    }))
}
